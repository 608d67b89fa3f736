#include "fall_network.h"
#include "fall_weights.h"

#include <string.h>

static const rg_convolution NET = {
    .members = RG_FALL_MEMBERS, .channels = RG_CHANNELS, .outputs = 2,
    .width = RG_FALL_WIDTH, .layers = RG_FALL_LAYERS,
    .first = &RG_FALL_FIRST_WEIGHTS[0][0][0][0], .first_bias = &RG_FALL_FIRST_BIAS[0][0],
    .more = &RG_FALL_MORE_WEIGHTS[0][0][0][0][0], .more_bias = &RG_FALL_MORE_BIAS[0][0][0],
    .last = &RG_FALL_LAST_WEIGHTS[0][0][0], .last_bias = &RG_FALL_LAST_BIAS[0][0],
};

void rg_fall_network_init(rg_fall_network *s)
{
    memset(s, 0, sizeof *s);
}

rg_fall_odds rg_fall_network_step(rg_fall_network *s, const float frame[RG_CHANNELS])
{
    float out[2];
    rg_convolution_step(&NET, s->frames++, &s->seen[0][0][0], &s->past[0][0][0], frame, out);
    return (rg_fall_odds){out[0], out[1]};
}

rg_fall_odds rg_fall_network_limits(void)
{
    return (rg_fall_odds){RG_FALL_LIMITS[0], RG_FALL_LIMITS[1]};
}
