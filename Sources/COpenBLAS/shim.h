#ifndef LMCONV_COPENBLAS_SHIM_H
#define LMCONV_COPENBLAS_SHIM_H

#include <cblas.h>

#endif
