/* Decimal text to double: exactly by one product where the digits allow it, by strtod where not. */
#include "io/decimal.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* A decimal is w * 10^q with w of up to 19 digits. Three ways to its double, each exact:
 *   w < 2^53, |q| <= 22      one multiplication or division of exact doubles (Clinger, PLDI 1990)
 *   -27 <= q <= 55           one or two 64 x 64 products with 5^q to 128 bits (Eisel-Lemire: Lemire, Software: Practice and
 *                            Experience 2021); the rare undecided product goes on to
 *   anything else            strtod
 * What JKP and pandas write (15-17 digits) takes the first two. */
enum { LOWEST = -27, HIGHEST = 55, EXACT_POWER = 22, DIGITS = 19 };
static const double ten[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                            1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* The 128 leading bits of 5^q: exact for q >= 0, rounded up for q < 0. */
static struct {
    uint64_t high, low;
} five[HIGHEST - LOWEST + 1];

__attribute__((constructor)) static void five_fill(void)
{
    __extension__ typedef unsigned __int128 wide;
    wide p = 1;
    for (int q = 0; q <= HIGHEST; q++) {
        wide v = p;
        while (!(v >> 127)) v <<= 1;
        five[q - LOWEST].high = (uint64_t)(v >> 64), five[q - LOWEST].low = (uint64_t)v;
        if (q < HIGHEST) p *= 5;
    }
    uint64_t d = 1;
    for (int q = -1; q >= LOWEST; q--) {
        d *= 5;
        int z = 64 - __builtin_clzll(d);  /* the smallest z with 2^z >= 5^-q */
        uint64_t quotient[3] = {0, 0, 0}; /* floor(2^(z+127) / 5^-q) by long division, limbs from the top */
        wide rest = 0;
        for (int limb = 2; limb >= 0; limb--) {
            uint64_t digit = (z + 127) / 64 == limb ? 1ull << (z + 127) % 64 : 0;
            wide part = rest << 64 | digit;
            quotient[limb] = (uint64_t)(part / d);
            rest = part % d;
        }
        wide v = ((wide)quotient[1] << 64 | quotient[0]) + 1;
        require(quotient[2] == 0 && v >> 127);
        five[q - LOWEST].high = (uint64_t)(v >> 64), five[q - LOWEST].low = (uint64_t)v;
    }
}

/* Eisel-Lemire for normal results; false: undecided. */
static bool from_product(uint64_t w, int q, double *out)
{
    __extension__ typedef unsigned __int128 wide;
    int shift = __builtin_clzll(w);
    w <<= shift;
    wide first = (wide)w * five[q - LOWEST].high;
    uint64_t high = (uint64_t)(first >> 64), low = (uint64_t)first;
    if ((high & 0x1ff) == 0x1ff) { /* the truncated part could still carry into the bits that count */
        uint64_t more = (uint64_t)((wide)w * five[q - LOWEST].low >> 64);
        low += more;
        if (low < more) high++;
        if (low == UINT64_MAX) return false;
    }
    int upper = (int)(high >> 63), power = (int)(((int64_t)217706 * (q + 65536) >> 16) - 217706) + 63 + upper - shift + 1023;
    if (power <= 0 || power >= 0x7fe) return false; /* subnormal or near overflow */
    uint64_t m = high >> (upper + 9);               /* 54 bits: one to round with */
    if (low <= 1 && q >= -4 && q <= 23 && (m & 3) == 1 && m << (upper + 9) == high) m &= ~1ull; /* a tie: to even */
    m += m & 1;
    m >>= 1;
    if (m >= 1ull << 53) m >>= 1, power++;
    uint64_t bits = (m & ~(1ull << 52)) | (uint64_t)power << 52;
    memcpy(out, &bits, sizeof bits);
    return true;
}

static inline bool digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* Eight ASCII digits at once. */
static inline bool eight_digits(uint64_t v)
{
    return !(((v + 0x4646464646464646u) | (v - 0x3030303030303030u)) & 0x8080808080808080u);
}
static inline uint64_t eight_value(uint64_t v)
{
    v -= 0x3030303030303030u;
    v = v * 10 + (v >> 8);
    return ((v & 0x000000ff000000ffu) * 0x000f424000000064u + (v >> 16 & 0x000000ff000000ffu) * 0x0000271000000001u) >> 32;
}

static inline const char *take_digits(const char *p, const char *end, uint64_t *w)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (uint64_t v; end - p >= 8; p += 8) {
        memcpy(&v, p, 8);
        if (!eight_digits(v)) break;
        *w = *w * 100000000 + eight_value(v);
    }
#endif
    for (; p < end && digit(*p); p++) *w = *w * 10 + (uint64_t)(*p - '0');
    return p;
}

