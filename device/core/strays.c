#include "strays.h"
#include "bounds.h"

#include <math.h>

static const float MEMORY = 60.0f;  /* s: whoever walks beside stays a while */
static const float SLOWEST = 1.0f;  /* s between pings; longer, nobody listened */
static const float NEAR = 1.6f;     /* m, of those counted: farther, a floor answers as wildly */
static const float CLEAN = 0.002f;  /* 1/(m s), where nobody else pings: one in two minutes over 4 m */
static const float PRIOR = 30.0f;   /* s of clean air that are taken for heard beforehand */
static const float BELT = 0.08f;    /* 1/(m s), from here it is a second belt */
static const float BUNCH = 12.0f;   /* times as many of its echoes about its last: the two drift slowly */

void rg_strays_ping(rg_strays *s, float since)
{
    float kept = expf(-since / MEMORY);
    s->heard *= kept;
    s->listened = kept * s->listened + rg_min(since, SLOWEST);
}

void rg_strays_heard(rg_strays *s, float range)
{
    if (range < NEAR)
        s->heard += 1.0f;
}

float rg_strays_rate(const rg_strays *s, bool again)
{
    float rate = (CLEAN * NEAR * PRIOR + s->heard) / (NEAR * (PRIOR + s->listened));
    return again && rate > BELT ? BUNCH * rate : rate;
}
