#include "mount.h"

void rg_mount_init(rg_mount *s, const rg_params *params)
{
    s->dt = 1.0f / params->fs;
}

void rg_mount_step(rg_mount *s, rg_body *body, rg_demand *demand)
{
    (void)s;
    (void)body; (void)demand;
}
