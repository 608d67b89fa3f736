#include "speed.h"
#include "bounds.h"
#include "rearguard.h"

#include <math.h>

/* Fitted by bench/training/walking_speed.py. */
static const float FORWARD = 0.95f;     /* m/s at a bounce of 1 m/s^2 */
static const float BACKWARD = 0.74f;    /* the same, walking backward */
static const float POWER = 0.28f;
static const float LEAST = 0.7f;        /* m/s^2; less goes to nothing, and the speed with it */

static float root(float bounce)
{
    return powf(rg_max(bounce, LEAST), POWER) * rg_min(bounce / LEAST, 1.0f);
}

void rg_speed_step(rg_gait *gait)
{
    if (gait->direction == RG_STILL)
        gait->speed = 0.0f;
    else if (gait->direction == RG_FORWARD)
        gait->speed = FORWARD * root(gait->bounce);
    else if (gait->direction == RG_BACKWARD)
        gait->speed = -BACKWARD * root(gait->bounce);
    else
        gait->speed = NAN;
}
