/* speed.h: how fast the walker goes. */
#ifndef RG_SPEED_H
#define RG_SPEED_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_speed {
    float dt;           /* s */
} rg_speed;

void rg_speed_init(rg_speed *s, const rg_params *params);
void rg_speed_step(rg_speed *s, const rg_body *body, rg_gait *gait);

#endif
