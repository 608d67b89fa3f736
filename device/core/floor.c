#include "floor.h"

#include <math.h>

static const float RISE = 0.3f;     /* m/s: a trunk swings within a stride; its lowest counts */
static const float MARGIN = 0.30f;  /* m before that, counted too: 3 degrees of lean at 2.4 m */
static const float NEVER = 1.6f;    /* m, nearer no floor answers: 1.0 m high, 38 degrees down */
static const float BIN = 0.25f;     /* m */
static const float SETTLE = 0.5f;   /* s: younger echoes may be the target's own */
static const float MEMORY = 5.0f;   /* s */
static const float ANSWERS = 4.0f;  /* old echoes about one range that tell a floor */
static const float CROWD = 1.5f;    /* and so many times what is heard everywhere: a second belt */

void rg_floor_init(rg_floor *s)
{
    *s = (rg_floor){.from = RG_NO_FLOOR};
}

void rg_floor_step(rg_floor *s, const rg_params *p, float lean, float at_most, float dt)
{
    /* A rearward beam drops as the trunk leans back. */
    float down = p->beam_half_angle - p->ranger_pitch - lean;
    float now = down > 0.0f ? fminf(p->ranger_height / sinf(fminf(down, 1.57f)), at_most) : at_most;
    s->from = fminf(now, s->from + RISE * dt);
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

static int bin(float range)
{
    return (int)fminf(range / BIN, (float)(RG_BINS - 1));
}

void rg_floor_echo(rg_floor *s, float range)
{
    s->fresh[bin(range)] += 1.0f;
}

bool rg_floor_may_answer(const rg_floor *s, float range)
{
    if (range < NEVER)
        return false;
    int k = bin(range);
    float all = 0.0f;
    for (int i = 0; i < RG_BINS; i++)
        all += s->old[i];
    float heard = s->old[k] + (k > 0 ? s->old[k - 1] : 0.0f) + (k + 1 < RG_BINS ? s->old[k + 1] : 0.0f);
    return heard > ANSWERS + CROWD * 3.0f * all / (4.0f / BIN) || range > s->from - MARGIN;
}
