/* tracker.c: pings to tracks, tracks and the body's own motion to what is asked of the wearer.
 *
 * A lone echo never counts. Two that come nearer as the legs go are enough for a warning that
 * cannot wait, if it is unlikely that echoes of nothing agree so well: where a second belt is in the
 * air it takes three or more. The body is the second witness: it says what closing to expect, and
 * how much the echoes must prove alone.
 */
#include "tracker.h"

#include <math.h>
#include <string.h>

static const float NEAREST = 0.02f;     /* m, the least an HC-SR04 measures */
static const float PAIR = 0.3f;         /* s a first echo waits for its second, and that for a third */
static const float PAIR_FORETOLD = 0.8f;    /* s they wait for one just where the legs foretell it */
static const float WAIT = 0.15f;        /* s longer with each further echo */
static const float KEEP = 1.0f;         /* s a target is remembered at most, 16 losses of cloth's */
static const float COAST = 0.5f;        /* s it is still spoken of, 8 of cloth's losses in a row */
static const float HEARD = 0.1f;        /* s after an echo that it may bring a caution: a later one waits for the next */
static const float TRUST = 0.08f;       /* s of that an echo earns: few echoes foretell little */
static const float PERIODS = 2.5f;      /* of a slow ranger, that each of these lasts at the least */
static const float SAME_TARGET = 0.2f;  /* m between tracks below which they are one */

/* What closing speed the body makes likely, and how sure that is [m/s]. */
static const float BACKWARD_SD = 0.5f;
static const float UNSURE = 0.7f;           /* direction unknown: it may well be backward */
static const float FREE_SD = 0.6f;          /* no witness: the echoes decide */

/* What the echoes must prove: metres come nearer since the closing began, and in how many. */
static const float PROOF = 0.10f;           /* above noise and 3 cm of sway either way */
static const float PROOF_STILL = 0.40f;     /* standing: people pass by, curtains wave */
static const float PROOF_AGAINST = 0.50f;   /* walking forward, turning, bending, sitting down */
static const float PROOF_FLOOR = 0.40f;     /* what may be the floor */
static const float PROOF_SETTING_OFF = 1.0f;    /* the same while the trunk goes into its lean */
static const float PROOF_UNKNOWN = 0.08f;   /* direction unknown: the trunk may do it alone */
static const float SMOOTH = 0.02f;          /* m off: a wall; a simulated floor is off by more, no real one was heard */
static const int32_t FEW = 4, MANY = 6;     /* echoes: the legs neither for nor against, against */
static const float CLOSING = 0.08f;         /* m/s, least that counts as closing */
static const float BACKING = 0.15f;         /* m/s, from here the legs vouch for the closing */
static const float CHANCE_OF_TWO = 1e-4f;   /* 1/(m s), closings made of strays: over 1.4 m one in two hours */
static const float CHANCE = 3e-4f;          /* of three, who need a second belt: one in 40 minutes beside it */
static const float UNLIKE = 0.5f;           /* m/s that the closing of few echoes is off the legs', as a walker's is */
static const float CROWDED = 0.02f;         /* 1/(m s) strays, from here some lie where the legs foretell */
static const float EACH_FURTHER = 0.05f;    /* of that, from the fourth echo on */
static const int32_t NO_CHANCE = 8;         /* echoes: whatever is in the air */
static const float YOUNG = 1.0f;            /* s after which a target must have proven it itself */
static const float LEAST_SHARE = 0.35f, MOST_SHARE = 1.5f;   /* of the speed the legs tell */
static const float BRISK = 0.6f;            /* m/s more, of who steps in */
static const float BRISK_UNSURE = 0.3f;     /* the same, direction unknown */
static const float SURELY = 0.02f;          /* m nearer at the least while turning: a wall swept over does so */
static const float SWAY = 0.015f;           /* m more, of the trunk's and an echo's own */
static const float FASTEST = 1.6f;          /* m/s closing: beyond, no walker alone does it */

