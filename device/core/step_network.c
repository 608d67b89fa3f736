#include "step_network.h"
#include "step_weights.h"

#include <string.h>

/* Number m of them. Its sizes are the same for all, so that the compiler knows them. */
static float hear(int m, rg_step_member *s, uint32_t at, const float frame[RG_WALK_CHANNELS])
{
    const rg_convolution net = {
        .channels = RG_WALK_CHANNELS, .width = RG_STEP_WIDTH, .layers = RG_STEP_LAYERS, .outputs = 1,
        .first = &RG_STEP_FIRST_WEIGHTS[m][0][0][0], .first_bias = RG_STEP_FIRST_BIAS[m],
        .more = &RG_STEP_MORE_WEIGHTS[m][0][0][0][0], .more_bias = &RG_STEP_MORE_BIAS[m][0][0],
        .last = &RG_STEP_LAST_WEIGHTS[m][0][0], .last_bias = RG_STEP_LAST_BIAS[m],
    };
    float odds;
    rg_convolution_step(&net, at, &s->seen[0][0], &s->past[0][0], frame, &odds);
    return odds;
}

void rg_step_network_init(rg_step_network *s)
{
    memset(s, 0, sizeof *s);
}

float rg_step_network_step(rg_step_network *s, const float frame[RG_WALK_CHANNELS])
{
    float mean = 0.0f;
    for (int m = 0; m < RG_STEP_MEMBERS; m++)
        mean += hear(m, &s->member[m], s->frames, frame) / RG_STEP_MEMBERS;
    s->frames++;
    return mean;
}

float rg_step_network_limit(void)
{
    return RG_STEP_LIMIT[0];
}

float rg_step_network_lag(void)
{
    return RG_STEP_LAG[0];
}
