#ifndef LMCONV_PROCESSOR_CHECK_H
#define LMCONV_PROCESSOR_CHECK_H

/// 1 where this processor has the instructions the kernels are built for (AVX2 and FMA on x86-64; always on others).
int lmconv_processor_is_supported(void);

#endif
