#include "floor.h"
#include "bounds.h"

#include <math.h>

static const float RISE = 0.3f;     /* m/s: a trunk swings within a stride; its lowest counts */
static const float MARGIN = 0.30f;  /* m before that, counted too: 3 degrees of lean at 2.4 m */
static const float NEVER = 1.6f;    /* m, nearer no floor answers: 1.0 m high, 38 degrees down */
static const float BIN = 0.02f;     /* rad: 0.2 m at 3.3 m, 0.1 m at 2.4 m */
static const float HIGHEST = 0.2f;  /* rad above the trunk's level, where the bins begin */
static const float NARROWEST = 0.1f; /* m that a floor's roughness spreads over, however far the bins are down */
static const float REACH = 4.0f;    /* m, over which a second belt's echoes lie evenly */
static const float SETTLE = 0.5f;   /* s: younger echoes may be the target's own */
static const float MEMORY = 5.0f;   /* s */
static const float ANSWERS = 4.0f;  /* old echoes about one range that tell a floor */
static const float CROWD = 1.5f;    /* and so many times what is heard everywhere: a second belt */

void rg_floor_init(rg_floor *s)
{
    *s = (rg_floor){.from = RG_NO_FLOOR, .foretold = RG_NO_FLOOR};
}

void rg_floor_step(rg_floor *s, const rg_params *p, float lean, float at_most, float dt)
{
    /* A rearward beam drops as the trunk leans back. */
    float down = p->beam_half_angle - p->ranger_pitch - lean;
    float now = down > 0.0f ? p->ranger_height / sinf(rg_min(down, 1.57f)) : RG_NO_FLOOR;
    s->foretold = rg_min(rg_min(now, RG_NO_FLOOR), s->foretold + RISE * dt);
    s->from = rg_min(s->foretold, at_most);
    s->height = p->ranger_height;
    s->lean = lean;
}

void rg_floor_ping(rg_floor *s, float since)
{
    float settled = 1.0f - expf(-since / SETTLE), kept = expf(-since / MEMORY);
    for (int k = 0; k < RG_BINS; k++) {
        float aged = settled * s->fresh[k];
        s->fresh[k] -= aged;
        s->old[k] = kept * s->old[k] + aged;
    }
}

/* Of the angle below the trunk's level at which what answers from this range would lie on the floor. */
static int bin(const rg_floor *s, float range)
{
    float below = asinf(rg_min(s->height / range, 1.0f)) + s->lean;
    return (int)rg_min(rg_max((below + HIGHEST) / BIN, 0.0f), (float)(RG_BINS - 1));
}

/* m: where the floor lies at the upper edge of bin k, now. */
static float range_at(const rg_floor *s, int k)
{
    float below = (float)k * BIN - HIGHEST - s->lean;
    return below > 0.0f ? rg_min(s->height / sinf(rg_min(below, 1.57f)), REACH) : REACH;
}

void rg_floor_echo(rg_floor *s, float range)
{
    s->fresh[bin(s, range)] += 1.0f;
}

/* Old echoes in bin k and its neighbours. */
static float heard_about(const rg_floor *s, int k)
{
    return s->old[k] + (k > 0 ? s->old[k - 1] : 0.0f) + (k + 1 < RG_BINS ? s->old[k + 1] : 0.0f);
}

/* m of range that these three cover. */
static float width(const rg_floor *s, int k)
{
    return range_at(s, k - 1) - range_at(s, k + 2);
}

float rg_floor_rate(const rg_floor *s, float range)
{
    int k = bin(s, range);
    return range < NEVER ? 0.0f : heard_about(s, k) / (MEMORY * rg_max(width(s, k), NARROWEST));
}

bool rg_floor_may_answer(const rg_floor *s, float range)
{
    if (range < NEVER)
        return false;
    int k = bin(s, range);
    float all = 0.0f;
    for (int i = 0; i < RG_BINS; i++)
        all += s->old[i];
    float evenly = all * width(s, k) / REACH;
    return heard_about(s, k) > ANSWERS + CROWD * evenly || range > s->from - MARGIN;
}
