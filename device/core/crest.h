/* crest.h: the crests of a signal that swings: where each lay, and how high it rose. */
#ifndef RG_CREST_H
#define RG_CREST_H

#include <stdbool.h>

typedef struct rg_crest {
    double t;               /* s, where the crest found last lay, to a part of a sample */
    float swing;            /* that it rose by */
    float top, trough;      /* extremes of the swing going on */
    float past, next;       /* the samples either side of the top */
    double top_t;           /* s */
    bool rising, fresh;     /* fresh: the top is the newest sample */
} rg_crest;

/* Takes the signal here and one sample, `dt` [s], before. True when a crest has been found: the signal
 * has risen by `enough`, and has fallen by as much since or has not risen further for `longest` [s]. */
bool rg_crest_step(rg_crest *s, double t, float dt, float before, float now, float enough, float longest);

#endif
