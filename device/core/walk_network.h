/* walk_network.h: small causal convolutions over the frames of walk_frames.h: which way does the body
 * walk? Made by bench/training/walk_network.py. 4,400 multiply-adds a frame and member.
 */
#ifndef RG_WALK_NETWORK_H
#define RG_WALK_NETWORK_H

#include "convolution.h"
#include "walk_frames.h"

#define RG_WALK_MEMBERS 3
#define RG_WALK_WIDTH 16
#define RG_WALK_LAYERS 5    /* the first looks 1 frame apart, each further one twice as far */

enum {                      /* what it says, as unscaled log-likelihoods */
    RG_WALKS_BACKWARD, RG_WALKS_FORWARD, RG_WALKS_NEITHER, RG_WALK_OUTPUTS
};

typedef struct rg_walk_network {
    float seen[RG_WALK_MEMBERS][RG_CONVOLUTION_FIRST - 1][RG_WALK_CHANNELS];    /* the last frames, a ring each */
    float past[RG_WALK_MEMBERS][RG_CONVOLUTION_PAST(RG_WALK_LAYERS)][RG_WALK_WIDTH];
    uint32_t frames;    /* so far; every ring's length divides 2^32 */
} rg_walk_network;

void rg_walk_network_init(rg_walk_network *s);
void rg_walk_network_step(rg_walk_network *s, const float frame[RG_WALK_CHANNELS], float out[RG_WALK_OUTPUTS]);

#endif
