/* fall_network.h: small causal convolutions over the frames of fall_features.h: is a fall under way,
 * has the body hit the ground? Made by bench/training/falls_network.py.
 */
#ifndef RG_FALL_NETWORK_H
#define RG_FALL_NETWORK_H

#include "convolution.h"
#include "fall_features.h"

#define RG_FALL_MEMBERS 3
#define RG_FALL_WIDTH 32
#define RG_FALL_LAYERS 6    /* the first looks 1 frame apart, each further one twice as far */

typedef struct rg_fall_odds {
    float falling;      /* logarithm of the odds that a fall is under way */
    float fallen;       /* … that one has just ended on the ground */
} rg_fall_odds;

typedef struct rg_fall_network {
    float seen[RG_FALL_MEMBERS][RG_CONVOLUTION_FIRST - 1][RG_CHANNELS];    /* the last frames, a ring each */
    float past[RG_FALL_MEMBERS][RG_CONVOLUTION_PAST(RG_FALL_LAYERS)][RG_FALL_WIDTH];
    uint32_t frames;    /* so far; every ring's length divides 2^32 */
} rg_fall_network;

void rg_fall_network_init(rg_fall_network *s);
rg_fall_odds rg_fall_network_step(rg_fall_network *s, const float frame[RG_CHANNELS]);
/* What these odds must exceed for an alarm; chosen with the weights. */
rg_fall_odds rg_fall_network_limits(void);

#endif
