/* impact.c: a fall that has ended on the ground, by either of two witnesses: the network (falls.c), or
 * an upright body that hits something hard and then lies at rest. Jumps and falls into a chair have
 * the impact and stay upright; lying down on purpose has no impact. Who drops into a chair and leans
 * back has both: there the network can have it wait, but not for ever, for it has learnt from acted
 * falls alone.
 */
#include "impact.h"

#include <math.h>
#include <string.h>

static const float G = 9.81f;               /* m/s^2 */
static const float JOLT_TAU = 0.1f;         /* s an impact lasts; longer than a sample at 20 Hz */
static const float HARD = 0.85f;             /* m/s of jolt that alone is an impact */
static const float SOFT = 0.55f;            /* m/s that is one after a fall was seen coming */
static const float SEEN_COMING = 2.0f;      /* s from losing balance to the ground */
static const float LYING_TAU = 2.0f;        /* s; longer than a fall */
static const float LYING = 1.05f;           /* rad, 60 deg: who lies already turns over or drops an arm */
static const float LIES = 0.7f;             /* rad, 40 deg: lying, or slumped against something */
static const float AT_REST = 0.6f;          /* rad/s; getting up or turning over is faster */
static const float REST = 1.0f;             /* s of rest that tell lying from passing through */
static const float LONG_REST = 15.0f;       /* s, where the network says that nothing was a fall */
static const float RULED_OUT = 3.0f;        /* by so much its log odds then stay below their limit */
static const float WAIT = 5.0f;             /* s from impact to rest: rolling over, trying to get up */
static const float UPRIGHT = 0.5f;          /* rad; less than LIES, for hysteresis */
static const int32_t WALKED = 4;            /* steps upright that show the wearer is well */
static const float LONG_AGO = 1e6f;         /* s */

void rg_impact_init(rg_impact *s, const rg_params *params)
{
    memset(s, 0, sizeof *s);
    s->leak = expf(-1.0f / (params->fs * JOLT_TAU));
    s->imminent = s->impact = LONG_AGO;
    s->lying = -1.0f;
    rg_stumble_init(&s->stumble);
}

/* Times the impacts of a body that was upright before. */
static void feel(rg_impact *s, const rg_body *body, const rg_demand *demand)
{
    float dt = body->dt + body->missed;
    s->imminent = demand->level[RG_FALL_IMMINENT] ? 0.0f : rg_min(s->imminent + dt, LONG_AGO);
    s->impact = rg_min(s->impact + dt, LONG_AGO);
    s->jolt = s->leak * s->jolt + body->dt * rg_max(body->acc_norm - G, 0.0f);
    if (s->lying < LYING && s->jolt > (s->imminent < SEEN_COMING ? SOFT : HARD)) {
        s->impact = s->rest = 0.0f;
        s->likely = -INFINITY;
    }
    if (s->lying < 0.0f)
        s->lying = body->tilt;
    s->lying += body->dt / LYING_TAU * (body->tilt - s->lying);
}

/* Down once it has fallen, or lies at rest after an impact; well again once it walks. */
static void lie(rg_impact *s, const rg_body *body, const rg_gait *gait, const rg_falls *falls, rg_demand *demand)
{
    const float *w = body->gyro;
    bool rests = body->tilt > LIES && w[0] * w[0] + w[1] * w[1] + w[2] * w[2] < AT_REST * AT_REST;
    s->rest = rests ? rg_min(s->rest + body->dt, 2.0f * LONG_REST) : 0.0f;
    s->likely = rg_max(s->likely, falls->odds.fallen);
    bool ruled_out = s->likely < falls->limits.fallen - RULED_OUT;
    if (falls->fallen || (s->impact - s->rest < WAIT && s->rest > (ruled_out ? LONG_REST : REST)))
        s->down = true;
    if (!s->down)
        return;
    if (falls->fallen || body->tilt > UPRIGHT) {
        s->upright_at = gait->steps;
        rg_demand_ask(demand, RG_FALL, RG_DANGER);
    } else if (gait->faint) {
        s->upright_at = gait->steps;        /* who sits and rocks is not well */
    } else if (gait->walking && gait->steps - s->upright_at >= WALKED) {
        rg_demand_ask(demand, RG_UP_AND_WALKING, RG_INFO);
        s->down = false;
    }
}

void rg_impact_step(rg_impact *s, const rg_body *body, const rg_gait *gait, const rg_falls *falls,
                    rg_demand *demand)
{
    if (!body->settled) {
        s->jolt = s->rest = 0.0f;
        rg_stumble_init(&s->stumble);
        return;
    }
    feel(s, body, demand);
    lie(s, body, gait, falls, demand);
    rg_stumble_step(&s->stumble, body, gait, s->jolt, demand);
}
