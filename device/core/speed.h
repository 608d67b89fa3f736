/* speed.h: how fast the walker goes.
 *
 * The faster a walker, the more the body bounces: step length grows with a root of the swing of
 * the vertical acceleration (Weinberg, Analog Devices AN-602, 2002), and so does cadence; speed
 * follows one power of the bounce; where hardly anybody bounces, slowly, it goes to nothing with it.
 * Walking backward, the same bounce goes with shorter steps.
 */
#ifndef RG_SPEED_H
#define RG_SPEED_H

#include "gait.h"

/* Needs the direction and the bounce of this sample; remembers nothing. */
void rg_speed_step(rg_gait *gait);

#endif
