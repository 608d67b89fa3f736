#include "direction.h"

#include <math.h>
#include <string.h>

static const float LOW = 0.7f, HIGH = 3.0f;     /* Hz, 42 to 180 steps a minute */
static const float LEAK = 0.3f;                 /* Hz, below every step */
static const float MEMORY = 1.0f;               /* s, about two steps */
static const float BRIEF = 0.4f;                /* s, one step: to notice soon that the walker stands */
static const float START = 0.35f, STOP = 0.2f;  /* m/s^2 RMS: slowest walks 0.9, standing sway 0.05 */
static const float PAUSE = 0.7f;                /* s of stillness that is no stop yet */
static const float LISTEN = 1.2f;               /* s of movement before the first word: two steps */
static const float PITCH = 0.8f;                /* weight of pitching beside vaulting */
static const float SURE = 0.4f;                 /* both witnesses (-1.8..1.8), to speak for a direction */
static const float ALONE = 0.65f;               /* vaulting (-1..1) that needs no second witness */
static const float AGAINST = 0.0f;              /* past this it speaks against the one held */
static const float HOLD = 3.0f;                 /* s a direction outlives its last witness: a turn */
static const float RUN = 3.0f;                  /* m/s^2 RMS: brisk walks stay below, most jogs above */
static const float SPIN = 0.8f;                 /* rad/s, turning on the spot */
static const float FLOOR_ACC = 0.01f;           /* (0.1 m/s^2)^2: noise is no witness */
static const float FLOOR_VEL = 1e-4f;           /* (0.01 m/s)^2 */
static const float FLOOR_RATE = 1e-4f;          /* (0.01 rad/s)^2 */

static float band(const rg_direction_finder *s, rg_band *f, float x)
{
    float y = s->b0 * (x - f->x2) - s->a1 * f->y1 - s->a2 * f->y2;
    f->x2 = f->x1;
    f->x1 = x;
    f->y2 = f->y1;
    f->y1 = y;
    return y;
}

void rg_direction_init(rg_direction_finder *s, const rg_params *params)
{
    const float pi = 3.14159265f;
    /* Butterworth band-pass of one pole pair, bilinear with prewarping. */
    float low = tanf(pi * LOW / params->fs), high = tanf(pi * HIGH / params->fs);
    float wide = high - low, centre = high * low, d = 1.0f / (1.0f + wide + centre);
    memset(s, 0, sizeof *s);
    s->dt = 1.0f / params->fs;
    s->b0 = wide * d;
    s->a1 = 2.0f * (centre - 1.0f) * d;
    s->a2 = (1.0f - wide + centre) * d;
    s->leak = expf(-2.0f * pi * LEAK * s->dt);
    s->mix = 1.0f - expf(-s->dt / MEMORY);
    s->mix_stir = 1.0f - expf(-s->dt / BRIEF);
}

/* Moving at all, and for how long. */
static void move(rg_direction_finder *s)
{
    float rms = sqrtf(s->stir);
    s->quiet = rms < STOP ? s->quiet + s->dt : 0.0f;
    s->moving = s->moving ? s->quiet < PAUSE : rms > START;
    s->moved = s->moving ? s->moved + s->dt : 0.0f;
}

/* The two witnesses, -1..1 each, forward positive: alone, then both. */
static float vaulting(const rg_direction_finder *s)
{
    return -s->fv / sqrtf((s->ff + FLOOR_ACC) * (s->vv + FLOOR_VEL));
}

static float both(const rg_direction_finder *s)
{
    return PITCH * s->fp / sqrtf((s->ff + FLOOR_ACC) * (s->pp + FLOOR_RATE)) + vaulting(s);
}

static int8_t spoken_for(const rg_direction_finder *s)
{
    float alone = vaulting(s), w = both(s);
    if (w > SURE || (alone > ALONE && w > AGAINST))
        return RG_FORWARD;
    if ((w < -SURE || (alone < -ALONE && w < AGAINST)) && s->uu < RUN * RUN)
        return RG_BACKWARD;
    return RG_UNKNOWN;
}

void rg_direction_step(rg_direction_finder *s, const rg_body *body, rg_gait *gait)
{
    if (body->gap || !body->settled) {
        gait->direction = RG_UNKNOWN;
        return;
    }
    float f = band(s, &s->forward, body->lin[0]);
    float l = band(s, &s->left, body->lin[1]);
    float u = band(s, &s->up, body->lin[2]);
    float p = band(s, &s->pitch, body->rate[1]);
    s->velocity = s->leak * s->velocity + s->dt * u;
    float v = s->velocity, k = s->mix;
    s->ff += k * (f * f - s->ff);
    s->uu += k * (u * u - s->uu);
    s->vv += k * (v * v - s->vv);
    s->pp += k * (p * p - s->pp);
    s->fv += k * (f * v - s->fv);
    s->fp += k * (f * p - s->fp);
    s->stir += s->mix_stir * (f * f + l * l + u * u - s->stir);
    s->yaw += k * (body->rate[2] - s->yaw);
    s->known += k * (1.0f - s->known);
    gait->bounce = sqrtf(s->uu / s->known);
    move(s);

    if (!s->moving) {
        gait->direction = RG_STILL;
        return;
    }
    if (s->moved < LISTEN) {
        gait->direction = RG_UNKNOWN;
        return;
    }
    float w = both(s);
    /* Bending and sitting down swing, too: only steps make it a walk. */
    int8_t now = gait->walking ? spoken_for(s) : RG_UNKNOWN;
    bool held = gait->direction == RG_FORWARD || gait->direction == RG_BACKWARD;
    s->doubt = now == gait->direction ? 0.0f : s->doubt + s->dt;
    if (now != RG_UNKNOWN) {
        gait->direction = now;
        s->doubt = 0.0f;
    } else if (!held || s->doubt > HOLD || w * (float)gait->direction < AGAINST) {
        gait->direction = fabsf(s->yaw) > SPIN && !gait->walking ? RG_OTHER : RG_UNKNOWN;
    }
}
