/* mount.h: how the belt sits: from sensor axes to the walker's.
 *
 * Gravity shows the pitch and roll the belt sits at; the yaw it does not show, and the small yaw
 * of a belt is let be. The shortest turn that takes the standing walker's vertical to z is taken.
 */
#ifndef RG_MOUNT_H
#define RG_MOUNT_H

#include "body.h"
#include "demand.h"
#include "gait.h"

typedef struct rg_mount {
    float standing[3];  /* unit vertical of the upright walker, sensor axes */
    float turn[3][4];   /* columns: the sensor's axes, walker's axes; the fourth row is zero */
    float mean[3];      /* sum of `up` over the quasi-still or walking time so far */
    float still;        /* s quasi-still without a break */
    float walked;       /* s walked before the first alignment */
    float inverted;     /* s upside down without a break */
    float lean, roll;   /* rad, without the swing of steps */
    float slipped;      /* s walked too far off upright without a break */
} rg_mount;

void rg_mount_init(rg_mount *s, const rg_params *params);
/* gait: as of the sample before. */
void rg_mount_step(rg_mount *s, const rg_gait *gait, rg_body *body, rg_demand *demand);

#endif
