#include "microkernels.h"

#include <stdlib.h>

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))

int lmconv_has_avx512(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") != 0;
}

AVX512 void lmconv_accumulate_rows(
    intptr_t inputs, const float *weights, const float *x0, const float *x1, const float *x2, const float *x3,
    const float *x4, const float *x5, float *y0, float *y1, float *y2, float *y3, float *y4, float *y5) {
  __m512 s0 = _mm512_loadu_ps(y0);
  __m512 s1 = _mm512_loadu_ps(y1);
  __m512 s2 = _mm512_loadu_ps(y2);
  __m512 s3 = _mm512_loadu_ps(y3);
  __m512 s4 = _mm512_loadu_ps(y4);
  __m512 s5 = _mm512_loadu_ps(y5);
  for (intptr_t c = 0; c < inputs; c++) {
    const __m512 w = _mm512_loadu_ps(weights + 16 * c);
    s0 = _mm512_fmadd_ps(_mm512_set1_ps(x0[c]), w, s0);
    s1 = _mm512_fmadd_ps(_mm512_set1_ps(x1[c]), w, s1);
    s2 = _mm512_fmadd_ps(_mm512_set1_ps(x2[c]), w, s2);
    s3 = _mm512_fmadd_ps(_mm512_set1_ps(x3[c]), w, s3);
    s4 = _mm512_fmadd_ps(_mm512_set1_ps(x4[c]), w, s4);
    s5 = _mm512_fmadd_ps(_mm512_set1_ps(x5[c]), w, s5);
  }
  _mm512_storeu_ps(y0, s0);
  _mm512_storeu_ps(y1, s1);
  _mm512_storeu_ps(y2, s2);
  _mm512_storeu_ps(y3, s3);
  _mm512_storeu_ps(y4, s4);
  _mm512_storeu_ps(y5, s5);
}

AVX512 void lmconv_accumulate_outer(
    const int32_t *pixels, intptr_t rows, const float *x, intptr_t stride, const float *dy, float *sum,
    intptr_t first_stored) {
  __m512 s0 = _mm512_loadu_ps(sum);
  __m512 s1 = _mm512_loadu_ps(sum + 16);
  __m512 s2 = _mm512_loadu_ps(sum + 32);
  __m512 s3 = _mm512_loadu_ps(sum + 48);
  __m512 s4 = _mm512_loadu_ps(sum + 64);
  __m512 s5 = _mm512_loadu_ps(sum + 80);
  __m512 s6 = _mm512_loadu_ps(sum + 96);
  __m512 s7 = _mm512_loadu_ps(sum + 112);
  for (intptr_t r = 0; r < rows; r++) {
    const float *row = x + pixels[r] * stride;
    const __m512 d = _mm512_loadu_ps(dy + 16 * r);
    s0 = _mm512_fmadd_ps(_mm512_set1_ps(row[0]), d, s0);
    s1 = _mm512_fmadd_ps(_mm512_set1_ps(row[1]), d, s1);
    s2 = _mm512_fmadd_ps(_mm512_set1_ps(row[2]), d, s2);
    s3 = _mm512_fmadd_ps(_mm512_set1_ps(row[3]), d, s3);
    s4 = _mm512_fmadd_ps(_mm512_set1_ps(row[4]), d, s4);
    s5 = _mm512_fmadd_ps(_mm512_set1_ps(row[5]), d, s5);
    s6 = _mm512_fmadd_ps(_mm512_set1_ps(row[6]), d, s6);
    s7 = _mm512_fmadd_ps(_mm512_set1_ps(row[7]), d, s7);
  }
  if (first_stored <= 0) _mm512_storeu_ps(sum, s0);
  if (first_stored <= 1) _mm512_storeu_ps(sum + 16, s1);
  if (first_stored <= 2) _mm512_storeu_ps(sum + 32, s2);
  if (first_stored <= 3) _mm512_storeu_ps(sum + 48, s3);
  if (first_stored <= 4) _mm512_storeu_ps(sum + 64, s4);
  if (first_stored <= 5) _mm512_storeu_ps(sum + 80, s5);
  if (first_stored <= 6) _mm512_storeu_ps(sum + 96, s6);
  _mm512_storeu_ps(sum + 112, s7);
}

#else

int lmconv_has_avx512(void) { return 0; }

void lmconv_accumulate_rows(
    intptr_t inputs, const float *weights, const float *x0, const float *x1, const float *x2, const float *x3,
    const float *x4, const float *x5, float *y0, float *y1, float *y2, float *y3, float *y4, float *y5) {
  abort();
}

void lmconv_accumulate_outer(
    const int32_t *pixels, intptr_t rows, const float *x, intptr_t stride, const float *dy, float *sum,
    intptr_t first_stored) {
  abort();
}

#endif
