/* direction.h: which way the walker goes.
 *
 * A walker vaults over the leg as an inverted pendulum: fastest when lowest, slowest when highest.
 * So while the body rises it slows down: walking forward, the acceleration along the forward axis
 * is opposed to the vertical velocity; walking backward, it goes with it. The pelvis pitches forward
 * while the walker speeds up, whichever way; it sways, rolls and turns with each stride in an order
 * that turns about as well. A runner bounces as on a spring, fastest when highest. walk_network.c
 * has learnt what these say together; here its word is weighed, over time and against the ranger.
 */
#ifndef RG_DIRECTION_H
#define RG_DIRECTION_H

#include "body.h"
#include "gait.h"
#include "walk_network.h"

typedef struct rg_bands {   /* band-pass at the frequency of steps, second order, of three and a zero */
    float x1[4], x2[4], y1[4], y2[4];
} rg_bands;

typedef struct rg_direction_finder {
    float b0, a1, a2;       /* of the band-pass */
    float dt;               /* s */
    rg_bands moves;         /* of the linear acceleration */
    float stir;             /* (m/s^2)^2, brief mean of all movement */
    float bounced;          /* (m/s^2)^2, mean of the vertical movement */
    float known;            /* 0..1, how much of that mean is not yet its start at zero */
    float lately;           /* (m/s^2)^2, mean of the vertical movement of the last half step */
    float known_lately;     /* 0..1, as `known` */
    float swerve;           /* rad/s, the quickest it turned lately, either way */
    float moved, quiet;     /* s of movement, of stillness, without a break */
    float doubt;            /* s since a witness last spoke for the direction held */
    bool moving;
    rg_walk_network network;
    float lead;             /* log odds of backward to forward, brief mean */
    float walk;             /* log odds of walking at all, brief mean */
    float closing;          /* m/s, mean of the target behind */
    float target;           /* s it has been there without a break */
} rg_direction_finder;

void rg_direction_init(rg_direction_finder *s, const rg_params *params);
void rg_direction_step(rg_direction_finder *s, const rg_body *body, const rg_walk_frames *frames, rg_gait *gait);

#endif
