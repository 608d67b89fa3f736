/* fall_features.c: channels are scaled to about 1 in a fall and are 0 in quiet standing. Forces and
 * rates lie level and turn with the belt: they are found from gravity alone, so how the belt sits
 * does not matter to them; only the three of the tilt need the mounting.
 */
#include "fall_features.h"
#include "vector.h"

#include <math.h>
#include <string.h>

static const float FRAMES = 50.0f;          /* 1/s; a fall's movement is slower than 10 Hz */
static const float G = 9.81f;               /* m/s^2 */
static const float CLIP = 39.2f;            /* m/s^2, 4 g an axis: all sensors look like the smallest */
static const float SPIN_CLIP = 10.0f;       /* rad/s */
static const float SINK_CLIP = 4.0f;        /* m/s, more than a fall from standing reaches */
static const float GRAVITY_TAU = 5.0f;      /* s over which vertical force averages to weight: strides */
static const float GRAVITY_STEP = 1.0f;     /* m/s^2 beyond which a sample is a movement, not an error */
static const float GRAVITY_OFF = 0.8f;      /* m/s^2 a sensor's weight may be off: 8 % */
static const float SINK_TAU = 1.0f;         /* s; a fall from standing takes 0.5 to 0.8 s */
static const float SUNK_TAU = 0.5f;         /* s */
static const float PER_ACC = 0.1f, PER_TILT = 2.0f, PER_RATE = 0.5f, PER_HEIGHT = 2.0f;

void rg_features_init(rg_features *s)
{
    memset(s, 0, sizeof *s);
    s->gravity = G;
}

void rg_features_restart(rg_features *s)
{
    float gravity = s->gravity, weighed = s->weighed;
    rg_features_init(s);
    s->gravity = gravity;
    s->weighed = weighed;
}

/* Vertical force beyond weight, upward; learns the weight. */
static float beyond_weight(rg_features *s, float force, float dt)
{
    s->weighed = rg_min(s->weighed + dt, GRAVITY_TAU);
    s->gravity += dt / s->weighed * rg_within(force - s->gravity, GRAVITY_STEP);
    s->gravity = G + rg_within(s->gravity - G, GRAVITY_OFF);
    return force - s->gravity;
}

int rg_features_step(rg_features *s, const rg_body *body)
{
    float acc[3], rate[3], push[2], turn[2], dt = body->dt, force = 0.0f, yaw = 0.0f, norm = 0.0f;
    for (int i = 0; i < 3; i++) {
        acc[i] = rg_within(body->acc[i], CLIP);
        rate[i] = rg_within(body->gyro[i], SPIN_CLIP);
        force += acc[i] * body->up[i];
        yaw += rate[i] * body->up[i];
        norm += acc[i] * acc[i];
    }
    float share = rg_levelled_share(body->up);
    rg_levelled(body->up, share, acc, force, push);
    rg_levelled(body->up, share, rate, yaw, turn);
    float upward = beyond_weight(s, force, dt), x = -body->ahead, y = body->aside;
    s->sinking = rg_within(s->sinking + dt * (-upward - s->sinking / SINK_TAU), SINK_CLIP);
    s->sunk += dt * (s->sinking - s->sunk / SUNK_TAU);
    s->turning = sqrtf(turn[0] * turn[0] + turn[1] * turn[1]);
    float *sum = s->sum;        /* one by one: an array made first would be waited for */
    *sum++ += PER_ACC * push[0];
    *sum++ += PER_ACC * push[1];
    *sum++ += PER_ACC * upward;
    *sum++ += PER_ACC * (sqrtf(norm) - s->gravity);
    *sum++ += PER_TILT * x;
    *sum++ += PER_TILT * y;
    *sum++ += PER_TILT * (1.0f - sqrtf(rg_max(1.0f - x * x - y * y, 0.0f)));
    *sum++ += PER_RATE * turn[0];
    *sum++ += PER_RATE * turn[1];
    *sum++ += PER_RATE * yaw;
    *sum++ += PER_RATE * s->turning;
    *sum++ += s->sinking;
    *sum++ += PER_HEIGHT * s->sunk;
    s->count += 1.0f;
    s->phase += FRAMES * rg_body_span(body);
    int ended = (int)(s->phase + 1e-4f);    /* two hundredths are a fiftieth, rounded or not */
    if (ended < 1)
        return 0;
    s->phase -= (float)ended;
    memcpy(s->before, s->now, sizeof s->before);
    float each = 1.0f / s->count;
    for (int i = 0; i < RG_CHANNELS; i++)
        s->now[i] = each * s->sum[i];
    if (!s->begun)
        memcpy(s->before, s->now, sizeof s->before);
    s->begun = true;
    memset(s->sum, 0, sizeof s->sum);
    s->count = 0.0f;
    return ended;
}

void rg_features_frame(const rg_features *s, int k, int n, float frame[RG_CHANNELS])
{
    float part = (float)(k + 1) / (float)n;
    for (int i = 0; i < RG_CHANNELS; i++)
        frame[i] = s->before[i] + part * (s->now[i] - s->before[i]);
}
