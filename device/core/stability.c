/* stability.c: how steadily the walker goes, by four measures.
 *
 * Sway: RMS of mediolateral trunk acceleration (R. Moe-Nilssen, "A new method for evaluating motor
 * control in gait under real-life environmental conditions. Part 2", Clin. Biomech. 13, 1998).
 * Unevenness: how step times differ from those two before, so that a limp is not unevenness
 * (J. Hausdorff, "Gait variability: methods, modeling and meaning", J. NeuroEng. Rehab. 2, 2005).
 * Irregularity: how unlike a stride is to the one before (regularity.h).
 * Extrapolated angle: angle plus angular rate over natural frequency, for the trunk over the feet
 * as an inverted pendulum (A. Hof et al., "The condition for dynamic stability", J. Biomech. 38, 2005).
 *
 * The first three are judged against the walker's own steps, backward and otherwise apart: the first
 * 60, and, slowly, those after them that are as usual. So is how far the pelvis goes up and down in a
 * step: far more than usual is a crouched gait.
 */
#include "stability.h"

#include <math.h>
#include <string.h>

static const float SWAY_TAU = 2.0f;         /* s, about four steps */
static const float SWAY_LEAST = 0.2f;       /* m/s^2 of baseline: below lies the sensor, not the walker */
static const float UNEVEN_LEAST = 0.03f;    /* s of baseline: step times are found no better */
static const float IRREGULAR_LEAST = 0.2f;  /* of baseline: healthy strides are alike to 0.8 and more */
static const float NEWEST = 0.15f;          /* weight of the newest step: some seven count */
static const int32_t SETTING_OFF = 2;       /* step times of a walk that are unlike all others */
static const int32_t ROW = 8;               /* step times before unevenness is taken at its word */
static const float MISSED = 1.6f;           /* times the step before: a contact was missed, or a pause made */
static const float TURN = 0.5f;             /* rad/s: steps of a turn are unlike all others */
static const int32_t BASELINE = 60;         /* steps */
static const int32_t ADAPTS = 1800;         /* steps, a long session, over which it changes after that */
static const float USUAL = 1.5f;            /* times the baseline, up to which there is no risk */
static const float RISKY = 3.0f;            /* times the baseline at which it is 1 */
static const float UNSTEADY = 2.0f;         /* times the baseline that is told */
static const float UNSTEADY_FOR = 4.0f;     /* s, some strides */
static const float RATE_TAU = 0.1f;         /* s, takes the shaking of heel strikes */
static const float PER_RATE = 0.3193f;      /* s, sqrt(1 m / g), pelvis above ground: 1 / natural frequency */
static const float ANGLE_SAFE = 0.4f;       /* rad of extrapolated angle: reached in brisk walking */
static const float ANGLE_LOST = 1.2f;       /* rad: seldom caught */
static const float LEAN_TAU = 1.0f;         /* s, two steps */
static const float LEANING_FOR = 3.0f;      /* s */
static const float CROUCHED = 1.6f;         /* times the usual excursion */
static const float EXCURSION_LEAST = 0.02f; /* m of baseline */
static const float CROUCHING_FOR = 4.0f;    /* s */
static const float HURRYING_FOR = 4.0f;     /* s */
static const float HALTING = 0.2f;          /* of the step time; healthy 0.03, frail 0.1 */

void rg_stability_init(rg_stability *s, const rg_params *params)
{
    memset(s, 0, sizeof *s);
    s->lean_limit = params->lean_limit;
    s->cadence_limit = params->cadence_limit;
    s->speed_limit = params->speed_limit;
    s->irregularity = -1.0f;
    s->rate_share = 1.0f - expf(-1.0f / (params->fs * RATE_TAU));
    rg_regularity_init(&s->regularity, params);
}

void rg_stability_recall(rg_stability *s, const rg_usual usual[2])
{
    for (int way = 0; way < 2; way++) {
        const rg_usual *u = usual + way;
        float least = rg_min(rg_min(u->sway, u->unevenness), rg_min(u->irregularity, u->excursion));
        float sum = u->sway + u->unevenness + u->irregularity + u->excursion;
        if (least >= 0.0f && isfinite(sum) && u->steps >= 0)
            s->usual[way] = *u;
        if (s->usual[way].steps > ADAPTS)
            s->usual[way].steps = ADAPTS;
    }
}

/* 0 up to `low`, 1 from `high`. */
static float ramp(float x, float low, float high)
{
    x = (x - low) * (1.0f / (high - low));
    return x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
}

static float sway(const rg_stability *s)
{
    return sqrtf(rg_max(s->side_square - s->side * s->side, 0.0f));
}

/* Follows what changes from sample to sample. */
static void follow(rg_stability *s, const rg_body *body)
{
    float dt = body->dt, a, b = s->rate_share;
    if (s->seen == 0.0f) {
        s->side = s->side_square = s->pitching = s->rolling = 0.0f;
        s->lean = body->lean;
    }
    s->seen = rg_min(s->seen + dt, SWAY_TAU);
    a = dt / s->seen;
    s->side += a * (body->lin[1] - s->side);
    s->side_square += a * (body->lin[1] * body->lin[1] - s->side_square);
    s->rolling += b * (body->rate[0] - s->rolling);
    s->pitching += b * (body->rate[1] - s->pitching);
    s->lean += dt / LEAN_TAU * (body->lean - s->lean);
}

