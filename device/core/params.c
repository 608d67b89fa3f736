/* params.c: every parameter with its default and its bounds. */
#include "rearguard.h"

void rg_params_default(rg_params *params, float fs)
{
    *params = (rg_params){
        .fs = fs, .has_ranger = 0.0f, .body_reach = 0.35f, .reaction = 0.60f, .stopping = 0.57f,
        .near_zone = 0.60f, .max_range = 4.0f, .ranger_pitch = 0.0f, .ranger_height = 1.0f,
        .beam_half_angle = 0.26f, .lean_limit = 0.35f, .cadence_limit = 130.0f, .speed_limit = 1.2f,
    };
}
