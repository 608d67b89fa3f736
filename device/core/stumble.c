/* stumble.c: the foot that catches a stumbling walker lands harder than any step of theirs just
 * before, and than those once they have recovered: setting off to run is followed by more of the
 * same. So it is told when that is known, 2.5 s later. What became a fall is no stumble.
 */
#include "stumble.h"

#include <math.h>
#include <string.h>

/* bins; of those before, a second's will do */
enum { BEFORE = 12, CATCH = 3, RECOVERY = 3, AFTER = 6, LEAST_BINS = RG_STUMBLE_BINS - BEFORE + 4 };
static const float BIN = 0.25f;             /* s */
static const float STANDS_OUT = 1.55f;       /* times the hardest of the other steps */
static const float LEAST = 0.45f;           /* m/s; softer is a step taken out of rhythm */
static const float UPRIGHT = 0.7f;          /* rad, 40 deg: it was caught */
static const float FELL = 6.0f;             /* s: what this looks back on, and a bit */

void rg_stumble_init(rg_stumble *s)
{
    memset(s, 0, sizeof *s);
    s->fell = FELL;
}

static float hardest(const float *jolt, int from, int count)
{
    float most = 0.0f;
    for (int i = from; i < from + count; i++)
        most = rg_max(most, jolt[i]);
    return most;
}

static bool caught(const rg_stumble *s)
{
    float others = rg_max(hardest(s->jolt, 0, BEFORE), hardest(s->jolt, BEFORE + CATCH + RECOVERY, AFTER));
    float jolt = hardest(s->jolt, BEFORE, CATCH);
    bool walked = false;
    for (int i = 0; i < BEFORE + CATCH; i++)
        walked = walked || s->walking[i];
    return walked && jolt > LEAST && jolt > STANDS_OUT * others;
}

void rg_stumble_step(rg_stumble *s, const rg_body *body, const rg_gait *gait, float jolt, rg_demand *demand)
{
    const int last = RG_STUMBLE_BINS - 1;
    bool falling = demand->level[RG_FALL_IMMINENT] || demand->level[RG_FALL];
    s->fell = falling ? 0.0f : rg_min(s->fell + body->dt, FELL);
    s->jolt[last] = rg_max(s->jolt[last], jolt);
    s->walking[last] = gait->walking;
    s->filled += body->dt;
    if (s->filled < BIN)
        return;
    s->filled -= BIN;
    s->bins = s->bins < RG_STUMBLE_BINS ? s->bins + 1 : RG_STUMBLE_BINS;
    if (s->bins >= LEAST_BINS && s->fell >= FELL && body->tilt < UPRIGHT && caught(s))
        rg_demand_ask(demand, RG_STUMBLE, RG_WARNING);
    memmove(s->jolt, s->jolt + 1, last * sizeof s->jolt[0]);
    memmove(s->walking, s->walking + 1, last * sizeof s->walking[0]);
    s->jolt[last] = 0.0f;
}
