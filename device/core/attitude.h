/* attitude.h: gravity's direction from a 6-axis IMU, after the VQF paper. */
#ifndef RG_ATTITUDE_H
#define RG_ATTITUDE_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_attitude {
    float dt;           /* s */
} rg_attitude;

void rg_attitude_init(rg_attitude *s, const rg_params *params);
void rg_attitude_step(rg_attitude *s, const rg_sample *sample, rg_body *body);

#endif
