#include "regularity.h"

#include <math.h>
#include <string.h>

static const float FRAME = 0.04f;           /* s: the fourth harmonic of a brisk cadence, and no heel knock */

void rg_regularity_init(rg_regularity *s, const rg_params *params)
{
    memset(s, 0, sizeof *s);
    s->block = (int32_t)rg_max(roundf(FRAME * params->fs), 1.0f);
    s->period = (float)s->block / params->fs;
}

void rg_regularity_step(rg_regularity *s, const rg_body *body)
{
    if (body->missed > 0.0f)
        s->frames = 0;                      /* two strides with a hole between them are not compared */
    s->sum += body->lin[2];
    if (++s->in < s->block)
        return;
    s->frame[s->frames++ % RG_REGULARITY_FRAMES] = s->sum / (float)s->block;
    s->sum = 0.0f;
    s->in = 0;
}

/* The frame `back` blocks before the newest, between blocks on a line. */
static float at(const rg_regularity *s, float back)
{
    uint32_t whole = (uint32_t)back, newest = s->frames - 1;
    float part = back - (float)whole;
    float later = s->frame[(newest - whole) % RG_REGULARITY_FRAMES];
    float earlier = s->frame[(newest - whole - 1) % RG_REGULARITY_FRAMES];
    return later + part * (earlier - later);
}

float rg_regularity_of(const rg_regularity *s, float stride)
{
    float lag = stride / s->period;
    int32_t n = (int32_t)lag;
    if (!(lag >= 2.0f) || 2.0f * lag + 2.0f > (float)RG_REGULARITY_FRAMES || (float)s->frames < 2.0f * lag + 2.0f)
        return NAN;
    float x = 0.0f, y = 0.0f, xx = 0.0f, yy = 0.0f, xy = 0.0f;
    for (int32_t k = 0; k < n; k++) {
        float a = at(s, (float)k), b = at(s, (float)k + lag);
        x += a;
        y += b;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    float m = (float)n, power = (xx - x * x / m) * (yy - y * y / m);
    return power > 1e-6f ? rg_min(rg_max((xy - x * y / m) / sqrtf(power), -1.0f), 1.0f) : NAN;
}
