#include "attitude.h"
#include "four.h"
#include "vector.h"

#include <math.h>
#include <string.h>

/* The paper's constants (its section on tuning), in SI units. */
#define DEG (3.14159265358979323846 / 180.0)
static const double TAU_ACC = 3.0;              /* s, low-pass of acceleration in I */
static const double TAU_REST = 0.5;             /* s, low-pass that rest is measured against */
static const double REST_S = 1.5;               /* s still before it counts as rest */
static const float REST_ACC = 0.5f;             /* m/s^2 off the low-pass: moving */
static const float REST_GYRO = (float)(2.0 * DEG);  /* rad/s off the low-pass: moving */
static const double BIAS_FORGET = 100.0;        /* s in which the s.d. grows from 0 to 0.1 deg/s */
static const double SIGMA_FORGET = 0.1 * DEG;   /* rad/s */
static const double SIGMA_REST = 0.03 * DEG;    /* rad/s, s.d. the estimate settles at at rest */
static const double NOISE = 1.0 * DEG;          /* rad/s of correction in 1 s: 0.1 deg/s to settle at */

/* Ours. */
static const double BIAS_MAX = 5.0 * DEG;       /* rad/s; SisFall's gyroscopes are off by up to 4.2 */
static const double BIAS_START = 2.0 * DEG;     /* rad/s, s.d. of the unknown bias: data sheets' 1 to 5 */
static const float CORRECTIONS = 10.0f;         /* 1/s */
enum { LESSONS = 5 };                           /* of them are thought over together */
static const double SENSE_START = 0.01;         /* s.d. of the sensitivity, as data sheets have it */
static const double SENSE_MAX = 0.03;           /* three of these */
static const double SENSE_FORGET = 1e4;         /* s to know nothing of it again: it follows warmth */
static const double SCATTER_TAU = 20.0;         /* s of corrections that say how much they scatter */
static const float SETTLE = 1.0f;               /* s until `up` is trusted: a stride, to average */
static const double CALM = 0.5;                 /* s still after which gravity is what is weighed */
static const double ACC_MIN = 1e-3;             /* m/s^2, no direction in less */
static const float SMALL = 0.25f;               /* rad^2 of half a turn: the series hold to 1e-7 */

static rg_lowpass lowpass_of(double tau, double dt)
{
    /* Cut-off sqrt(2) / (2 pi tau), bilinear with prewarping. */
    double c = tan(sqrt(0.5) * dt / tau);
    double d = 1.0 / (c * c + sqrt(2.0) * c + 1.0);
    return (rg_lowpass){
        .b0 = c * c * d,
        .a1 = 2.0 * (c * c - 1.0) * d,
        .a2 = (c * c - sqrt(2.0) * c + 1.0) * d,
        .warm = (int32_t)ceil(tau / dt),
    };
}

/* Value n (from 1). For one tau it is the mean so far, so that a walker's first step does not
 * stand in for gravity; then the filter goes on as if that mean had always been there. */
static double lowpass(const rg_lowpass *f, int32_t n, double z[2], double x)
{
    if (n <= f->warm) {
        double mean = z[0] += (x - z[0]) / n;
        if (n == f->warm) {
            z[0] = mean * (1.0 - f->b0);
            z[1] = mean * (f->b0 - f->a2);
        }
        return mean;
    }
    double y = f->b0 * x + z[0];
    z[0] = 2.0 * f->b0 * x - f->a1 * y + z[1];
    z[1] = f->b0 * x - f->a2 * y;
    return y;
}

static double clip(double x, double limit)
{
    return fmin(fmax(x, -limit), limit);
}

/* q turned by rate [rad/s] for a time [s]. Kept a unit by one step of Newton's for 1 / |q|. */
static void strap_down(float q[4], const float rate[3], float time)
{
    float half = 0.5f * time;
    float x = half * half * rg_dot(rate, rate);
    float c, s;                                 /* cos, and sin over the half turn */
    if (x < SMALL) {
        c = 1.0f - x * (0.5f - x * (1.0f / 24.0f - x * (1.0f / 720.0f)));
        s = 1.0f - x * (1.0f / 6.0f - x * (1.0f / 120.0f - x * (1.0f / 5040.0f)));
    } else {
        float turn = sqrtf(x);
        c = cosf(turn);
        s = sinf(turn) / turn;
    }
    float b = s * half * rate[0], d = s * half * rate[1], e = s * half * rate[2];
    float w = q[0] * c - q[1] * b - q[2] * d - q[3] * e;
    float i = q[1] * c + q[0] * b + q[2] * e - q[3] * d;
    float j = q[2] * c + q[0] * d + q[3] * b - q[1] * e;
    float k = q[3] * c + q[0] * e + q[1] * d - q[2] * b;
    float unit = 1.5f - 0.5f * (w * w + i * i + j * j + k * k);
    q[0] = w * unit;
    q[1] = i * unit;
    q[2] = j * unit;
    q[3] = k * unit;
}

