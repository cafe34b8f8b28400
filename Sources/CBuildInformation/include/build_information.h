#ifndef LMCONV_BUILD_INFORMATION_H
#define LMCONV_BUILD_INFORMATION_H

/// The commit and the compiler that launch.sh built this program from and with; empty where another built it.
const char *lmconv_build_information(void);

#endif
