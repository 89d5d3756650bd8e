/* The CSV reader against a byte-by-byte reader, on random text made of the bytes that matter; calendar; sample rules. */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "io/csv.h"
#include "panel/calendar.h"
#include "panel/sample.h"

enum { N = 700, ROOM = 40 };
static char text[N + CSV_SLACK];

/* End of the row that starts at `from` (index of its newline or n) and its field ends, one byte at a time. */
static size_t plain_row(size_t n, size_t from, uint32_t *end, int *fields, bool *quoted)
{
    bool inside = false;
    size_t p = from;
    *fields = 0;
    *quoted = false;
    for (; p < n; p++) {
        if (text[p] == '"') inside = !inside, *quoted = true;
        if (inside) continue;
        if (text[p] == '\n') break;
        if (text[p] == ',') {
            if (*fields < ROOM) end[*fields] = (uint32_t)(p - from);
            ++*fields;
        }
    }
    if (*fields < ROOM) end[*fields] = (uint32_t)(p - from - (p > from && text[p - 1] == '\r'));
    ++*fields;
    return p;
}

static int walk_differs(size_t n)
{
    struct csv_cursor c;
    struct csv_row r;
    uint32_t end[ROOM], expected[ROOM];
    size_t at = 0;
    csv_begin(&c, text, n);
    while (csv_next(&c, end, ROOM, &r)) {
        int fields;
        bool quoted;
        size_t stop = plain_row(n, at, expected, &fields, &quoted);
        if (r.at != at || r.fields != fields || r.quoted != quoted || r.ended != (stop < n)) return 1;
        if (memcmp(end, expected, sizeof *end * (size_t)(fields < ROOM ? fields : ROOM))) return 2;
        at = stop < n ? stop + 1 : n;
    }
    return at == n ? 0 : 3;
}

