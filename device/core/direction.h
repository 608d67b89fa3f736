/* direction.h: which way the walker goes. */
#ifndef RG_DIRECTION_H
#define RG_DIRECTION_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_direction_finder {
    float dt;           /* s */
} rg_direction_finder;

void rg_direction_init(rg_direction_finder *s, const rg_params *params);
void rg_direction_step(rg_direction_finder *s, const rg_body *body, rg_gait *gait);

#endif
