#include "decide.h"

#include <string.h>

/* s a demand must have been gone before its episode is cleared. */
static const float CLEAR[RG_KINDS] = {
    [RG_OBSTACLE] = 1.0f, [RG_REAR_BLIND] = 1.0f, [RG_UNSTEADY] = 5.0f, [RG_STUMBLE] = 2.0f,
    [RG_FALL_IMMINENT] = 5.0f, [RG_FALL] = 10.0f, [RG_POSTURE] = 5.0f, [RG_PACE] = 5.0f,
    [RG_NOT_WORN] = 2.0f, [RG_IMU_FAULT] = 1.0f, [RG_UP_AND_WALKING] = 0.0f,
};

void rg_decide_init(rg_decide *s)
{
    memset(s, 0, sizeof *s);
}

int rg_decide_step(rg_decide *s, double t, int64_t sample, const rg_demand *demand, rg_event *events)
{
    int n = 0;
    for (int kind = 0; kind < RG_KINDS; kind++) {
        int level = demand->level[kind];
        if (level > RG_NONE)
            s->gone_since[kind] = t;
        if (level > s->level[kind]) {
            s->level[kind] = (int8_t)level;
            events[n++] = (rg_event){t, sample, kind, level, RG_RAISED};
        } else if (s->level[kind] > RG_NONE && t - s->gone_since[kind] > (double)CLEAR[kind]) {
            events[n++] = (rg_event){t, sample, kind, s->level[kind], RG_CLEARED};
            s->level[kind] = RG_NONE;
        }
    }
    return n;
}
