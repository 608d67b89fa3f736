/* stumble.h: balance lost and caught: one jolt that stands out from the strides before and after. */
#ifndef RG_STUMBLE_H
#define RG_STUMBLE_H

#include "body.h"
#include "demand.h"
#include "gait.h"

enum { RG_STUMBLE_BINS = 24 };  /* of a quarter second: 3 s before, the catch, the recovery, 1.5 s after */

typedef struct rg_stumble {
    float jolt[RG_STUMBLE_BINS];    /* m/s, the hardest in each bin, the newest last */
    bool walking[RG_STUMBLE_BINS];  /* at the end of each */
    float filled;                   /* s of the newest bin */
    float fell;                     /* s since a fall was asked for */
    int32_t bins;                   /* filled since init or a gap, as far as it matters */
} rg_stumble;

void rg_stumble_init(rg_stumble *s);
/* jolt [m/s] as impact.c makes it; falls of this sample are in the demand already. */
void rg_stumble_step(rg_stumble *s, const rg_body *body, const rg_gait *gait, float jolt, rg_demand *demand);

#endif
