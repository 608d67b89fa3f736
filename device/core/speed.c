#include "speed.h"

void rg_speed_init(rg_speed *s, const rg_params *params)
{
    s->dt = 1.0f / params->fs;
}

void rg_speed_step(rg_speed *s, const rg_body *body, rg_gait *gait)
{
    (void)s;
    (void)body; (void)gait;
}
