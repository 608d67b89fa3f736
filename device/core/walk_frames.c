/* walk_frames.c: channels lie in the walker's levelled frame and are about 1 in an ordinary step. */
#include "walk_frames.h"

#include <math.h>
#include <string.h>

static const float CUT = 5.0f;          /* Hz: the third harmonic of an ordinary cadence */
/* of each channel: m/s^2, rad/s */
static const float CLIP[RG_WALK_ROOM] = {25.0f, 25.0f, 25.0f, 5.0f, 5.0f, 5.0f};
static const float PER[RG_WALK_ROOM] = {RG_WALK_PER_ACC, RG_WALK_PER_ACC, RG_WALK_PER_ACC, 1.0f, 1.0f, 1.0f};

void rg_walk_frames_init(rg_walk_frames *s, const rg_params *params)
{
    float c = tanf(3.14159265f * CUT / params->fs), d = 1.0f / (1.0f + 1.41421356f * c + c * c);
    memset(s, 0, sizeof *s);
    s->b0 = c * c * d;
    s->a1 = 2.0f * (c * c - 1.0f) * d;
    s->a2 = (1.0f - 1.41421356f * c + c * c) * d;
}

static void take(rg_walk_frames *s, const rg_body *body)
{
    const float b0 = s->b0, a1 = s->a1, a2 = s->a2;
    const float *lin = body->lin, *rate = body->rate;
    const float raw[RG_WALK_ROOM] = {lin[0], lin[1], lin[2], rate[0], rate[1], rate[2]};
    float *one = s->memory[0], *two = s->memory[1];
    memcpy(s->before, s->now, sizeof s->before);
    for (int i = 0; i < RG_WALK_ROOM; i++) {
        float x = PER[i] * rg_within(raw[i], CLIP[i]), y = b0 * x + one[i];
        one[i] = 2.0f * b0 * x - a1 * y + two[i];
        two[i] = b0 * x - a2 * y;
        s->now[i] = y;
    }
    if (!s->begun)
        memcpy(s->before, s->now, sizeof s->before);
    s->begun = true;
    s->span = RG_WALK_RATE * rg_body_span(body);
}

void rg_walk_frames_step(rg_walk_frames *s, const rg_body *body)
{
    s->n = 0;
    if (!body->settled)
        return;
    take(s, body);
    for (; s->due <= s->span && s->n < RG_WALK_MOST; s->due += 1.0f) {
        float part = s->due / s->span, *frame = s->frame[s->n];
        for (int i = 0; i < RG_WALK_CHANNELS; i++)
            frame[i] = s->before[i] + part * (s->now[i] - s->before[i]);
        s->t[s->n++] = body->t - (double)((s->span - s->due) / RG_WALK_RATE);
    }
    s->due -= s->span;
}
