/* speed.h: how fast the walker goes.
 *
 * The faster a walker, the more the body bounces: step length grows with a root of the swing of
 * the vertical acceleration (Weinberg, Analog Devices AN-602, 2002), and so does cadence; speed
 * follows one power of the bounce; where hardly anybody bounces, slowly, it goes to nothing with it.
 * Walking backward, the same bounce goes with shorter steps.
 *
 * The bounce is a mean over two steps and the power a flat one: alone they would have who stops go on
 * for seconds. So where the last half step bounced clearly less than the walk does, the walk is
 * ending, and the speed goes with a high power of that ratio. It comes back with the next step.
 */
#ifndef RG_SPEED_H
#define RG_SPEED_H

#include "gait.h"

/* Needs the direction and both bounces of this sample; remembers nothing. */
void rg_speed_step(rg_gait *gait);

#endif
