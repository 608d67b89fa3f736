/* body.h: one sample as every judge sees it, made by attitude and mount.
 *
 * Walker frame: x forward, y left, z up, levelled and corrected for how the belt
 * sits; it turns with the walker. Linear acceleration has gravity taken off.
 */
#ifndef RG_BODY_H
#define RG_BODY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rg_body {
    double t;           /* s */
    int64_t sample;     /* index since init */
    float dt;           /* s, 1 / fs */
    bool gap;           /* no usable data: everything below holds its last value */
    bool settled;       /* attitude has converged (first second or so after start or a gap) */
    float acc[3];       /* specific force, sensor axes, m/s^2 */
    float gyro[3];      /* angular rate, sensor axes, bias removed, rad/s */
    float acc_norm;     /* |acc| */
    float up[3];        /* unit vertical, sensor axes */
    float lin[3];       /* linear acceleration, walker frame (forward, left, up), m/s^2 */
    float rate[3];      /* angular rate, walker frame (roll, pitch, yaw), rad/s */
    float lean;         /* trunk pitch, forward positive, rad */
    float roll;         /* trunk roll, right side down positive, rad */
} rg_body;

#endif
