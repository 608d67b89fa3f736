/* bounds.h: the lesser, the greater, and what lies within; inline, where fminf and fmaxf are calls. */
#ifndef RG_BOUNDS_H
#define RG_BOUNDS_H

/* Of a number and NaN, the number, as fminf and fmaxf have it. */
static inline float rg_min(float a, float b)
{
    return a < b || b != b ? a : b;
}

static inline float rg_max(float a, float b)
{
    return a > b || b != b ? a : b;
}

/* x, not beyond the limit either way. */
static inline float rg_within(float x, float limit)
{
    return x > limit ? limit : x < -limit ? -limit : x;
}

#endif
