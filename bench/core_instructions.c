/* Hands a recording to the core in batches of one second, for counting instructions.
 *
 * core_instructions FILE: n, fs, then t[n], acc[n,3], gyro[n,3], all double; with a ranger that
 * sees a wall coming and going. Prints the last estimate, so that nothing can be left out. */
#include "rearguard.h"

#include <stdio.h>
#include <stdlib.h>
#include <math.h>

enum { BATCH = 100, PINGS = 3 };

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    double head[2];
    if (!file || fread(head, sizeof *head, 2, file) != 2)
        return 2;
    size_t n = (size_t)head[0], in;
    double *t = malloc(n * sizeof *t), *raw = malloc(6 * n * sizeof *raw);
    float *acc = malloc(3 * n * sizeof *acc), *gyro = malloc(3 * n * sizeof *gyro);
    in = fread(t, sizeof *t, n, file) + fread(raw, sizeof *raw, 6 * n, file);
    fclose(file);
    if (in != 7 * n)
        return 2;
    for (size_t i = 0; i < 3 * n; i++) {
        acc[i] = (float)raw[i];
        gyro[i] = (float)raw[3 * n + i];
    }
    rg_params params;
    rg_core *core = aligned_alloc(16, (rg_core_size() + 15) / 16 * 16);
    rg_params_default(&params, (float)head[1]);
    params.has_ranger = 1.0f;
    if (rg_core_init(core, &params))
        return 2;

    static float up[3 * BATCH], column[9][BATCH];
    static int8_t direction[BATCH];
    static uint8_t step[BATCH];
    static rg_event events[256];
    rg_series series = {
        up, direction, step, column[0], column[1], column[2], column[3], column[4], column[5],
        column[6], column[7], column[8],
    };
    double next = 0.0;
    for (size_t done = 0; done < n;) {
        rg_ping pings[32];
        int64_t many = n - done < BATCH ? (int64_t)(n - done) : BATCH, known = 0, used, told;
        for (; known < 32 && next < t[done + (size_t)many - 1]; next += 0.06)
            pings[known++] = (rg_ping){next, 2.0f + (float)sin(0.2 * next), RG_ECHO};
        done += (size_t)rg_core_run(core, many, t + done, acc + 3 * done, gyro + 3 * done, known,
                                    pings, &used, &series, 256, events, &told);
    }
    printf("%g\n", (double)up[0]);
    return 0;
}
