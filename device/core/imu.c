#include "imu.h"
#include "vector.h"

#include <math.h>
#include <string.h>

static const float FAULT_AFTER = 0.1f;      /* s without data: five to forty samples lost */
static const float FROZEN_AFTER = 0.5f;     /* s; in recordings three values are the same for 0.11 s at most */
static const float WEIGHTLESS = 0.5f;       /* m/s^2; a leap or a fall is below it for 0.05 s at most */
static const float WEIGHTLESS_AFTER = 0.1f; /* s from which it is not the wearer but the sensor */
static const float ACC_MAX = 400.0f;        /* m/s^2, beyond any impact on a waist (SisFall: 259) */
static const float GYRO_MAX = 70.0f;        /* rad/s, twice the range of any belt's gyroscope */
static const double T_MAX = 1e9;            /* s, 31 years */
static const float G = 9.81f;               /* m/s^2 */
static const float NORM_OFF = 2.0f;         /* m/s^2 off g at rest; a sound sensor is within 0.5 */
static const float NORM_REST = 0.3f;        /* m/s^2 of restlessness; below it the norm must be g */
static const float NORM_TAU = 2.0f;         /* s, low-pass of the norm */
static const float NORM_AFTER = 5.0f;       /* s it must rest there */
static const float JITTER = 1.5f;           /* samples a time stamp may be late with none lost */

void rg_imu_init(rg_imu *s, const rg_params *params)
{
    memset(s, 0, sizeof *s);
    s->dt = 1.0f / params->fs;
    s->norm = G;
    s->restless = 10.0f * NORM_REST;        /* not known to be at rest */
}

/* A comparison with NaN is false, one with infinity false as well. Six zeros are what a chip says
 * that has lost its settings, not a body. */
static bool believable(float weight, float turning)
{
    return weight <= ACC_MAX && turning <= GYRO_MAX * GYRO_MAX && weight + turning > 0.0f;
}

static void count(int32_t *samples, bool another)
{
    *samples = !another ? 0 : *samples < INT32_MAX ? *samples + 1 : *samples;
}

/* Whether one sensor has said the same for long; either may die alone. */
static bool frozen(rg_still *s, const float now[3], const rg_body *body)
{
    bool same = memcmp(s->last, now, sizeof s->last) == 0;
    count(&s->same, same);
    if (!same)
        s->changed_t = body->t;
    memcpy(s->last, now, sizeof s->last);
    return (float)s->same * body->dt >= FROZEN_AFTER;
}

/* A sensor that says nothing but noise about zero looks like a fall that does not end. */
static bool weightless(rg_imu *s, float weight)
{
    count(&s->weightless, weight < WEIGHTLESS);
    return (float)s->weightless * s->dt > WEIGHTLESS_AFTER;
}

/* Whether a sensor at rest has weighed something other than g for long: broken or badly scaled. */
static bool weighs_wrong(rg_imu *s, float acc_norm)
{
    float a = s->dt / NORM_TAU;
    s->norm += a * (acc_norm - s->norm);
    s->restless += a * (fabsf(acc_norm - s->norm) - s->restless);
    bool off = s->restless < NORM_REST && fabsf(s->norm - G) > NORM_OFF;
    s->wrong = off ? rg_min(s->wrong + s->dt, NORM_AFTER) : 0.0f;
    return s->wrong >= NORM_AFTER;
}

void rg_imu_step(rg_imu *s, const rg_sample *sample, rg_body *body, rg_demand *demand)
{
    /* Written so that a time that is NaN is no later time either. */
    bool later = fabs(sample->t) <= T_MAX && (!s->begun || sample->t > body->t);
    float weight = sqrtf(rg_dot(sample->acc, sample->acc));
    bool usable = later && believable(weight, rg_dot(sample->gyro, sample->gyro));
    if (later) {
        if (!s->begun)
            s->used_t = s->acc.changed_t = s->gyro.changed_t = sample->t - (double)s->dt;
        s->begun = true;
        body->t = sample->t;
    }
    body->dt = s->dt;
    if (weightless(s, weight))
        usable = false;
    rg_still *still[] = {&s->acc, &s->gyro};
    const float *said[] = {sample->acc, sample->gyro};
    for (int i = 0; i < 2; i++)
        if (frozen(still[i], said[i], body)) {  /* what it said since it last changed was not so */
            usable = false;
            s->used_t = fmin(s->used_t, still[i]->changed_t);
            rg_demand_ask(demand, RG_IMU_FAULT, RG_FAULT);
        }
    float hole = (float)(body->t - s->used_t) - s->dt;
    float counted = (float)s->unused * s->dt;       /* time may stand still as well */
    body->missed = s->unused || hole > JITTER * s->dt ? rg_max(hole, counted) : 0.0f;
    body->gap = !usable;
    if (usable) {
        s->used_t = sample->t;
        s->unused = 0;
        body->acc_norm = weight;
        if (weighs_wrong(s, weight))
            rg_demand_ask(demand, RG_IMU_FAULT, RG_FAULT);
    } else if (s->unused < INT32_MAX) {
        s->unused++;
    }
    if (body->missed > FAULT_AFTER)
        rg_demand_ask(demand, RG_IMU_FAULT, RG_FAULT);
}
