#ifndef LMCONV_CZLIB_SHIM_H
#define LMCONV_CZLIB_SHIM_H

#include <zlib.h>

#endif
