/* falls.h: a fall seen before its impact, and what was learnt of falls after it. */
#ifndef RG_FALLS_H
#define RG_FALLS_H

#include "body.h"
#include "demand.h"
#include "fall_features.h"
#include "fall_network.h"
#include "gait.h"

typedef struct rg_falls {
    float lying, lain;  /* rad, tilt of the last second and the last two; negative: not yet known */
    float acc[3];       /* m/s^2, the sample before */
    float held;         /* s it has stayed the same to the bit */
    float heard;        /* s since the start, up to when its word counts */
    bool open;          /* the pelvis goes down or tilts, and the body did not lie before */
    bool fallen;        /* the network says that it has just hit the ground, and it did not lie before */
    rg_features features;
    rg_fall_network network;
    int32_t frames;     /* that the last sample ended */
    rg_fall_odds odds;  /* by the newest frames */
    rg_fall_odds limits;
} rg_falls;

void rg_falls_init(rg_falls *s, const rg_params *params);
void rg_falls_step(rg_falls *s, const rg_body *body, const rg_gait *gait, rg_demand *demand);

#endif
