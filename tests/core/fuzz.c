/* fuzz.c: a life of the belt out of any bytes, for libFuzzer (tests/core/fuzz.py; needs clang).
 *
 * The bytes are a rate, parameters, and orders, each with its count and arguments: samples of any
 * bits, walking, falling, frozen or silent sensors, time that runs wild, pings of any kind, the state
 * copied away and back. hammer.c draws such lives at random; here what new branch a byte reaches
 * guides the next. Traps when a result is not as rearguard.h says.
 *
 * With the first byte odd the sensor is sound for a while (somebody stands or walks) and then dies:
 * zeros, stuck at what it last said, one of the two alone, noise of one bit about either, nothing but
 * NaN, or holes. From then on nothing may be raised but what a dead sensor means, and, for LINGERS, what
 * the walk before it had coming.
 */
#include "hammer.h"

typedef struct bytes { const uint8_t *next; size_t left; } bytes;

static void take(bytes *b, void *out, size_t size)
{
    memset(out, 0, size);
    size_t n = b->left < size ? b->left : size;
    memcpy(out, b->next, n);
    b->next += n;
    b->left -= n;
}

static uint8_t byte(bytes *b) { uint8_t v; take(b, &v, 1); return v; }
static float unit(bytes *b) { return (float)byte(b) / 255.0f; }         /* 0..1 */

typedef struct life {
    rg_core *core;
    rg_params params;
    rg_sample now;
    double t;
    float phase;
    int64_t count;
    int dead;                   /* 0 alive, else 1 + its death: only what that means may be raised */
    double died;                /* s */
} life;

static const char *const DEATHS[] = {
    "zeros", "being stuck", "a stuck accelerometer", "a stuck gyroscope", "noise of a bit about zero",
    "an accelerometer of noise about zero", "NaN", "holes of zeros",
};

static const double LINGERS = 2.0;              /* s: a walk is over 1.5 s after its last contact */

/* Whether a sensor that is dead may bring it. */
static int may_be_raised(const life *l, int kind)
{
    int of_walks = kind == RG_UNSTEADY || kind == RG_POSTURE || kind == RG_PACE;
    return kind == RG_IMU_FAULT || kind == RG_NOT_WORN || (of_walks && l->t - l->died < LINGERS);
}

static void judge(life *l)
{
    rg_estimate e;
    rg_event events[RG_KINDS];
    int n = rg_core_step(l->core, &l->now, &e, events);
    check(&e, events, n, l->count++);
    for (int i = 0; i < n && l->dead; i++)
        if (events[i].state == RG_RAISED && !may_be_raised(l, events[i].kind)) {
            fprintf(stderr, "fuzz: a sensor dead of %s for %g s has raised %s at %g samples a second\n",
                    DEATHS[l->dead - 1], l->t - l->died, rg_kind_name(events[i].kind), (double)l->params.fs);
            abort();
        }
}

static void step_time(life *l)
{
    l->t += 1.0 / (double)l->params.fs;
    l->now.t = l->t;
}

/* Somebody stands or walks; `swing` m/s^2 of it. */
static void gait(life *l, int n, float swing)
{
    for (int i = 0; i < n; i++) {
        step_time(l);
        l->phase += 11.3f / l->params.fs;
        l->now.acc[0] = 0.3f + 0.5f * swing * sinf(l->phase) + between(-0.05f, 0.05f);
        l->now.acc[1] = 0.1f + 0.3f * swing * sinf(0.5f * l->phase) + between(-0.05f, 0.05f);
        l->now.acc[2] = 9.78f + swing * cosf(l->phase) + between(-0.05f, 0.05f);
        for (int k = 0; k < 3; k++)
            l->now.gyro[k] = 0.1f * swing * sinf(l->phase * (float)(k + 1) * 0.5f) + between(-0.02f, 0.02f);
        judge(l);
    }
}

static void die(life *l, bytes *b)
{
    static const float ACC_BIT = 0.0048f, GYRO_BIT = 0.0012f;    /* of a 16-bit chip at 16 g, 2000 dps */
    int how = byte(b) % 8, n = (int)((2.0f + 20.0f * unit(b)) * l->params.fs);
    rg_sample last = l->now;
    l->dead = 1 + how;
    l->died = l->t;
    for (int i = 0; i < n; i++) {
        step_time(l);
        for (int k = 0; k < 3; k++) {
            float live_acc = (k == 2 ? 9.78f : 0.1f) + between(-0.05f, 0.05f), live_gyro = between(-0.02f, 0.02f);
            float acc_bit = ACC_BIT * (float)((int)(any() % 3) - 1), gyro_bit = GYRO_BIT * (float)((int)(any() % 3) - 1);
            l->now.acc[k] = how == 0 ? 0.0f : how == 1 || how == 2 ? last.acc[k] : how == 3 ? live_acc
                          : how == 4 || how == 5 ? acc_bit : how == 6 ? NAN : live_acc;
            l->now.gyro[k] = how == 0 ? 0.0f : how == 1 || how == 3 ? last.gyro[k] : how == 2 ? live_gyro
                           : how == 4 ? gyro_bit : how == 5 ? live_gyro : how == 6 ? NAN : live_gyro;
        }
        if (how == 7 && any() % 2)              /* six zeros every other sample or so */
            memset(l->now.acc, 0, sizeof l->now.acc), memset(l->now.gyro, 0, sizeof l->now.gyro);
        judge(l);
    }
}

