#include "falls.h"

void rg_falls_init(rg_falls *s, const rg_params *params)
{
    s->dt = 1.0f / params->fs;
}

void rg_falls_step(rg_falls *s, const rg_body *body, const rg_gait *gait, rg_demand *demand)
{
    (void)s;
    (void)body; (void)gait; (void)demand;
}
