/* core.h: the whole state, part by part. No pointers: it may be copied byte for byte. */
#ifndef RG_CORE_H
#define RG_CORE_H

#include "attitude.h"
#include "decide.h"
#include "direction.h"
#include "falls.h"
#include "impact.h"
#include "imu.h"
#include "mount.h"
#include "stability.h"
#include "steps.h"
#include "tracker.h"
#include "walk_frames.h"

struct rg_core {
    rg_params params;
    int64_t sample;     /* index of the next sample */
    rg_body body;
    rg_gait gait;
    rg_demand asked;    /* by the judges of motion, at the last usable sample */
    rg_imu imu;
    rg_attitude attitude;
    rg_mount mount;
    rg_walk_frames walk;
    rg_steps steps;
    rg_direction_finder direction;
    rg_stability stability;
    rg_falls falls;
    rg_impact impact;
    rg_tracker tracker;
    rg_decide decide;
};

#endif
