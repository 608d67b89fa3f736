#include "direction.h"

void rg_direction_init(rg_direction_finder *s, const rg_params *params)
{
    s->dt = 1.0f / params->fs;
}

void rg_direction_step(rg_direction_finder *s, const rg_body *body, rg_gait *gait)
{
    (void)s;
    (void)body; (void)gait;
}
