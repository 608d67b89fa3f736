#include "blind.h"
#include "bounds.h"

#include <math.h>

/* What is electrical is told in 0.5 s of the fault, what is acoustic in 5 s (evaluation.md). */
static const float FAILING = 0.35f;     /* s of nothing but failures; one ping and one sample more */
static const float SILENCE = 0.46f;     /* s without any ping */
static const float HOLE = 0.20f;        /* s without a sample; beyond, nobody handed in pings */
static const float PERIODS = 4.0f;      /* but for slow rangers: that many of their own periods */
static const float USUAL = 0.06f;       /* s, taken for a ranger's period until it is known */
static const float SLOWEST = 1.0f;      /* s, the longest period the configuration allows */
static const float COVER = 0.12f;       /* m: nearer than anything but clothing, hand or water */
static const float COVERED = 3.0f;      /* s of it */
static const float SAME = 1e-4f;        /* m: no walker keeps a distance to a tenth of a millimetre */
static const float FROZEN = 4.0f;       /* s of it while walking: a held value (gpiozero #1071) */
static const float MEMORY = 2.0f;       /* s, time constant of nonsense */
static const float TOO_MUCH = 0.5f;     /* share of nonsense; garbage fits by chance one time in four */

void rg_blind_init(rg_blind *s)
{
    double never = (double)NAN;
    *s = (rg_blind){
        
        .last = never, .sample = never, .working = never, .covered_since = never, .frozen_since = never,
        .usual = USUAL, .range = NAN,
    };
}

static bool electrical(int echo)
{
    return echo == RG_NO_PULSE || echo == RG_STUCK || echo == RG_NAK;
}

/* Since when a condition holds; NaN while it does not. */
static void since(double *start, double t, bool holds)
{
    *start = !holds ? (double)NAN : isnan(*start) ? t : *start;
}

void rg_blind_ping(rg_blind *s, double t, float range, int echo, bool fits, bool walking)
{
    float dt = isnan(s->last) ? s->usual : rg_max((float)(t - s->last), 0.0f);
    float weight = 1.0f - expf(-rg_min(dt, SLOWEST) / MEMORY);

    s->usual += 0.1f * (rg_min(dt, SLOWEST) - s->usual);
    s->nonsense += weight * ((echo == RG_GLITCH || !fits ? 1.0f : 0.0f) - s->nonsense);
    since(&s->covered_since, t, echo == RG_ECHO && range < COVER);
    since(&s->frozen_since, t, echo == RG_ECHO && walking && fabsf(range - s->range) < SAME);
    s->range = echo == RG_ECHO ? range : NAN;
    if (!electrical(echo))
        s->working = t;
    s->last = t;
}

bool rg_blind_now(rg_blind *s, double t)
{
    if (isnan(s->last))     /* the first sample: silence counts from here */
        s->last = s->working = t;
    if (isnan(s->working))
        s->working = s->last;
    double hole = t - s->sample - (double)HOLE;
    if (hole > 0.0 && s->last <= s->sample) {   /* the samples stood still, not the ranger */
        s->working += hole;
        s->last += hole;
    }
    s->sample = t;
    float failing = rg_max(FAILING, (PERIODS - 1.0f) * s->usual);
    /* a last ping far ahead of time is as good as none */
    return fabs(t - s->last) > (double)rg_max(SILENCE, PERIODS * s->usual)
        || (s->last > s->working && t - s->working > (double)failing)
        || s->nonsense > TOO_MUCH
        || s->last - s->covered_since > (double)COVERED
        || s->last - s->frozen_since > (double)FROZEN;
}
