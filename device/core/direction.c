#include "direction.h"

#include <math.h>
#include <string.h>

static const float LOW = 0.7f, HIGH = 3.0f;     /* Hz, 42 to 180 steps a minute */
static const float BRIEF = 0.4f;                /* s, one step: to notice soon that the walker stands */
static const float START = 0.35f, STOP = 0.2f;  /* m/s^2 RMS: slowest walks 0.9, standing sway 0.05 */
static const float START_TOWARDS = 0.2f;        /* the same where a target nears: a second witness */
static const float NEARS = 0.08f;               /* m/s, that it does */
static const float PAUSE = 0.7f;                /* s of stillness that is no stop yet */
static const float LISTEN = 1.0f;               /* s of movement before the first word: two steps */
static const float WORD = 0.25f;                /* s over which the network's word is weighed */
static const float LOUDEST = 8.0f;              /* log odds; one frame says no more than that */
static const float SURE = 1.0f;                 /* log odds, to speak for a direction */
static const float TURN = 2.0f;                 /* the same, against the direction held */
static const float SWERVE = 3.0f;               /* log odds a rad/s of turning ask for more of that */
static const float LET_GO = 1.5f;               /* the same, to hold on to forward: unknown is safer */
static const float SWERVE_MEMORY = 1.5f;        /* s: the network hears a turn for 2.7 s */
static const float WALKS = 0.0f;                /* log odds of walking, to speak at all */
static const float HOLD = 3.0f;                 /* s a direction outlives its last witness: a turn */
static const float SPIN = 0.8f;                 /* rad/s, turning on the spot */
static const float MEMORY = 1.0f;               /* s, about two steps */
static const float LATELY = 0.45f;              /* of a step, that the newest bounce is a mean of */
static const float STEP = 0.6f;                 /* s, while it is not known how long this walker's take */
static const float SEEN = 1.0f;                 /* s a target is there before it is a witness */
static const float CLOSING = 0.4f;              /* m/s that make it a full one: the slowest walk */
static const float NEARER = 2.0f, FARTHER = 1.0f; /* log odds of that: people come and go as well */

static void band(const rg_direction_finder *s, rg_bands *f, const float x[4], float y[4])
{
    const float b0 = s->b0, a1 = s->a1, a2 = s->a2;
    for (int i = 0; i < 4; i++)
        y[i] = b0 * (x[i] - f->x2[i]) - a1 * f->y1[i] - a2 * f->y2[i];
    memcpy(f->x2, f->x1, sizeof f->x2);
    memcpy(f->x1, x, sizeof f->x1);
    memcpy(f->y2, f->y1, sizeof f->y2);
    memcpy(f->y1, y, sizeof f->y1);
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
    rg_walk_network_init(&s->network);
}

/* Moving at all, and for how long. */
static void move(rg_direction_finder *s, const rg_body *body, rg_gait *gait)
{
    float y[4], k = rg_min(s->dt / MEMORY, 1.0f);
    band(s, &s->moves, body->lin, y);
    float power = y[0] * y[0] + y[1] * y[1] + y[2] * y[2];
    s->bounced += k * (y[2] * y[2] - s->bounced);
    s->known += k * (1.0f - s->known);
    float now = rg_min(s->dt / (LATELY * (isnan(gait->interval) ? STEP : gait->interval)), 1.0f);
    s->lately += now * (y[2] * y[2] - s->lately);
    s->known_lately += now * (1.0f - s->known_lately);
    s->stir += rg_min(s->dt / BRIEF, 1.0f) * (power - s->stir);
    gait->turning += k * (body->rate[2] - gait->turning);
    s->swerve = rg_max(fabsf(gait->turning), s->swerve - s->dt / SWERVE_MEMORY * s->swerve);
    s->quiet = s->stir < STOP * STOP ? s->quiet + s->dt : 0.0f;
    float start = gait->closing > NEARS ? START_TOWARDS : START;
    s->moving = s->moving ? s->quiet < PAUSE : s->stir > start * start;
    s->moved = s->moving ? s->moved + s->dt : 0.0f;
}

/* What the frames of this sample say; none: all of that stands. */
static void listen(rg_direction_finder *s, const rg_walk_frames *frames, rg_gait *gait)
{
    const float k = 1.0f / (RG_WALK_RATE * WORD);
    if (frames->n) {
        gait->bounce = sqrtf(s->bounced / s->known);
        gait->lately = sqrtf(s->lately / s->known_lately);
    }
    for (int i = 0; i < frames->n; i++) {
        float out[RG_WALK_OUTPUTS];
        rg_walk_network_step(&s->network, frames->frame[i], out);
        float back = out[RG_WALKS_BACKWARD], ahead = out[RG_WALKS_FORWARD];
        float walk = rg_within(rg_max(back, ahead) - out[RG_WALKS_NEITHER], LOUDEST);
        s->lead += k * (rg_within(back - ahead, LOUDEST) - s->lead);
        s->walk += k * (walk - s->walk);
    }
}

/* Log odds of backward, as the ranger says: it cannot tell who of the two it is that moves. */
static float ranged(rg_direction_finder *s, float closing)
{
    s->target = isfinite(closing) ? s->target + s->dt : 0.0f;
    s->closing = s->target > 0.0f ? s->closing + rg_min(s->dt / SEEN, 1.0f) * (closing - s->closing) : 0.0f;
    float share = s->target > SEEN ? rg_within(s->closing / CLOSING, 1.0f) : 0.0f;
    return share > 0.0f ? NEARER * share : FARTHER * share;
}

/* lead: log odds of backward. */
static int8_t spoken_for(const rg_direction_finder *s, float lead, int8_t held)
{
    if (s->walk < WALKS)
        return RG_UNKNOWN;
    float new = SURE + LET_GO * s->swerve, other = TURN + SWERVE * s->swerve;
    if (lead > (held == RG_BACKWARD ? SURE : held == RG_FORWARD ? other : new))
        return RG_BACKWARD;
    return lead < -(held == RG_FORWARD ? SURE : held == RG_BACKWARD ? other : new) ? RG_FORWARD : RG_UNKNOWN;
}

void rg_direction_step(rg_direction_finder *s, const rg_body *body, const rg_walk_frames *frames, rg_gait *gait)
{
    if (body->gap || !body->settled) {
        gait->direction = RG_UNKNOWN;
        return;
    }
    move(s, body, gait);
    listen(s, frames, gait);
    float lead = s->lead + ranged(s, gait->closing);
    if (!s->moving) {
        gait->direction = RG_STILL;
        return;
    }
    if (s->moved < LISTEN) {
        gait->direction = RG_UNKNOWN;
        return;
    }
    int8_t held = gait->direction;
    /* Bending and sitting down swing, too: only steps make it a walk. */
    int8_t now = gait->walking ? spoken_for(s, lead, held) : RG_UNKNOWN;
    bool holds = held == RG_FORWARD || held == RG_BACKWARD;
    s->doubt = now == held ? 0.0f : s->doubt + s->dt;
    if (now != RG_UNKNOWN) {
        gait->direction = now;
        s->doubt = 0.0f;
    } else if (!holds || s->doubt > HOLD || lead * (float)held > (held == RG_FORWARD ? LET_GO : SWERVE) * s->swerve) {
        gait->direction = fabsf(gait->turning) > SPIN && !gait->walking ? RG_OTHER : RG_UNKNOWN;
    }
}
