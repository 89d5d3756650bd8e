/* Numbers that a user wrote: the whole text is one, within its range, or it is refused. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>

/* Decimal digits, with a sign or without, in [low, high]. Refused: *out is not set. */
bool number_whole(const char *text, long long low, long long high, long long *out);
/* What strtod reads, but for what is infinite, no number (nan) or beyond what a double holds, in [low, high]. Refused: *out is not set. */
bool number_real(const char *text, double low, double high, double *out);

#endif
