/* four.h: four floats that the machine takes together (SSE2, NEON): a vector type of GCC's and Clang's. */
#ifndef RG_FOUR_H
#define RG_FOUR_H

typedef float rg_four __attribute__((vector_size(16), aligned(4), may_alias));

#endif
