/* strays.h: echoes of nothing: how often they come. A second belt's, above all. */
#ifndef RG_STRAYS_H
#define RG_STRAYS_H

#include <stdbool.h>

typedef struct rg_strays {
    float heard;        /* near echoes that nothing followed; older ones count less */
    float listened;     /* s in which they came, so too */
} rg_strays;

/* A ping, since [s] after the last one. */
void rg_strays_ping(rg_strays *s, float since);
/* An echo at this range that no other followed. */
void rg_strays_heard(rg_strays *s, float range);
/* How many are to be expected, 1/(m s); `again`: soon after another, and near it. */
float rg_strays_rate(const rg_strays *s, bool again);

#endif
