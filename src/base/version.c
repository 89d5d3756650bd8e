/* The version and the revision that this program was built from, as one text. */
#include "base/version.h"

#ifndef AIPM_REVISION
#define AIPM_REVISION ""
#endif

const char *version_text(void)
{
    return sizeof AIPM_REVISION > 1 ? "aipm " AIPM_VERSION " (" AIPM_REVISION ", gcc " __VERSION__ ")"
                                    : "aipm " AIPM_VERSION " (gcc " __VERSION__ ")";
}
