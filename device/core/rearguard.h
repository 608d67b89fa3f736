/* rearguard.h: the whole public face of the core.
 *
 * A plain C11 judge of a backward walker: no allocation, no globals, no clock,
 * no I/O. The caller owns the state (rg_core_size() bytes, 16-aligned, free of
 * pointers, so it may be copied and restored byte for byte) and passes the time.
 *
 * Body frame: x forward, y left, z up, right-handed. Specific force in m/s^2
 * (standing: z about +9.81), angular rate in rad/s, distance in m, time in s.
 * NaN in a float result means "unknown".
 */
#ifndef REARGUARD_H
#define REARGUARD_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default)    /* a library shows this and nothing else */

/* [cdef] what stands from here to [/cdef] is read by build.py as well: keep it
 * free of preprocessor lines. */

typedef enum rg_kind {          /* order is the order of alerts.EVENTS' judged rows */
    RG_OBSTACLE, RG_REAR_BLIND, RG_UNSTEADY, RG_STUMBLE, RG_FALL_IMMINENT, RG_FALL,
    RG_POSTURE, RG_PACE, RG_NOT_WORN, RG_IMU_FAULT, RG_UP_AND_WALKING,
    RG_KINDS                    /* how many there are */
} rg_kind;

typedef enum rg_level {         /* rising urgency within one kind */
    RG_NONE, RG_INFO, RG_NOTICE, RG_CAUTION, RG_WARNING, RG_STOP, RG_FAULT, RG_DANGER
} rg_level;

typedef enum rg_state { RG_RAISED, RG_CLEARED } rg_state;

typedef enum rg_direction {
    RG_BACKWARD = -1, RG_STILL = 0, RG_FORWARD = 1, RG_OTHER = 2, RG_UNKNOWN = 9
} rg_direction;

typedef enum rg_echo {          /* what a ping brought; numbers as in recordings */
    RG_ECHO, RG_NOTHING_IN_RANGE, RG_NO_PULSE, RG_STUCK, RG_NAK, RG_GLITCH
} rg_echo;

typedef struct rg_params {
    float fs;                   /* samples a second, 20 to 400 */
    float has_ranger;           /* 1: silence of the ranger is a fault; 0: there is none */
    float body_reach;           /* m heels and seat reach behind the belt (0.35) */
    float reaction;             /* s this wearer takes to react to a buzz (0.60) */
    float stopping;             /* s this wearer takes to stop once reacting (0.57) */
    float near_zone;            /* m from the belt: always a stop when closing (0.60) */
    float max_range;            /* m the ranger reaches (4.0) */
    float ranger_pitch;         /* rad the beam points above level, standing (0) */
    float ranger_height;        /* m of the ranger above ground (1.0) */
    float beam_half_angle;      /* rad (0.26) */
    float lean_limit;           /* rad of lean, either way, that is a posture notice (0.35) */
    float cadence_limit;        /* steps/min above which pace is a notice (130) */
    float speed_limit;          /* m/s backward above which pace is a notice (1.2) */
} rg_params;

typedef struct rg_sample {
    double t;                   /* s, monotonic, when it was measured; not later: a gap */
    float acc[3];               /* m/s^2; any value not finite, or beyond belief: a gap */
    float gyro[3];              /* rad/s */
} rg_sample;

typedef struct rg_ping {
    double t;                   /* s, same clock, when the echo came back or was given up */
    float range;                /* m; NaN unless echo is RG_ECHO */
    int32_t echo;               /* rg_echo */
} rg_ping;

typedef struct rg_estimate {
    double step_time;           /* s, time of the contact reported here; NaN when step is 0 */
    float up[3];                /* unit vertical in the sensor's axes, uncorrected for mounting */
    float cadence;              /* steps/min */
    float speed;                /* m/s, backward negative */
    float lean;                 /* rad, forward positive, after mounting correction */
    float sway;                 /* m/s^2, mediolateral RMS */
    float risk;                 /* 0..1, of losing balance now */
    float distance;             /* m to the tracked target behind */
    float closing;              /* m/s, positive while it comes nearer */
    float ttc;                  /* s to contact with heels or seat; infinity when not closing */
    int8_t direction;           /* rg_direction */
    uint8_t step;               /* 1: an initial contact is reported at this sample */
    uint8_t gap;                /* 1: no usable IMU data in this sample */
} rg_estimate;

