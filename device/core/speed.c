#include "speed.h"
#include "rearguard.h"

#include <math.h>

/* Fitted by bench/training/walking_speed.py. */
static const float FORWARD = 0.95f;     /* m/s at a bounce of 1 m/s^2 */
static const float BACKWARD = 0.73f;    /* the same, walking backward */
static const float POWER = 0.29f;

void rg_speed_step(rg_gait *gait)
{
    if (gait->direction == RG_STILL)
        gait->speed = 0.0f;
    else if (gait->direction == RG_FORWARD)
        gait->speed = FORWARD * powf(gait->bounce, POWER);
    else if (gait->direction == RG_BACKWARD)
        gait->speed = -BACKWARD * powf(gait->bounce, POWER);
    else
        gait->speed = NAN;
}
