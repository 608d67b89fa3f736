/* core.c: the way of one sample through the judges, and the batch entry over the same way. */
#include "core.h"
#include "params.h"
#include "speed.h"

#include <math.h>
#include <string.h>

size_t rg_core_size(void)
{
    return sizeof(struct rg_core);
}

/* The judges of the walk, and what they said, start anew. */
static void begin_gait(rg_core *core)
{
    core->gait = (rg_gait){
        .step_time = (double)NAN, .cadence = NAN, .speed = NAN, .interval = NAN,
        .closing = NAN, .direction = RG_UNKNOWN, .steps = core->gait.steps,
    };
    rg_walk_frames_init(&core->walk, &core->params);
    rg_steps_init(&core->steps);
    rg_direction_init(&core->direction, &core->params);
}

/* All that one motion sensor's samples say begins anew; what is usual for the walker is kept. */
static void begin_motion(rg_core *core)
{
    const rg_params *params = &core->params;
    rg_usual usual[2];
    rg_core_usual(core, usual);
    core->body = (rg_body){.t = core->body.t, .sample = core->body.sample, .up = {NAN, NAN, NAN}};
    memset(&core->asked, 0, sizeof core->asked);
    rg_imu_init(&core->imu, params);
    rg_attitude_init(&core->attitude, params);
    rg_mount_init(&core->mount, params);
    begin_gait(core);
    rg_stability_init(&core->stability, params);
    rg_core_recall(core, usual);
    rg_falls_init(&core->falls, params);
    rg_impact_init(&core->impact, params);
}

int rg_core_init(rg_core *core, const rg_params *params)
{
    int impossible = rg_params_check(params);
    if (impossible)
        return impossible;
    memset(core, 0, sizeof *core);
    core->params = *params;
    begin_motion(core);
    rg_tracker_init(&core->tracker, params);
    rg_decide_init(&core->decide);
    return 0;
}

int rg_core_retime(rg_core *core, float fs)
{
    rg_params params = core->params;
    params.fs = fs;
    int impossible = rg_params_check(&params);
    if (impossible)
        return impossible;
    core->params = core->tracker.params = params;
    bool begun = core->imu.begun;
    double used_t = core->imu.used_t;
    begin_motion(core);
    core->imu.begun = begun;        /* time goes on, and the sensor's silence is not forgotten */
    core->imu.used_t = used_t;
    return 0;
}

void rg_core_usual(const rg_core *core, rg_usual usual[2])
{
    memcpy(usual, core->stability.usual, sizeof core->stability.usual);
}

void rg_core_recall(rg_core *core, const rg_usual usual[2])
{
    rg_stability_recall(&core->stability, usual);
}

void rg_core_ping(rg_core *core, const rg_ping *ping)
{
    rg_ping clean = *ping;
    if (!isfinite(ping->t))
        return;                             /* it cannot be placed; the silence tells */
    bool known = ping->echo >= RG_ECHO && ping->echo <= RG_GLITCH;
    bool measured = ping->range >= 0.0f && !isinf(ping->range);
    if (!known || (ping->echo == RG_ECHO && !measured))
        clean.echo = RG_GLITCH;
    if (clean.echo != RG_ECHO)
        clean.range = NAN;
    rg_tracker_ping(&core->tracker, &clean);
}

void rg_core_drift(rg_core *core, float by)
{
    if (by > 0.0f && isfinite(by))
        rg_attitude_drift(&core->attitude, (double)by);
}

/* One usable sample through the judges of motion. */
static void judge_motion(rg_core *core, rg_estimate *estimate)
{
    rg_body *body = &core->body;
    rg_gait *gait = &core->gait;
    rg_demand *asked = &core->asked;

    memset(asked, 0, sizeof *asked);
    if (body->missed > RG_BRIDGED)
        begin_gait(core);
    rg_mount_step(&core->mount, gait, body, asked);
    gait->step = 0;
    gait->step_time = (double)NAN;
    rg_walk_frames_step(&core->walk, body);
    rg_steps_step(&core->steps, body, &core->walk, gait);
    int8_t way = gait->direction;
    rg_direction_step(&core->direction, body, &core->walk, gait);
    if (core->walk.n || gait->direction != way)     /* else it is as it was */
        rg_speed_step(gait);
    rg_stability_step(&core->stability, body, gait, asked, estimate);
    rg_falls_step(&core->falls, body, gait, asked);
    rg_impact_step(&core->impact, body, gait, &core->falls, asked);
}

