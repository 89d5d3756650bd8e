/* Arguments that all commands over results share: date ranges, the ways to compute their tables, and the folder for what is
 * written. */
#include "commands/results_arguments.h"

#include <stdio.h>
#include <string.h>

#include "commands/commands.h"

#define AT(member) offsetof(struct table_options, member)
const struct argument table_arguments[] = {
    {"from", "DATE", ARGUMENT_DATE, AT(from), .help = "First formation date, YYYYMMDD or YYYY-MM-DD"},
    {"to", "DATE", ARGUMENT_DATE, AT(to), .help = "Last formation date"},
    {"newey-west", "LAGS", ARGUMENT_INT, AT(newey_west), .help = "Newey-West standard errors of alphas [plain OLS]", 0,
     10000, "a number of lags"},
    {"bootstrap", "B", ARGUMENT_INT, AT(bootstrap), .help = "Resamples behind bootstrap intervals [1000]", 1, 1e6,
     "a number of resamples"},
    {"hjd-weighting", "second-moment|covariance", ARGUMENT_SECOND, AT(hjd_covariance),
     .help = "Weighting matrix of the Hansen-Jagannathan distance [second-moment]", .what = "second-moment|covariance"},
    {"hjd-root", NULL, ARGUMENT_FLAG, AT(hjd_root), .help = "Square root of the Hansen-Jagannathan distance [squared]"},
    {"seed", "N", ARGUMENT_LONG, AT(seed), .help = "Seed of the bootstrap [1]", 0, 0x1p63},
    {0},
};

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
