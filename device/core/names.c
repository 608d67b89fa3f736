/* names.c: the words for kinds and levels, the same as in alerts.EVENTS. */
#include "rearguard.h"

static const char *const KIND[RG_KINDS] = {
    "obstacle", "rear_blind", "unsteady", "stumble", "fall_imminent", "fall",
    "posture", "pace", "not_worn", "imu_fault", "up_and_walking",
};
static const char *const LEVEL[] = {
    "none", "info", "notice", "caution", "warning", "stop", "fault", "danger",
};

const char *rg_kind_name(int kind)
{
    return kind >= 0 && kind < RG_KINDS ? KIND[kind] : "";
}

const char *rg_level_name(int level)
{
    return level >= 0 && level <= RG_DANGER ? LEVEL[level] : "";
}
