#include "steps.h"

#include <math.h>
#include <string.h>

static const float CUT = 3.0f;      /* Hz: steps come at 0.7 to 3 a second */
static const float BRAKE = 0.04f;   /* s: at 2 Hz the braking counts half as much as the lift */
static const float LEAST = 0.6f;    /* m/s^2, smallest swing that can be a step */
static const float FIRST = 1.3f;    /* m/s^2, the same from standing: shifting weight is no step */
static const float SHARE = 0.35f;   /* of the usual swing that the signal must rise and fall */
static const float LAG = 0.108f;    /* s from a contact to its crest after the low-pass, see README */
static const float LONGEST = 0.165f; /* s a crest waits for its fall: 0.30 s after the contact, it is told */
static const float CLOSEST = 0.3f;  /* s between contacts: 200 a minute */
static const float FARTHEST = 1.5f; /* s without a contact ends a walk: 40 a minute */
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

/* The crest lies between samples: the top of a parabola through three, in samples off the middle. */
static float offset(float before, float top, float after)
{
    float bend = before - 2.0f * top + after;
    return bend < 0.0f ? fminf(fmaxf(0.5f * (before - after) / bend, -0.5f), 0.5f) : 0.0f;
}

/* A crest is behind us: is it a step, and what does it say about the walk? */
static void contact(rg_steps *s, rg_gait *gait)
{
    double t = s->crest_t + (double)(offset(s->past, s->crest, s->next) * s->dt - LAG);
    float swing = s->crest - s->trough;
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

    if (body->t - s->last > (double)FARTHEST) {
        s->row = 0;
        s->usual = 0.0f;
        gait->walking = false;
        gait->cadence = 0.0f;
        gait->interval = NAN;
    }
    float enough = fmaxf(s->row ? LEAST : FIRST, SHARE * s->usual);
    if (s->rising) {
        if (s->fresh)
            s->next = s->now;
        s->fresh = s->now > s->crest;
        if (s->fresh) {
            s->past = s->before;
            s->crest = s->now;
            s->crest_t = body->t;
        } else if (s->crest - s->now > enough || body->t + (double)s->dt - s->crest_t > (double)LONGEST) {
            contact(s, gait);
            s->rising = false;
            s->trough = s->now;
        }
    } else {
        s->trough = fminf(s->trough, s->now);
        if (s->now - s->trough > enough) {
            s->rising = s->fresh = true;
            s->crest = s->now;
            s->past = s->before;
            s->crest_t = body->t;
        }
    }
}
