#include "build_information.h"

// Here alone, so that another commit compiles one line and not the program.
const char *lmconv_build_information(void) { return LMCONV_BUILD; }