/* When the trunk alone may be what nears. */
static const float SETTING_OFF = 3.4f;      /* m: while it goes into its lean the floor may come so near */
static const float BENT = 0.06f;            /* rad of lean forward: sitting down, not walking */
static const float SITTING = 1.6f;          /* s after it that the trunk is still on its way */
static const float TURNING = 0.35f;         /* rad/s, what the beam sweeps over does not close */
static const float TURNS = 0.1f, SWINGS = 0.15f;    /* rad/s, more than who walks straight on does: unknown, known */
static const float TURN_MEMORY = 1.0f;      /* s, a stride's swing of the pelvis */

/* Levels by time left; margins above what the wearer needs. */
static const float LEAST_NEED = 2.0f;       /* s, evaluation.md, Rear obstacles */
static const float SPARE = 0.5f;            /* s, the same: stopping distance / speed + this */
static const float EARLY = 0.4f;        /* s: pings, filter and motor are late by less */
static const float FRESH = 0.02f;       /* s and a sample: what two echoes say is said then, or by the third */
static const float DOUBT = 0.8f;        /* s.d. of closing that it may be faster, as two echoes say */
static const float HURRY = 0.09f;       /* m/s faster yet, who may just be setting off */
static const float HURRIES = 0.12f;     /* m/s of closing from which that is taken: who follows sways by less */
static const float FULL_PACE = 1.5f;    /* s after standing in which that may be */
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
    s->last_ping = s->last_echo = s->asked = s->bent = s->stood = s->unsure = (double)NAN;
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
    return t - track->t <= (double)rg_max(seconds, PERIODS * s->blind.usual);
}

static bool alive(const rg_tracker *s, const rg_track *track, double t)
{
    float least = track->foretold ? PAIR_FORETOLD : PAIR;
    return track->hits > 0 && within(s, track, t, rg_min(rg_max(WAIT * (float)(track->hits - 1), least), KEEP));
}

/* The track other than `but` that the echo fits best, the known before the new; NULL when it fits none. */
static rg_track *nearest(rg_tracker *s, double t, float range, const rg_track *but)
{
    rg_track *best = NULL;
    float least = 1.0f;
    for (int k = 0; k < RG_TRACKS; k++) {
        rg_track *track = &s->tracks[k];
        bool known = track->hits > 1, best_known = best && best->hits > 1;
        float misfit = track != but && alive(s, track, t) ? rg_track_misfit(track, t, range) : INFINITY;
        if (misfit < 1.0f && (known > best_known || (known == best_known && misfit < least))) {
            least = misfit;
            best = track;
        }
    }
    return best;
}

