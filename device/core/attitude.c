#include "attitude.h"

#include <math.h>
#include <string.h>

/* The paper's constants (its section on tuning), in SI units. */
#define DEG (3.14159265358979323846 / 180.0)
static const double TAU_ACC = 3.0;              /* s, low-pass of acceleration in I */
static const double TAU_REST = 0.5;             /* s, low-pass that rest is measured against */
static const double REST_S = 1.5;               /* s still before it counts as rest */
static const double REST_ACC = 0.5;             /* m/s^2 off the low-pass: moving */
static const double REST_GYRO = 2.0 * DEG;      /* rad/s off the low-pass: moving */
static const double BIAS_MAX = 2.0 * DEG;       /* rad/s, no gyroscope is off by more */
static const double BIAS_START = 0.5 * DEG;     /* rad/s, s.d. of the unknown bias */
static const double BIAS_FORGET = 100.0;        /* s in which the s.d. grows from 0 to 0.1 deg/s */
static const double SIGMA_FORGET = 0.1 * DEG;   /* rad/s */
static const double SIGMA_MOTION = 0.1 * DEG;   /* rad/s, s.d. the estimate settles at in motion */
static const double SIGMA_REST = 0.03 * DEG;    /* rad/s, and at rest */
static const double VERTICAL = 1e-4;            /* weight of "no bias about the vertical" */

/* Ours. */
static const float SETTLE = 1.0f;               /* s until `up` is trusted: a stride, to average */
static const double ACC_MIN = 1e-3;             /* m/s^2, no direction in less */

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

/* Sample n (from 1). For one tau it is the mean so far, so that a walker's first step does not
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

/* out = a b, normalised: rounding must not add up over days. */
static void multiply(const double a[4], const double b[4], double out[4])
{
    double w = a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3];
    double x = a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2];
    double y = a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1];
    double z = a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0];
    double n = 1.0 / sqrt(w * w + x * x + y * y + z * z);
    out[0] = w * n;
    out[1] = x * n;
    out[2] = y * n;
    out[3] = z * n;
}

static void matrix(const double q[4], double r[9])
{
    double w = q[0], x = q[1], y = q[2], z = q[3];
    r[0] = 1.0 - 2.0 * (y * y + z * z);
    r[1] = 2.0 * (x * y - w * z);
    r[2] = 2.0 * (x * z + w * y);
    r[3] = 2.0 * (x * y + w * z);
    r[4] = 1.0 - 2.0 * (x * x + z * z);
    r[5] = 2.0 * (y * z - w * x);
    r[6] = 2.0 * (x * z - w * y);
    r[7] = 2.0 * (y * z + w * x);
    r[8] = 1.0 - 2.0 * (x * x + y * y);
}

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void apply(const double r[9], const double v[3], double out[3])
{
    for (int i = 0; i < 3; i++)
        out[i] = dot(r + 3 * i, v);
}

static double clip(double x, double limit)
{
    return fmin(fmax(x, -limit), limit);
}

/* Turns by rate [rad/s] for a time [s]. */
static void strap_down(double q[4], const double rate[3], double time)
{
    double norm = sqrt(dot(rate, rate));
    double half = 0.5 * norm * time;
    double s = norm > 1e-12 ? sin(half) / norm : 0.5 * time;
    multiply(q, (double[4]){cos(half), s * rate[0], s * rate[1], s * rate[2]}, q);
}

/* Tilts E so that the acceleration a (in E) is vertical, by the shortest way. a is made a unit. */
static void level(double q_ei[4], double a[3])
{
    double norm = sqrt(dot(a, a));
    if (norm < ACC_MIN) {           /* falling freely since the start: nothing to level by */
        a[0] = a[1] = 0.0;
        return;
    }
    for (int i = 0; i < 3; i++)
        a[i] /= norm;
    double w = sqrt(fmax(0.5 * (a[2] + 1.0), 0.0));
    double tilt[4] = {0.0, 1.0, 0.0, 0.0};      /* upside down: any axis is the shortest */
    if (w > 1e-6) {
        tilt[0] = w;
        tilt[1] = 0.5 * a[1] / w;
        tilt[2] = -0.5 * a[0] / w;
    }
    multiply(tilt, q_ei, q_ei);
}

/* Still for REST_S: every axis near its own low-pass, and that no faster than a bias can be. */
static bool at_rest(rg_attitude *s, const double acc[3], const double gyro[3], double mean[3])
{
    double off_acc = 0.0, off_gyro = 0.0;
    bool still = true;
    s->rest_n += s->rest_n <= s->quick.warm;
    for (int i = 0; i < 3; i++) {
        double a = acc[i] - lowpass(&s->quick, s->rest_n, s->rest_acc[i], acc[i]);
        mean[i] = lowpass(&s->quick, s->rest_n, s->rest_gyro[i], gyro[i]);
        off_acc += a * a;
        off_gyro += (gyro[i] - mean[i]) * (gyro[i] - mean[i]);
        still = still && fabs(mean[i]) <= BIAS_MAX;
    }
    still = still && off_acc < REST_ACC * REST_ACC && off_gyro < REST_GYRO * REST_GYRO;
    s->rest_s = still ? fmin(s->rest_s + s->dt, REST_S) : 0.0;
    return s->rest_s >= REST_S;
}

/* Variance of a measurement repeated every dt that holds the estimate at the s.d. given. */
static double variance(double sigma, double growth)
{
    return sigma * sigma * sigma * sigma / growth + sigma * sigma;
}

