/* tracker.c: pings to tracks, tracks and the body's own motion to what is asked of the wearer.
 *
 * The second consistent echo makes a target of the first; a lone one never counts. The body is
 * the second witness: it says what closing to expect, and how much the echoes must prove alone.
 */
#include "tracker.h"

#include <math.h>
#include <string.h>

static const float NEAREST = 0.02f;     /* m, the least an HC-SR04 measures */
static const float WAIT = 0.15f;        /* s: a first echo waits twice that, each more this longer */
static const float KEEP = 1.0f;         /* s a target is remembered at most, 16 losses of cloth's */
static const float COAST = 0.5f;        /* s it is still spoken of, 8 of cloth's losses in a row */
static const float PERIODS = 2.5f;      /* of a slow ranger, that these three last at the least */
static const float SAME_TARGET = 0.2f;  /* m between tracks below which they are one */

/* What closing speed the body makes likely, and how sure that is [m/s]. */
static const float BACKWARD_SD = 0.5f;
static const float UNSURE = 0.4f;           /* direction unknown: it may well be backward; older adults do 0.6 */
static const float BOTH = 2.4f;             /* wearer and a person stepping in, each at 1.2 */
static const float FREE_SD = 0.6f;          /* no witness: the echoes decide */

/* What the echoes must prove: metres come nearer since the closing began. */
static const float PROOF = 0.10f;           /* above noise and 3 cm of sway either way */
static const float PROOF_AGAINST = 0.50f;   /* while the body says it is not backing */
static const float PROOF_RESTLESS = 0.50f;  /* where a second belt's pings are in the air */
static const float PROOF_FLOOR = 0.65f;     /* against an echo that may be the floor's */
static const float CLOSING = 0.08f;         /* m/s, least that counts as closing */
static const float BACKING = 0.15f;         /* m/s, from here the legs vouch for the closing */
static const float YOUNG = 1.0f;            /* s after which a target must have proven it itself */
static const float UNREST = 2.0f;           /* s, memory of echoes that fit nothing before */
static const float RESTLESS = 3.0f;         /* of them in that time: a second belt, not targets */

/* When the trunk alone may be what nears. */
static const float BENT = 0.10f;            /* rad of lean forward: sitting down, not walking */
static const float SITTING = 1.0f;          /* s after it that the trunk is still on its way */
static const float TURNING = 0.35f;         /* rad/s, what the beam sweeps over does not close */
static const float TURN_MEMORY = 0.5f;      /* s, half a stride's swing of the pelvis */

/* Levels by time left; margins above what the wearer needs. */
static const float LEAST_NEED = 2.0f;       /* s, evaluation.md, Rear obstacles */
static const float SPARE = 0.5f;            /* s, the same: stopping distance / speed + this */
static const float EARLY = 0.4f;        /* s: pings, filter and motor are late by less */
static const float CAUTION_LEAD = 1.2f;     /* s before the warning */
static const float CAUTION_MOST = 4.8f;     /* s; above 5 a cue is unjustified (evaluation.md) */
static const float KNOWN = 0.5f;            /* s: a target seen so long does not begin with a stop */
static const float RAMP = 0.25f;            /* s of warning before that stop: one pulse felt */
static const float NEW_RUN = 1.5f;          /* s of quiet after which asking begins anew */

void rg_tracker_init(rg_tracker *s, const rg_params *params)
{
    memset(s, 0, sizeof *s);
    s->params = *params;
    rg_blind_init(&s->blind);
    s->last_ping = s->asked = s->bent = (double)NAN;
    rg_floor_init(&s->floor);
    s->speed = NAN;
    s->witness = RG_UNKNOWN;
}

/* The echo as what it can truly be. */
static int sane(const rg_params *p, const rg_ping *ping)
{
    if (ping->echo < RG_ECHO || ping->echo > RG_GLITCH)
        return RG_GLITCH;
    if (ping->echo != RG_ECHO)
        return ping->echo;
    if (!(ping->range >= NEAREST) || isinf(ping->range))
        return RG_GLITCH;
    return ping->range <= p->max_range ? RG_ECHO : RG_NOTHING_IN_RANGE;
}

