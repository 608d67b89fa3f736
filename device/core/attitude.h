/* attitude.h: gravity's direction from a 6-axis IMU.
 *
 * After D. Laidig, T. Seel, "VQF: Highly accurate IMU orientation estimation with bias estimation
 * and magnetic disturbance rejection", Information Fusion 91 (2023),
 * doi 10.1016/j.inffus.2022.10.014, without the magnetometer. Three frames: the sensor's S; I, which
 * is S before the first sample and then stays put but for gyroscope drift; E, which is I tilted so
 * that gravity is vertical.
 *
 * Four deviations. Gravity's low-pass cannot tell 10 Hz from 100, so all but the turning of S runs
 * on sums over a tenth of a second. Beside the gyroscope's bias its sensitivity is learnt, three
 * axes and what each hears of the others: 1 % of it, as data sheets allow, is a degree after a
 * quarter turn and the larger part of VQF's error in fast rotation. What corrects both is weighed
 * by how much it scatters, so that a shaken sensor teaches nothing. And a body that keeps still for
 * half a second weighs gravity alone: then nothing that was before is averaged in.
 *
 * Float for what is seen of one sample: rounding is noise of 1e-5 rad/s there, and gravity takes
 * out what it adds up to. Double for what is learnt: the poles lie within 1e-2 of 1 and variances
 * span ten decades.
 */
#ifndef RG_ATTITUDE_H
#define RG_ATTITUDE_H

#include "body.h"

enum { RG_LEARNT = 12 };        /* bias, then the rows of the sensitivity error */

typedef struct rg_lowpass {
    double b0, a1, a2;          /* second-order Butterworth; b1 = 2 b0, b2 = b0 */
    int32_t warm;               /* values whose plain mean stands in at the start: one tau */
} rg_lowpass;

typedef struct rg_attitude {
    float dt;                   /* s, a sample */
    int32_t whole;              /* samples that make a sum */
    int32_t age;                /* samples since the start */
    float q[4];                 /* w x y z, S to E */
    float sense[4][4];          /* columns: turns a raw rate into a true one; last: less the bias */

    /* sums since the last correction */
    int32_t count;
    float turn[2][3][4];        /* each of the level rows of S to E: times the rates about x, y, z; times 1 */
    float force[3];             /* acceleration in E */
    float acc[4], gyro[4];      /* as measured; the fourth is zero: whole vectors for the machine */
    bool still;                 /* every sample was near the means */
    float mean_acc[4], mean_gyro[4];

    /* what is learnt: seen ten times a second, thought over twice a second */
    rg_lowpass slow, quick;     /* of gravity (tau 3 s), of rest (0.5 s) */
    double period;              /* s */
    double low_force[2][3];     /* state of the low-pass of acceleration in E */
    double low_turn[2][RG_LEARNT][2];   /* the same of the level rows of S to E, and times the rates */
    double low_known[2][2];     /* of what was taken off the rates, in E */
    double low_acc[3][2], low_gyro[3][2];
    int32_t lessons;
    double rows[2][RG_LEARNT], seen[2]; /* sums over them */
    double learnt[RG_LEARNT];   /* rad/s, and 1 */
    double p[RG_LEARNT][RG_LEARNT];     /* its covariance */
    double scatter, scatter_s;  /* (rad/s)^2 of the corrections of late; s that went into it */
    double rest_s;              /* s the sensor has lain still */
    int32_t n, rest_n;          /* values since the filters began */
} rg_attitude;

void rg_attitude_init(rg_attitude *s, const rg_params *params);
/* The bias may have moved by so much [rad/s, s.d.], each axis for itself: it is learnt anew from there. */
void rg_attitude_drift(rg_attitude *s, double by);
void rg_attitude_step(rg_attitude *s, const rg_sample *sample, rg_body *body);

#endif