/* How many times the baseline it is now; 0 while that is not known. */
static float excess(const rg_stability *s, const rg_usual *usual)
{
    if (s->row < ROW || usual->steps < BASELINE)
        return 0.0f;
    float uneven = s->unevenness / rg_max(usual->unevenness, UNEVEN_LEAST);
    float irregular = s->irregularity / rg_max(usual->irregularity, IRREGULAR_LEAST);
    return rg_max(sway(s) / rg_max(usual->sway, SWAY_LEAST), rg_max(uneven, irregular));
}

/* One step more of what is usual. Once that is known, only steps as usual count. */
static void learn(const rg_stability *s, rg_usual *usual)
{
    if (s->row < ROW || s->seen < SWAY_TAU || s->irregularity < 0.0f || excess(s, usual) > USUAL)
        return;
    usual->steps = usual->steps < ADAPTS ? usual->steps + 1 : ADAPTS;
    float a = 1.0f / (float)usual->steps;
    usual->sway += a * (sway(s) - usual->sway);
    usual->unevenness += a * (s->unevenness - usual->unevenness);
    usual->irregularity += a * (s->irregularity - usual->irregularity);
    usual->excursion += a * (s->excursion - usual->excursion);
}

/* Follows what changes from step to step. */
static void stride(rg_stability *s, const rg_gait *gait, rg_usual *usual)
{
    if (!gait->walking) {
        s->row = 0;
        s->irregularity = -1.0f;            /* not known */
        return;
    }
    if (!gait->step || !isfinite(gait->interval))
        return;
    float longer = gait->interval / s->interval[0];
    if (s->row > 0 && (longer > MISSED || longer * MISSED < 1.0f || fabsf(gait->turning) > TURN))
        s->row = 0;
    int32_t compared = ++s->row - SETTING_OFF - 2;  /* pairs of step times, two apart */
    if (compared > 0) {
        float off = fabsf(gait->interval - s->interval[1]);
        s->unevenness += rg_max(NEWEST, 1.0f / (float)compared) * (off - s->unevenness);
    }
    s->interval[1] = s->interval[0];
    s->interval[0] = gait->interval;
    if (s->row < 2)
        return;
    float lasted = s->interval[0] + s->interval[1];
    float unlike = 1.0f - rg_regularity_of(&s->regularity, lasted);
    float omega = 4.0f * 3.14159265f / lasted;      /* of a step, rad/s */
    float excursion = 2.0f * 1.41421356f * gait->bounce / (omega * omega);
    bool first = s->row == 2;
    if (compared > 1 && isfinite(unlike))   /* two strides, whole */
        s->irregularity = s->irregularity < 0.0f ? unlike : s->irregularity + NEWEST * (unlike - s->irregularity);
    s->excursion = first ? excursion : s->excursion + NEWEST * (excursion - s->excursion);
    learn(s, usual);
}

static bool crouched(const rg_stability *s, const rg_usual *usual)
{
    return s->row >= ROW && usual->steps >= BASELINE
        && s->excursion > CROUCHED * rg_max(usual->excursion, EXCURSION_LEAST);
}

static float lasts(float so_far, bool holds, float dt)
{
    return holds ? so_far + dt : 0.0f;
}

void rg_stability_step(rg_stability *s, const rg_body *body, const rg_gait *gait, rg_demand *demand, rg_estimate *estimate)
{
    if (gait->direction == RG_BACKWARD || gait->direction == RG_FORWARD)
        s->backward = gait->direction == RG_BACKWARD;
    rg_usual *usual = &s->usual[s->backward ? 0 : 1];
    if (!body->settled) {
        s->seen = s->unsteady = s->leaning = s->crouching = s->hurrying = 0.0f;
        return;
    }
    follow(s, body);
    rg_regularity_step(&s->regularity, body);
    stride(s, gait, usual);

    float uneven = s->row < ROW ? 0.0f : s->unevenness, beyond = excess(s, usual);
    float fore = body->lean + PER_RATE * s->pitching, side = body->roll + PER_RATE * s->rolling;
    float angle = sqrtf(fore * fore + side * side);
    estimate->sway = s->seen < SWAY_TAU ? NAN : sway(s);
    if (body->aligned)
        estimate->risk = rg_max(ramp(angle, ANGLE_SAFE, ANGLE_LOST), ramp(beyond, USUAL, RISKY));

    bool exercise = gait->walking && gait->direction != RG_FORWARD;
    bool leaning = gait->walking && body->aligned && fabsf(s->lean) > s->lean_limit;
    bool fast = gait->cadence > s->cadence_limit || -gait->speed > s->speed_limit;
    bool hurrying = exercise && (fast || uneven > HALTING * s->interval[0]);
    s->unsteady = lasts(s->unsteady, gait->walking && beyond > UNSTEADY, body->dt);
    s->leaning = lasts(s->leaning, leaning, body->dt);
    s->crouching = lasts(s->crouching, exercise && crouched(s, usual), body->dt);
    s->hurrying = lasts(s->hurrying, hurrying, body->dt);
    if (s->unsteady > UNSTEADY_FOR)
        rg_demand_ask(demand, RG_UNSTEADY, RG_CAUTION);
    if (s->leaning > LEANING_FOR || s->crouching > CROUCHING_FOR)
        rg_demand_ask(demand, RG_POSTURE, RG_NOTICE);
    if (s->hurrying > HURRYING_FOR)
        rg_demand_ask(demand, RG_PACE, RG_NOTICE);
}
