/* fall_features.h: what the fall network sees: frames at 50 a second, whatever the sampling rate. */
#ifndef RG_FALL_FEATURES_H
#define RG_FALL_FEATURES_H

#include "body.h"

#define RG_CHANNELS 13

typedef struct rg_features {
    float gravity;              /* m/s^2, this sensor's own: recordings are off by up to 4 % */
    float weighed;              /* s that went into it */
    float sinking;              /* m/s downward, leaky so that no error of the sensor adds up */
    float sunk;                 /* m of height lost, leaky as well */
    float turning;              /* rad/s about any level axis */
    float phase;                /* of a frame, made by the samples since the last one */
    float sum[RG_CHANNELS];     /* of the samples since the last frame */
    float count;                /* of them */
    float now[RG_CHANNELS];     /* the newest frame */
    float before[RG_CHANNELS];  /* the one that ended the samples before */
    bool begun;                 /* there was a frame */
} rg_features;

void rg_features_init(rg_features *s);
/* Begins anew; what is known of the sensor's weight is kept. */
void rg_features_restart(rg_features *s);
/* Takes a sample in; gives the number of frames that it ends: none, one, or, when sampling is slower
 * than frames or samples were lost, more. */
int rg_features_step(rg_features *s, const rg_body *body);
/* Frame k (from 0) of the n that the last sample ended, on the line between the frames around it. */
void rg_features_frame(const rg_features *s, int k, int n, float frame[RG_CHANNELS]);

#endif
