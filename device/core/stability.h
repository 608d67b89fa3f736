/* stability.h: sway, step variability and regularity against the walker's own baseline; risk, posture,
 * pace. */
#ifndef RG_STABILITY_H
#define RG_STABILITY_H

#include "body.h"
#include "demand.h"
#include "gait.h"
#include "regularity.h"

typedef struct rg_stability {
    float lean_limit, cadence_limit, speed_limit;   /* of rg_params */
    float side, side_square;    /* m/s^2 and its square: mean mediolateral acceleration and its power */
    float seen;                 /* s that went into them */
    float pitching, rolling;    /* rad/s, smoothed */
    float rate_share;           /* of a new rate in those */
    float lean;                 /* rad, smoothed */
    float interval[2];          /* s, the last two step times, the newest first; 0: none */
    float unevenness;           /* s, of step times two apart, over the last strides */
    float irregularity;         /* 1 less the likeness of strides, over the last ones; -1: not known */
    float excursion;            /* m, up and down in a step, over the last strides */
    rg_regularity regularity;
    int32_t row;                /* step times without a break */
    bool backward;              /* the way it went when that was last known */
    rg_usual usual[2];          /* walking backward, and any other way */
    float unsteady, leaning, crouching, hurrying;   /* s that each has lasted */
} rg_stability;

void rg_stability_init(rg_stability *s, const rg_params *params);
void rg_stability_recall(rg_stability *s, const rg_usual usual[2]);
/* Writes estimate->sway and estimate->risk, each NaN while it is not known. */
void rg_stability_step(rg_stability *s, const rg_body *body, const rg_gait *gait, rg_demand *demand, rg_estimate *estimate);

#endif
