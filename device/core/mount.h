/* mount.h: how the belt sits: from sensor axes to the walker's. */
#ifndef RG_MOUNT_H
#define RG_MOUNT_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_mount {
    float dt;           /* s */
} rg_mount;

void rg_mount_init(rg_mount *s, const rg_params *params);
void rg_mount_step(rg_mount *s, rg_body *body, rg_demand *demand);

#endif
