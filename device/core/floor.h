/* floor.h: where the floor may answer: never sure, for belts slip and trunks lean and swing. */
#ifndef RG_FLOOR_H
#define RG_FLOOR_H

#include "rearguard.h"

typedef struct rg_floor {
    float from;         /* m, echoes from here on may be the floor's */
    float rough_from;   /* m, the same where it does answer: a rough one */
    float rough;        /* first echoes of late from there: what tells such a floor */
} rg_floor;

void rg_floor_init(rg_floor *s);
/* lean: of the trunk, forward positive, rad; dt: s since the last sample. */
void rg_floor_step(rg_floor *s, const rg_params *params, float lean, float dt);
/* A ping, since [s] after the last one. */
void rg_floor_ping(rg_floor *s, float since);
/* An echo that fitted nothing before it. */
void rg_floor_first_echo(rg_floor *s, float range);

#endif