/* The vertical in S, of q from S to E. */
static void vertical(const float q[4], float up[3])
{
    float w = q[0], x = q[1], y = q[2], z = q[3];
    up[0] = 2.0f * (x * z - w * y);
    up[1] = 2.0f * (y * z + w * x);
    up[2] = 1.0f - 2.0f * (x * x + y * y);
}

/* The level rows of the rotation matrix of q. */
static void horizontal(const float q[4], float r[2][3])
{
    float w = q[0], x = q[1], y = q[2], z = q[3];
    r[0][0] = 1.0f - 2.0f * (y * y + z * z);
    r[0][1] = 2.0f * (x * y - w * z);
    r[0][2] = 2.0f * (x * z + w * y);
    r[1][0] = 2.0f * (x * y + w * z);
    r[1][1] = 1.0f - 2.0f * (x * x + z * z);
    r[1][2] = 2.0f * (y * z - w * x);
}

/* v turned by the quaternion w x y 0. */
static void tilted(double w, double x, double y, double v[3])
{
    double i = 2.0 * y * v[2], j = -2.0 * x * v[2], k = 2.0 * (x * v[1] - y * v[0]);
    v[0] += w * i + y * k;
    v[1] += w * j - x * k;
    v[2] += w * k + x * j - y * i;
}

/* Tilts E so that the force is vertical, by the shortest way; `tilt` is about its x and y. */
static void level(rg_attitude *s, const double force[3], double tilt[2])
{
    double norm = sqrt(force[0] * force[0] + force[1] * force[1] + force[2] * force[2]);
    tilt[0] = tilt[1] = 0.0;
    if (norm < ACC_MIN)             /* falling freely since the start: nothing to level by */
        return;
    double w = sqrt(fmax(0.5 * (force[2] / norm + 1.0), 0.0));
    double x = 1.0, y = 0.0;        /* upside down: any axis is the shortest */
    if (w > 1e-6) {
        tilt[0] = force[1] / norm;
        tilt[1] = -force[0] / norm;
        x = 0.5 * tilt[0] / w;
        y = 0.5 * tilt[1] / w;
    }
    const float *q = s->q;
    double out[4] = {
        w * (double)q[0] - x * (double)q[1] - y * (double)q[2],
        w * (double)q[1] + x * (double)q[0] + y * (double)q[3],
        w * (double)q[2] + y * (double)q[0] - x * (double)q[3],
        w * (double)q[3] + x * (double)q[2] - y * (double)q[1],
    };
    double unit = 1.0 / sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2] + out[3] * out[3]);
    for (int i = 0; i < 4; i++)
        s->q[i] = (float)(out[i] * unit);
    double sum[3] = {(double)s->force[0], (double)s->force[1], (double)s->force[2]};
    tilted(w, x, y, s->low_force[0]);
    tilted(w, x, y, s->low_force[1]);
    tilted(w, x, y, sum);
    for (int i = 0; i < 3; i++)
        s->force[i] = (float)sum[i];
}

/* Still for REST_S: every sample near the means before it, and these no faster than a bias is. */
static bool at_rest(rg_attitude *s, double share)
{
    s->rest_n += s->rest_n <= s->quick.warm;
    for (int i = 0; i < 3; i++) {
        double acc = lowpass(&s->quick, s->rest_n, s->low_acc[i], (double)s->acc[i] * share);
        double gyro = lowpass(&s->quick, s->rest_n, s->low_gyro[i], (double)s->gyro[i] * share);
        s->mean_acc[i] = (float)acc;
        s->mean_gyro[i] = (float)gyro;
        s->still = s->still && fabs(gyro) <= BIAS_MAX;
    }
    s->rest_s = s->still ? fmin(s->rest_s + s->period, REST_S) : 0.0;
    return s->rest_s >= REST_S;
}

/* Kalman update: h times what is learnt is off by `off`, which has the variance w. */
static void learn(rg_attitude *s, const double h[RG_LEARNT], double off, double w)
{
    double ph[RG_LEARNT];
    for (int i = 0; i < RG_LEARNT; i++) {
        double sum = 0.0;
        for (int j = 0; j < RG_LEARNT; j++)
            sum += s->p[i][j] * h[j];
        ph[i] = sum;
        w += sum * h[i];
    }
    for (int i = 0; i < RG_LEARNT; i++) {
        double gain = ph[i] / w;
        s->learnt[i] = clip(s->learnt[i] + gain * off, i < 3 ? BIAS_MAX : SENSE_MAX);
        for (int j = 0; j < RG_LEARNT; j++)
            s->p[i][j] -= gain * ph[j];
    }
}

