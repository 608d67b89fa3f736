/* attitude.h: gravity's direction from a 6-axis IMU.
 *
 * After D. Laidig, T. Seel, "VQF: Highly accurate IMU orientation estimation with bias estimation
 * and magnetic disturbance rejection", Information Fusion 91 (2023),
 * doi 10.1016/j.inffus.2022.10.014, without the magnetometer. Three frames: the sensor's S; I, which is S before the first sample and
 * then stays put but for gyroscope drift; E, which is I tilted so that gravity is vertical.
 *
 * All in double: the low-pass's poles lie within 1e-3 of 1 and the bias moves by 1e-9 rad/s a
 * sample at 400 Hz, below what a float near them can hold.
 */
#ifndef RG_ATTITUDE_H
#define RG_ATTITUDE_H

#include "body.h"

typedef struct rg_lowpass {
    double b0, a1, a2;          /* second-order Butterworth; b1 = 2 b0, b2 = b0 */
    int32_t warm;               /* samples whose plain mean stands in at the start: one tau */
} rg_lowpass;

typedef struct rg_attitude {
    rg_lowpass slow, quick;     /* of gravity (tau 3 s), of rest (0.5 s) */
    double dt;                  /* s */
    double q_is[4], q_ei[4];    /* w x y z: S to I by the gyroscope, I to E by gravity */
    double acc_i[3][2];         /* low-pass of acceleration in I */
    double turn[9][2], drift[2][2]; /* low-pass of the rotation S to E, and of it times the bias */
    double bias[3], p[9];       /* rad/s; its covariance, (rad/s)^2 */
    double rest_acc[3][2], rest_gyro[3][2];
    double rest_s;              /* s the sensor has lain still */
    int32_t n, rest_n;          /* samples since the filters began */
} rg_attitude;

void rg_attitude_init(rg_attitude *s, const rg_params *params);
void rg_attitude_step(rg_attitude *s, const rg_sample *sample, rg_body *body);

#endif
