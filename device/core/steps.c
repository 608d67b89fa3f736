#include "steps.h"

void rg_steps_init(rg_steps *s, const rg_params *params)
{
    s->dt = 1.0f / params->fs;
}

void rg_steps_step(rg_steps *s, const rg_body *body, rg_gait *gait)
{
    (void)s;
    (void)body; (void)gait;
}
