/* fall_network.h: a small causal convolution over the frames of fall_features.h: is a fall under way,
 * has the body hit the ground?
 *
 * A first layer over 5 frames, then layers over 3 frames that lie 1, 2, 4 … 32 apart, each added to
 * what it was given (dilated residual convolutions: Bai, Kolter, Koltun, arXiv 1803.01271). Made by
 * bench/training/falls_network.py.
 */
#ifndef RG_FALL_NETWORK_H
#define RG_FALL_NETWORK_H

#include "fall_features.h"

#include <stdint.h>

#define RG_FALL_WIDTH 32
#define RG_FALL_FIRST 5
#define RG_FALL_LAYERS 6    /* the first looks 1 frame apart, each further one twice as far */

typedef struct rg_fall_odds {
    float falling;      /* logarithm of the odds that a fall is under way */
    float fallen;       /* … that one has just ended on the ground */
} rg_fall_odds;

typedef struct rg_fall_network {
    float seen[RG_FALL_FIRST - 1][RG_CHANNELS];     /* the last frames, a ring */
    /* What went into each layer, as far back as it looks: rings of 2, 4, 8 …, one after another. */
    float past[2 * ((1 << RG_FALL_LAYERS) - 1)][RG_FALL_WIDTH];
    uint32_t frames;                                /* so far; every ring's length divides 2^32 */
} rg_fall_network;

void rg_fall_network_init(rg_fall_network *s);
rg_fall_odds rg_fall_network_step(rg_fall_network *s, const float frame[RG_CHANNELS]);
/* What these odds must exceed for an alarm; chosen with the weights. */
rg_fall_odds rg_fall_network_limits(void);

#endif
