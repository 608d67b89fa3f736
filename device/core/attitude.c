#include "attitude.h"

void rg_attitude_init(rg_attitude *s, const rg_params *params)
{
    s->dt = 1.0f / params->fs;
}

void rg_attitude_step(rg_attitude *s, const rg_sample *sample, rg_body *body)
{
    (void)s;
    (void)sample; (void)body;
}
