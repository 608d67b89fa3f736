/* stability.h: sway and step variability against the walker's own baseline; risk, posture, pace. */
#ifndef RG_STABILITY_H
#define RG_STABILITY_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_stability {
    float dt;           /* s */
} rg_stability;

void rg_stability_init(rg_stability *s, const rg_params *params);
void rg_stability_step(rg_stability *s, const rg_body *body, const rg_gait *gait, rg_demand *demand, rg_estimate *estimate);

#endif
