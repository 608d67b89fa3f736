/* bounds.h: the lesser, the greater, and what lies within; inline, where fminf and fmaxf are calls. */
#ifndef RG_BOUNDS_H
#define RG_BOUNDS_H

/* Of a number and NaN, the number, as fminf and fmaxf have it. In two steps: the first is an
 * instruction, where a branch would be guessed wrong on noise. */
static inline float rg_min(float a, float b)
{
    float least = a < b ? a : b;
    return __builtin_expect(b != b, 0) ? a : least;
}

static inline float rg_max(float a, float b)
{
    float most = a > b ? a : b;
    return __builtin_expect(b != b, 0) ? a : most;
}

/* x, not beyond the limit either way. */
static inline float rg_within(float x, float limit)
{
    return x > limit ? limit : x < -limit ? -limit : x;
}

#endif
