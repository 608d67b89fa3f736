/* falls.c: two witnesses. The pelvis of a falling body goes down, loses height, tilts and turns, all
 * at once; a weighted sum of the four (bench/training/fall_imminent.py) says that it could be a fall.
 * The network (fall_network.h) says that it is one. The alarm needs both: what was learnt from
 * recordings can't raise one that physics has no reason for.
 */
#include "falls.h"

#include <math.h>
#include <string.h>

static const float G = 9.81f;               /* m/s^2 */
static const float CLIP = 39.2f;            /* m/s^2, 4 g an axis: all sensors look like the smallest */
static const float GRAVITY_TAU = 5.0f;      /* s over which vertical force averages to weight: strides */
static const float GRAVITY_STEP = 1.0f;     /* m/s^2 beyond which a sample is a movement, not an error */
static const float GRAVITY_OFF = 0.5f;      /* m/s^2 a sensor's weight may be off: 5 % */
static const float LEAK_TAU = 0.5f;         /* s; a fall from standing takes 0.5 to 0.8 s */
static const float TURN_TAU = 0.05f;        /* s; takes the shaking of loose belts */
static const float LYING_TAU = 1.0f;        /* s */
static const float LYING = 1.05f;           /* rad, 60 deg: who lies already can turn over, not fall */
static const float HELD = 0.06f;            /* s; a sensor that hangs may hang in mid-swing, and look like falling */
static const float FALLS = 0.1f;            /* m/s downward: the shaking of a heel strike is not falling */
static const float PER_DOWN = 1.374f, PER_SUNK = 8.702f, PER_TILT = 3.235f, PER_TURN = 1.584f;
static const float WITNESS = 4.2f;          /* half of the sum that is a fall to physics alone (8.339) */

static float clamp(float x, float low, float high)
{
    return fminf(fmaxf(x, low), high);
}

/* All but the sensor's own weight. */
static void begin(rg_falls *s)
{
    s->down = s->sunk = s->turning = 0.0f;
    s->lying = -1.0f;
    s->open = false;
    s->frames = 0;
    s->odds = -INFINITY;
    rg_features_init(&s->features);
    rg_fall_network_init(&s->network);
}

void rg_falls_init(rg_falls *s, const rg_params *params)
{
    (void)params;
    memset(s, 0, sizeof *s);
    s->gravity = G;
    begin(s);
}

/* Follows how the pelvis moves. */
static void follow(rg_falls *s, const rg_body *body)
{
    const float *up = body->up, *w = body->gyro;
    float dt = body->dt, force = 0.0f, spin = 0.0f, yaw = 0.0f;
    for (int i = 0; i < 3; i++) {
        force += clamp(body->acc[i], -CLIP, CLIP) * up[i];
        spin += w[i] * w[i];
        yaw += w[i] * up[i];
    }
    s->weighed = fminf(s->weighed + dt, GRAVITY_TAU);
    s->gravity += dt / s->weighed * clamp(force - s->gravity, -GRAVITY_STEP, GRAVITY_STEP);
    s->gravity = clamp(s->gravity, G - GRAVITY_OFF, G + GRAVITY_OFF);

    s->down += dt * (s->gravity - force - s->down / LEAK_TAU);
    s->sunk += dt * (s->down - s->sunk / LEAK_TAU);
    float level = sqrtf(fmaxf(spin - yaw * yaw, 0.0f));
    s->turning += (1.0f - expf(-dt / TURN_TAU)) * (level - s->turning);
    s->tilt = rg_body_tilt(body);
    if (s->lying < 0.0f)
        s->lying = s->tilt;
    s->lying += dt / LYING_TAU * (s->tilt - s->lying);
}

/* The network over the frames that this sample ended; none: what it said last stands. */
static void judge(rg_falls *s, const rg_body *body)
{
    float frame[RG_CHANNELS];
    s->frames = rg_features_step(&s->features, body, s->gravity, s->down, s->sunk);
    for (int k = 0; k < s->frames; k++) {
        rg_features_frame(&s->features, k, s->frames, frame);
        float odds = rg_fall_network_step(&s->network, frame);
        s->odds = k ? fmaxf(s->odds, odds) : odds;
    }
}

void rg_falls_step(rg_falls *s, const rg_body *body, const rg_gait *gait, rg_demand *demand)
{
    (void)gait;
    if (!body->settled) {
        begin(s);
        return;
    }
    s->frames = 0;
    s->held = memcmp(s->acc, body->acc, sizeof s->acc) == 0 ? s->held + body->dt : 0.0f;
    memcpy(s->acc, body->acc, sizeof s->acc);
    s->open = false;
    if (s->held > HELD)
        return;
    follow(s, body);
    judge(s, body);
    s->danger = PER_DOWN * s->down + PER_SUNK * s->sunk + PER_TILT * s->tilt + PER_TURN * s->turning - WITNESS;
    s->open = s->down > FALLS && s->lying < LYING;
    if (s->open && s->danger > 0.0f && s->odds > rg_fall_network_limit())
        rg_demand_ask(demand, RG_FALL_IMMINENT, RG_DANGER);
}