typedef struct rg_event {
    double t;                   /* s, time of the sample that decided it */
    int64_t sample;             /* its index since rg_core_init */
    int32_t kind, level, state; /* rg_kind, rg_level, rg_state */
} rg_event;

typedef struct rg_series {      /* where rg_core_run writes; a NULL column is skipped */
    float *up;                  /* [n,3] */
    int8_t *direction;          /* [n] */
    uint8_t *step;              /* [n] */
    float *step_time, *cadence, *speed, *lean, *sway, *risk;    /* [n] */
    float *distance, *closing, *ttc;                            /* [n] */
} rg_series;

typedef struct rg_usual {       /* what is usual for a walker, going one way */
    float sway;                 /* m/s^2, mediolateral RMS */
    float unevenness;           /* s, of step times two apart */
    float irregularity;         /* 1 less the likeness of a stride to the one before */
    float excursion;            /* m, up and down in a step */
    int32_t steps;              /* that went into it */
} rg_usual;

typedef struct rg_core rg_core;

size_t rg_core_size(void);
/* Sets every parameter to its default for fs samples a second. */
void rg_params_default(rg_params *params, float fs);
/* The bounds of the parameter at a 1-based position. */
void rg_params_bounds(int position, float *low, float *high);
/* 0, or the 1-based position of the first impossible parameter (state is then untouched). */
int rg_core_init(rg_core *core, const rg_params *params);
/* A motion sensor of another rate comes, or takes the place of the one before: what only samples
 * tell begins anew. What is usual for this walker, what is behind and what is open stay. 0, or 1
 * when the rate is impossible (state is then untouched). */
int rg_core_retime(rg_core *core, float fs);
/* What is usual for this walker: [0] walking backward, [1] any other way. For keeping. */
void rg_core_usual(const rg_core *core, rg_usual usual[2]);
/* Hands in what was kept; one that is not finite, or negative, is nobody's, and is left out. */
void rg_core_recall(rg_core *core, const rg_usual usual[2]);
/* Hands in a ping; it takes effect at the next step. Pings come in order of time. */
void rg_core_ping(rg_core *core, const rg_ping *ping);
/* Says that the gyroscope's bias may have moved by so much [rad/s, s.d.] since this was last said,
 * because its temperature has: less is believed of it until it is learnt anew. Anything but a finite
 * number above zero says nothing. */
void rg_core_drift(rg_core *core, float by);
/* Judges one sample. At most RG_KINDS events are written to events[RG_KINDS]; returns how many. */
int rg_core_step(rg_core *core, const rg_sample *sample, rg_estimate *estimate, rg_event *events);
/* The same of numbers that lie in no rg_sample: from Python, laying them out costs more than the call. */
int rg_core_step_of(rg_core *core, double t, float ax, float ay, float az, float gx, float gy, float gz,
                    rg_estimate *estimate, rg_event *events);
/* rg_core_step over n samples: t[n], acc[n,3], gyro[n,3]. A ping is handed in before the first
 * sample with t >= ping.t. Writes events while there is room for RG_KINDS more; returns samples
 * done (fewer than n: empty the events and call again from there), *n_events events written and
 * *pings_used pings consumed. */
int64_t rg_core_run(rg_core *core, int64_t n, const double *t, const float *acc, const float *gyro,
                    int64_t n_pings, const rg_ping *pings, int64_t *pings_used,
                    const rg_series *series, int64_t capacity, rg_event *events, int64_t *n_events);
const char *rg_kind_name(int kind);
const char *rg_level_name(int level);

/* Publishes one ring slot: slot = sequence u64 | crc32 u32 | length u32 | payload. The sequence is
 * zeroed first and stored last with release order, so that a reader on Arm never takes a
 * half-written slot for whole; the CRC covers sequence and payload. */
void rg_ring_publish(void *slot, uint64_t sequence, const void *payload, uint32_t length);

/* [/cdef] */

#pragma GCC visibility pop

#endif
