/* walk_frames.h: what the walk network sees: frames at 25 a second, whatever the sampling rate.
 *
 * A walk is told from its first few harmonics, below 5 Hz. What is faster, the knocks of the heels
 * above all, depends on shoes, floor and belt, and is taken off first.
 */
#ifndef RG_WALK_FRAMES_H
#define RG_WALK_FRAMES_H

#include "body.h"

#define RG_WALK_CHANNELS 6

typedef struct rg_walk_frames {
    float b0, a1, a2;                       /* low-pass, Butterworth, second order */
    float memory[RG_WALK_CHANNELS][2];      /* its state */
    float now[RG_WALK_CHANNELS];            /* the newest sample, filtered */
    float before[RG_WALK_CHANNELS];         /* the one before it */
    float span;                             /* frames from `before` to `now` */
    float due;                              /* frames from `before` to the next frame */
    bool begun;
} rg_walk_frames;

void rg_walk_frames_init(rg_walk_frames *s, const rg_params *params);
/* Takes a sample in; then `next` gives the frames up to it, one after another, until it is false. */
void rg_walk_frames_take(rg_walk_frames *s, const rg_body *body);
bool rg_walk_frames_next(rg_walk_frames *s, float frame[RG_WALK_CHANNELS]);

#endif
