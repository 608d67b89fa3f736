/* falls.h: balance being lost: stumble and fall before impact. */
#ifndef RG_FALLS_H
#define RG_FALLS_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_falls {
    float dt;           /* s */
} rg_falls;

void rg_falls_init(rg_falls *s, const rg_params *params);
void rg_falls_step(rg_falls *s, const rg_body *body, const rg_gait *gait, rg_demand *demand);

#endif
