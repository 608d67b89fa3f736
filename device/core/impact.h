/* impact.h: a fall after impact, and getting up again. */
#ifndef RG_IMPACT_H
#define RG_IMPACT_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_impact {
    float dt;           /* s */
} rg_impact;

void rg_impact_init(rg_impact *s, const rg_params *params);
void rg_impact_step(rg_impact *s, const rg_body *body, const rg_gait *gait, rg_demand *demand);

#endif
