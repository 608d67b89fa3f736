/* gait.h: what the walker's legs do, as the gait judges find it sample by sample. */
#ifndef RG_GAIT_H
#define RG_GAIT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rg_gait {
    double step_time;   /* s, time of the contact reported at this sample; NaN when step is 0 */
    float cadence;      /* steps/min; 0 standing; NaN not yet known */
    float speed;        /* m/s along the walker's forward axis, backward negative; NaN unknown */
    float interval;     /* s between the last two contacts; NaN unknown */
    float bounce;       /* m/s^2, RMS of the vertical acceleration of the gait, last second or so */
    float lately;       /* m/s^2, the same of the last half step */
    float turning;      /* rad/s about the vertical, left positive, mean of the last second or so */
    float closing;      /* m/s, of the target behind, as of the sample before; NaN: there is none */
    int32_t steps;      /* contacts reported since init */
    int8_t direction;   /* rg_direction */
    uint8_t step;       /* 1: a contact is reported at this sample */
    bool walking;       /* stepping now, in whatever direction */
    bool faint;         /* by steps that are hardly more than a shift of weight */
} rg_gait;

#endif
