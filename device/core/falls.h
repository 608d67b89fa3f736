/* falls.h: balance being lost: a fall before its impact, and a stumble caught. */
#ifndef RG_FALLS_H
#define RG_FALLS_H

#include "body.h"
#include "demand.h"
#include "fall_features.h"
#include "fall_network.h"
#include "gait.h"

typedef struct rg_falls {
    /* what is seen of the fall, all leaky so that no error of the sensor adds up */
    float gravity;      /* m/s^2, this sensor's own: recordings are off by up to 4 % */
    float weighed;      /* s that went into it */
    float down;         /* m/s downward */
    float sunk;         /* m of height lost */
    float turning;      /* rad/s about any level axis */
    float tilt;         /* rad from the walker's own upright */
    float lying;        /* rad, tilt of the last seconds; negative: not yet known */
    float acc[3];       /* m/s^2, the sample before */
    float held;         /* s it has stayed the same to the bit */
    float danger;       /* above 0: by physics it could be a fall */
    bool open;          /* it goes down and did not lie before: danger is taken at its word */
    /* what was learnt of falls */
    rg_features features;
    rg_fall_network network;
    int32_t frames;     /* that the last sample ended */
    float odds;         /* logarithm of those of a fall, by the newest frames */
} rg_falls;

void rg_falls_init(rg_falls *s, const rg_params *params);
void rg_falls_step(rg_falls *s, const rg_body *body, const rg_gait *gait, rg_demand *demand);

#endif
