/* regularity.h: how like the last stride is to the one before: the autocorrelation of the trunk's
 * vertical acceleration at one stride (R. Moe-Nilssen, J. Helbostad, "Estimation of gait cycle
 * characteristics by trunk accelerometry", J. Biomech. 37, 2004). A limp repeats and is regular.
 */
#ifndef RG_REGULARITY_H
#define RG_REGULARITY_H

#include "body.h"

#define RG_REGULARITY_FRAMES 128    /* 5 s: two of the slowest strides */

typedef struct rg_regularity {
    float frame[RG_REGULARITY_FRAMES];  /* m/s^2, block means, a ring */
    uint32_t frames;            /* so far; the ring's length divides 2^32 */
    float sum;                  /* m/s^2, of the block under way */
    int32_t block, in;          /* samples to a block, and in this one */
    float period;               /* s, of a block */
} rg_regularity;

void rg_regularity_init(rg_regularity *s, const rg_params *params);
void rg_regularity_step(rg_regularity *s, const rg_body *body);
/* -1 to 1 over the last two strides of `stride` s each; NaN where they are not there, or all still. */
float rg_regularity_of(const rg_regularity *s, float stride);

#endif
