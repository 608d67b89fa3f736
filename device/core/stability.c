#include "stability.h"

void rg_stability_init(rg_stability *s, const rg_params *params)
{
    s->dt = 1.0f / params->fs;
}

void rg_stability_step(rg_stability *s, const rg_body *body, const rg_gait *gait, rg_demand *demand, rg_estimate *estimate)
{
    (void)s;
    (void)body; (void)gait; (void)demand; (void)estimate;
}