/* Kalman update of the bias: the error e = r (true bias - bias) was seen, with variances w. */
static void correct_bias(rg_attitude *s, const double r[9], const double e[3], const double w[3])
{
    double rp[9], m[9], adjugate[9], column[3], gain[3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            rp[3 * i + j] = dot(r + 3 * i, s->p + 3 * j);       /* p is symmetric */
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            m[3 * i + j] = dot(rp + 3 * i, r + 3 * j) + (i == j ? w[i] : 0.0);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
            adjugate[3 * i + j] = m[3 * a + c] * m[3 * b + d] - m[3 * a + d] * m[3 * b + c];
        }
    double inverse = 1.0 / dot(m, adjugate);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            column[j] = rp[3 * j + i];
        for (int j = 0; j < 3; j++)
            gain[j] = dot(column, adjugate + 3 * j) * inverse;
        double step = 0.0;
        for (int j = 0; j < 3; j++)
            step += gain[j] * clip(e[j], BIAS_MAX);
        s->bias[i] = clip(s->bias[i] + step, BIAS_MAX);
        for (int j = 0; j < 3; j++)
            s->p[3 * i + j] -= gain[0] * rp[j] + gain[1] * rp[3 + j] + gain[2] * rp[6 + j];
    }
}

/* At rest the gyroscope's low-pass is the bias. In motion the tilt that gravity had to put right
 * is what the bias did since: seen through the same low-pass as gravity itself. About the vertical
 * nothing is seen; there the estimate is held weakly at zero. */
static void learn_bias(rg_attitude *s, const double r_es[9], const double a_e[3], bool rest,
                       const double mean[3])
{
    double r[9], now[3], smooth[3], e[3];
    double growth = SIGMA_FORGET * SIGMA_FORGET * s->dt / BIAS_FORGET;
    apply(r_es, s->bias, smooth);
    for (int i = 0; i < 9; i++)
        r[i] = lowpass(&s->slow, s->n, s->turn[i], r_es[i]);
    for (int i = 0; i < 2; i++)
        smooth[i] = lowpass(&s->slow, s->n, s->drift[i], smooth[i]);
    for (int i = 0; i < 9; i += 4)
        if (s->p[i] < BIAS_START * BIAS_START)
            s->p[i] += growth;
    if (rest) {
        static const double UNIT[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
        double w = variance(SIGMA_REST, growth);
        for (int i = 0; i < 3; i++)
            e[i] = mean[i] - s->bias[i];
        correct_bias(s, UNIT, e, (double[3]){w, w, w});
    } else {
        double w = variance(SIGMA_MOTION, growth);
        apply(r, s->bias, now);
        e[0] = -a_e[1] / s->dt + smooth[0] - now[0];
        e[1] = a_e[0] / s->dt + smooth[1] - now[1];
        e[2] = -now[2];
        correct_bias(s, r, e, (double[3]){w, w, w / VERTICAL});
    }
}

/* Starts anew; what is known of the bias is kept, for a gap does not change it. */
static void restart(rg_attitude *s)
{
    rg_attitude fresh = {
        .slow = s->slow, .quick = s->quick, .dt = s->dt, .q_is = {1.0}, .q_ei = {1.0},
    };
    memcpy(fresh.bias, s->bias, sizeof fresh.bias);
    memcpy(fresh.p, s->p, sizeof fresh.p);
    *s = fresh;
}

void rg_attitude_init(rg_attitude *s, const rg_params *params)
{
    memset(s, 0, sizeof *s);
    s->dt = 1.0 / (double)params->fs;
    s->slow = lowpass_of(TAU_ACC, s->dt);
    s->quick = lowpass_of(TAU_REST, s->dt);
    s->p[0] = s->p[4] = s->p[8] = BIAS_START * BIAS_START;
    restart(s);
}

void rg_attitude_step(rg_attitude *s, const rg_sample *sample, rg_body *body)
{
    double acc[3], gyro[3], rate[3], mean[3], a_i[3], a_e[3], r[9], q[4];
    if (body->gap) {
        body->settled = body->settled && body->missed <= RG_BRIDGED;
        return;
    }
    if (body->missed > RG_BRIDGED)
        restart(s);
    for (int i = 0; i < 3; i++) {
        acc[i] = (double)sample->acc[i];
        gyro[i] = (double)sample->gyro[i];
        rate[i] = gyro[i] - s->bias[i];
    }
    bool rest = at_rest(s, acc, gyro, mean);
    s->n += s->n <= s->slow.warm;

    strap_down(s->q_is, rate, s->dt + (body->missed <= RG_BRIDGED ? (double)body->missed : 0.0));
    matrix(s->q_is, r);
    apply(r, acc, a_i);
    for (int i = 0; i < 3; i++)
        a_i[i] = lowpass(&s->slow, s->n, s->acc_i[i], a_i[i]);
    matrix(s->q_ei, r);
    apply(r, a_i, a_e);
    level(s->q_ei, a_e);
    multiply(s->q_ei, s->q_is, q);
    matrix(q, r);
    learn_bias(s, r, a_e, rest, mean);

    for (int i = 0; i < 3; i++) {
        body->acc[i] = sample->acc[i];
        body->gyro[i] = (float)(gyro[i] - s->bias[i]);
        body->up[i] = (float)r[6 + i];
    }
    body->acc_norm = (float)sqrt(dot(acc, acc));
    body->settled = s->n * s->dt >= (double)SETTLE;
}
