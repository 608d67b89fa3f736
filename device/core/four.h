/* four.h: four floats that the machine takes together (SSE2, NEON), in a vector type of GCC's and
 * Clang's: left to itself, GCC takes them apart one by one where it matters most. */
#ifndef RG_FOUR_H
#define RG_FOUR_H

typedef float rg_four __attribute__((vector_size(16), aligned(4), may_alias));

#endif
