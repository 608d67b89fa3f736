/* vector.h: three numbers in space. */
#ifndef RG_VECTOR_H
#define RG_VECTOR_H

#include "bounds.h"

static inline float rg_dot(const float a[3], const float b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* What rg_levelled needs of the unit vector `up`, once for all vectors. Upside down there is no
 * shortest way; what comes out near it is bounded, and no more is asked of it. */
static inline float rg_levelled_share(const float up[3])
{
    return 1.0f / rg_max(1.0f + up[2], 0.05f);
}

/* The level part of v, `along` of which is vertical, when `up` is turned to z by the shortest way. */
static inline void rg_levelled(const float up[3], float share, const float v[3], float along, float out[2])
{
    float k = (along + v[2]) * share;
    out[0] = v[0] - up[0] * k;
    out[1] = v[1] - up[1] * k;
}

#endif
