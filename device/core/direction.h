/* direction.h: which way the walker goes.
 *
 * A walker vaults over the leg as an inverted pendulum: fastest when lowest, slowest when highest.
 * So while the body rises it slows down: walking forward, the acceleration along the forward axis
 * is opposed to the vertical velocity; walking backward, it goes with it. And the pelvis pitches
 * forward while the walker speeds up, whichever way: forward, its pitch rate goes with the
 * acceleration along the forward axis; backward, against it. These two correlations are the
 * witnesses. A runner bounces as on a spring, fastest when highest, and
 * looks reversed: a strong bounce is therefore never called backward.
 */
#ifndef RG_DIRECTION_H
#define RG_DIRECTION_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_band {    /* band-pass at the frequency of steps, second order */
    float x1, x2, y1, y2;
} rg_band;

typedef struct rg_direction_finder {
    float b0, a1, a2;       /* of the band-pass */
    float leak, mix, mix_stir;  /* a sample, of the vertical velocity, the means, the brief mean */
    float dt;               /* s */
    rg_band forward, left, up, pitch;
    float velocity;         /* m/s, vertical, band-passed and leaking */
    float ff, uu, vv, pp, fv, fp;   /* means of products, exponentially forgotten */
    float known;            /* 0..1, how much of the means is not yet their start at zero */
    float stir;             /* (m/s^2)^2, brief mean of all movement */
    float yaw;              /* rad/s, mean */
    float moved, quiet;     /* s of movement, of stillness, without a break */
    float doubt;            /* s since the witness last spoke for the direction held */
    bool moving;
} rg_direction_finder;

void rg_direction_init(rg_direction_finder *s, const rg_params *params);
void rg_direction_step(rg_direction_finder *s, const rg_body *body, rg_gait *gait);

#endif
