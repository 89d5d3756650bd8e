/* Numbers that a user wrote, with all their text and within their range. */
#include "base/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

bool number_whole(const char *text, long long low, long long high, long long *out)
{
    char *end;
    errno = 0;
    long long x = strtoll(text, &end, 10);
    if (end == text || *end || errno || x < low || x > high) return false;
    *out = x;
    return true;
}

bool number_real(const char *text, double low, double high, double *out)
{
    char *end;
    errno = 0;
    double x = strtod(text, &end);
    if (end == text || *end || errno || !isfinite(x) || x < low || x > high) return false;
    *out = x;
    return true;
}
