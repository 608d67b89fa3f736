/* decide.h: from demands to episodes, with hysteresis. */
#ifndef RG_DECIDE_H
#define RG_DECIDE_H

#include "demand.h"

typedef struct rg_decide {
    double last_asked[RG_KINDS];    /* s, when the demand was last seen */
    int8_t level[RG_KINDS];         /* highest level of the open episode; RG_NONE: closed */
    int8_t open;                    /* how many are */
} rg_decide;

/* An episode is raised at once, raised again only at a higher level, and cleared when nothing has
 * been asked for its kind for that kind's clear time. */
void rg_decide_init(rg_decide *s);
/* Writes at most RG_KINDS events; returns how many. */
int rg_decide_step(rg_decide *s, double t, int64_t sample, const rg_demand *demand,
                   rg_event *events);

#endif
