/* walk_frames.c: what the walk network sees of a trial, for walk_network.py. Linked with the whole core. */
#include "core.h"
#include "walk_frames.h"

#include <stdlib.h>
#include <string.h>

/* out [room, RG_WALK_CHANNELS]; at [room]: the sample at or after each frame. Returns the number of
 * frames; -1: the core refuses fs, or there is no room. */
int64_t walk_frames(int64_t n, double fs, const float *acc, const float *gyro, int64_t room, float *out, int32_t *at)
{
    rg_core *core = malloc(sizeof *core);
    rg_event events[RG_KINDS];
    rg_estimate estimate;
    rg_walk_frames frames;
    rg_params params;
    rg_sample sample;
    int64_t made = 0;
    rg_params_default(&params, (float)fs);
    if (!core || rg_core_init(core, &params))
        made = -1;
    else
        rg_walk_frames_init(&frames, &params);
    for (int64_t i = 0; i < n && made >= 0; i++) {
        sample.t = (double)i / fs;
        memcpy(sample.acc, acc + 3 * i, sizeof sample.acc);
        memcpy(sample.gyro, gyro + 3 * i, sizeof sample.gyro);
        rg_core_step(core, &sample, &estimate, events);
        const rg_body *body = &core->body;
        if (body->gap || !body->settled)
            continue;
        if (body->missed > RG_BRIDGED)
            rg_walk_frames_init(&frames, &params);
        rg_walk_frames_take(&frames, body);
        while (made >= 0 && rg_walk_frames_next(&frames, out + made * RG_WALK_CHANNELS)) {
            at[made++] = (int32_t)i;
            if (made == room)
                made = -1;
        }
    }
    free(core);
    return made;
}
