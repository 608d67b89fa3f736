/* features.c: what falls.c sees of a trial, for fall_imminent.py. Linked with the whole core. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

/* out [n,4]: down, sunk, tilt, turning; open [n]: 1 where falls.c would let an alarm pass. */
int features(int64_t n, double fs, const float *acc, const float *gyro, float *out, uint8_t *open)
{
    rg_core *core = malloc(sizeof *core);
    rg_event events[RG_KINDS];
    rg_estimate estimate;
    rg_params params;
    rg_sample sample;
    rg_params_default(&params, (float)fs);
    int failed = !core || rg_core_init(core, &params);
    for (int64_t i = 0; i < n && !failed; i++) {
        const rg_falls *falls = &core->falls;
        sample.t = (double)i / fs;
        memcpy(sample.acc, acc + 3 * i, sizeof sample.acc);
        memcpy(sample.gyro, gyro + 3 * i, sizeof sample.gyro);
        rg_core_step(core, &sample, &estimate, events);
        out[4 * i] = falls->down;
        out[4 * i + 1] = falls->sunk;
        out[4 * i + 2] = falls->tilt;
        out[4 * i + 3] = falls->turning;
        open[i] = falls->open;
    }
    free(core);
    return failed;
}
