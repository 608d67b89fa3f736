#include "track.h"
#include "bounds.h"

#include <math.h>

static const float NOISE = 0.010f;      /* m, sd of an echo: HC-SR04 3 mm, cloth and legs more */
static const float FIT = 0.015f;        /* m off that is as good as none */
static const float AGILITY = 0.15f;     /* m^2/s^3, acceleration noise: 0.1 m/s a ping of 60 ms */
static const float FASTEST = 2.4f;      /* m/s, walker and a person stepping in, each at 1.2 */
static const float AWAY = 0.5f;         /* m/s, of a target of who walks backward */
static const float GATE_SIGMA = 3.5f;   /* innovation beyond this is another target's echo */
static const float GATE_LEAST = 0.08f;  /* m, the trunk's sway within a stride */
static const float GATE_PAIR = 0.73f;   /* m between the first two, however slow the ranger pings: that in 0.3 s */
static const float GATE_MOST = 0.15f;   /* m, however long unseen: a spike must not pass for it */
static const float BOLD = 0.3f;         /* s after which the next echo must lie where the legs foretell it */
static const float GATE_FORETOLD = 0.03f, STEP = 0.10f; /* m and m/s, how well they do: no step is even */
static const int32_t OWN = 4;           /* echoes whose own closing foretells better than the legs */
static const float ROUGH_OVER = 8.0f;   /* echoes over which it is averaged how far off they were */
static const float NOT_CLOSING = 0.05f; /* m/s below which a run of closing fades */
static const float FADE = 1.0f;         /* s in which it does */
static const int32_t PROVEN = 2;        /* echoes from where no floor answers: a target */

void rg_track_begin(rg_track *track, double t, float range, float closing, float sd, const rg_strays *strays,
                    const rg_floor *floor)
{
    float chance = rg_strays_rate(strays, false);
    *track = (rg_track){
        .t = t, .seen = t, .born = t, .distance = range, .closing = closing,
        .p = {NOISE * NOISE, 0.0f, sd * sd}, .reached = range, .far = range, .floor_then = floor->from,
        .chance = chance, .floor = rg_max(rg_floor_rate(floor, range) / chance, 1.0f),
        .hits = 1, .run = 1, .pings = 1, .before = !rg_floor_may_answer(floor, range),
    };
}

rg_track rg_track_at(const rg_track *track, double t)
{
    rg_track next = *track;
    float dt = (float)(t - track->t);
    if (dt <= 0.0f)
        return next;
    next.t = t;
    next.distance = rg_max(track->distance - track->closing * dt, 0.0f);
    next.p[0] += dt * (dt * track->p[2] - 2.0f * track->p[1]) + AGILITY * dt * dt * dt / 3.0f;
    next.p[1] += -dt * track->p[2] - AGILITY * dt * dt / 2.0f;
    next.p[2] += AGILITY * dt;
    return next;
}

float rg_track_misfit(const rg_track *track, double t, float range)
{
    rg_track now = rg_track_at(track, t);
    float since = (float)(t - track->t);
    if (track->foretold && since > BOLD)
        return fabsf(range - now.distance) / (GATE_FORETOLD + STEP * since);
    if (track->hits == 1) { /* no closing speed seen yet: whatever a body can do is possible */
        float fastest = track->backing && range > track->distance ? AWAY : FASTEST;
        return fabsf(range - track->distance) / rg_min(fastest * since + GATE_SIGMA * NOISE, GATE_PAIR);
    }
    float gate = GATE_SIGMA * sqrtf(now.p[0] + NOISE * NOISE);
    return fabsf(range - now.distance) / rg_min(rg_max(gate, GATE_LEAST), GATE_MOST);
}

void rg_track_update(rg_track *track, double t, float range, const rg_strays *strays, const rg_floor *floor)
{
    float dt = (float)(t - track->t);
    rg_track now = rg_track_at(track, t);
    float spread = now.p[0] + NOISE * NOISE;
    float gain = now.p[0] / spread, gain_closing = now.p[1] / spread;
    float off = range - now.distance;

    now.distance += gain * off;
    now.reached = now.distance;
    now.seen = t;
    now.closing += gain_closing * off;
    now.p[2] -= gain_closing * now.p[1];
    now.p[0] *= 1.0f - gain;
    now.p[1] *= 1.0f - gain;
    now.chance *= rg_strays_rate(strays, true) * 2.0f * (fabsf(off) + FIT) * dt;
    now.rough += (fabsf(off) - now.rough) / rg_min((float)now.hits, ROUGH_OVER);
    now.hits++;
    now.run++;
    now.foretold &= now.hits < OWN;
    if (now.distance > now.far) {
        now.far = now.distance;
        now.floor_then = floor->from;
        now.run = 1;
        now.chance = rg_strays_rate(strays, false);
    } else if (now.closing < NOT_CLOSING) {
        float share = rg_min(dt / FADE, 1.0f);
        now.far += share * (now.distance - now.far);
        now.floor_then += share * (floor->from - now.floor_then);
    }
    if (now.before < PROVEN)
        now.before = rg_floor_may_answer(floor, range) ? 0 : now.before + 1;
    *track = now;
}

static bool came_from_floor(const rg_track *track)
{
    return track->hits == 2 && track->before == 1;
}

float rg_track_chance(const rg_track *track)
{
    return came_from_floor(track) ? track->floor * track->chance : track->chance;
}

bool rg_track_floor_like(const rg_track *track)
{
    return track->before < PROVEN && !came_from_floor(track);
}