static enum decimal_kind by_strtod(const char *s, size_t n, double *out)
{
    char copy[512], *stop;
    if (n >= sizeof copy) return DECIMAL_BAD;
    memcpy(copy, s, n);
    copy[n] = '\0';
    *out = strtod(copy, &stop);
    return *stop || !isfinite(*out) ? DECIMAL_BAD : DECIMAL_FINITE;
}

static enum decimal_kind missing_or_bad(const char *s, size_t n)
{
    static const char *const word[] = {"NA", "N/A", "NaN", "nan", "NULL", "null", "None", ".", "#N/A"};
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (strlen(word[i]) == n && !memcmp(word[i], s, n)) return DECIMAL_MISSING;
    return DECIMAL_BAD;
}

static inline void trim(const char **s, size_t *n)
{
    while (*n && (**s == ' ' || **s == '\t')) (*s)++, (*n)--;
    while (*n && ((*s)[*n - 1] == ' ' || (*s)[*n - 1] == '\t')) (*n)--;
}

enum decimal_kind decimal_parse(const char *s, size_t n, double *out)
{
    *out = NAN;
    trim(&s, &n);
    if (n == 0) return DECIMAL_MISSING;
    const char *end = s + n, *p = s, *dot = NULL;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    const char *digits = p;
    uint64_t w = 0;
    int64_t q = 0;
    p = take_digits(p, end, &w);
    int64_t count = p - digits;
    if (p < end && *p == '.') {
        dot = p++;
        p = take_digits(p, end, &w);
        q = -(p - dot - 1);
        count -= q;
    }
    if (count == 0) return missing_or_bad(s, n);
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool down = ++p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+')) p++;
        int64_t e = 0;
        const char *start = p;
        for (; p < end && digit(*p); p++)
            if (e < 100000) e = e * 10 + (*p - '0');
        if (p == start) return DECIMAL_BAD;
        q += down ? -e : e;
    }
    if (p != end) return DECIMAL_BAD;
    if (count > DIGITS) { /* leading zeros are no digits */
        const char *z = digits;
        for (; z < end && (*z == '0' || *z == '.'); z++) count -= *z == '0';
        if (count > DIGITS) return by_strtod(s, n, out);
    }
    double v;
    if (w == 0) v = 0;
    else if (w <= 1ull << 53 && q >= -EXACT_POWER && q <= EXACT_POWER) v = q < 0 ? (double)w / ten[-q] : (double)w * ten[q];
    else if (q < LOWEST || q > HIGHEST || !from_product(w, (int)q, &v)) return by_strtod(s, n, out);
    *out = negative ? -v : v;
    return DECIMAL_FINITE;
}

enum decimal_kind decimal_parse_whole(const char *s, size_t n, int64_t *out)
{
    trim(&s, &n);
    const char *p = s, *end = s + n;
    bool negative = n && *p == '-';
    if (n && (*p == '-' || *p == '+')) p++;
    const char *digits = p;
    uint64_t w = 0;
    p = take_digits(p, end, &w);
    if (p > digits && p - digits <= 18 && p == end) {
        *out = negative ? -(int64_t)w : (int64_t)w;
        return DECIMAL_FINITE;
    }
    double v;
    enum decimal_kind kind = decimal_parse(s, n, &v); /* 12.0, 1e5 */
    if (kind != DECIMAL_FINITE) return kind;
    if (v != floor(v) || fabs(v) > 0x1p53) return DECIMAL_BAD;
    *out = (int64_t)v;
    return DECIMAL_FINITE;
}
