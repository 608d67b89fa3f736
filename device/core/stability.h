/* stability.h: sway and step variability against the walker's own baseline; risk, posture, pace. */
#ifndef RG_STABILITY_H
#define RG_STABILITY_H

#include "body.h"
#include "demand.h"
#include "gait.h"

/* What is usual for this walker, from the first steps in one direction. */
typedef struct rg_usual {
    float sway;         /* m/s^2 */
    float unevenness;   /* s */
    int32_t steps;      /* that went into it */
} rg_usual;

typedef struct rg_stability {
    float lean_limit, cadence_limit, speed_limit;   /* of rg_params */
    float side, side_square;    /* m/s^2 and its square: mean mediolateral acceleration and its power */
    float seen;                 /* s that went into them */
    float pitching, rolling;    /* rad/s, smoothed */
    float lean;                 /* rad, smoothed */
    float interval[2];          /* s, the last two step times, the newest first; 0: none */
    float unevenness;           /* s, of step times two apart, over the last strides */
    int32_t row;                /* step times without a break */
    rg_usual usual[2];          /* walking backward, and any other way */
    float unsteady, leaning, hurrying;  /* s that each has lasted */
} rg_stability;

void rg_stability_init(rg_stability *s, const rg_params *params);
/* Writes estimate->sway and estimate->risk, each NaN while it is not known. */
void rg_stability_step(rg_stability *s, const rg_body *body, const rg_gait *gait, rg_demand *demand, rg_estimate *estimate);

#endif
