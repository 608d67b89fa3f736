/* walk_frames.h: what the networks of walks see: frames at 25 a second, whatever the sampling rate.
 *
 * A walk is told from its first few harmonics, below 5 Hz. What is faster, the knocks of the heels
 * above all, depends on shoes, floor and belt, and is taken off first.
 */
#ifndef RG_WALK_FRAMES_H
#define RG_WALK_FRAMES_H

#include "body.h"

#define RG_WALK_CHANNELS 6
#define RG_WALK_RATE 25.0f      /* frames a second */
#define RG_WALK_PER_ACC 0.4f    /* of a frame's forces, 1 m/s^2 */
#define RG_WALK_MOST 8          /* frames a sample can bring, with what was lost before it */
#define RG_WALK_ROOM 8          /* channels that are filtered together: those and zeros */

typedef struct rg_walk_frames {
    float b0, a1, a2;                       /* low-pass, Butterworth, second order */
    float memory[2][RG_WALK_ROOM];          /* its state */
    float now[RG_WALK_ROOM];                /* the newest sample, filtered */
    float before[RG_WALK_ROOM];             /* the one before it */
    float span;                             /* frames from `before` to `now` */
    float due;                              /* frames from `before` to the next frame */
    bool begun;
    int32_t n;                              /* frames that the newest sample brought */
    float frame[RG_WALK_MOST][RG_WALK_CHANNELS];
    double t[RG_WALK_MOST];                 /* s, of each */
} rg_walk_frames;

void rg_walk_frames_init(rg_walk_frames *s, const rg_params *params);
/* Takes a sample in, and gives the frames up to it. */
void rg_walk_frames_step(rg_walk_frames *s, const rg_body *body);

#endif
