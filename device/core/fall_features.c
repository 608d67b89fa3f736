/* fall_features.c: channels are scaled to about 1 in a fall and are 0 in quiet standing. All lie in the
 * walker's levelled frame, so how the belt sits does not matter once the mounting is known.
 */
#include "fall_features.h"

#include <math.h>
#include <string.h>

static const float FRAMES = 50.0f;          /* 1/s; a fall's movement is slower than 10 Hz */
static const float G = 9.81f;               /* m/s^2 */
static const float CLIP = 29.4f;            /* m/s^2 beyond gravity: what a 4 g sensor can still show */
static const float SPIN_CLIP = 10.0f;       /* rad/s */
static const float LEAK_TAU = 1.0f;         /* s */
static const float PER_ACC = 0.2f, PER_RATE = 0.5f, PER_HEIGHT = 4.0f;

static float within(float x, float limit)
{
    return fminf(fmaxf(x, -limit), limit);
}

void rg_features_init(rg_features *s)
{
    memset(s, 0, sizeof *s);
}

int rg_features_step(rg_features *s, const rg_body *body, float gravity, float down, float sunk)
{
    float up = within(body->lin[2] + G - gravity, CLIP);
    float x = -sinf(body->lean), y = sinf(body->roll);
    float roll = within(body->rate[0], SPIN_CLIP), pitch = within(body->rate[1], SPIN_CLIP);
    s->sinking += body->dt * (-up - s->sinking / LEAK_TAU);
    const float sample[RG_CHANNELS] = {
        PER_ACC * within(body->lin[0], CLIP),
        PER_ACC * within(body->lin[1], CLIP),
        PER_ACC * up,
        PER_ACC * within(body->acc_norm - gravity, CLIP),
        x,
        y,
        1.0f - sqrtf(fmaxf(1.0f - x * x - y * y, 0.0f)),
        PER_RATE * roll,
        PER_RATE * pitch,
        PER_RATE * within(body->rate[2], SPIN_CLIP),
        PER_RATE * sqrtf(roll * roll + pitch * pitch),
        s->sinking,
        down,
        PER_HEIGHT * sunk,
    };
    for (int i = 0; i < RG_CHANNELS; i++)
        s->sum[i] += sample[i];
    s->count += 1.0f;
    s->phase += FRAMES * (body->dt + body->missed);
    int ended = (int)s->phase;
    if (ended < 1)
        return 0;
    s->phase -= (float)ended;
    memcpy(s->before, s->now, sizeof s->before);
    for (int i = 0; i < RG_CHANNELS; i++)
        s->now[i] = s->sum[i] / s->count;
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
