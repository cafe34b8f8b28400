#ifndef LMCONV_PROCESSOR_CHECK_H
#define LMCONV_PROCESSOR_CHECK_H

/// 1 where this processor has the instructions this program is built for: AVX2 and FMA, unless it is built for any.
int lmconv_processor_is_supported(void);

/// 1 where this program is built for processors with AVX2 and FMA only.
int lmconv_needs_avx2(void);

#endif