/* At rest the gyroscope's low-pass is the bias. */
static void learn_at_rest(rg_attitude *s, double growth)
{
    double w = SIGMA_REST * SIGMA_REST;
    w += w * w / growth;            /* holds the estimate at that s.d. */
    for (int i = 0; i < 3; i++) {
        double h[RG_LEARNT] = {0.0};
        h[i] = 1.0;
        learn(s, h, clip((double)s->mean_gyro[i] - s->learnt[i], BIAS_MAX), w);
    }
}

static double unexplained(const rg_attitude *s, const double h[RG_LEARNT], double seen)
{
    for (int i = 0; i < RG_LEARNT; i++)
        seen -= h[i] * s->learnt[i];
    return seen;
}

/* In motion the tilt that gravity had to put right is what the gyroscope's errors did since: seen
 * through the same low-pass as gravity itself, which also makes what scatters last for its tau. */
static void learn_in_motion(rg_attitude *s, double time)
{
    double (*h)[RG_LEARNT] = s->rows, *seen = s->seen;
    double x = unexplained(s, h[0], seen[0]), y = unexplained(s, h[1], seen[1]);
    s->scatter_s = fmin(s->scatter_s + time, SCATTER_TAU);
    s->scatter += time / s->scatter_s * (0.5 * (x * x + y * y) - s->scatter);
    double w = fmax(NOISE * NOISE, s->scatter * TAU_ACC) / time;
    learn(s, h[0], clip(x, BIAS_MAX), w);
    learn(s, h[1], clip(unexplained(s, h[1], seen[1]), BIAS_MAX), w);
}

/* The lessons so far, taken together. */
static void think(rg_attitude *s, bool rest)
{
    double time = s->lessons * s->period;
    double growth = SIGMA_FORGET * SIGMA_FORGET * time / BIAS_FORGET;
    double stale = SENSE_START * SENSE_START * time / SENSE_FORGET;
    for (int i = 0; i < RG_LEARNT; i++) {
        double most = i < 3 ? BIAS_START : SENSE_START;
        if (s->p[i][i] < most * most)
            s->p[i][i] += i < 3 ? growth : stale;
        s->rows[0][i] /= s->lessons;
        s->rows[1][i] /= s->lessons;
    }
    s->seen[0] /= s->lessons;
    s->seen[1] /= s->lessons;
    if (rest)
        learn_at_rest(s, growth);
    else if (s->n > s->slow.warm && s->rest_s < CALM)   /* a plain mean is too restless to learn by */
        learn_in_motion(s, time);
    for (int i = 0; i < 3; i++) {
        s->sense[3][i] = (float)-s->learnt[i];
        for (int j = 0; j < 3; j++)
            s->sense[j][i] = (float)((i == j ? 1.0 : 0.0) - s->learnt[3 + 3 * i + j]);
    }
    s->lessons = 0;
    memset(s->rows, 0, sizeof s->rows);
    memset(s->seen, 0, sizeof s->seen);
}

/* Gravity in E: the low-pass of acceleration. A body that keeps still weighs gravity alone: then
 * nothing that was before need be averaged out. */
static void weigh(rg_attitude *s, double share, double force[3])
{
    bool calm = s->rest_s >= CALM && s->n > s->slow.warm;
    for (int i = 0; i < 3; i++) {
        double z[2] = {s->low_force[0][i], s->low_force[1][i]}, now = (double)s->force[i] * share;
        force[i] = lowpass(&s->slow, s->n, z, now);
        if (calm) {
            force[i] = now;
            z[0] = now * (1.0 - s->slow.b0);
            z[1] = now * (s->slow.b0 - s->slow.a2);
        }
        s->low_force[0][i] = z[0];
        s->low_force[1][i] = z[1];
    }
    if (calm) {
        memset(s->low_turn, 0, sizeof s->low_turn);
        memset(s->low_known, 0, sizeof s->low_known);
    }
}

/* From the sums so far to the vertical and to what is known of the gyroscope. */
static void correct(rg_attitude *s)
{
    double share = 1.0 / s->count, force[3], tilt[2];
    bool rest = at_rest(s, share);
    s->n += s->n <= s->slow.warm;
    weigh(s, share, force);
    level(s, force, tilt);
    for (int i = 0; i < 2; i++) {
        double known = 0.0;
        for (int j = 0; j < RG_LEARNT; j++) {
            float turn = j < 3 ? s->turn[i][j][3] : s->turn[i][(j - 3) / 3][(j - 3) % 3];
            double x = (double)turn * share;
            known += x * s->learnt[j];
            s->rows[i][j] += lowpass(&s->slow, s->n, s->low_turn[i][j], x);
        }
        s->seen[i] += lowpass(&s->slow, s->n, s->low_known[i], known) - tilt[i] / s->period;
    }
    if (++s->lessons == LESSONS)
        think(s, rest);

    s->count = 0;
    s->still = true;
    memset(s->turn, 0, sizeof s->turn);
    memset(s->force, 0, sizeof s->force);
    memset(s->acc, 0, sizeof s->acc);
    memset(s->gyro, 0, sizeof s->gyro);
}

