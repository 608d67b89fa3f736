/* steps.h: initial contacts and cadence.
 *
 * The leg that takes the weight throws the body up: every contact is followed by a crest of the
 * vertical acceleration. While the direction is known, the braking (forward: a fall of the
 * acceleration along the forward axis; backward: a rise) that comes with it sharpens the crest.
 * A crest counts once the signal has fallen from it by a share of the usual swing, or has stood
 * for so long that waiting more would make the report later than 0.30 s after the contact.
 */
#ifndef RG_STEPS_H
#define RG_STEPS_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_steps {
    float b0, a1, a2;       /* low-pass, Butterworth, second order */
    float x[2][2], y[2][2]; /* its past, of the forward and the vertical acceleration */
    float dt;               /* s */
    float now, before;      /* m/s^2, the signal here and one sample ago */
    float crest, trough;    /* m/s^2, extremes of the swing going on */
    float past, next;       /* m/s^2, the samples either side of the crest */
    double crest_t;         /* s */
    float usual;            /* m/s^2, swing of the steps so far */
    double last;            /* s, the last contact */
    float interval;         /* s, smoothed */
    int32_t row;            /* steps without a break */
    bool rising, fresh;     /* fresh: the crest is the newest sample */
} rg_steps;

void rg_steps_init(rg_steps *s, const rg_params *params);
void rg_steps_step(rg_steps *s, const rg_body *body, rg_gait *gait);

#endif
