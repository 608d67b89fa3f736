#include "impact.h"

void rg_impact_init(rg_impact *s, const rg_params *params)
{
    s->dt = 1.0f / params->fs;
}

void rg_impact_step(rg_impact *s, const rg_body *body, const rg_gait *gait, rg_demand *demand)
{
    (void)s;
    (void)body; (void)gait; (void)demand;
}
