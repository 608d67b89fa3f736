/* steps.h: initial contacts and cadence.
 *
 * The leg that takes the weight throws the body up: every contact is followed by a crest of the
 * vertical acceleration. While the direction is known, the braking (forward: a fall of the
 * acceleration along the forward axis; backward: a rise) that comes with it sharpens the crest.
 * A crest counts once the signal has fallen from it by a share of the usual swing, or has stood
 * for so long that waiting more would make the report later than 0.30 s after the contact.
 *
 * Who walks slower than about 0.3 m/s hardly bounces: one such crest may be a shift of weight. Four
 * in a row that are alike in time and size are a walk; the three that waited are then told as well,
 * one a sample, up to 4.5 s after their contacts.
 */
#ifndef RG_STEPS_H
#define RG_STEPS_H

#include "body.h"
#include "crest.h"
#include "demand.h"
#include "gait.h"

#define RG_FAINT 4          /* faint crests that make a walk */

typedef struct rg_steps {
    float b0, a1, a2;       /* low-pass, Butterworth, second order */
    float x[2][2], y[2][2]; /* its past, of the forward and the vertical acceleration */
    float dt;               /* s */
    float now, before;      /* m/s^2, the signal here and one sample ago */
    rg_crest crest;         /* of steps beyond doubt, or of a walk under way */
    rg_crest hint;          /* of faint ones, while there is no walk */
    double faint_t[RG_FAINT];       /* s, the faint crests in a row */
    float faint_swing[RG_FAINT];    /* m/s^2 */
    int32_t faint, told;    /* how many there are in a row, and how many of them were told */
    float usual;            /* m/s^2, swing of the steps so far */
    double last;            /* s, the last contact */
    float interval;         /* s, smoothed */
    int32_t row;            /* steps without a break */
    bool weak;              /* all of them were faint */
} rg_steps;

void rg_steps_init(rg_steps *s, const rg_params *params);
void rg_steps_step(rg_steps *s, const rg_body *body, rg_gait *gait);

#endif
