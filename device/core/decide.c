#include "decide.h"

#include <string.h>

/* s a demand must have been gone before its episode is closed: longer than the pauses within one
 * and the same happening, so that it is told once. */
static const float CLEAR[RG_KINDS] = {
    [RG_OBSTACLE] = 1.0f,           /* an oblique target loses a few echoes in a row */
    [RG_REAR_BLIND] = 1.0f,         /* a loose plug answers in between */
    [RG_UNSTEADY] = 5.0f,           /* some strides, for it is judged over strides */
    [RG_STUMBLE] = 2.0f,            /* the recovery steps belong to it */
    [RG_FALL_IMMINENT] = 5.0f,      /* from losing balance to lying takes up to 3 s */
    [RG_FALL] = 10.0f,              /* after it the device's own fall chain watches */
    [RG_POSTURE] = 5.0f,
    [RG_PACE] = 5.0f,
    [RG_NOT_WORN] = 2.0f,
    [RG_IMU_FAULT] = 1.0f,          /* a second of good data */
    [RG_UP_AND_WALKING] = 0.0f,     /* a moment, not a state */
};

void rg_decide_init(rg_decide *s)
{
    memset(s, 0, sizeof *s);
}

int rg_decide_step(rg_decide *s, double t, int64_t sample, const rg_demand *demand,
                   rg_event *events)
{
    int n = 0;
    if (!s->open && demand->most == RG_NONE)
        return 0;
    for (int kind = 0; kind < RG_KINDS; kind++) {
        int level = demand->level[kind];
        if (level > RG_NONE)
            s->last_asked[kind] = t;
        if (level > s->level[kind]) {
            s->open += s->level[kind] == RG_NONE;
            s->level[kind] = (int8_t)level;
            events[n++] = (rg_event){t, sample, kind, level, RG_RAISED};
        } else if (s->level[kind] > RG_NONE && t - s->last_asked[kind] > (double)CLEAR[kind]) {
            events[n++] = (rg_event){t, sample, kind, s->level[kind], RG_CLEARED};
            s->level[kind] = RG_NONE;
            s->open--;
        }
    }
    return n;
}