/* Frees what has gone, and what has become one with the track that was seen, if that is known. */
static void forget(rg_tracker *s, double t, const rg_track *seen, bool known)
{
    for (int k = 0; k < RG_TRACKS; k++) {
        rg_track *track = &s->tracks[k];
        if (track == seen)
            continue;
        bool gone = track->hits && !alive(s, track, t);
        bool same = known && seen->hits > 2 && track->hits <= seen->hits
            && fabsf(rg_track_at(track, t).distance - seen->distance) < SAME_TARGET;
        if (gone && track->alone && track->hits <= 2)
            rg_strays_heard(&s->strays, track->reached);
        if (gone || same)
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

/* How sure it is that the track truly comes nearer, by as much as the body leaves to be proven. */
enum { UNPROVEN, LIKELY, PROVEN };

/* Whether echoes of nothing may have made the closing. The longer it is, the more there were that
 * might have become one, so the less likely each further echo must be; eight are no chance. */
static bool by_chance(const rg_tracker *s, const rg_track *now)
{
    bool foretold = now->run < FEW && s->witness == RG_BACKWARD && !isnan(s->speed);
    float off = foretold ? (now->closing - s->speed) / UNLIKE : 0.0f;
    float enough = now->run == 2 ? CHANCE_OF_TWO : CHANCE * powf(EACH_FURTHER, rg_max((float)(now->run - 3), 0.0f));
    return now->run < NO_CHANCE && rg_track_chance(now) * expf(0.5f * off * off) > enough;
}

static int proof(const rg_tracker *s, const rg_track *now)
{
    if (now->hits < 2 || now->closing < CLOSING)
        return UNPROVEN;
    float nearer = now->far - now->reached, seen = (float)(now->seen - now->born);
    if (rg_track_floor_like(now)) {
        float floor_came = rg_max(now->floor_then - s->floor.from, 0.0f);
        bool set_off = s->witness == RG_UNKNOWN || now->born < s->unsure;
        float enough = set_off ? PROOF_SETTING_OFF : PROOF_FLOOR;
        return now->run >= FEW && !by_chance(s, now) && now->closing < FASTEST && nearer - floor_came > enough
            ? PROVEN : UNPROVEN;
    }
    if (s->witness == RG_STILL || s->witness == RG_FORWARD || s->trunk) {
        /* a wall does not follow; who does is told */
        float enough = s->witness == RG_STILL && !s->trunk ? PROOF_STILL : PROOF_AGAINST;
        return now->hits >= MANY && 2 * now->hits >= now->pings && nearer > enough ? PROVEN : UNPROVEN;
    }
    if (by_chance(s, now))
        return UNPROVEN;
    float legs = s->witness == RG_BACKWARD ? s->speed : s->settled ? UNSURE : 0.0f;
    float brisk = s->witness == RG_BACKWARD ? BRISK : BRISK_UNSURE;
    float turned = fabsf(s->turn) > (s->witness == RG_BACKWARD ? SWINGS : TURNS) ? SURELY : 0.0f;
    float least = rg_max(LEAST_SHARE * legs * seen, turned), most = (MOST_SHARE * legs + brisk) * seen + SWAY;
    if (legs > BACKING && seen < YOUNG && nearer > least && nearer < most)
        return now->hits > 2 ? PROVEN : LIKELY;
    int32_t enough = now->closing < FASTEST ? FEW : MANY;
    return now->hits >= enough && nearer > (s->witness == RG_BACKWARD ? PROOF : PROOF_UNKNOWN) ? PROVEN : UNPROVEN;
}

/* Gives the echo to a lone one as well, other than those of `seen`, if the two near. */
static void pair(rg_tracker *s, double t, float range, const rg_track *seen)
{
    rg_track *lone = nearest(s, t, range, seen);
    if (!lone || lone->hits > 1)
        return;
    rg_track both = *lone;
    rg_track_update(&both, t, range, &s->strays, &s->floor);
    if (proof(s, &both) != UNPROVEN)
        *lone = both;
}

/* Gives the echo to the track it fits, or a track of its own; says whether it was to be expected:
 * of a known target, or like the echo just before. */
static bool take(rg_tracker *s, double t, float range)
{
    rg_track *seen = nearest(s, t, range, NULL);
    bool expected = seen && (seen->hits > 1 || seen->t >= s->last_echo);
    if (seen)
        rg_track_update(seen, t, range, &s->strays, &s->floor);
    bool nears = seen && proof(s, seen) != UNPROVEN, known = nears || (seen && seen->hits > FEW);
    forget(s, t, seen, known);
    bool smooth = seen && seen->hits >= FEW && seen->rough < SMOOTH;
    if (!nears && !smooth)
        rg_floor_echo(&s->floor, range);
    s->last_echo = t;
    if (known)
        return expected;
    /* Few echoes that do not near as a walker does may be chance: this one may be the second of a target
     * whose first was heard in between, and begins anew besides. */
    if (seen)
        pair(s, t, range, seen);
    /* Direction unknown, or no IMU: it may be backward. Otherwise nobody comes nearer. */
    bool backing = s->witness == RG_BACKWARD && !isnan(s->speed);
    float likely = backing ? s->speed : s->witness == RG_UNKNOWN ? UNSURE : 0.0f;
    rg_track *begun = room(s);
    rg_track_begin(begun, t, range, likely, backing ? BACKWARD_SD : FREE_SD, &s->strays, &s->floor);
    begun->alone = !seen;
    begun->backing = backing;
    begun->foretold = backing && s->speed > BACKING && begun->chance < CROWDED;
    return expected;
}

void rg_tracker_ping(rg_tracker *s, const rg_ping *ping)
{
    /* A ping told twice, or out of order, or at no time at all, says nothing new. */
    if (s->params.has_ranger == 0.0f || !isfinite(ping->t) || ping->t <= s->last_ping)
        return;
    if (!isnan(s->last_ping)) {
        float since = (float)(ping->t - s->last_ping);
        rg_strays_ping(&s->strays, since);
        rg_floor_ping(&s->floor, since);
        for (int k = 0; k < RG_TRACKS; k++)
            s->tracks[k].pings++;
    }
    int echo = sane(&s->params, ping);
    bool fits = echo != RG_ECHO || take(s, ping->t, ping->range);
    rg_blind_ping(&s->blind, ping->t, ping->range, echo, fits, s->walking);
    s->last_ping = ping->t;
}

static float time_left(const rg_tracker *s, const rg_track *now, float closing)
{
    if (closing < CLOSING)
        return INFINITY;
    return rg_max(now->distance - s->params.body_reach, 0.0f) / closing;
}

static int urgency(const rg_tracker *s, const rg_track *now)
{
    const rg_params *p = &s->params;
    int proven = proof(s, now);
    if (proven == UNPROVEN)
        return RG_NONE;
    /* two echoes leave much doubt how fast; the next ones take it away */
    bool setting_off = s->witness == RG_UNKNOWN && now->t - s->stood < (double)FULL_PACE
        && now->closing > HURRIES;
    float doubt = proven == LIKELY ? DOUBT * sqrtf(now->p[2]) : setting_off ? HURRY : 0.0f;
    float left = time_left(s, now, now->closing + doubt);
    float stop = p->reaction + p->stopping;     /* s; full speed until standing: the safe side */
    float need = rg_max(LEAST_NEED, stop + SPARE) + EARLY;
    float soonest = time_left(s, now, MOST_SHARE * (s->witness == RG_BACKWARD ? s->speed : UNSURE));
    bool fresh = now->t - now->seen < (double)(FRESH + 1.0f / p->fs);
    if (proven == LIKELY && (!fresh || rg_max(left, soonest) > need))
        return RG_NONE;     /* a third echo can be waited for */
    if (now->distance <= p->near_zone || left <= stop)
        return proven == LIKELY ? RG_WARNING : RG_STOP;
    return left <= need ? RG_WARNING
        : left <= rg_max(need, rg_min(need + CAUTION_LEAD, CAUTION_MOST)) ? RG_CAUTION : RG_NONE;
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
    s->settled = seen;
    s->witness = seen ? gait->direction : RG_UNKNOWN;
    s->speed = seen ? -gait->speed : NAN;
    s->walking = seen && gait->walking;
    s->stood = s->witness == RG_STILL ? body->t : s->stood;
    s->unsure = s->witness == RG_UNKNOWN ? body->t : s->unsure;
    float turn = seen ? body->rate[2] : 0.0f;
    s->turn += rg_min(body->dt / TURN_MEMORY, 1.0f) * (turn - s->turn);
    bool bent = seen && !gait->walking && body->lean > BENT;
    s->bent = bent ? body->t : s->bent;
    s->trunk = s->witness != RG_BACKWARD
        && (body->t - s->bent < (double)SITTING || fabsf(s->turn) > TURNING);
    float lean = seen && isfinite(body->lean) ? body->lean : 0.0f;
    rg_floor_step(&s->floor, &s->params, lean, s->witness == RG_UNKNOWN ? SETTING_OFF : RG_NO_FLOOR, body->dt);

    rg_track target = {0};
    int level = RG_NONE;
    for (int k = 0; k < RG_TRACKS; k++) {
        if (s->tracks[k].hits < 2 || !within(s, &s->tracks[k], body->t, rg_min(TRUST * (float)s->tracks[k].hits, COAST)))
            continue;
        rg_track now = rg_track_at(&s->tracks[k], body->t);
        int asks = urgency(s, &now);
        if (asks == RG_CAUTION && !within(s, &s->tracks[k], body->t, HEARD))
            asks = RG_NONE;
        if (!target.hits || asks > level || (asks == level && now.distance < target.distance)) {
            target = now;
            level = asks;
        }
    }
    if (target.hits) {
        estimate->distance = target.distance;
        estimate->closing = target.closing;
        estimate->ttc = time_left(s, &target, target.closing);
    }
    rg_demand_ask(demand, RG_OBSTACLE, ramped(s, body->t, &target, level));
    rg_demand_ask(demand, RG_REAR_BLIND, rg_blind_now(&s->blind, body->t) ? RG_FAULT : RG_NONE);
}
