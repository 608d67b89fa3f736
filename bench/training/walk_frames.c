/* walk_frames.c: what the networks of walks and speed.c see of a trial, for walk_trials.py and
 * walking_speed.py. Linked with the whole core.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

/* out [room, RG_WALK_CHANNELS]; at [room]: the sample at or after each frame; gait [room, 3]: bounce,
 * that of the last half step, direction. Returns the number of frames; -1: the core refuses fs, or
 * there is no room. */
int64_t walk_frames(int64_t n, double fs, const float *acc, const float *gyro, int64_t room,
                    float *out, int32_t *at, float *gait)
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
        const rg_walk_frames *walk = &core->walk;
        if (core->body.gap)
            continue;
        if (made + walk->n > room) {
            made = -1;
            break;
        }
        memcpy(out + made * RG_WALK_CHANNELS, walk->frame, (size_t)walk->n * sizeof walk->frame[0]);
        for (int k = 0; k < walk->n; k++) {
            float *now = gait + 3 * made;
            now[0] = core->gait.bounce;
            now[1] = core->gait.lately;
            now[2] = core->gait.direction;
            at[made++] = (int32_t)i;
        }
    }
    free(core);
    return made;
}
