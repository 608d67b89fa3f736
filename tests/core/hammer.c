/* hammer.c: beats on the core for test_sanitizers.py, which builds both with ASan and UBSan.
 *
 * hammer SEED ROUNDS [FILE]: every round is a rate, parameters, and a life of the belt made up of
 * stretches: calm, walking, violent, frozen, absurd, broken bits, time running wild, pings of any kind,
 * or rows of FILE (rg_sample structs, a recording). The state is copied away and back on the way, and
 * judged in one go and sample by sample. Aborts with a line when a result is not as rearguard.h says.
 */
#include "hammer.h"

static float bits(void)                         /* any float there is */
{
    uint32_t b = any();
    float f;
    memcpy(&f, &b, sizeof f);
    return f;
}

static void fill(rg_sample *s, int64_t n, float fs, const rg_sample *file, size_t rows)
{
    double t = (any() & 1) ? 0.0 : 1e5;
    float phase = 0.0f, force = 1.0f;
    int mode = 0, left = 0;
    size_t row = 0;
    for (int64_t i = 0; i < n; i++, t += 1.0 / (double)fs, phase += 11.0f / fs) {
        if (left-- == 0) {
            mode = (int)(any() % 10);
            left = (int)(any() % (uint32_t)(4.0f * fs));
            force = between(0.1f, 30.0f);
            row = rows ? any() % rows : 0;
        }
        s[i] = (rg_sample){t, {0.3f * sinf(phase), 0.2f * cosf(phase), 9.81f}, {0.0f, 0.1f, 0.0f}};
        for (int k = 0; k < 3; k++) {
            float noise = mode == 2 ? 10.0f * force : 0.05f;
            s[i].acc[k] += (mode == 1 ? force * 0.2f * sinf(phase * (float)(k + 1)) : 0.0f) + between(-noise, noise);
            s[i].gyro[k] += between(-noise, noise) * 0.1f;
        }
        if (mode == 3 && i > 0) {               /* frozen */
            memcpy(s[i].acc, s[i - 1].acc, sizeof s[i].acc);
            memcpy(s[i].gyro, s[i - 1].gyro, sizeof s[i].gyro);
        }
        if (mode == 4)                          /* any bits at all */
            for (int k = 0; k < 3; k++) {
                s[i].acc[k] = bits();
                s[i].gyro[k] = bits();
            }
        if (mode == 5)                          /* at the edge of belief */
            s[i].acc[any() % 3] = (any() & 1) ? 399.9f : -399.9f;
        if (mode == 6)
            memset(s[i].acc, 0, sizeof s[i].acc);
        if (mode == 7 && any() % 8 == 0) {      /* time runs wild */
            uint64_t b = (uint64_t)any() << 32 | any();
            memcpy(&s[i].t, &b, sizeof b);
        }
        if (mode == 7 && any() % 64 == 0)
            t += (double)between(-1.0f, 30.0f);
        if (mode == 8)
            s[i].acc[any() % 3] = NAN;
        if (mode == 9 && rows) {
            memcpy(s[i].acc, file[row].acc, sizeof s[i].acc);
            memcpy(s[i].gyro, file[row].gyro, sizeof s[i].gyro);
            row = (row + 1) % rows;
        }
    }
}

static rg_ping some_ping(double t)
{
    rg_ping ping = {t, between(0.0f, 4.5f), (int32_t)(any() % 6)};
    if (any() % 10 == 0) ping.range = bits();
    if (any() % 50 == 0) ping.echo = (int32_t)any();
    if (any() % 50 == 0) ping.t = (double)bits();
    if (ping.echo != RG_ECHO) ping.range = NAN;
    return ping;
}

