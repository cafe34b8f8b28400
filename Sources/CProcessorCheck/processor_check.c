#include "processor_check.h"

#include <stdio.h>
#include <stdlib.h>

int lmconv_needs_avx2(void) {
#if defined(LMCONV_NEEDS_AVX2)
  return 1;
#else
  return 0;
#endif
}

int lmconv_processor_is_supported(void) {
  if (!lmconv_needs_avx2()) return 1;
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return 1;
#endif
}

// Runs before main: Swift code built for AVX2 must not be entered on a processor without it, or the process dies of
// SIGILL with no explanation. This target alone is built for the baseline instruction set.
__attribute__((constructor)) static void refuse_unsupported_processor(void) {
  if (lmconv_processor_is_supported()) return;
  fputs(
      "lmconv: this processor lacks AVX2 or FMA, which this build uses; run on a processor from 2013 or later, or build "
      "for this one with LMCONV_BASELINE=1 ./launch.sh setup\n",
      stderr);
  _Exit(78);
}
