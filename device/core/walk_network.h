/* walk_network.h: a small causal convolution over the frames of walk_frames.h: which way does the
 * body walk, how fast, and does the belt sit back to front?
 *
 * A first layer over 5 frames, then layers over 3 frames that lie 1, 2 … 16 apart, each added to
 * what it was given (dilated residual convolutions: Bai, Kolter, Koltun, arXiv 1803.01271). Made by
 * bench/training/walk_network.py. 4,400 multiply-adds a frame, 110,000 a second.
 */
#ifndef RG_WALK_NETWORK_H
#define RG_WALK_NETWORK_H

#include "walk_frames.h"

#include <stdint.h>

#define RG_WALK_WIDTH 16
#define RG_WALK_FIRST 5
#define RG_WALK_LAYERS 5    /* the first looks 1 frame apart, each further one twice as far */

enum {                      /* what it says; the first three and the last as unscaled log-likelihoods */
    RG_WALKS_BACKWARD, RG_WALKS_FORWARD, RG_WALKS_NEITHER,
    RG_WALKS_FAST,          /* m/s, either way; no better than speed.c yet, and not used */
    RG_WALKS_ABOUT,         /* log odds that the belt sits back to front; a guess from one frame */
    RG_WALK_OUTPUTS
};

typedef struct rg_walk_network {
    float seen[RG_WALK_FIRST - 1][RG_WALK_CHANNELS];    /* the last frames, a ring */
    /* What went into each layer, as far back as it looks: rings of 2, 4, 8 …, one after another. */
    float past[2 * ((1 << RG_WALK_LAYERS) - 1)][RG_WALK_WIDTH];
    uint32_t frames;                                    /* so far; every ring's length divides 2^32 */
} rg_walk_network;

void rg_walk_network_init(rg_walk_network *s);
void rg_walk_network_step(rg_walk_network *s, const float frame[RG_WALK_CHANNELS], float out[RG_WALK_OUTPUTS]);

#endif
