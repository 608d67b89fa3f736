/* tracker.h: the target behind: distance, closing speed, time to collision, blindness. */
#ifndef RG_TRACKER_H
#define RG_TRACKER_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_tracker {
    float dt;           /* s */
} rg_tracker;

void rg_tracker_init(rg_tracker *s, const rg_params *params);
void rg_tracker_ping(rg_tracker *s, const rg_ping *ping);
void rg_tracker_step(rg_tracker *s, const rg_body *body, const rg_gait *gait, rg_demand *demand, rg_estimate *estimate);

#endif
