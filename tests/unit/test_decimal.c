/* Numbers against strtod, bit by bit: random doubles printed in many ways, random decimals, the known hard cases. */
#include <stdint.h>
#include <string.h>

#include "base/random.h"
#include "check.h"
#include "io/decimal.h"

static struct random_stream s;
static long tried, wrong;

static void same_as_strtod(const char *text)
{
    char padded[600];
    size_t n = strlen(text);
    double expected = strtod(text, NULL), got;
    memcpy(padded, text, n);
    memset(padded + n, '7', 20); /* what follows must not matter */
    enum decimal_kind kind = decimal_parse(padded, n, &got);
    tried++;
    if (isinf(expected) ? kind != DECIMAL_BAD : kind != DECIMAL_FINITE || memcmp(&expected, &got, sizeof got)) {
        if (wrong++ < 5) fprintf(stderr, "'%s': %.17g (%d), strtod %.17g\n", text, got, kind, expected);
    }
}

static void test_printed_doubles(void)
{
    static const char *const format[] = {"%.17g", "%.16g", "%.15g", "%.6g", "%.10f", "%.18e", "%.20f", "%+.3e"};
    tried = wrong = 0;
    char text[512];
    for (uint64_t i = 0; i < 400000; i++) {
        uint64_t bits = (uint64_t)random_word(&s, 2 * i) << 32 | random_word(&s, 2 * i + 1);
        double any, near = random_normal(&s, i) * pow(10, (int)(bits % 25) - 12);
        memcpy(&any, &bits, sizeof any);
        if (isfinite(any)) {
            snprintf(text, sizeof text, i % 2 ? "%.17g" : "%.19e", any);
            same_as_strtod(text);
        }
        for (int f = (int)(i % 2); f < 8; f += 2) {
            snprintf(text, sizeof text, format[f], near);
            same_as_strtod(text);
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(tried > 1900000);
}

static void test_random_decimals(void)
{
    tried = wrong = 0;
    char text[64];
    for (uint64_t i = 0; i < 1500000; i++) {
        int digits = 1 + (int)(random_word(&s, 9 * i) % 21),
            point = (int)(random_word(&s, 9 * i + 1) % (unsigned)(digits + 1)), at = 0;
        if (i % 3 == 0) text[at++] = '-';
        for (int k = 0; k < digits; k++) {
            if (k == point) text[at++] = '.';
            text[at++] = (char)('0' + random_word(&s, 9 * i + 2 + (uint64_t)k % 7 + (uint64_t)(k / 7) * 1000003) % 10);
        }
        text[at] = '\0';
        if (i % 4 == 0) snprintf(text + at, 8, "e%d", (int)(random_word(&s, 9 * i + 8) % 80) - 40);
        same_as_strtod(text);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_hard(void)
{
    static const char *const text[] = {"0",
                                       "-0",
                                       "0.0",
                                       "00000000000000000000001.5",
                                       "0.00000000000000000000000000000123",
                                       "9007199254740993",
                                       "9007199254740992",
                                       "9007199254740991",
                                       "9007199254740995",
                                       "9007199254740993.0000000000000000000001",
                                       "1e23",
                                       "8.98846567431158e307",
                                       "1.7976931348623157e308",
                                       "1e309",
                                       "4.9e-324",
                                       "2e-324",
                                       "2.2250738585072011e-308",
                                       "2.2250738585072014e-308",
                                       "179769313486231580793e289",
                                       "9223372036854775807",
                                       "18446744073709551615",
                                       "9999999999999999999",
                                       "12345678901234567890123",
                                       "6.631236846766476e-316",
                                       "1e-400",
                                       "1e99999999999",
                                       "5e-20",
                                       "67e14",
                                       "985e15",
                                       "7.8459735791271921e65",
                                       "0.1",
                                       "1.",
                                       ".5",
                                       "3.518437208883201171875e13",
                                       "62.5364939768271845828",
                                       "8.10109172351e-10",
                                       "1.50000000000000011102230246251565"};
    tried = wrong = 0;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) same_as_strtod(text[i]);
    char halfway[64];
    for (int i = 0; i < 200000; i++) { /* integers halfway between neighbouring doubles, and beside */
        uint64_t m =
            1ull << 53 | random_word(&s, (uint64_t)i) | (uint64_t)(random_word(&s, (uint64_t)i + 7) & 0xfffff) << 32;
        snprintf(halfway, sizeof halfway, "%llue%d", (unsigned long long)(2 * m + 1 + (uint64_t)(i % 3) - 1), i % 20 - 10);
        same_as_strtod(halfway);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_words(void)
{
    double v;
    static const char *const missing[] = {"", "NA", "NaN", "nan", "NULL", "null", ".", "  ", "N/A", " NA "};
    static const char *const bad[] = {"abc", "1.2.3", "--1", "1e", "1e+", "inf", "Infinity", "0x10",
                                      "1,5", "1 2",   "-",   "+",  "e5",  "12a", "1\"",      "-NA"};
    char text[64] = {0};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        strcpy(text, missing[i]);
        CU_ASSERT_EQUAL(decimal_parse(text, strlen(text), &v), DECIMAL_MISSING);
        CU_ASSERT(isnan(v));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        strcpy(text, bad[i]);
        CU_ASSERT_EQUAL(decimal_parse(text, strlen(text), &v), DECIMAL_BAD);
    }
    int64_t k;
    strcpy(text, "-123456789012345678");
    CU_ASSERT(decimal_parse_whole(text, strlen(text), &k) == DECIMAL_FINITE && k == -123456789012345678);
    strcpy(text, "10006.0");
    CU_ASSERT(decimal_parse_whole(text, strlen(text), &k) == DECIMAL_FINITE && k == 10006);
    strcpy(text, "10006.5");
    CU_ASSERT_EQUAL(decimal_parse_whole(text, strlen(text), &k), DECIMAL_BAD);
    strcpy(text, "AAPL");
    CU_ASSERT_EQUAL(decimal_parse_whole(text, strlen(text), &k), DECIMAL_BAD);
}

int main(void)
{
    s = random_open(11, 0, 0, 0);
    static const struct check tests[] = {{"doubles printed", test_printed_doubles},
                                         {"random decimals", test_random_decimals},
                                         {"hard cases", test_hard},
                                         {"words", test_words}};
    return check_run("decimal", tests, 4);
}
