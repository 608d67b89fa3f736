/* params.h: whether parameters are possible. */
#ifndef RG_PARAMS_H
#define RG_PARAMS_H

#include "rearguard.h"

/* 0, or the 1-based position of the first impossible one. */
int rg_params_check(const rg_params *params);

#endif
