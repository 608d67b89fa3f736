#include "crest.h"
#include "bounds.h"

#include <math.h>

/* The crest lies between samples: the top of a parabola through three, in samples off the middle. */
static float offset(float before, float top, float after)
{
    float bend = before - 2.0f * top + after;
    return bend < 0.0f ? rg_min(rg_max(0.5f * (before - after) / bend, -0.5f), 0.5f) : 0.0f;
}

static void climb(rg_crest *s, double t, float before, float now)
{
    s->past = before;
    s->top = now;
    s->top_t = t;
}

bool rg_crest_step(rg_crest *s, double t, float dt, float before, float now, float enough, float longest)
{
    if (!s->rising) {
        s->trough = rg_min(s->trough, now);
        if (now - s->trough > enough) {
            s->rising = s->fresh = true;
            climb(s, t, before, now);
        }
        return false;
    }
    if (s->fresh)
        s->next = now;
    s->fresh = now > s->top;
    if (s->fresh) {
        climb(s, t, before, now);
        return false;
    }
    if (s->top - now <= enough && t + (double)dt - s->top_t <= (double)longest)
        return false;
    s->t = s->top_t + (double)(offset(s->past, s->top, s->next) * dt);
    s->swing = s->top - s->trough;
    s->rising = false;
    s->trough = now;
    return true;
}
