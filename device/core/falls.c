/* falls.c: what was learnt of falls (fall_network.h), taken at its word where the pelvis goes down or
 * tilts: what was learnt from recordings can't raise an alarm that physics has no reason for.
 */
#include "falls.h"

#include <math.h>
#include <string.h>

static const float SINKS = 0.2f;            /* m/s downward */
static const float TILTS = 0.8f;            /* rad/s, 45 deg/s about any level axis */
static const float LYING_TAU = 1.0f, LONG_TAU = 2.0f;  /* s, before a fall and after it */
static const float LYING = 1.40f;           /* rad, 80 deg: who lies already can turn over, not fall; who
                                               sits leans back by up to 70 */
static const float SOON = 0.3f;            /* s after the start; the network has learnt how recordings begin */
static const float HELD = 0.06f;            /* s; a sensor that hangs may hang in mid-swing, and look like falling */

/* All but the sensor's own weight. */
static void begin(rg_falls *s)
{
    s->lying = s->lain = -1.0f;
    s->open = s->fallen = false;
    s->heard = 0.0f;
    s->frames = 0;
    s->odds = (rg_fall_odds){-INFINITY, -INFINITY};
    rg_features_restart(&s->features);
    rg_fall_network_init(&s->network);
}

void rg_falls_init(rg_falls *s, const rg_params *params)
{
    (void)params;
    memset(s, 0, sizeof *s);
    s->limits = rg_fall_network_limits();
    rg_features_init(&s->features);
    begin(s);
}

/* The network over the frames that this sample ended; none: what it said last stands. */
static void judge(rg_falls *s, const rg_body *body)
{
    float frame[RG_CHANNELS];
    s->frames = rg_features_step(&s->features, body);
    for (int k = 0; k < s->frames; k++) {
        rg_features_frame(&s->features, k, s->frames, frame);
        rg_fall_odds odds = rg_fall_network_step(&s->network, frame);
        s->odds.falling = k ? rg_max(s->odds.falling, odds.falling) : odds.falling;
        s->odds.fallen = k ? rg_max(s->odds.fallen, odds.fallen) : odds.fallen;
    }
}

void rg_falls_step(rg_falls *s, const rg_body *body, const rg_gait *gait, rg_demand *demand)
{
    (void)gait;
    if (body->missed > RG_BRIDGED)
        begin(s);
    s->frames = 0;
    s->held = memcmp(s->acc, body->acc, sizeof s->acc) == 0 ? s->held + body->dt : 0.0f;
    memcpy(s->acc, body->acc, sizeof s->acc);
    s->open = s->fallen = false;
    if (s->held > HELD)
        return;
    judge(s, body);
    float tilt = body->tilt;
    if (s->lying < 0.0f)
        s->lying = s->lain = tilt;
    s->lying += body->dt / LYING_TAU * (tilt - s->lying);
    s->lain += body->dt / LONG_TAU * (tilt - s->lain);
    s->heard = rg_min(s->heard + body->dt, SOON);
    bool ready = s->heard >= SOON;
    s->fallen = ready && s->lain < LYING && s->odds.fallen > s->limits.fallen;
    s->open = ready && s->lying < LYING && (s->features.sinking > SINKS || s->features.turning > TILTS);
    if (s->open && s->odds.falling > s->limits.falling)
        rg_demand_ask(demand, RG_FALL_IMMINENT, RG_DANGER);
}
