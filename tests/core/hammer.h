/* hammer.h: chance, and what rearguard.h promises of a result; for hammer.c and fuzz.c. */
#include "rearguard.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

static uint32_t any(void)                       /* splitmix64, upper half */
{
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)(z >> 32);
}

static float between(float low, float high)
{
    return low + (high - low) * (float)any() / 4294967296.0f;
}

static void expect(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "hammer: %s\n", what);
        abort();
    }
}

static void check(const rg_estimate *e, const rg_event *events, int n, int64_t sample)
{
    float up = e->up[0] * e->up[0] + e->up[1] * e->up[1] + e->up[2] * e->up[2];
    expect(isnan(up) ? e->gap : fabsf(up - 1.0f) < 1e-4f, "up is no unit vector where there is data");
    expect(!(e->risk < 0.0f) && !(e->risk > 1.0f), "risk is outside 0..1");
    expect(!(e->cadence < 0.0f) && !isinf(e->cadence), "cadence");
    expect(!(e->sway < 0.0f) && !isinf(e->sway), "sway");
    expect(!isinf(e->speed) && !isinf(e->closing) && !isinf(e->lean), "speed");
    expect(!(e->distance < 0.0f) && !isinf(e->distance), "distance");
    expect(!(e->ttc < 0.0f), "time to collision");
    expect(isfinite(e->step_time) == (e->step == 1), "a step has a time, nothing else has");
    expect((e->direction >= -1 && e->direction <= 2) || e->direction == RG_UNKNOWN, "direction");
    expect(n >= 0 && n <= RG_KINDS, "number of events");
    for (int i = 0; i < n; i++) {
        expect(events[i].sample == sample && isfinite(events[i].t), "event's place");
        expect(events[i].kind >= 0 && events[i].kind < RG_KINDS, "event's kind");
        expect(events[i].level > RG_NONE && events[i].level <= RG_DANGER, "event's level");
    }
}
