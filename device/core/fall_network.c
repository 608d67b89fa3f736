#include "fall_network.h"
#include "fall_weights.h"

#include <string.h>

/* Number m of them. Its sizes are the same for all, so that the compiler knows them. */
static void hear(int m, rg_fall_member *s, uint32_t at, const float frame[RG_CHANNELS], float out[2])
{
    const rg_convolution net = {
        .channels = RG_CHANNELS, .width = RG_FALL_WIDTH, .layers = RG_FALL_LAYERS, .outputs = 2,
        .first = &RG_FALL_FIRST_WEIGHTS[m][0][0][0], .first_bias = RG_FALL_FIRST_BIAS[m],
        .more = &RG_FALL_MORE_WEIGHTS[m][0][0][0][0], .more_bias = &RG_FALL_MORE_BIAS[m][0][0],
        .last = &RG_FALL_LAST_WEIGHTS[m][0][0], .last_bias = RG_FALL_LAST_BIAS[m],
    };
    rg_convolution_step(&net, at, &s->seen[0][0], &s->past[0][0], frame, out);
}

void rg_fall_network_init(rg_fall_network *s)
{
    memset(s, 0, sizeof *s);
}

rg_fall_odds rg_fall_network_step(rg_fall_network *s, const float frame[RG_CHANNELS])
{
    rg_fall_odds mean = {0.0f, 0.0f};
    for (int m = 0; m < RG_FALL_MEMBERS; m++) {
        float out[2];
        hear(m, &s->member[m], s->frames, frame, out);
        mean.falling += out[0] / RG_FALL_MEMBERS;
        mean.fallen += out[1] / RG_FALL_MEMBERS;
    }
    s->frames++;
    return mean;
}

rg_fall_odds rg_fall_network_limits(void)
{
    return (rg_fall_odds){RG_FALL_LIMITS[0], RG_FALL_LIMITS[1]};
}