/* In a gap nobody judges motion: what is open stays open, nothing new is found, and when the gap
 * is longer than can be bridged nothing is known any more. */
static void sit_out(rg_core *core)
{
    core->gait.step = 0;
    core->gait.step_time = (double)NAN;
    if (core->body.missed > RG_BRIDGED) {
        begin_gait(core);
        for (int i = 0; i < 3; i++)
            core->body.up[i] = NAN;
    }
}

int rg_core_step(rg_core *core, const rg_sample *sample, rg_estimate *estimate, rg_event *events)
{
    rg_body *body = &core->body;
    rg_gait *gait = &core->gait;
    rg_demand demand;

    *estimate = (rg_estimate){
        .sway = NAN, .risk = NAN, .distance = NAN, .closing = NAN, .ttc = NAN,
    };
    body->sample = core->sample++;
    memset(&demand, 0, sizeof demand);
    rg_imu_step(&core->imu, sample, body, &demand);
    rg_attitude_step(&core->attitude, sample, body);
    if (body->gap)
        sit_out(core);
    else
        judge_motion(core, estimate);
    for (int kind = 0; kind < RG_KINDS && core->asked.most; kind++)
        rg_demand_ask(&demand, kind, core->asked.level[kind]);
    rg_tracker_step(&core->tracker, body, gait, &demand, estimate);
    gait->closing = estimate->closing;

    memcpy(estimate->up, body->up, sizeof estimate->up);
    estimate->step_time = gait->step_time;
    estimate->cadence = gait->cadence;
    estimate->speed = gait->speed;
    estimate->lean = body->settled && body->aligned ? body->lean : NAN;
    estimate->direction = gait->direction;
    estimate->step = gait->step;
    estimate->gap = body->gap;
    return rg_decide_step(&core->decide, body->t, body->sample, &demand, events);
}

int rg_core_step_of(rg_core *core, double t, float ax, float ay, float az, float gx, float gy, float gz,
                    rg_estimate *estimate, rg_event *events)
{
    const rg_sample sample = {.t = t, .acc = {ax, ay, az}, .gyro = {gx, gy, gz}};
    return rg_core_step(core, &sample, estimate, events);
}

int64_t rg_core_run(rg_core *core, int64_t n, const double *t, const float *acc, const float *gyro,
                    int64_t n_pings, const rg_ping *pings, int64_t *pings_used,
                    const rg_series *series, int64_t capacity, rg_event *events, int64_t *n_events)
{
    rg_series out = *series;
    rg_sample sample;
    rg_estimate e;
    int64_t ping = 0, i;
    *n_events = 0;
    for (i = 0; i < n && *n_events + RG_KINDS <= capacity; i++) {
        /* One without a time would wait for ever and hold up those after it. */
        while (ping < n_pings && (pings[ping].t <= t[i] || !isfinite(pings[ping].t)))
            rg_core_ping(core, &pings[ping++]);
        sample.t = t[i];
        memcpy(sample.acc, acc + 3 * i, sizeof sample.acc);
        memcpy(sample.gyro, gyro + 3 * i, sizeof sample.gyro);
        *n_events += rg_core_step(core, &sample, &e, events + *n_events);
        if (out.up) memcpy(out.up + 3 * i, e.up, sizeof e.up);
        if (out.direction) out.direction[i] = e.direction;
        if (out.step) out.step[i] = e.step;
        if (out.step_time) out.step_time[i] = (float)e.step_time;
        if (out.cadence) out.cadence[i] = e.cadence;
        if (out.speed) out.speed[i] = e.speed;
        if (out.lean) out.lean[i] = e.lean;
        if (out.sway) out.sway[i] = e.sway;
        if (out.risk) out.risk[i] = e.risk;
        if (out.distance) out.distance[i] = e.distance;
        if (out.closing) out.closing[i] = e.closing;
        if (out.ttc) out.ttc[i] = e.ttc;
    }
    *pings_used = ping;
    return i;
}