/* Whether the track was seen within so many seconds, or a few of the ranger's own periods. */
static bool within(const rg_tracker *s, const rg_track *track, double t, float seconds)
{
    return t - track->t <= (double)fmaxf(seconds, PERIODS * s->blind.usual);
}

static bool alive(const rg_tracker *s, const rg_track *track, double t)
{
    return track->hits > 0 && within(s, track, t, fminf(WAIT * (float)(track->hits + 1), KEEP));
}

/* The track that the echo fits best; NULL when it fits none. */
static rg_track *nearest(rg_tracker *s, double t, float range)
{
    rg_track *best = NULL;
    float least = 1.0f;
    for (int k = 0; k < RG_TRACKS; k++) {
        rg_track *track = &s->tracks[k];
        float misfit = alive(s, track, t) ? rg_track_misfit(track, t, range) : INFINITY;
        if (misfit < least) {
            least = misfit;
            best = track;
        }
    }
    return best;
}

/* Frees what has gone, what has become one with the track that was seen, and a first echo that is
 * followed by another first one: a spike. Between echoes of what is known it waits for its like. */
static void forget(rg_tracker *s, double t, const rg_track *seen)
{
    for (int k = 0; k < RG_TRACKS; k++) {
        rg_track *track = &s->tracks[k];
        if (track == seen)
            continue;
        bool same = seen && track->hits <= seen->hits
            && fabsf(rg_track_at(track, t).distance - seen->distance) < SAME_TARGET;
        if (!alive(s, track, t) || same || (track->hits == 1 && !seen))
            track->hits = 0;
    }
}

/* A free track, else the one longest unseen. */
static rg_track *room(rg_tracker *s)
{
    rg_track *oldest = s->tracks;
    for (int k = 0; k < RG_TRACKS; k++) {
        if (!s->tracks[k].hits)
            return &s->tracks[k];
        if (s->tracks[k].t < oldest->t)
            oldest = &s->tracks[k];
    }
    return oldest;
}

/* Gives the echo to the track it fits, or a track of its own; says whether it fitted. */
static bool take(rg_tracker *s, double t, float range)
{
    rg_track *seen = nearest(s, t, range);
    if (seen)
        rg_track_update(seen, t, range, s->floor.from);
    forget(s, t, seen);
    if (seen)
        return true;
    if (range < s->floor.from)
        s->unrest += 1.0f;
    rg_floor_first_echo(&s->floor, range);
    /* Direction unknown, or no IMU: it may be backward. Otherwise nobody comes nearer. */
    bool backing = s->witness == RG_BACKWARD && range < s->floor.from && !isnan(s->speed);
    float expected = backing ? s->speed : s->witness == RG_UNKNOWN ? UNSURE : 0.0f;
    rg_track_begin(room(s), t, range, expected, backing ? BACKWARD_SD : FREE_SD, s->floor.from);
    return false;
}

void rg_tracker_ping(rg_tracker *s, const rg_ping *ping)
{
    /* A ping told twice, or out of order, or at no time at all, says nothing new. */
    if (s->params.has_ranger == 0.0f || !isfinite(ping->t) || ping->t <= s->last_ping)
        return;
    if (!isnan(s->last_ping)) {
        float since = (float)(ping->t - s->last_ping);
        s->unrest *= expf(-since / UNREST);
        rg_floor_ping(&s->floor, since);
    }
    int echo = sane(&s->params, ping);
    bool fits = echo != RG_ECHO || take(s, ping->t, ping->range);
    rg_blind_ping(&s->blind, ping->t, ping->range, echo, fits, s->walking);
    s->last_ping = ping->t;
}

