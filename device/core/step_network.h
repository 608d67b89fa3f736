/* step_network.h: small causal convolutions over the frames of walk_frames.h: did a foot touch down a
 * while ago? Made by bench/training/step_network.py. 4,300 multiply-adds a frame and member.
 */
#ifndef RG_STEP_NETWORK_H
#define RG_STEP_NETWORK_H

#include "convolution.h"
#include "walk_frames.h"

#define RG_STEP_MEMBERS 3
#define RG_STEP_WIDTH 16
#define RG_STEP_LAYERS 5    /* the first looks 1 frame apart, each further one twice as far */

typedef struct rg_step_network {
    float seen[RG_STEP_MEMBERS][RG_CONVOLUTION_FIRST - 1][RG_WALK_CHANNELS];    /* the last frames, a ring each */
    float past[RG_STEP_MEMBERS][RG_CONVOLUTION_PAST(RG_STEP_LAYERS)][RG_STEP_WIDTH];
    uint32_t frames;    /* so far; every ring's length divides 2^32 */
} rg_step_network;

void rg_step_network_init(rg_step_network *s);
/* Log odds that a contact lies as far back as the network waits. */
float rg_step_network_step(rg_step_network *s, const float frame[RG_WALK_CHANNELS]);
/* What the odds of a contact must exceed, and how far back [s] it then lies. */
float rg_step_network_limit(void);
float rg_step_network_lag(void);

#endif
