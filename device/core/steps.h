/* steps.h: initial contacts and cadence. */
#ifndef RG_STEPS_H
#define RG_STEPS_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_steps {
    float dt;           /* s */
} rg_steps;

void rg_steps_init(rg_steps *s, const rg_params *params);
void rg_steps_step(rg_steps *s, const rg_body *body, rg_gait *gait);

#endif
