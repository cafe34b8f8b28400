#ifndef LMCONV_LIBFUZZER_H
#define LMCONV_LIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

/// libFuzzer's loop, as https://llvm.org/docs/LibFuzzer.html documents it: calls `callback` with one input after the
/// other, chosen by what earlier ones reached in the program; `arguments` are its options and folders.
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*callback)(const uint8_t *bytes, size_t size));

#endif
