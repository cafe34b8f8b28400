#ifndef LMCONV_CPNG_SHIM_H
#define LMCONV_CPNG_SHIM_H

#include <png.h>

#endif
