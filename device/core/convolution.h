/* convolution.h: one frame through a few small causal convolutions, as fall_network.c, walk_network.c
 * and step_network.c have them with tables of their own.
 *
 * The members of a network are alike, each trained from another start; what they say is averaged,
 * for where one errs by chance another seldom does (Lakshminarayanan et al., arXiv 1612.01474).
 *
 * A first layer over 5 frames, then layers over 3 frames that lie 1, 2, 4 … apart, each added to
 * what it was given (dilated residual convolutions: Bai, Kolter, Koltun, arXiv 1803.01271), then one
 * sum an output. Inline, so that every size is a constant where it is used. Channels are taken four
 * together: GCC alone took 16 of them apart one by one, at five times the instructions.
 */
#ifndef RG_CONVOLUTION_H
#define RG_CONVOLUTION_H

#include "four.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Whatever the compiler thinks of it: shared by three networks, it would not know their sizes. */
#define RG_INLINE static inline __attribute__((always_inline))

#define RG_CONVOLUTION_FIRST 5
#define RG_CONVOLUTION_WIDEST 32

/* Frames that layers keep of what went into them: rings of 2, 4, 8 …, one after another. */
#define RG_CONVOLUTION_PAST(layers) (2 * ((1 << (layers)) - 1))

typedef struct rg_convolution {     /* tables, row by row; bench/training/convolution.py writes them */
    int members, channels, width, layers, outputs;  /* width: 16 or 32 */
    const float *first, *first_bias;    /* of each member [FIRST, channels, width], [width] */
    const float *more, *more_bias;      /* [layers, 3, width, width], [layers, width] */
    const float *last, *last_bias;      /* [outputs, width], [outputs] */
} rg_convolution;

typedef int32_t rg_four_bits __attribute__((vector_size(16)));

/* sum[width / 4] += weights[n, width]' x[n]; the sums stay in registers. */
RG_INLINE void rg_convolution_add(rg_four *sum, int width, int n, const float *weights, const float *x)
{
    const rg_four *row = (const rg_four *)weights, none = {0.0f};
    const bool wide = width == RG_CONVOLUTION_WIDEST;
    rg_four s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3];
    rg_four s4 = wide ? sum[4] : none, s5 = wide ? sum[5] : none, s6 = wide ? sum[6] : none, s7 = wide ? sum[7] : none;
    for (int i = 0; i < n; i++, row += width / 4) {
        const rg_four y = {x[i], x[i], x[i], x[i]};
        s0 += row[0] * y;
        s1 += row[1] * y;
        s2 += row[2] * y;
        s3 += row[3] * y;
        if (!wide)
            continue;
        s4 += row[4] * y;
        s5 += row[5] * y;
        s6 += row[6] * y;
        s7 += row[7] * y;
    }
    sum[0] = s0;
    sum[1] = s1;
    sum[2] = s2;
    sum[3] = s3;
    if (!wide)
        return;
    sum[4] = s4;
    sum[5] = s5;
    sum[6] = s6;
    sum[7] = s7;
}

/* Values below zero are cut off; NaN is as well. */
RG_INLINE rg_four rg_convolution_cut(rg_four x)
{
    return (rg_four)((rg_four_bits)x & (x > 0.0f));
}

/* Member m's part of rg_convolution_step; what it says is added to `out`. */
RG_INLINE void rg_convolution_member(const rg_convolution *net, int m, uint32_t at, float *seen, float *past,
                                     const float *frame, float *out)
{
    enum { BEFORE = RG_CONVOLUTION_FIRST - 1 };
    const int width = net->width, channels = net->channels;
    const size_t row = (size_t)width * sizeof(float);
    const float *first = net->first + m * RG_CONVOLUTION_FIRST * channels * width;
    const float *more = net->more + m * net->layers * 3 * width * width;
    const float *more_bias = net->more_bias + m * net->layers * width;
    const float *last = net->last + m * net->outputs * width;
    rg_four x[RG_CONVOLUTION_WIDEST / 4], sum[RG_CONVOLUTION_WIDEST / 4];
    const float *each = (const float *)x;

    seen += m * BEFORE * channels;
    past += m * RG_CONVOLUTION_PAST(net->layers) * width;
    memcpy(sum, net->first_bias + m * width, row);
    for (uint32_t k = 0; k < BEFORE; k++)       /* the oldest stands where this one will */
        rg_convolution_add(sum, width, channels, first + (int)k * channels * width,
                           seen + (int)((at + k) % BEFORE) * channels);
    rg_convolution_add(sum, width, channels, first + BEFORE * channels * width, frame);
    memcpy(seen + (int)(at % BEFORE) * channels, frame, (size_t)channels * sizeof(float));
    for (int c = 0; c < width / 4; c++)
        x[c] = rg_convolution_cut(sum[c]);

    for (int layer = 0; layer < net->layers; layer++) {
        const uint32_t apart = 1u << layer, ring = 2u * apart;
        const float *weights = more + 3 * layer * width * width;
        float *now = past + (int)(at % ring) * width;
        memcpy(sum, more_bias + layer * width, row);
        rg_convolution_add(sum, width, width, weights, now);
        rg_convolution_add(sum, width, width, weights + width * width, past + (int)((at + apart) % ring) * width);
        rg_convolution_add(sum, width, width, weights + 2 * width * width, each);
        memcpy(now, x, row);
        for (int c = 0; c < width / 4; c++)
            x[c] += rg_convolution_cut(sum[c]);
        past += (int)ring * width;
    }
    for (int i = 0; i < net->outputs; i++) {
        float said = net->last_bias[m * net->outputs + i];
        for (int c = 0; c < width; c++)
            said += last[i * width + c] * each[c];
        out[i] += said / (float)net->members;
    }
}

/* Frame number `at` (from 0, may wrap) through it: frame[channels] to out[outputs], the members' mean.
 * seen[members, FIRST - 1, channels] and past[members, PAST(layers), width] are the caller's, zero at
 * the start. */
RG_INLINE void rg_convolution_step(const rg_convolution *net, uint32_t at, float *seen, float *past,
                                   const float *frame, float *out)
{
    memset(out, 0, (size_t)net->outputs * sizeof(float));
    for (int m = 0; m < net->members; m++)
        rg_convolution_member(net, m, at, seen, past, frame, out);
}

#endif
