/* tracker.h: the targets behind: distance, closing speed, time to collision, what to ask for. */
#ifndef RG_TRACKER_H
#define RG_TRACKER_H

#include "blind.h"
#include "body.h"
#include "demand.h"
#include "floor.h"
#include "gait.h"
#include "strays.h"
#include "track.h"

enum { RG_TRACKS = 6 };     /* a soft target, what shows behind it, and a few spikes */

typedef struct rg_tracker {
    rg_params params;
    rg_blind blind;
    rg_floor floor;
    rg_strays strays;
    rg_track tracks[RG_TRACKS];
    double last_ping;       /* s; NaN none yet */
    double last_echo;       /* s, of the last that brought a distance; NaN none yet */
    double bent;            /* s, when the trunk was last bent forward without steps; NaN never */
    double stood;           /* s, when the legs last stood; NaN never */
    double unsure;          /* s, when they last told no direction; NaN never */
    double asked;           /* s, when an obstacle was last asked for; NaN never */
    double asked_since;     /* s, when this run of asking began */
    float speed;            /* m/s backward, as the legs say; NaN unknown */
    float turn;             /* rad/s, of the body, its swing within a stride left out */
    int8_t witness;         /* rg_direction, as the legs say; RG_UNKNOWN in a gap */
    bool settled;           /* the IMU is there to be a witness */
    bool walking;
    bool trunk;             /* what closes may be the trunk's own bending or turning */
} rg_tracker;

void rg_tracker_init(rg_tracker *s, const rg_params *params);
void rg_tracker_ping(rg_tracker *s, const rg_ping *ping);
/* Asks for RG_OBSTACLE and RG_REAR_BLIND; writes distance, closing and ttc. */
void rg_tracker_step(rg_tracker *s, const rg_body *body, const rg_gait *gait, rg_demand *demand, rg_estimate *estimate);

#endif
