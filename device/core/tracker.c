#include "tracker.h"

void rg_tracker_init(rg_tracker *s, const rg_params *params)
{
    s->dt = 1.0f / params->fs;
}

void rg_tracker_step(rg_tracker *s, const rg_body *body, const rg_gait *gait, rg_demand *demand, rg_estimate *estimate)
{
    (void)s;
    (void)body; (void)gait; (void)demand; (void)estimate;
}

void rg_tracker_ping(rg_tracker *s, const rg_ping *ping)
{
    (void)s;
    (void)ping;
}
