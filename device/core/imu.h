/* imu.h: whether a sample can be used, and the fault when none can. */
#ifndef RG_IMU_H
#define RG_IMU_H

#include "body.h"
#include "demand.h"

/* One of the two sensors, to see it frozen. */
typedef struct rg_still {
    double changed_t;   /* s, time of the last sample that was not like the one before */
    float last[3];      /* as it came */
    int32_t same;       /* samples in a row with the same three values */
} rg_still;

typedef struct rg_imu {
    double used_t;      /* s, time of the last usable sample */
    rg_still acc, gyro;
    float dt;           /* s */
    int32_t weightless; /* samples in a row that weigh hardly anything */
    int32_t unused;     /* samples in a row that could not be used */
    float norm;         /* m/s^2, low-pass of |acc| */
    float restless;     /* m/s^2, low-pass of | |acc| - norm | */
    float wrong;        /* s the norm has rested far from g */
    bool begun;         /* there has been a sample with a time */
} rg_imu;

void rg_imu_init(rg_imu *s, const rg_params *params);
/* Sets the body's t, dt, missed and gap, and acc_norm of a usable sample. */
void rg_imu_step(rg_imu *s, const rg_sample *sample, rg_body *body, rg_demand *demand);

#endif
