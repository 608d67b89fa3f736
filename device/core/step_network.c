#include "step_network.h"
#include "step_weights.h"

#include <string.h>

static const rg_convolution NET = {
    .members = RG_STEP_MEMBERS, .channels = RG_WALK_CHANNELS, .outputs = 1,
    .width = RG_STEP_WIDTH, .layers = RG_STEP_LAYERS,
    .first = &RG_STEP_FIRST_WEIGHTS[0][0][0][0], .first_bias = &RG_STEP_FIRST_BIAS[0][0],
    .more = &RG_STEP_MORE_WEIGHTS[0][0][0][0][0], .more_bias = &RG_STEP_MORE_BIAS[0][0][0],
    .last = &RG_STEP_LAST_WEIGHTS[0][0][0], .last_bias = &RG_STEP_LAST_BIAS[0][0],
};

void rg_step_network_init(rg_step_network *s)
{
    memset(s, 0, sizeof *s);
}

float rg_step_network_step(rg_step_network *s, const float frame[RG_WALK_CHANNELS])
{
    float odds;
    rg_convolution_step(&NET, s->frames++, &s->seen[0][0][0], &s->past[0][0][0], frame, &odds);
    return odds;
}

float rg_step_network_limit(void)
{
    return RG_STEP_LIMIT[0];
}

float rg_step_network_lag(void)
{
    return RG_STEP_LAG[0];
}
