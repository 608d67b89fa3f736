/* track.h: one target behind: a Kalman filter over distance and closing speed.
 *
 * Constant-velocity model with white acceleration noise, so that irregular pings and missed
 * echoes need no case of their own (Bar-Shalom, Li, Kirubarajan 2001, section 6.2.2).
 */
#ifndef RG_TRACK_H
#define RG_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "floor.h"
#include "strays.h"

typedef struct rg_track {
    double t;           /* s, of the last echo taken */
    double seen;        /* s, the same, also when the track is moved on */
    double born;        /* s, of the first */
    float distance;     /* m at t */
    float closing;      /* m/s, positive while nearing */
    float p[3];         /* covariance: distance [m^2], cross [m^2/s], closing [m^2/s^2] */
    float reached;      /* m, distance at t: what echoes have shown, not what is foretold */
    float far;          /* m, distance from which the present closing began */
    float floor_then;   /* m, where the floor's echo was at that moment */
    float chance;       /* closings made of echoes of nothing, as long and as good, 1/(m s) */
    float floor;        /* times as often as those the floor answered where it began */
    float rough;        /* m, mean by which an echo was off: a floor's are off, a wall's hardly */
    bool alone;         /* begun by an echo that fitted nothing */
    bool foretold;      /* its closing is mostly what the legs tell */
    bool backing;       /* they went backward when it began */
    int32_t hits;       /* echoes taken; 0: free */
    int32_t run;        /* of these, since the present closing began, its first too */
    int32_t pings;      /* sent since the first of them, that one too */
    int32_t before;     /* of these in a row, echoes from where no floor answers */
} rg_track;

/* Begins at one echo; closing is what the body makes likely, sd how sure that is [m/s]. */
void rg_track_begin(rg_track *track, double t, float range, float closing, float sd, const rg_strays *strays,
                    const rg_floor *floor);
/* The track moved on to t without an echo. */
rg_track rg_track_at(const rg_track *track, double t);
/* How far off an echo is, in shares of what is physically possible: above 1 it is another's. */
float rg_track_misfit(const rg_track *track, double t, float range);
void rg_track_update(rg_track *track, double t, float range, const rg_strays *strays, const rg_floor *floor);
/* How many such closings echoes of nothing would make, 1/(m s); of two echoes, of which the first may be
 * the floor's, the floor and one of them. */
float rg_track_chance(const rg_track *track);
/* Whether it may be the floor: not heard often enough from where none answers. Of two echoes one is
 * enough: rg_track_chance knows of the other. */
bool rg_track_floor_like(const rg_track *track);

#endif
