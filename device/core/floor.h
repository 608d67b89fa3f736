/* floor.h: where the floor may answer: foretold from the lean, and learnt from where it does.
 *
 * What is learnt is an angle: how far below the trunk's own level the beam meets what answers. A belt
 * that sits lower than it is said to keeps that angle while the trunk leans and the floor comes near.
 */
#ifndef RG_FLOOR_H
#define RG_FLOOR_H

#include <stdbool.h>

#include "rearguard.h"

#define RG_NO_FLOOR 6.0f    /* m, stands for a floor that the beam does not meet */
enum { RG_BINS = 60 };      /* of 0.02 rad */

typedef struct rg_floor {
    float foretold;         /* m, where the beam's lower edge should meet it, by the lowest swing lately */
    float from;             /* m, that, or nearer while the trunk goes into its lean */
    float height, lean;     /* m, of the ranger; rad, of the trunk now, forward positive */
    float fresh[RG_BINS];   /* echoes of the last half second that came from nothing that nears */
    float old[RG_BINS];     /* the same, older, forgotten over seconds: a map of clutter */
} rg_floor;

void rg_floor_init(rg_floor *s);
/* lean: of the trunk, forward positive, rad; at_most: m, it may begin there whatever the lean says,
 * or RG_NO_FLOOR; dt: s since the last sample. */
void rg_floor_step(rg_floor *s, const rg_params *params, float lean, float at_most, float dt);
/* A ping, since [s] after the last one. */
void rg_floor_ping(rg_floor *s, float since);
/* An echo of nothing that is known to come nearer. */
void rg_floor_echo(rg_floor *s, float range);
/* Whether what is first heard at this range may be the floor. */
bool rg_floor_may_answer(const rg_floor *s, float range);
/* How often it was heard about there of late, 1/(m s). */
float rg_floor_rate(const rg_floor *s, float range);

#endif
