#ifndef LMCONV_CTURBOJPEG_SHIM_H
#define LMCONV_CTURBOJPEG_SHIM_H

#include <turbojpeg.h>

// Since version 2.1: refuses files that take very long to decode for their size.
#ifndef TJFLAG_LIMITSCANS
#define TJFLAG_LIMITSCANS 0
#endif

#endif
