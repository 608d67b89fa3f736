#include "speed.h"
#include "bounds.h"
#include "rearguard.h"

#include <math.h>

/* Fitted by bench/training/walking_speed.py. */
static const float FORWARD = 0.93f;     /* m/s at a bounce of 1 m/s^2 */
static const float BACKWARD = 0.73f;    /* the same, walking backward */
static const float POWER = 0.285f;
static const float LEAST = 0.7f;        /* m/s^2; less goes to nothing, and the speed with it */
static const float NOTHING = 1e-3f;     /* m/s^2; no sensor is as quiet */
static const float EBBS = 1.35f;        /* times less than the walk's bounce is that of a walk that ends */

static float root(const rg_gait *gait)
{
    float bounce = gait->bounce;
    float ebb = rg_min(EBBS * gait->lately / rg_max(bounce, NOTHING), 1.0f);
    ebb *= ebb;
    ebb *= ebb;
    ebb *= ebb;
    return powf(rg_max(bounce, LEAST), POWER) * rg_min(bounce / LEAST, 1.0f) * ebb;
}

void rg_speed_step(rg_gait *gait)
{
    if (gait->direction == RG_STILL)
        gait->speed = 0.0f;
    else if (gait->direction == RG_FORWARD)
        gait->speed = FORWARD * root(gait);
    else if (gait->direction == RG_BACKWARD)
        gait->speed = -BACKWARD * root(gait);
    else
        gait->speed = NAN;
}
