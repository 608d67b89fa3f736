/* params.c: every parameter with its default and its bounds. */
#include "params.h"

/* In the order of rg_params, all of which is float. The bounds are what a body, a belt or a
 * sensor can be; beyond them lies a slip of the pen or of the unit. */
enum { COUNT = sizeof(rg_params) / sizeof(float) };
static const struct { float standard, low, high; } TABLE[] = {
    {0.0f, 20.0f, 400.0f},      /* fs: below 20 no step has a shape; above 400 no waist moves */
    {0.0f, 0.0f, 1.0f},         /* has_ranger */
    {0.35f, 0.1f, 0.8f},        /* body_reach */
    {0.60f, 0.1f, 3.0f},        /* reaction: 0.25 to 0.60, 0.13 more under a second task */
    {0.57f, 0.1f, 3.0f},        /* stopping: 0.46 young, 0.57 older */
    {0.60f, 0.1f, 2.0f},        /* near_zone */
    {4.0f, 0.5f, 10.0f},        /* max_range */
    {0.0f, -0.8f, 0.8f},        /* ranger_pitch */
    {1.0f, 0.3f, 1.6f},         /* ranger_height */
    {0.26f, 0.05f, 0.8f},       /* beam_half_angle */
    {0.35f, 0.05f, 1.2f},       /* lean_limit */
    {130.0f, 40.0f, 240.0f},    /* cadence_limit */
    {1.2f, 0.2f, 3.0f},         /* speed_limit */
};
_Static_assert(sizeof TABLE / sizeof *TABLE == COUNT, "one row a parameter");

void rg_params_default(rg_params *params, float fs)
{
    float *value = (float *)params;
    for (int i = 1; i < COUNT; i++)
        value[i] = TABLE[i].standard;
    params->fs = fs;
}

void rg_params_bounds(int position, float *low, float *high)
{
    *low = TABLE[position - 1].low;
    *high = TABLE[position - 1].high;
}

int rg_params_check(const rg_params *params)
{
    const float *value = (const float *)params;
    for (int i = 0; i < COUNT; i++)
        if (!(value[i] >= TABLE[i].low && value[i] <= TABLE[i].high))   /* NaN is impossible too */
            return i + 1;
    return 0;
}
