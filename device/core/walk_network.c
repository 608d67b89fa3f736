#include "walk_network.h"
#include "walk_weights.h"

#include <string.h>

static const rg_convolution NET = {
    .members = RG_WALK_MEMBERS, .channels = RG_WALK_CHANNELS, .outputs = RG_WALK_OUTPUTS,
    .width = RG_WALK_WIDTH, .layers = RG_WALK_LAYERS,
    .first = &RG_WALK_FIRST_WEIGHTS[0][0][0][0], .first_bias = &RG_WALK_FIRST_BIAS[0][0],
    .more = &RG_WALK_MORE_WEIGHTS[0][0][0][0][0], .more_bias = &RG_WALK_MORE_BIAS[0][0][0],
    .last = &RG_WALK_LAST_WEIGHTS[0][0][0], .last_bias = &RG_WALK_LAST_BIAS[0][0],
};

void rg_walk_network_init(rg_walk_network *s)
{
    memset(s, 0, sizeof *s);
}

void rg_walk_network_step(rg_walk_network *s, const float frame[RG_WALK_CHANNELS], float out[RG_WALK_OUTPUTS])
{
    rg_convolution_step(&NET, s->frames++, &s->seen[0][0][0], &s->past[0][0][0], frame, out);
}