static void one_round(const rg_sample *file, size_t rows)
{
    enum { N = 6000, PINGS = 900, ROOM = RG_KINDS + 3 };
    size_t size = (rg_core_size() + 15) / 16 * 16;
    rg_core *core = aligned_alloc(16, size), *copy = aligned_alloc(16, size);
    rg_sample *s = malloc(N * sizeof *s);
    rg_params params;
    rg_estimate e;
    rg_event events[RG_KINDS];
    float low, high, fs = between(20.0f, 400.0f);

    rg_params_default(&params, fs);
    for (int k = 2; k <= (int)(sizeof params / sizeof(float)); k++) {
        rg_params_bounds(k, &low, &high);
        if (any() % 3 == 0) ((float *)&params)[k - 1] = any() % 4 ? between(low, high) : any() & 1 ? low : high;
    }
    params.has_ranger = any() % 4 ? 1.0f : 0.0f;
    expect(rg_core_init(core, &params) == 0, "possible parameters are refused");
    fill(s, N, fs, file, rows);
    for (int i = 0; i < N; i++) {
        if (any() % 6 == 0) {
            rg_ping ping = some_ping(s[i].t);
            rg_core_ping(core, &ping);
        }
        if (any() % 500 == 0) {                 /* state survives a copy, byte for byte */
            memcpy(copy, core, size);
            memset(core, 0xa5, rg_core_size());
            memcpy(core, copy, size);
        }
        if (any() % 300 == 0)                   /* warmth */
            rg_core_drift(core, any() % 4 ? between(0.0f, 0.01f) : bits());
        if (any() % 2000 == 0) {                /* another motion sensor */
            float rate = any() % 4 ? between(20.0f, 400.0f) : bits();
            expect((rg_core_retime(core, rate) == 0) == (rate >= 20.0f && rate <= 400.0f), "rate");
        }
        check(&e, events, rg_core_step(core, &s[i], &e, events), i);
    }

    /* The same again in arrays exactly as long as needed, in one go and with hardly any room. */
    double *t = malloc(N * sizeof *t);
    float *acc = malloc(3 * N * sizeof *acc), *gyro = malloc(3 * N * sizeof *gyro);
    float *up = malloc(3 * N * sizeof *up), *risk = malloc(N * sizeof *risk);
    uint8_t *step = malloc(N);
    rg_ping *pings = malloc(PINGS * sizeof *pings);
    rg_event *found = malloc(ROOM * sizeof *found);
    for (int i = 0; i < N; i++) {
        t[i] = s[i].t;
        memcpy(acc + 3 * i, s[i].acc, sizeof s->acc);
        memcpy(gyro + 3 * i, s[i].gyro, sizeof s->gyro);
    }
    for (int i = 0; i < PINGS; i++)
        pings[i] = some_ping(s[i * (N / PINGS)].t);
    expect(rg_core_init(core, &params) == 0, "possible parameters are refused");
    int64_t used, n_events, first = 0;
    for (int64_t done = 0; done < N;) {
        rg_series series = {.up = up + 3 * done, .step = step + done, .risk = risk + done};
        int64_t now = rg_core_run(core, N - done, t + done, acc + 3 * done, gyro + 3 * done, PINGS - first,
                                  pings + first, &used, &series, ROOM, found, &n_events);
        expect(now > 0 && n_events <= ROOM, "no progress, or more events than there is room for");
        done += now;
        first += used;
    }

    uint64_t slot[24];
    rg_ring_publish(slot, any(), s, any() % (sizeof slot - 16));
    params.fs = bits();
    expect((rg_core_init(core, &params) == 0) == (params.fs >= 20.0f && params.fs <= 400.0f), "rate");
    free(t), free(acc), free(gyro), free(up), free(risk), free(step), free(pings), free(found);
    free(s), free(core), free(copy);
}

int main(int argc, char **argv)
{
    rg_sample *file = NULL;
    size_t rows = 0;
    expect(argc >= 3, "hammer SEED ROUNDS [FILE]");
    seed = strtoull(argv[1], NULL, 10);
    if (argc > 3) {
        FILE *f = fopen(argv[3], "rb");
        expect(f && fseek(f, 0, SEEK_END) == 0, "cannot read the file");
        rows = (size_t)ftell(f) / sizeof *file;
        file = malloc(rows * sizeof *file);
        rewind(f);
        expect(fread(file, sizeof *file, rows, f) == rows, "cannot read the file");
        fclose(f);
    }
    int rounds = atoi(argv[2]);
    for (int i = 0; i < rounds; i++)
        one_round(file, rows);
    free(file);
    printf("%d rounds\n", rounds);
    return 0;
}
