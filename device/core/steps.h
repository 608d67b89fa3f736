/* steps.h: initial contacts and cadence.
 *
 * step_network.c has learnt how the pelvis moves after a contact, of walks forward and of the same
 * films played backward: a contact is told where its odds are highest, 0.2 to 0.3 s after it.
 *
 * Who walks slower than about 0.3 m/s hardly bounces: one such contact may be a shift of weight. Four
 * in a row that are alike are a walk; the three that waited are then told as well, one a sample, up to
 * 4.8 s after they were.
 */
#ifndef RG_STEPS_H
#define RG_STEPS_H

#include "body.h"
#include "gait.h"
#include "step_network.h"

#define RG_FAINT 4          /* faint contacts that make a walk */
#define RG_STRIDE 16        /* frames about a contact in which the body swings: 0.6 s */

typedef struct rg_steps {
    rg_step_network network;
    float odds[2];          /* that it gave for the last two frames, the newest last */
    double said;            /* s, a contact it tells of; NaN: none */
    bool sure;              /* with odds over its limit */
    float up[RG_STRIDE];    /* m/s^2, vertical acceleration of the last frames, a ring */
    uint32_t frames;        /* so far; the ring's length divides 2^32 */
    double faint[RG_FAINT]; /* s, contacts that wait to be a walk */
    int32_t waiting, told;  /* how many do, and how many of them were told */
    bool telling;           /* they are a walk */
    double last;            /* s, the last contact */
    float interval;         /* s, smoothed */
    int32_t row;            /* steps without a break */
} rg_steps;

void rg_steps_init(rg_steps *s);
void rg_steps_step(rg_steps *s, const rg_body *body, const rg_walk_frames *frames, rg_gait *gait);

#endif
