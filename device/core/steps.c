#include "steps.h"

#include <math.h>
#include <string.h>

static const float CUT = 3.0f;      /* Hz: steps come at 0.7 to 3 a second */
static const float BRAKE = 0.04f;   /* s: at 2 Hz the braking counts half as much as the lift */
static const float LEAST = 0.6f;    /* m/s^2, smallest swing that can be a step */
static const float FIRST = 1.3f;    /* m/s^2, the same from standing: shifting weight is no step */
static const float FAINT = 0.3f;    /* m/s^2, the same where four in a row are alike */
static const float HALF = 0.5f;     /* of the largest that faint ones must rise and fall: no harmonic */
static const float SHARE = 0.35f;   /* of the usual swing that the signal must rise and fall */
static const float LAG = 0.108f;    /* s from a contact to its crest after the low-pass, see README */
static const float LONGEST = 0.165f; /* s a crest waits for its fall: 0.30 s after the contact, it is told */
static const float PATIENCE = 0.5f; /* s, the same of a faint one: its harmonics rise nearly as high */
static const float CLOSEST = 0.3f;  /* s between contacts: 200 a minute */
static const float FARTHEST = 1.5f; /* s without a contact ends a walk: 40 a minute */
static const float UNHURRIED = 0.45f; /* s between faint ones at least: who hurries bounces */
static const float ALIKE = 0.25f;   /* share by which intervals of faint ones may differ */
static const float SIZE = 2.0f;     /* times that one may swing more or less than the one before */
static const float SMOOTH = 0.3f;   /* weight of the newest interval and swing */

void rg_steps_init(rg_steps *s, const rg_params *params)
{
    float c = tanf(3.14159265f * CUT / params->fs), d = 1.0f / (1.0f + 1.41421356f * c + c * c);
    memset(s, 0, sizeof *s);
    s->dt = 1.0f / params->fs;
    s->b0 = c * c * d;
    s->a1 = 2.0f * (c * c - 1.0f) * d;
    s->a2 = (1.0f - 1.41421356f * c + c * c) * d;
    s->last = -INFINITY;
}

static float lowpass(rg_steps *s, int i, float x)
{
    float *px = s->x[i], *py = s->y[i];
    float y = s->b0 * (x + 2.0f * px[0] + px[1]) - s->a1 * py[0] - s->a2 * py[1];
    px[1] = px[0];
    px[0] = x;
    py[1] = py[0];
    py[0] = y;
    return y;
}

/* A contact at `t` [s], whose crest rose by `swing`, and what it says about the walk. */
static void contact(rg_steps *s, rg_gait *gait, double t, float swing)
{
    float interval = (float)(t - s->last);
    if (interval < CLOSEST)
        return;
    s->usual += (swing > s->usual ? 1.0f : SMOOTH) * (swing - s->usual);
    bool begins = interval > FARTHEST;
    s->row = begins ? 1 : s->row + 1;
    if (!begins)
        s->interval = s->row == 2 ? interval : s->interval + SMOOTH * (interval - s->interval);
    s->last = t;
    gait->step = 1;
    gait->step_time = t;
    gait->steps++;
    gait->interval = begins ? NAN : interval;
    gait->cadence = s->row > 1 ? 60.0f / s->interval : NAN;
    gait->walking = s->row > 1;
    gait->faint = s->weak;
}

/* Whether a crest at `t` [s] goes on from the faint ones before it. */
static bool goes_on(const rg_steps *s, double t, float swing)
{
    int n = s->faint;
    if (n == 0)
        return true;
    float interval = (float)(t - s->faint_t[n - 1]), ratio = swing / s->faint_swing[n - 1];
    float first = n > 1 ? (float)(s->faint_t[1] - s->faint_t[0]) : interval;
    return interval > UNHURRIED && interval < FARTHEST && fabsf(interval - first) < ALIKE * first
        && ratio < SIZE && ratio * SIZE > 1.0f;
}

static void gather(rg_steps *s, double t, float swing)
{
    if (!goes_on(s, t, swing))
        s->faint = 0;
    s->faint_t[s->faint] = t;
    s->faint_swing[s->faint++] = swing;
}

/* No walk is under way: is it one of faint steps? */
static bool listen(rg_steps *s, const rg_body *body)
{
    if (body->t - s->hint.t > (double)FARTHEST)
        s->usual = 0.0f;
    float enough = fmaxf(FAINT, HALF * s->usual);
    if (!rg_crest_step(&s->hint, body->t, s->dt, s->before, s->now, enough, PATIENCE))
        return false;
    s->usual += (s->hint.swing > s->usual ? 1.0f : SMOOTH) * (s->hint.swing - s->usual);
    gather(s, s->hint.t, s->hint.swing);
    if (s->faint < RG_FAINT)
        return false;
    s->crest = s->hint;
    return true;
}

/* The first crest beyond doubt: three faint ones that it goes on from were steps as well. */
static void join(rg_steps *s)
{
    if (s->faint && s->crest.t - s->faint_t[s->faint - 1] < (double)CLOSEST)
        s->faint--;                         /* the same one */
    gather(s, s->crest.t, s->crest.swing);
    if (s->faint > 2)
        return;
    s->faint_t[0] = s->crest.t;
    s->faint_swing[0] = s->crest.swing;
    s->faint = 1;
}

static void tell(rg_steps *s, rg_gait *gait)
{
    contact(s, gait, s->faint_t[s->told] - (double)LAG, s->faint_swing[s->told]);
    s->told++;
}

static void end(rg_steps *s, rg_gait *gait)
{
    if (s->row) {
        s->usual = 0.0f;
        s->faint = s->told = 0;
        memset(&s->hint, 0, sizeof s->hint);
    }
    s->row = 0;
    s->weak = false;
    gait->walking = gait->faint = false;
    gait->cadence = 0.0f;
    gait->interval = NAN;
}

/* Whether the crest of a step has been found. */
static bool found(rg_steps *s, const rg_body *body)
{
    float enough = s->weak ? fmaxf(FAINT, HALF * s->usual) : s->row ? fmaxf(LEAST, SHARE * s->usual) : FIRST;
    return rg_crest_step(&s->crest, body->t, s->dt, s->before, s->now, enough, s->weak ? PATIENCE : LONGEST);
}

void rg_steps_step(rg_steps *s, const rg_body *body, rg_gait *gait)
{
    if (body->gap || !body->settled)
        return;
    float forward_before = s->y[0][0];
    float forward = lowpass(s, 0, body->lin[0]), up = lowpass(s, 1, body->lin[2]);
    float way = gait->direction == RG_FORWARD ? 1.0f : gait->direction == RG_BACKWARD ? -1.0f : 0.0f;
    s->before = s->now;
    s->now = up - way * BRAKE * (forward - forward_before) / s->dt;

    if (s->told > 0 && s->told < s->faint)
        tell(s, gait);
    else if (body->t - s->last > (double)FARTHEST)
        end(s, gait);
    bool begun = s->row > 0, crest = found(s, body);
    if (begun && crest) {
        s->weak = s->weak && s->crest.swing < FIRST;
        contact(s, gait, s->crest.t - (double)LAG, s->crest.swing);
    } else if (!begun && (crest || listen(s, body))) {
        s->usual = 0.0f;
        s->weak = !crest;
        if (crest)
            join(s);
        tell(s, gait);
    }
}
