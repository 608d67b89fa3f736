/* body.h: one sample as every judge sees it, made by imu, attitude and mount.
 *
 * Walker frame: x forward, y left, z up, levelled and corrected for how the belt
 * sits; it turns with the walker. Linear acceleration has gravity taken off.
 *
 * Judges of motion are never called with a gap, so for them every value is finite;
 * `missed` tells them that samples are missing before this one.
 */
#ifndef RG_BODY_H
#define RG_BODY_H

#include "bounds.h"
#include "rearguard.h"

#include <stdbool.h>
#include <stdint.h>

/* s of missing data that are bridged; after more, attitude and gait start anew. */
#define RG_BRIDGED 0.2f

typedef struct rg_body {
    double t;           /* s, never runs backward */
    int64_t sample;     /* index since init */
    float dt;           /* s, 1 / fs */
    float missed;       /* s without usable data before this sample; 0 when none was lost */
    bool gap;           /* no usable data: everything below holds its last value */
    bool settled;       /* attitude has converged (first second or so after start or a gap) */
    bool aligned;       /* it is known how the belt sits: lean and roll can be taken at their word */
    float acc[3];       /* specific force, sensor axes, m/s^2 */
    float gyro[3];      /* angular rate, sensor axes, bias removed, rad/s */
    float acc_norm;     /* |acc| */
    float up[3];        /* unit vertical, sensor axes */
    float lin[4];       /* linear acceleration, walker frame (forward, left, up, 0), m/s^2 */
    float rate[4];      /* angular rate, walker frame (roll, pitch, yaw, 0), rad/s */
    float lean;         /* trunk pitch, forward positive, rad, -pi/2 to pi/2 */
    float roll;         /* trunk roll, right side down positive, rad, -pi/2 to pi/2 */
    float ahead, aside; /* sines of lean and roll */
    float tilt;         /* rad of trunk from upright in any direction, 0 to pi/2: head down lies as well */
} rg_body;

/* s that a sample stands for: with what was lost before it, if that can be bridged. Judges begin anew
 * after more, and frames filled in over hours of it would hold up the loop. */
static inline float rg_body_span(const rg_body *body)
{
    return body->missed > RG_BRIDGED ? body->dt : body->dt + body->missed;
}

#endif
