/* Decimal numbers in text, to the same bits as strtod in the C locale. */
#ifndef IO_DECIMAL_H
#define IO_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

enum decimal_kind { DECIMAL_FINITE, DECIMAL_MISSING, DECIMAL_BAD };

/* The n bytes at s: [+-] digits [. digits] [e [+-] digits], blanks around it allowed. Missing (*out = NaN): nothing, or one of
 * NA N/A NaN nan NULL null None . #N/A. Anything else, and what does not fit a finite double, is bad. At least DECIMAL_SLACK bytes
 * after s + n must be readable (their content does not matter). */
enum { DECIMAL_SLACK = 8 };
enum decimal_kind decimal_parse(const char *s, size_t n, double *out);

/* A whole number within +-9.2e18; DECIMAL_MISSING as above, DECIMAL_BAD otherwise. "12.0" is whole. */
enum decimal_kind decimal_parse_whole(const char *s, size_t n, int64_t *out);

#endif
