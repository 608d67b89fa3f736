/* impact.h: jolts: a fall's impact, getting up again after it, and (stumble.h) a stumble caught. */
#ifndef RG_IMPACT_H
#define RG_IMPACT_H

#include "body.h"
#include "demand.h"
#include "falls.h"
#include "gait.h"
#include "stumble.h"

typedef struct rg_impact {
    float leak;         /* what a sample leaves of the jolt before it */
    float jolt;         /* m/s, what the last tenth of a second pushed beyond weight */
    rg_stumble stumble; /* the jolts of walking */
    float lying;        /* rad, tilt of the last seconds; negative: not yet known */
    float imminent;     /* s since a fall was seen coming */
    float impact;       /* s since the last impact that may have been a fall's */
    float rest;         /* s it has lain at rest */
    float likely;       /* the network's highest odds since the impact that it was a fall's */
    int32_t upright_at; /* gait->steps when it last came upright */
    bool down;          /* fallen, and not walked away from it */
} rg_impact;

void rg_impact_init(rg_impact *s, const rg_params *params);
/* After rg_falls_step: a fall seen coming is in the demand. */
void rg_impact_step(rg_impact *s, const rg_body *body, const rg_gait *gait, const rg_falls *falls,
                    rg_demand *demand);

#endif
