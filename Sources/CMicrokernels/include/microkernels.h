#ifndef LMCONV_MICROKERNELS_H
#define LMCONV_MICROKERNELS_H

#include <stdint.h>

// What Swift has no way to say: the two innermost loops with 512-bit instructions, chosen at run time where the processor
// has them, and prefetching. C, because Swift cannot build one function for another instruction set than its module. Each
// element is the same chain of fused multiply-adds as in the Swift versions, which are the reference and what other
// processors run: the same bits.

/// 1 where `lmconv_accumulate_rows` and `lmconv_accumulate_outer` may be called.
int lmconv_has_avx512(void);

/// y[r][0..<16] += sum over c of x[r][c] * weights[c][0..<16], for six rows given by their addresses; `MicrokernelRows`.
void lmconv_accumulate_rows(
    intptr_t inputs, const float *weights, const float *x0, const float *x1, const float *x2, const float *x3,
    const float *x4, const float *x5, float *y0, float *y1, float *y2, float *y3, float *y4, float *y5);

/// sum[i][0..<16] += sum over rows r of x[pixels[r] * stride + i] * dy[r][0..<16], for i in 0..<8, of which those from
/// `first_stored` on are stored; `MicrokernelOuter`.
void lmconv_accumulate_outer(
    const int32_t *pixels, intptr_t rows, const float *x, intptr_t stride, const float *dy, float *sum,
    intptr_t first_stored);

/// Asks for `lines` cache lines from `first` on, to be in the second-level cache when they are read.
static inline void lmconv_prefetch(const float *first, intptr_t lines) {
  for (intptr_t line = 0; line < lines; line++) __builtin_prefetch(first + 16 * line, 0, 2);
}

#endif
