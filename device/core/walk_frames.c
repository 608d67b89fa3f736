/* walk_frames.c: channels lie in the walker's levelled frame and are about 1 in an ordinary step. */
#include "walk_frames.h"

#include <math.h>
#include <string.h>

static const float CUT = 5.0f;          /* Hz: the third harmonic of an ordinary cadence */
static const float PER_RATE = 1.0f;
static const float ACC_CLIP = 25.0f;    /* m/s^2 */
static const float RATE_CLIP = 5.0f;    /* rad/s */

void rg_walk_frames_init(rg_walk_frames *s, const rg_params *params)
{
    float c = tanf(3.14159265f * CUT / params->fs), d = 1.0f / (1.0f + 1.41421356f * c + c * c);
    memset(s, 0, sizeof *s);
    s->b0 = c * c * d;
    s->a1 = 2.0f * (c * c - 1.0f) * d;
    s->a2 = (1.0f - 1.41421356f * c + c * c) * d;
}

static float lowpass(const rg_walk_frames *s, float memory[2], float x)
{
    float y = s->b0 * x + memory[0];
    memory[0] = 2.0f * s->b0 * x - s->a1 * y + memory[1];
    memory[1] = s->b0 * x - s->a2 * y;
    return y;
}

static void take(rg_walk_frames *s, const rg_body *body)
{
    memcpy(s->before, s->now, sizeof s->before);
    for (int i = 0; i < 3; i++) {
        s->now[i] = lowpass(s, s->memory[i], RG_WALK_PER_ACC * rg_within(body->lin[i], ACC_CLIP));
        s->now[i + 3] = lowpass(s, s->memory[i + 3], PER_RATE * rg_within(body->rate[i], RATE_CLIP));
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