static void order(life *l, bytes *b)
{
    int what = byte(b) % 11, n = 1 + byte(b);
    float force = 30.0f * unit(b);
    rg_sample file = l->now;
    switch (what) {
    case 0: gait(l, n, 0.1f * force); return;
    case 1:                                     /* any bits at all */
        for (int i = 0; i < n && b->left; i++) {
            step_time(l);
            take(b, l->now.acc, sizeof l->now.acc);
            take(b, l->now.gyro, sizeof l->now.gyro);
            judge(l);
        }
        return;
    case 2:                                     /* frozen */
        for (int i = 0; i < n; i++) { step_time(l); judge(l); }
        return;
    case 3:                                     /* a fall: lighter, turning, an impact */
        for (int i = 0; i < n; i++) {
            step_time(l);
            for (int k = 0; k < 3; k++) {
                l->now.acc[k] = file.acc[k] * (i == n - 1 ? 4.0f : 1.0f - (float)i / (float)n) + between(-0.1f, 0.1f);
                l->now.gyro[k] = 0.1f * force * (float)(k == 1) + between(-0.1f, 0.1f);
            }
            judge(l);
        }
        return;
    case 4:                                     /* violent */
        for (int i = 0; i < n; i++) {
            step_time(l);
            for (int k = 0; k < 3; k++) {
                l->now.acc[k] = between(-10.0f * force, 10.0f * force);
                l->now.gyro[k] = between(-force, force);
            }
            judge(l);
        }
        return;
    case 5: take(b, &l->t, sizeof l->t); return;        /* time runs wild */
    case 6: l->t += (double)force; return;              /* a hole */
    case 7:
        for (int i = 0; i < n && b->left; i++) {
            rg_ping ping = {l->t, NAN, byte(b) % 7};
            if (byte(b) % 8 == 0) take(b, &ping.t, sizeof ping.t);
            if (ping.echo == RG_ECHO || byte(b) % 8 == 0)
                byte(b) % 8 ? (void)(ping.range = 5.0f * unit(b)) : take(b, &ping.range, sizeof ping.range);
            rg_core_ping(l->core, &ping);
            gait(l, 1 + byte(b) % 16, 1.0f);
        }
        return;
    case 8:                                     /* another motion sensor */
        l->params.fs = 20.0f + 380.0f * unit(b);
        expect(rg_core_retime(l->core, l->params.fs) == 0, "a possible rate is refused");
        return;
    case 9: {                                   /* warmth: any bits at all */
        float by;
        take(b, &by, sizeof by);
        rg_core_drift(l->core, by);
        return;
    }
    default: {                                  /* the state is copied away and back */
        size_t size = rg_core_size();
        void *copy = aligned_alloc(16, (size + 15) / 16 * 16);
        memcpy(copy, l->core, size);
        memset(l->core, 0xa5, size);
        memcpy(l->core, copy, size);
        free(copy);
    }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ENOUGH = 40000 };
    bytes b = {data, size};
    life l = {.t = 1.0, .now = {0.0, {0.0f, 0.0f, 9.81f}, {0.0f, 0.0f, 0.0f}}};
    uint8_t kind = byte(&b);
    float low, high;
    seed = kind;
    rg_params_default(&l.params, 20.0f + 380.0f * unit(&b) * unit(&b));
    l.params.has_ranger = kind & 2 ? 1.0f : 0.0f;
    for (int k = 3; k <= (int)(sizeof l.params / sizeof(float)) && kind & 4; k++) {
        rg_params_bounds(k, &low, &high);
        ((float *)&l.params)[k - 1] = low + (high - low) * unit(&b);
    }
    l.core = aligned_alloc(16, (rg_core_size() + 15) / 16 * 16);
    expect(rg_core_init(l.core, &l.params) == 0, "possible parameters are refused");
    if (kind & 1) {
        l.params.has_ranger = 0.0f;
        expect(rg_core_init(l.core, &l.params) == 0, "possible parameters are refused");
        for (int k = 0; k < 3 && b.left; k++)
            gait(&l, (int)(l.params.fs * (1.0f + 4.0f * unit(&b))), byte(&b) % 2 ? 2.0f * unit(&b) : 0.0f);
        die(&l, &b);
    } else {
        while (b.left && l.count < ENOUGH)
            order(&l, &b);
    }
    free(l.core);
    return 0;
}
