#include "steps.h"

#include <math.h>
#include <string.h>

static const float UNSURE = 3.0f;   /* log odds below the limit that do where a faint walk's next one is due */
static const float FIRST = 1.3f;    /* m/s^2, swing that can be a walk's first step: shifting weight is none */
static const float CLOSEST = 0.3f;  /* s between contacts: 200 a minute */
static const float FARTHEST = 1.5f; /* s without a contact ends a walk: 40 a minute */
static const float ALIKE = 0.25f;   /* share by which intervals of faint ones may differ */
static const float SMOOTH = 0.3f;   /* weight of the newest interval */

void rg_steps_init(rg_steps *s)
{
    memset(s, 0, sizeof *s);
    s->last = -INFINITY;
    s->said = (double)NAN;
    rg_step_network_init(&s->network);
}

/* Where the odds went over a crest one frame ago there was a contact; the newest waits in `said`. */
static void hear(rg_steps *s, const rg_walk_frames *frames)
{
    const float limit = rg_step_network_limit();
    for (int i = 0; i < frames->n; i++) {
        float before = s->odds[0], top = s->odds[1], odds = rg_step_network_step(&s->network, frames->frame[i]);
        s->odds[0] = top;
        s->odds[1] = odds;
        s->up[s->frames++ % RG_STRIDE] = frames->frame[i][2] / RG_WALK_PER_ACC;
        if (top <= before || top < odds || top < limit - UNSURE)
            continue;
        /* Between frames: the top of a parabola through three. */
        float off = 0.5f * (before - odds) / (before - 2.0f * top + odds) - 1.0f;
        s->said = frames->t[i] + (double)(off / RG_WALK_RATE - rg_step_network_lag());
        s->sure = top > limit;
    }
}

/* How far the vertical acceleration swung about the newest contact, m/s^2. */
static float swing(const rg_steps *s)
{
    float least = s->up[0], most = s->up[0];
    for (int i = 1; i < RG_STRIDE; i++) {
        least = rg_min(least, s->up[i]);
        most = rg_max(most, s->up[i]);
    }
    return most - least;
}

/* A contact at `t` [s], and what it says about the walk. */
static void contact(rg_steps *s, rg_gait *gait, double t)
{
    float interval = (float)(t - s->last);
    if (interval < CLOSEST)
        return;
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

/* Whether a contact at `t` goes on from those that wait. */
static bool goes_on(const rg_steps *s, double t)
{
    int n = s->waiting;
    if (n == 0)
        return true;
    float interval = (float)(t - s->faint[n - 1]);
    float first = n > 1 ? (float)(s->faint[1] - s->faint[0]) : interval;
    return interval > CLOSEST && interval < FARTHEST && fabsf(interval - first) < ALIKE * first;
}

/* Whether a faint walk's next contact is due at `t`. */
static bool due(const rg_steps *s, double t)
{
    return fabsf((float)(t - s->last) - s->interval) < ALIKE * s->interval;
}

/* A walk's first contact waits for three that are alike, unless the body swung with it. */
static void begin(rg_steps *s, double t)
{
    bool faint = swing(s) < FIRST;
    if (!goes_on(s, t))
        s->waiting = 0;
    s->faint[s->waiting++] = t;
    if (!faint || s->waiting == RG_FAINT)
        s->telling = true;
}

static void end(rg_steps *s, rg_gait *gait)
{
    s->row = 0;
    gait->walking = gait->faint = false;
    gait->cadence = 0.0f;
    gait->interval = NAN;
}

void rg_steps_step(rg_steps *s, const rg_body *body, const rg_walk_frames *frames, rg_gait *gait)
{
    if (body->gap || !body->settled)
        return;
    hear(s, frames);
    if (!s->telling && body->t - s->last > (double)FARTHEST)
        end(s, gait);
    if (!s->telling && isfinite(s->said)) {
        if (!s->row && s->sure)
            begin(s, s->said);
        else if (s->sure || (gait->faint && due(s, s->said)))
            contact(s, gait, s->said);
        if (s->row)
            gait->faint = gait->faint && swing(s) < FIRST;
        s->said = (double)NAN;
    }
    if (s->telling) {
        gait->faint = s->waiting == RG_FAINT;
        contact(s, gait, s->faint[s->told++]);
        s->telling = s->told < s->waiting;
        if (!s->telling)
            s->told = s->waiting = 0;
    }
}
