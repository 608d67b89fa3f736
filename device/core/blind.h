/* blind.h: whether the ranger can be trusted: not what it sees, but that it sees. */
#ifndef RG_BLIND_H
#define RG_BLIND_H

#include <stdbool.h>

#include "rearguard.h"

typedef struct rg_blind {
    double last;        /* s, of the last ping of any kind; NaN before the first sample */
    double sample;      /* s, of the last sample; NaN before the first */
    double working;     /* s, of the last ping that was no electrical failure */
    double covered_since;   /* s, since when every echo is from the sensor's own cover; NaN none */
    double frozen_since;    /* s, since when the very same echo comes while walking; NaN none */
    float usual;        /* s between pings, as they come */
    float nonsense;     /* share of late pings that cannot be true, 0..1 */
    float range;        /* m, the last echo */
} rg_blind;

void rg_blind_init(rg_blind *s);
/* echo: rg_echo; fits: it went with what came before, or there was no distance to judge. */
void rg_blind_ping(rg_blind *s, double t, float range, int echo, bool fits, bool walking);
/* Whether the ranger is to be called blind at time t. */
bool rg_blind_now(rg_blind *s, double t);

#endif
