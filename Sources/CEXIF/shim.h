#ifndef LMCONV_CEXIF_SHIM_H
#define LMCONV_CEXIF_SHIM_H

#include <libexif/exif-data.h>

#endif
