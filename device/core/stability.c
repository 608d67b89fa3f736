/* stability.c: how steadily the walker goes, by three measures.
 *
 * Sway: RMS of mediolateral trunk acceleration (R. Moe-Nilssen, "A new method for evaluating motor
 * control in gait under real-life environmental conditions. Part 2", Clin. Biomech. 13, 1998).
 * Unevenness: how step times differ from those two before, so that a limp is not unevenness
 * (J. Hausdorff, "Gait variability: methods, modeling and meaning", J. NeuroEng. Rehab. 2, 2005).
 * Extrapolated angle: angle plus angular rate over natural frequency, for the trunk over the feet
 * as an inverted pendulum (A. Hof et al., "The condition for dynamic stability", J. Biomech. 38, 2005).
 *
 * The first two are judged against the walker's own first steps, backward and otherwise apart.
 */
#include "stability.h"

#include <math.h>
#include <string.h>

static const float SWAY_TAU = 2.0f;         /* s, about four steps */
static const float SWAY_LEAST = 0.2f;       /* m/s^2 of baseline: below lies the sensor, not the walker */
static const float UNEVEN_LEAST = 0.02f;    /* s of baseline: step times are found no better */
static const float NEWEST = 0.15f;          /* weight of the newest step: some seven count */
static const int32_t ROW = 6;               /* step times before unevenness is taken at its word */
static const float MISSED = 1.6f;           /* times the step before: a contact was missed, or a pause made */
static const int32_t BASELINE = 60;         /* steps */
static const float USUAL = 1.5f;            /* times the baseline, up to which there is no risk */
static const float RISKY = 3.0f;            /* times the baseline at which it is 1 */
static const float UNSTEADY = 2.0f;         /* times the baseline that is told */
static const float UNSTEADY_FOR = 4.0f;     /* s, some strides */
static const float RATE_TAU = 0.1f;         /* s, takes the shaking of heel strikes */
static const float FREQUENCY = 3.13f;       /* rad/s, sqrt(g / 1 m), pelvis above ground */
static const float ANGLE_SAFE = 0.4f;       /* rad of extrapolated angle: reached in brisk walking */
static const float ANGLE_LOST = 1.2f;       /* rad: seldom caught */
static const float LEAN_TAU = 1.0f;         /* s, two steps */
static const float LEANING_FOR = 3.0f;      /* s */
static const float HURRYING_FOR = 4.0f;     /* s */
static const float IRREGULAR = 0.2f;        /* of the step time; healthy 0.03, frail 0.1 */

void rg_stability_init(rg_stability *s, const rg_params *params)
{
    memset(s, 0, sizeof *s);
    s->lean_limit = params->lean_limit;
    s->cadence_limit = params->cadence_limit;
    s->speed_limit = params->speed_limit;
}

/* 0 up to `low`, 1 from `high`. */
static float ramp(float x, float low, float high)
{
    return fminf(fmaxf((x - low) / (high - low), 0.0f), 1.0f);
}

static float sway(const rg_stability *s)
{
    return sqrtf(fmaxf(s->side_square - s->side * s->side, 0.0f));
}

/* Follows what changes from sample to sample. */
static void follow(rg_stability *s, const rg_body *body)
{
    float dt = body->dt, a, b = 1.0f - expf(-dt / RATE_TAU);
    if (s->seen == 0.0f) {
        s->side = s->side_square = s->pitching = s->rolling = 0.0f;
        s->lean = body->lean;
    }
    s->seen = fminf(s->seen + dt, SWAY_TAU);
    a = dt / s->seen;
    s->side += a * (body->lin[1] - s->side);
    s->side_square += a * (body->lin[1] * body->lin[1] - s->side_square);
    s->rolling += b * (body->rate[0] - s->rolling);
    s->pitching += b * (body->rate[1] - s->pitching);
    s->lean += dt / LEAN_TAU * (body->lean - s->lean);
}

/* Follows what changes from step to step. */
static void stride(rg_stability *s, const rg_gait *gait, rg_usual *usual)
{
    if (!gait->walking) {
        s->row = 0;
        return;
    }
    if (!gait->step || !isfinite(gait->interval))
        return;
    if (s->row > 0 && gait->interval > MISSED * s->interval[0])
        s->row = 0;
    if (++s->row > 2) {
        float off = fabsf(gait->interval - s->interval[1]);
        s->unevenness = s->row == 3 ? off : s->unevenness + NEWEST * (off - s->unevenness);
    }
    s->interval[1] = s->interval[0];
    s->interval[0] = gait->interval;
    if (s->row < ROW || s->seen < SWAY_TAU || usual->steps >= BASELINE)
        return;
    usual->steps++;
    usual->sway += (sway(s) - usual->sway) / (float)usual->steps;
    usual->unevenness += (s->unevenness - usual->unevenness) / (float)usual->steps;
}

/* How many times the baseline it is now; 0 while that is not known. */
static float excess(const rg_stability *s, const rg_usual *usual)
{
    if (s->row < ROW || usual->steps < BASELINE)
        return 0.0f;
    return fmaxf(sway(s) / fmaxf(usual->sway, SWAY_LEAST),
                 s->unevenness / fmaxf(usual->unevenness, UNEVEN_LEAST));
}

static float lasts(float so_far, bool holds, float dt)
{
    return holds ? so_far + dt : 0.0f;
}

void rg_stability_step(rg_stability *s, const rg_body *body, const rg_gait *gait, rg_demand *demand, rg_estimate *estimate)
{
    rg_usual *usual = &s->usual[gait->direction == RG_BACKWARD ? 0 : 1];
    if (!body->settled) {
        s->seen = s->unsteady = s->leaning = s->hurrying = 0.0f;
        return;
    }
    follow(s, body);
    stride(s, gait, usual);

    float uneven = s->row < ROW ? 0.0f : s->unevenness, beyond = excess(s, usual);
    float angle = hypotf(body->lean + s->pitching / FREQUENCY, body->roll + s->rolling / FREQUENCY);
    estimate->sway = s->seen < SWAY_TAU ? NAN : sway(s);
    if (body->aligned)
        estimate->risk = fmaxf(ramp(angle, ANGLE_SAFE, ANGLE_LOST), ramp(beyond, USUAL, RISKY));

    bool leaning = gait->walking && body->aligned && fabsf(s->lean) > s->lean_limit;
    bool fast = gait->cadence > s->cadence_limit || -gait->speed > s->speed_limit;
    bool hurrying = gait->walking && gait->direction != RG_FORWARD &&   /* forward is not the exercise */
                    (fast || uneven > IRREGULAR * s->interval[0]);
    s->unsteady = lasts(s->unsteady, gait->walking && beyond > UNSTEADY, body->dt);
    s->leaning = lasts(s->leaning, leaning, body->dt);
    s->hurrying = lasts(s->hurrying, hurrying, body->dt);
    if (s->unsteady > UNSTEADY_FOR)
        rg_demand_ask(demand, RG_UNSTEADY, RG_CAUTION);
    if (s->leaning > LEANING_FOR)
        rg_demand_ask(demand, RG_POSTURE, RG_NOTICE);
    if (s->hurrying > HURRYING_FOR)
        rg_demand_ask(demand, RG_PACE, RG_NOTICE);
}