/* While the low-pass still is a plain mean, every sample moves it. */
static void begin(rg_attitude *s)
{
    double force[3], tilt[2], before = (double)s->n * s->whole;
    for (int i = 0; i < 3; i++)
        force[i] = (s->low_force[0][i] * before + (double)s->force[i]) / (before + s->count);
    level(s, force, tilt);
}

/* Starts anew; what is known of the gyroscope is kept, for a gap does not change it. */
static void restart(rg_attitude *s)
{
    rg_attitude fresh = {
        .dt = s->dt, .whole = s->whole, .period = s->period, .slow = s->slow, .quick = s->quick,
        .q = {1.0f}, .still = true,
    };
    memcpy(fresh.sense, s->sense, sizeof fresh.sense);
    memcpy(fresh.learnt, s->learnt, sizeof fresh.learnt);
    memcpy(fresh.p, s->p, sizeof fresh.p);
    *s = fresh;
}

void rg_attitude_init(rg_attitude *s, const rg_params *params)
{
    memset(s, 0, sizeof *s);
    s->dt = 1.0f / params->fs;
    s->whole = (int32_t)rg_max(roundf(params->fs / CORRECTIONS), 1.0f);
    s->period = s->whole / (double)params->fs;
    s->slow = lowpass_of(TAU_ACC, s->period);
    s->quick = lowpass_of(TAU_REST, s->period);
    for (int i = 0; i < RG_LEARNT; i++)
        s->p[i][i] = i < 3 ? BIAS_START * BIAS_START : SENSE_START * SENSE_START;
    for (int i = 0; i < 3; i++)
        s->sense[i][i] = 1.0f;
    restart(s);
}

void rg_attitude_drift(rg_attitude *s, double by)
{
    double most = BIAS_START * BIAS_START;      /* as little as at the start is known, never less */
    for (int i = 0; i < 3; i++)
        s->p[i][i] += fmin(by * by, fmax(most - s->p[i][i], 0.0));
}

/* Adds a sample to the sums. */
static void add(rg_attitude *s, const float up[3], const float acc[4], const float gyro[4])
{
    const rg_four by = {gyro[0], gyro[1], gyro[2], 1.0f};
    float a[4], g[4], level[2][3];
    horizontal(s->q, level);
    for (int i = 0; i < 4; i++) {
        a[i] = acc[i] - s->mean_acc[i];
        g[i] = gyro[i] - s->mean_gyro[i];
        s->acc[i] += acc[i];
        s->gyro[i] += gyro[i];
    }
    s->force[0] += rg_dot(level[0], acc);
    s->force[1] += rg_dot(level[1], acc);
    s->force[2] += rg_dot(up, acc);
    if (s->rest_n && (rg_dot(a, a) >= REST_ACC * REST_ACC || rg_dot(g, g) >= REST_GYRO * REST_GYRO))
        s->still = false;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            *(rg_four *)s->turn[i][j] += level[i][j] * by;
    s->count++;
}

void rg_attitude_step(rg_attitude *s, const rg_sample *sample, rg_body *body)
{
    if (body->gap) {
        body->settled = body->settled && body->missed <= RG_BRIDGED;
        return;
    }
    if (body->missed > RG_BRIDGED)
        restart(s);
    const float acc[4] = {sample->acc[0], sample->acc[1], sample->acc[2]};
    const float gyro[4] = {sample->gyro[0], sample->gyro[1], sample->gyro[2]};
    float rate[4];
    for (int i = 0; i < 4; i++)
        rate[i] = s->sense[0][i] * gyro[0] + s->sense[1][i] * gyro[1] + s->sense[2][i] * gyro[2]
            + s->sense[3][i];
    if (s->age)
        strap_down(s->q, rate, s->dt + (body->missed <= RG_BRIDGED ? body->missed : 0.0f));
    else                            /* E is S, tilted: at once right for a body that stands */
        level(s, (double[3]){(double)acc[0], (double)acc[1], (double)acc[2]}, (double[2]){0.0});
    vertical(s->q, body->up);
    add(s, body->up, acc, gyro);
    bool whole = s->count == s->whole;
    if (whole || s->n < s->slow.warm) {
        whole ? correct(s) : begin(s);
        vertical(s->q, body->up);
    }
    s->age += s->age < INT32_MAX;

    for (int i = 0; i < 3; i++) {
        body->acc[i] = acc[i];
        body->gyro[i] = rate[i];
    }
    body->settled = (float)s->age * s->dt >= SETTLE;
}