static void test_rows(void)
{
    static const char alphabet[] = "aab1,,,\"\n\r";
    struct random_stream s = random_open(5, 0, 0, 0);
    int wrong = 0;
    for (uint64_t k = 0; k < 20000; k++) {
        size_t n = random_word(&s, 1000 * k) % N, letters = k % 3 ? 10 : 7 + k % 4; /* with and without quotes, newlines */
        for (size_t i = 0; i < n; i++) text[i] = alphabet[random_word(&s, 1000 * k + 1 + i) % letters];
        memset(text + n, k % 2 ? '"' : '\n', CSV_SLACK); /* must not matter */
        wrong += walk_differs(n) != 0;
        bool quoted = k & 4;
        size_t plain = 0, quotes = 0;
        bool inside = quoted;
        for (; plain < n; plain++) {
            inside ^= text[plain] == '"';
            if (!inside && text[plain] == '\n') break;
        }
        for (size_t i = 0; i < n; i++) quotes += text[i] == '"';
        wrong += csv_row_end(text, n, quoted) != (plain < n ? plain + 1 : n);
        wrong += csv_quotes(text, n) != quotes;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static struct csv_row row_of(const char *line, uint32_t *end)
{
    struct csv_cursor c;
    struct csv_row r;
    size_t n = strlen(line);
    memcpy(text, line, n);
    csv_begin(&c, text, n);
    csv_next(&c, end, ROOM, &r);
    return r;
}

static void test_quotes(void)
{
    uint32_t end[ROOM];
    struct csv_row r = row_of("\"a,b\",c,\"say \"\"hi\"\"\",\"\",x\n", end);
    size_t n;
    char out[32];
    CU_ASSERT_EQUAL_FATAL(r.fields, 5);
    CU_ASSERT_EQUAL(csv_bad_quotes(&r, ROOM), -1);
    const char *f = csv_field(&r, 0, &n);
    CU_ASSERT(n == 3 && !memcmp(f, "a,b", 3));
    f = csv_field(&r, 2, &n);
    CU_ASSERT(csv_unquote(f, n, out) == 8 && !strcmp(out, "say \"hi\""));
    csv_field(&r, 3, &n);
    CU_ASSERT_EQUAL(n, 0);
    r = row_of("a,b\"c\",d\n", end);
    CU_ASSERT_EQUAL(csv_bad_quotes(&r, ROOM), 1);
    r = row_of("a,\"b\"c,d\n", end);
    CU_ASSERT_EQUAL(csv_bad_quotes(&r, ROOM), 1);
    r = row_of("a,b,\"\n", end);
    CU_ASSERT_EQUAL(csv_bad_quotes(&r, ROOM), 2);
    CU_ASSERT(!r.ended);
}

static void test_header(void)
{
    uint32_t end[ROOM];
    char **names;
    struct error e = {""};
    struct csv_row r = row_of("id, \"ret\" ,x,\r\n", end);
    CU_ASSERT_EQUAL(csv_header("f", &r, &names, &e), -1); /* a quote after a blank is none */
    e.text[0] = '\0';
    r = row_of("id,\"the ret\",,\r\n", end);
    CU_ASSERT_EQUAL_FATAL(csv_header("f", &r, &names, &e), 0);
    CU_ASSERT(!strcmp(names[1], "the ret") && !*names[2] && !*names[3]);
    memory_free(names);
    r = row_of("id,x,id\n", end);
    CU_ASSERT_EQUAL(csv_header("f", &r, &names, &e), -1);
    CU_ASSERT(strstr(e.text, "f:1:3: column 'id' is there twice") != NULL);
    e.text[0] = '\0';
    r = row_of("id;x\n", end);
    CU_ASSERT_EQUAL(csv_header("f", &r, &names, &e), -1);
}

static void test_calendar(void)
{
    static const struct {
        const char *text;
        int64_t date;
    } good[] = {{"20010131", 20010131},         {"2001-01-31", 20010131}, {"2001/01/31", 20010131},
                {"200102", 20010228},           {"2000-02", 20000229},    {"2001-01-31 00:00:00", 20010131},
                {"2001-01-31T16:00", 20010131}, {" 20010131 ", 20010131}, {"20010131.0", 20010131}};
    static const char *const bad[] = {"",    "2001",     "20010132", "20011301", "2001-02-29",  "31/01/2001",
                                      "abc", "2001-1-3", "17990101", "20010100", "2001-01-31x", "2001013"};
    struct date d;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CU_ASSERT(date_parse(good[i].text, strlen(good[i].text), &d));
        CU_ASSERT_EQUAL(day_date(day_of(d)), good[i].date);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CU_ASSERT(!date_parse(bad[i], strlen(bad[i]), &d));
    int wrong = 0, day = day_of((struct date){1800, 1, 1});
    for (int y = 1800; y <= 2199; y++)
        for (int m = 1; m <= 12; m++) {
            for (int k = 1; k <= month_days(y, m); k++, day++)
                wrong += day_of((struct date){y, m, k}) != day || day_date(day) != y * 10000 + m * 100 + k;
            wrong += month_end(y * 12 + m - 1) != y * 10000 + m * 100 + month_days(y, m);
        }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_sample(void)
{
    struct sample_rules rules = {.characteristic_missing = 0.3, .row_missing = 1.0 / 3};
    int64_t rows[3] = {10, 10, 10}, missing[9] = {3, 0, 9, 3, 10, 0, 3, 0, 0}; /* [period, characteristic]: 9, 10, 9 of 30 */
    uint8_t use[9];
    CU_ASSERT_EQUAL(sample_characteristics(&rules, 3, 3, rows, missing, use), 2);
    CU_ASSERT(use[0] && !use[1] && use[2] && use[6] && !use[7] && use[8]); /* exactly 30% stays */
    rules.past_only = true;
    CU_ASSERT_EQUAL(sample_characteristics(&rules, 3, 3, rows, missing, use), 3);
    static const uint8_t expected[9] = {1, 1, 0, 1, 0, 0, 1, 0, 1};
    CU_ASSERT(!memcmp(use, expected, sizeof use));
    CU_ASSERT(!sample_exceeds(1, rules.row_missing, 3) && sample_exceeds(2, rules.row_missing, 5) &&
              !sample_exceeds(44, rules.row_missing, 132));
    double me[200], breaks[4];
    for (int i = 0; i < 200; i++) me[i] = (i * 37 % 200) + 1; /* 1 .. 200 in some order: n p whole at 1, 20, 50, 80% */
    CU_ASSERT(size_breakpoints(200, me, breaks));
    CU_ASSERT(breaks[0] == 2.5 && breaks[1] == 40.5 && breaks[2] == 100.5 && breaks[3] == 160.5);
    for (int i = 0; i < 7; i++) me[i] = 7 - i;
    CU_ASSERT(size_breakpoints(7, me, breaks));
    CU_ASSERT(breaks[0] == 1 && breaks[1] == 2 && breaks[2] == 4 && breaks[3] == 6);
    CU_ASSERT(size_group_of(0.5, breaks) == SIZE_NANO && size_group_of(1, breaks) == SIZE_MICRO &&
              size_group_of(6, breaks) == SIZE_MEGA);
    CU_ASSERT(size_group_of(NAN, breaks) == SIZE_UNKNOWN && size_group_named("large", 5) == SIZE_LARGE &&
              size_group_named("", 0) == SIZE_UNKNOWN);
    CU_ASSERT(!size_breakpoints(0, me, breaks));
}

int main(void)
{
    static const struct check tests[] = {{"rows and fields", test_rows},
                                         {"quotes", test_quotes},
                                         {"header", test_header},
                                         {"calendar", test_calendar},
                                         {"sample", test_sample}};
    return check_run("csv", tests, 5);
}
