#include "fall_network.h"
#include "fall_weights.h"

#include <math.h>
#include <string.h>

#define WIDTH RG_FALL_WIDTH

/* sum += weights' x, the loop over neighbours innermost so that the compiler takes them together. */
static inline void add(float sum[WIDTH], int n, const float weights[][WIDTH], const float *x)
{
    for (int i = 0; i < n; i++) {
        for (int c = 0; c < WIDTH; c++)
            sum[c] += weights[i][c] * x[i];
    }
}

void rg_fall_network_init(rg_fall_network *s)
{
    memset(s, 0, sizeof *s);
}

rg_fall_odds rg_fall_network_step(rg_fall_network *s, const float frame[RG_CHANNELS])
{
    float x[WIDTH], sum[WIDTH];
    uint32_t n = s->frames++;

    memcpy(sum, RG_FALL_FIRST_BIAS, sizeof sum);
    for (uint32_t k = 0; k < RG_FALL_FIRST - 1; k++)    /* the oldest stands where this one will */
        add(sum, RG_CHANNELS, RG_FALL_FIRST_WEIGHTS[k], s->seen[(n + k) % (RG_FALL_FIRST - 1)]);
    add(sum, RG_CHANNELS, RG_FALL_FIRST_WEIGHTS[RG_FALL_FIRST - 1], frame);
    memcpy(s->seen[n % (RG_FALL_FIRST - 1)], frame, sizeof s->seen[0]);
    for (int c = 0; c < WIDTH; c++)
        x[c] = sum[c] > 0.0f ? sum[c] : 0.0f;   /* fmaxf is a call where NaN must be minded */

    float (*past)[WIDTH] = s->past;
    for (int layer = 0; layer < RG_FALL_LAYERS; layer++) {
        uint32_t apart = 1u << layer, ring = 2u * apart;
        memcpy(sum, RG_FALL_BIAS[layer], sizeof sum);
        add(sum, WIDTH, RG_FALL_WEIGHTS[layer][0], past[n % ring]);
        add(sum, WIDTH, RG_FALL_WEIGHTS[layer][1], past[(n + apart) % ring]);
        add(sum, WIDTH, RG_FALL_WEIGHTS[layer][2], x);
        memcpy(past[n % ring], x, sizeof x);
        for (int c = 0; c < WIDTH; c++)
            x[c] += sum[c] > 0.0f ? sum[c] : 0.0f;
        past += ring;
    }
    rg_fall_odds odds = {RG_FALL_LAST_BIAS[0], RG_FALL_LAST_BIAS[1]};
    for (int c = 0; c < WIDTH; c++) {
        odds.falling += RG_FALL_LAST_WEIGHTS[0][c] * x[c];
        odds.fallen += RG_FALL_LAST_WEIGHTS[1][c] * x[c];
    }
    return odds;
}

rg_fall_odds rg_fall_network_limits(void)
{
    return (rg_fall_odds){RG_FALL_LIMITS[0], RG_FALL_LIMITS[1]};
}
