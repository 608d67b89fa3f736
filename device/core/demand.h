/* demand.h: what a judge asks of the decision stage, sample by sample.
 *
 * A judge states the level it sees now for a kind of event (RG_NONE: nothing);
 * decide.c turns that into episodes: raised at once, raised again when the level
 * rises, cleared when the demand has been gone for the kind's clear time.
 */
#ifndef RG_DEMAND_H
#define RG_DEMAND_H

#include "rearguard.h"

typedef struct rg_demand {
    int8_t level[RG_KINDS];     /* rg_level, per kind */
    int8_t most;                /* the highest of them: mostly nothing is asked at all */
} rg_demand;

/* The highest level asked for in one sample stands. */
static inline void rg_demand_ask(rg_demand *demand, int kind, int level)
{
    if (level > demand->level[kind])
        demand->level[kind] = (int8_t)level;
    if (level > demand->most)
        demand->most = (int8_t)level;
}

#endif
