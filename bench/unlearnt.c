/* In place of fall_network.c, walk_network.c and step_network.c: somebody walks backward, 107 steps a
 * minute, and nobody falls. So the rest of the core can be timed by itself, with all that hangs on
 * those words still done. */
#include "fall_network.h"
#include "step_network.h"
#include "walk_network.h"

void rg_fall_network_init(rg_fall_network *s)
{
    s->frames = 0;
}

rg_fall_odds rg_fall_network_step(rg_fall_network *s, const float frame[RG_CHANNELS])
{
    (void)frame;
    s->frames++;
    return (rg_fall_odds){-9.0f, -9.0f};
}

rg_fall_odds rg_fall_network_limits(void)
{
    return (rg_fall_odds){0.0f, 0.0f};
}

void rg_walk_network_init(rg_walk_network *s)
{
    s->frames = 0;
}

void rg_walk_network_step(rg_walk_network *s, const float frame[RG_WALK_CHANNELS], float out[RG_WALK_OUTPUTS])
{
    (void)frame;
    s->frames++;
    out[RG_WALKS_BACKWARD] = 4.0f;
    out[RG_WALKS_FORWARD] = -4.0f;
    out[RG_WALKS_NEITHER] = -4.0f;
}

void rg_step_network_init(rg_step_network *s)
{
    s->frames = 0;
}

float rg_step_network_step(rg_step_network *s, const float frame[RG_WALK_CHANNELS])
{
    (void)frame;
    return s->frames++ % 14 ? -4.0f : 4.0f;
}

float rg_step_network_limit(void)
{
    return 0.0f;
}

float rg_step_network_lag(void)
{
    return 0.2f;
}
