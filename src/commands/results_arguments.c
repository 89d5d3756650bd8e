/* Arguments that all commands over results share: date ranges, the ways to compute their tables, and the folder for what is
 * written. */
#include "commands/results_arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"

enum { FROM = 1000, TO, NEWEY_WEST, BOOTSTRAP, WEIGHTING, ROOT, SEED };

void table_argument_options(struct argp_option *option)
{
    static const struct argp_option own[TABLE_ARGUMENTS + 1] = {
        {"from", FROM, "DATE", 0, "First formation date, YYYYMMDD or YYYY-MM-DD", 1},
        {"to", TO, "DATE", 0, "Last formation date", 1},
        {"newey-west", NEWEY_WEST, "LAGS", 0, "Newey-West standard errors of alphas [plain OLS]", 1},
        {"bootstrap", BOOTSTRAP, "B", 0, "Resamples behind bootstrap intervals [1000]", 1},
        {"hjd-weighting", WEIGHTING, "second-moment|covariance", 0,
         "Weighting matrix of the Hansen-Jagannathan distance [second-moment]", 1},
        {"hjd-root", ROOT, NULL, 0, "Square root of the Hansen-Jagannathan distance [squared]", 1},
        {"seed", SEED, "N", 0, "Seed of the bootstrap [1]", 1},
        {NULL, 0, NULL, 0, NULL, 0},
    };
    memcpy(option, own, sizeof own);
}

int table_argument_date(const char *text, int64_t *out)
{
    char digits[16];
    size_t n = 0;
    for (const char *s = text; *s; s++) {
        if (*s == '-' && (s - text == 4 || s - text == 7)) continue;
        if (*s < '0' || *s > '9' || n + 1 >= sizeof digits) return -1;
        digits[n++] = *s;
    }
    digits[n] = '\0';
    if (n != 8 && n != 12) return -1;
    *out = strtoll(digits, NULL, 10);
    long long day = n == 8 ? *out : *out / 10000, month = day / 100 % 100;
    return month < 1 || month > 12 || day % 100 < 1 || day % 100 > 31 ? -1 : 0;
}

error_t table_argument(int key, char *value, struct argp_state *state, struct table_options *o)
{
    long long n = 0;
    int rc = 0;
    switch (key) {
    case FROM:
    case TO:
        if (table_argument_date(value, key == FROM ? &o->from : &o->to))
            return arguments_fail(state, "--%s: found '%s'; needed: a date as YYYYMMDD", key == FROM ? "from" : "to", value);
        return 0;
    case NEWEY_WEST: return arguments_count(state, "newey-west", "a number of lags", value, 0, 10000, &o->newey_west);
    case BOOTSTRAP: return arguments_count(state, "bootstrap", "a number of resamples", value, 1, 1000000, &o->bootstrap);
    case SEED:
        rc = arguments_whole(state, "seed", "a whole number", value, 0, INT64_MAX, &n);
        o->seed = (uint64_t)n;
        return rc;
    case WEIGHTING:
        o->hjd_covariance = !strcmp(value, "covariance");
        if (!o->hjd_covariance && strcmp(value, "second-moment"))
            return arguments_fail(state, "--hjd-weighting: found '%s'; needed: second-moment or covariance", value);
        return 0;
    case ROOT: o->hjd_root = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int table_arguments_check(const struct table_options *o, struct error *e)
{
    if (o->from && o->to && o->from > o->to)
        return error_set(e, "--from %lld --to %lld: found a range that ends before it begins; needed: FROM <= TO",
                         (long long)o->from, (long long)o->to);
    return 0;
}

void results_folder(const char *results, const char *suffix, const char *given, char *out, size_t size)
{
    size_t n = strlen(results);
    if (given) snprintf(out, size, "%s", given);
    else snprintf(out, size, "%.*s%s", (int)(n > 3 && !strcmp(results + n - 3, ".h5") ? n - 3 : n), results, suffix);
}
