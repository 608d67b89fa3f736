/* walk_frames.c: channels lie in the walker's levelled frame and are about 1 in an ordinary step. */
#include "walk_frames.h"

#include <math.h>
#include <string.h>

static const float FRAMES = 25.0f;      /* 1/s */
static const float CUT = 5.0f;          /* Hz: the third harmonic of an ordinary cadence */
static const float PER_ACC = 0.4f, PER_RATE = 1.0f;
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

void rg_walk_frames_take(rg_walk_frames *s, const rg_body *body)
{
    memcpy(s->before, s->now, sizeof s->before);
    for (int i = 0; i < 3; i++) {
        s->now[i] = lowpass(s, s->memory[i], PER_ACC * rg_within(body->lin[i], ACC_CLIP));
        s->now[i + 3] = lowpass(s, s->memory[i + 3], PER_RATE * rg_within(body->rate[i], RATE_CLIP));
    }
    if (!s->begun)
        memcpy(s->before, s->now, sizeof s->before);
    s->begun = true;
    s->span = FRAMES * rg_body_span(body);
}

bool rg_walk_frames_next(rg_walk_frames *s, float frame[RG_WALK_CHANNELS])
{
    if (s->due > s->span) {
        s->due -= s->span;
        return false;
    }
    float part = s->due / s->span;
    for (int i = 0; i < RG_WALK_CHANNELS; i++)
        frame[i] = s->before[i] + part * (s->now[i] - s->before[i]);
    s->due += 1.0f;
    return true;
}
