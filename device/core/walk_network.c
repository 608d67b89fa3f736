#include "walk_network.h"
#include "walk_weights.h"

#include <math.h>
#include <string.h>

#define WIDTH RG_WALK_WIDTH

/* sum += weights' x, the loop over neighbours innermost so that the compiler takes them together. */
static inline void add(float sum[WIDTH], int n, const float weights[][WIDTH], const float *x)
{
    for (int i = 0; i < n; i++) {
        for (int c = 0; c < WIDTH; c++)
            sum[c] += weights[i][c] * x[i];
    }
}

void rg_walk_network_init(rg_walk_network *s)
{
    memset(s, 0, sizeof *s);
}

void rg_walk_network_step(rg_walk_network *s, const float frame[RG_WALK_CHANNELS], float out[RG_WALK_OUTPUTS])
{
    float x[WIDTH], sum[WIDTH];
    uint32_t n = s->frames++;

    memcpy(sum, RG_WALK_FIRST_BIAS, sizeof sum);
    for (uint32_t k = 0; k < RG_WALK_FIRST - 1; k++)    /* the oldest stands where this one will */
        add(sum, RG_WALK_CHANNELS, RG_WALK_FIRST_WEIGHTS[k], s->seen[(n + k) % (RG_WALK_FIRST - 1)]);
    add(sum, RG_WALK_CHANNELS, RG_WALK_FIRST_WEIGHTS[RG_WALK_FIRST - 1], frame);
    memcpy(s->seen[n % (RG_WALK_FIRST - 1)], frame, sizeof s->seen[0]);
    for (int c = 0; c < WIDTH; c++)
        x[c] = sum[c] > 0.0f ? sum[c] : 0.0f;   /* fmaxf is a call where NaN must be minded */

    float (*past)[WIDTH] = s->past;
    for (int layer = 0; layer < RG_WALK_LAYERS; layer++) {
        uint32_t apart = 1u << layer, ring = 2u * apart;
        memcpy(sum, RG_WALK_MORE_BIAS[layer], sizeof sum);
        add(sum, WIDTH, RG_WALK_MORE_WEIGHTS[layer][0], past[n % ring]);
        add(sum, WIDTH, RG_WALK_MORE_WEIGHTS[layer][1], past[(n + apart) % ring]);
        add(sum, WIDTH, RG_WALK_MORE_WEIGHTS[layer][2], x);
        memcpy(past[n % ring], x, sizeof x);
        for (int c = 0; c < WIDTH; c++)
            x[c] += sum[c] > 0.0f ? sum[c] : 0.0f;
        past += ring;
    }
    memcpy(out, RG_WALK_LAST_BIAS, sizeof RG_WALK_LAST_BIAS);
    for (int c = 0; c < WIDTH; c++) {
        for (int i = 0; i < RG_WALK_OUTPUTS; i++)
            out[i] += RG_WALK_LAST_WEIGHTS[c][i] * x[c];
    }
}
