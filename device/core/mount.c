#include "mount.h"
#include "vector.h"

#include <math.h>
#include <string.h>

static const float G = 9.81f;               /* m/s^2 */
static const float STILL_ACC = 0.6f;        /* m/s^2 of |acc| off g; resting norms are off by 4 % */
static const float STILL_RATE = 0.25f;      /* rad/s, sway of quiet standing stays below 0.1 */
static const float STILL_FOR = 1.0f;        /* s of it that align the belt */
static const float WALKED_FOR = 2.0f;       /* s of walking, two strides, that do so as well */
static const float SITS_WITHIN = 0.77f;     /* cos 40 deg: a belt sits at 30, a trunk leans 10 */
static const float REFINE_TAU = 20.0f;      /* s of upright walking */
static const float REFINE_WITHIN = 0.17f;   /* rad; more is the walker's leaning, not the belt's */
static const float INVERTED = -0.7f;        /* cos 135 deg of the belt's own z axis */
static const float INVERTED_FOR = 10.0f;    /* s */
static const float TREND = 1.0f;            /* s, two steps: what the trunk swings by is taken out */
static const float SLIPPED_ROLL = 0.35f;    /* rad, 20 deg: nobody walks that far to a side */
static const float SLIPPED_LEAN = 0.61f;    /* rad, 35 deg */
static const float CRAWLS = 1.05f;          /* rad, 60 deg: on hands and knees, or down */
static const float SLIPPED_FOR = 5.0f;      /* s of walking */

/* By columns of four: whole vectors for the machine. */
static void apply(float r[3][4], const float v[3], float out[4])
{
    for (int i = 0; i < 4; i++)
        out[i] = r[0][i] * v[0] + r[1][i] * v[1] + r[2][i] * v[2];
}

/* v of the sensor in the walker's frame, where `up` is vertical. */
static void walkers(float turn[3][4], const float up[3], float share, const float v[3], float out[4])
{
    float upright[4];
    apply(turn, v, upright);
    float along = rg_dot(up, upright);
    rg_levelled(up, share, upright, along, out);
    out[2] = along;
    out[3] = 0.0f;
}

/* Arc sines of four numbers within 1, together; off by less than 1e-6 rad (Abramowitz and Stegun,
 * Handbook of Mathematical Functions, 4.4.46; its last coefficient, 1.5707963050, is a quarter turn
 * here, so that the sine 0 is no angle). */
static void arcsines(const float x[4], float out[4])
{
    const float quarter = 1.5707963268f;
    for (int i = 0; i < 4; i++) {
        float a = fabsf(x[i]), y = -0.0012624911f;
        y = y * a + 0.0066700901f;
        y = y * a - 0.0170881256f;
        y = y * a + 0.0308918810f;
        y = y * a - 0.0501743046f;
        y = y * a + 0.0889789874f;
        y = y * a - 0.2145988016f;
        y = y * a + quarter;
        out[i] = copysignf(quarter - sqrtf(1.0f - a) * y, x[i]);
    }
}

/* The shortest turn that takes the unit vector u to z. */
static void shortest(const float u[3], float r[3][4])
{
    float k = rg_levelled_share(u);
    r[0][0] = 1.0f - u[0] * u[0] * k;
    r[0][1] = r[1][0] = -u[0] * u[1] * k;
    r[0][2] = u[0];
    r[1][1] = 1.0f - u[1] * u[1] * k;
    r[1][2] = u[1];
    r[2][0] = -u[0];
    r[2][1] = -u[1];
    r[2][2] = u[2];
    r[0][3] = r[1][3] = r[2][3] = 0.0f;
}

static void align(rg_mount *s, const float up[3], rg_body *body)
{
    float norm = sqrtf(rg_dot(up, up));
    for (int i = 0; i < 3; i++)
        s->standing[i] = up[i] / norm;
    shortest(s->standing, s->turn);
    body->aligned = true;
}

void rg_mount_init(rg_mount *s, const rg_params *params)
{
    (void)params;
    memset(s, 0, sizeof *s);
    s->standing[2] = s->turn[0][0] = s->turn[1][1] = s->turn[2][2] = 1.0f;
}

/* The first standing second or the first strides align the belt; upright walking refines that, but
 * for walking backward, where one leans and is to be told how far. Later stillness does not: it may
 * be sitting or lying. */
static void watch(rg_mount *s, const rg_gait *gait, rg_body *body)
{
    if (body->aligned) {
        bool upright = fabsf(body->lean) < REFINE_WITHIN && fabsf(body->roll) < REFINE_WITHIN;
        if (!gait->walking || gait->direction == RG_BACKWARD || !upright)
            return;
        float a = body->dt / REFINE_TAU, up[3];
        for (int i = 0; i < 3; i++)
            up[i] = s->standing[i] + a * (body->up[i] - s->standing[i]);
        if (up[2] > SITS_WITHIN)
            align(s, up, body);
        return;
    }
    bool still = fabsf(body->acc_norm - G) < STILL_ACC
        && rg_dot(body->gyro, body->gyro) < STILL_RATE * STILL_RATE;
    bool walking = gait->walking && body->settled;
    if ((!still && !walking) || body->up[2] < SITS_WITHIN) {
        memset(s->mean, 0, sizeof s->mean);
        s->still = s->walked = 0.0f;
        return;
    }
    for (int i = 0; i < 3; i++)
        s->mean[i] += body->up[i];
    s->still = still ? s->still + body->dt : 0.0f;
    s->walked += walking ? body->dt : 0.0f;
    if (s->still >= STILL_FOR || s->walked >= WALKED_FOR)
        align(s, s->mean, body);
}

/* What gravity shows for sure: nobody stays head down, and nobody walks on bent far to a side, so
 * that it is the belt that has slipped. A belt on its side says nothing while nobody walks, for a
 * body lies as a belt on a table does; one turned back to front hangs as it should. */
static void worn(rg_mount *s, const rg_gait *gait, const rg_body *body, rg_demand *demand)
{
    float a = body->dt / TREND;
    s->inverted = body->up[2] < INVERTED ? s->inverted + body->dt : 0.0f;
    s->lean += a * (body->lean - s->lean);
    s->roll += a * (body->roll - s->roll);
    bool awry = fabsf(s->roll) > SLIPPED_ROLL || fabsf(s->lean) > SLIPPED_LEAN;
    bool down = rg_max(fabsf(s->roll), fabsf(s->lean)) > CRAWLS;
    bool slipped = body->aligned && gait->walking && awry && !down;
    s->slipped = slipped ? s->slipped + body->dt : 0.0f;
    if (s->inverted > INVERTED_FOR || s->slipped > SLIPPED_FOR)
        rg_demand_ask(demand, RG_NOT_WORN, RG_FAULT);
}

void rg_mount_step(rg_mount *s, const rg_gait *gait, rg_body *body, rg_demand *demand)
{
    float up[4], sines[4] = {0.0f}, angles[4];
    watch(s, gait, body);

    apply(s->turn, body->up, up);
    float share = rg_levelled_share(up);
    walkers(s->turn, up, share, body->acc, body->lin);
    walkers(s->turn, up, share, body->gyro, body->rate);
    body->lin[2] -= G;
    body->ahead = sines[0] = rg_within(-up[0], 1.0f);
    body->aside = sines[1] = rg_within(up[1], 1.0f);
    sines[2] = rg_min(sqrtf(up[0] * up[0] + up[1] * up[1]), 1.0f);
    arcsines(sines, angles);
    body->lean = angles[0];
    body->roll = angles[1];
    body->tilt = angles[2];
    if (body->settled)
        worn(s, gait, body, demand);
}