/* Whether the track truly comes nearer, by as much as the body leaves to be proven. */
static bool closes(const rg_tracker *s, const rg_track *now)
{
    if (now->closing < CLOSING)
        return false;
    float nearer = now->far - now->reached;
    if (rg_track_floor_like(now, s->floor.from))
        return nearer - fmaxf(now->floor_then - s->floor.from, 0.0f) > PROOF_FLOOR;
    if (s->witness == RG_STILL || s->witness == RG_FORWARD || s->trunk)
        return nearer > PROOF_AGAINST;  /* a wall does not follow; who does is told */
    if (s->unrest > RESTLESS)
        return now->hits > 3 && nearer > PROOF_RESTLESS;
    float seen = (float)(now->seen - now->born);
    float legs = s->witness == RG_BACKWARD ? s->speed : UNSURE;
    if (legs > BACKING && seen < YOUNG && nearer > legs / 2.0f * seen && nearer < BOTH * seen)
        return true;    /* two echoes are enough when they tell what the legs may */
    return now->hits > 2 && nearer > PROOF; /* unknown, or in a gap: echoes are believed */
}

static float time_left(const rg_tracker *s, const rg_track *now)
{
    if (now->closing < CLOSING)
        return INFINITY;
    return fmaxf(now->distance - s->params.body_reach, 0.0f) / now->closing;
}

static int urgency(const rg_tracker *s, const rg_track *now)
{
    const rg_params *p = &s->params;
    if (!closes(s, now))
        return RG_NONE;
    float left = time_left(s, now);
    float stop = p->reaction + p->stopping;     /* s; full speed until standing: the safe side */
    float need = fmaxf(LEAST_NEED, stop + SPARE) + EARLY;
    if (now->distance <= p->near_zone || left <= stop)
        return RG_STOP;
    return left <= need ? RG_WARNING
        : left <= fmaxf(need, fminf(need + CAUTION_LEAD, CAUTION_MOST)) ? RG_CAUTION : RG_NONE;
}

/* Ramped: a target that was in sight before is not announced by a stop. */
static int ramped(rg_tracker *s, double t, const rg_track *target, int level)
{
    if (level == RG_NONE)
        return level;
    if (!(t - s->asked < (double)NEW_RUN))
        s->asked_since = t;
    s->asked = t;
    bool known = s->asked_since - target->born > (double)KNOWN;
    bool ramp = known || target->distance > s->params.near_zone;
    return ramp && t - s->asked_since < (double)RAMP && level == RG_STOP ? RG_WARNING : level;
}

void rg_tracker_step(rg_tracker *s, const rg_body *body, const rg_gait *gait, rg_demand *demand, rg_estimate *estimate)
{
    estimate->distance = estimate->closing = estimate->ttc = NAN;
    if (s->params.has_ranger == 0.0f || isnan(body->t))
        return;

    bool seen = !body->gap && body->settled;
    s->witness = seen ? gait->direction : RG_UNKNOWN;
    s->speed = seen ? -gait->speed : NAN;
    s->walking = seen && gait->walking;
    float turn = seen ? body->rate[2] : 0.0f;
    s->turn += fminf(body->dt / TURN_MEMORY, 1.0f) * (turn - s->turn);
    bool bent = seen && !gait->walking && body->lean > BENT;
    s->bent = bent ? body->t : s->bent;
    s->trunk = body->t - s->bent < (double)SITTING || fabsf(s->turn) > TURNING;
    float lean = seen && isfinite(body->lean) ? body->lean : 0.0f;
    rg_floor_step(&s->floor, &s->params, lean, body->dt);

    rg_track target = {0};
    int level = RG_NONE;
    for (int k = 0; k < RG_TRACKS; k++) {
        if (s->tracks[k].hits < 2 || !within(s, &s->tracks[k], body->t, COAST))
            continue;
        rg_track now = rg_track_at(&s->tracks[k], body->t);
        int asks = urgency(s, &now);
        if (!target.hits || asks > level || (asks == level && now.distance < target.distance)) {
            target = now;
            level = asks;
        }
    }
    if (target.hits) {
        estimate->distance = target.distance;
        estimate->closing = target.closing;
        estimate->ttc = time_left(s, &target);
    }
    rg_demand_ask(demand, RG_OBSTACLE, ramped(s, body->t, &target, level));
    rg_demand_ask(demand, RG_REAR_BLIND, rg_blind_now(&s->blind, body->t) ? RG_FAULT : RG_NONE);
}
