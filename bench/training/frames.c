/* frames.c: what the fall network sees of a trial, for fall_trials.py. Linked with the whole core. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

/* out [room, RG_CHANNELS]; at [room]: the sample that ended each frame; open [room]: 1 where falls.c
 * would let an alarm pass. Returns the number of frames; -1: the core refuses fs, or there is no room. */
int64_t frames(int64_t n, double fs, const float *acc, const float *gyro, int64_t room,
               float *out, int32_t *at, uint8_t *open)
{
    rg_core *core = malloc(sizeof *core);
    rg_event events[RG_KINDS];
    rg_estimate estimate;
    rg_params params;
    rg_sample sample;
    int64_t made = 0;
    rg_params_default(&params, (float)fs);
    if (!core || rg_core_init(core, &params))
        made = -1;
    for (int64_t i = 0; i < n && made >= 0; i++) {
        sample.t = (double)i / fs;
        memcpy(sample.acc, acc + 3 * i, sizeof sample.acc);
        memcpy(sample.gyro, gyro + 3 * i, sizeof sample.gyro);
        rg_core_step(core, &sample, &estimate, events);
        const rg_falls *falls = &core->falls;
        if (made + falls->frames > room) {
            made = -1;
            break;
        }
        for (int k = 0; k < falls->frames; k++) {
            rg_features_frame(&falls->features, k, falls->frames, out + made * RG_CHANNELS);
            open[made] = falls->open;
            at[made++] = (int32_t)i;
        }
    }
    free(core);
    return made;
}
