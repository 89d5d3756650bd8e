/* aipm ingest: real data to a panel: stocks and factors, or files of prices (--ohlcv). What can be said of a source stands with the
 * source (include/ingest/ingest.h). */
#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "commands/commands.h"
#include "ingest/ingest.h"

#define AT(member) offsetof(struct ingest_options, member)
static const struct argument common[] = {
    {"output", "PANEL", ARGUMENT_TEXT, AT(output), .help = "the panel file to write"},
    {"characteristics", "LIST|FILE", ARGUMENT_TEXT, AT(characteristics),
     .help = "of prices: some of those below, separated by commas; of stocks: names separated by commas, a file of names, "
             "or `jkp` for JKP's 153; default: those 153 in a file that has excntry, else every numeric column that is no "
             "known identifier, price, return or flag"},
    {"frequency", "NAME", ARGUMENT_TEXT, AT(frequency),
     .help = "stocks: monthly (default; a row belongs to its calendar month) or daily; --ohlcv: hourly, daily, weekly, "
             "monthly, or as 5-minute, 4-hourly (default: by the median spacing of the dates)"},
    {"from", "YYYYMMDD", ARGUMENT_DATE, AT(from), .help = "first formation date", .low = 18000101, .high = 21991231},
    {"to", "YYYYMMDD", ARGUMENT_DATE, AT(to), .help = "last formation date", .low = 18000101, .high = 21991231},
    {"any-volatility", NULL, ARGUMENT_FLAG, AT(any_volatility),
     .help = "take returns whose monthly volatility lies outside [0.3%, 30%] (factors; of all stocks together 100%), as a "
             "file in percent would"},
    {"memory-mb", "N", ARGUMENT_MEGA, AT(memory),
     .help = "rows that a rank holds before the rest goes to a temporary file beside the panel (default 1024)", .low = 0,
     .high = 1e9},
    {"quiet", NULL, ARGUMENT_QUIET, 0, .help = "warnings, errors and the table only"},
    {0},
};

struct ingest_arguments {
    struct ingest_options o;
    const struct argument *seen[ARGUMENT_GROUPS]; /* by group: the first of its options that was given */
    char *text[2 * INGEST_FACTORS + 4];           /* copies of FILE,percent taken apart */
    int texts;
};

/* FILE[,percent]: a copy without the unit in *file; whether it says percent. */
static bool take_unit(struct ingest_arguments *a, const char *text, char **file)
{
    require((size_t)a->texts < sizeof a->text / sizeof *a->text);
    char *copy = a->text[a->texts++] = memory_text(text), *comma = strrchr(copy, ',');
    bool percent = comma && !strcmp(comma, ",percent"), decimal = comma && !strcmp(comma, ",decimal");
    if (percent || decimal) *comma = '\0';
    *file = copy;
    return percent;
}

static int factors(struct ingest_arguments *a, const char *arg, struct argp_state *state)
{
    struct ingest_options *o = &a->o;
    const char *equals = strchr(arg, '=');
    if (o->factors == INGEST_FACTORS) return arguments_fail(state, "--factors: found more than %d", INGEST_FACTORS);
    if (!equals || equals == arg || !equals[1])
        return arguments_fail(state, "--factors: found '%s'; needed: NAME=FILE or NAME=FILE,percent", arg);
    struct ingest_factors *f = &o->factor[o->factors];
    char *whole;
    f->percent = take_unit(a, arg, &whole);
    whole[equals - arg] = '\0';
    f->name = whole;
    f->file = whole + (equals - arg) + 1;
    for (const char *p = f->name; *p; p++)
        if (!strchr("_-.", *p) && !isalnum((unsigned char)*p))
            return arguments_fail(state, "--factors: found name '%s'; needed: letters, digits, '_', '-' and '.'", f->name);
    for (int k = 0; k < o->factors; k++)
        if (!strcmp(o->factor[k].name, f->name)) return arguments_fail(state, "--factors: found '%s' twice", f->name);
    o->factors++;
    return 0;
}

static int input(void *into, char *file, struct argp_state *state)
{
    struct ingest_arguments *a = into;
    (void)state;
    a->o.price[a->o.prices++] = file;
    return 0;
}

static int own(void *into, const struct argument *of, char *value, struct argp_state *state)
{
    struct ingest_arguments *a = into;
    char **file = (char **)(void *)((char *)&a->o + of->at);
    if (of->at == AT(factor)) return factors(a, value, state);
    if (of->at == AT(price)) return input(a, value, state);
    if (*file) return arguments_fail(state, "--%s: found twice", of->name);
    *((bool *)&a->o + of->unit) = take_unit(a, value, file);
    return 0;
}

static void seen(void *into, int group, const struct argument *of)
{
    struct ingest_arguments *a = into;
    if (!a->seen[group]) a->seen[group] = of;
}

/* What must hold between options. */
static int finish(void *into, struct argp_state *state)
{
    const struct ingest_arguments *a = into;
    const struct source_class *const *s = source_classes(), *rows = NULL;
    struct error e = {""};
    bool any = false;
    if (!a->o.output) return arguments_fail(state, "needed: -o PANEL");
    for (int k = 0; s[k]; k++) {
        bool given = s[k]->given(&a->o);
        if (!given && a->seen[k + 1])
            return arguments_fail(state, "--%s: found an option of %s without --%s; needed: --%s FILE", a->seen[k + 1]->name,
                                  s[k]->name, s[k]->flag, s[k]->flag);
        if (!given) continue;
        any = true;
        if (s[k]->rows && rows && strcmp(rows->flag, s[k]->flag))
            return arguments_fail(state, "--%s: --%s is there too; needed: one or the other", s[k]->flag, rows->flag);
        if (s[k]->rows) rows = s[k];
    }
    if (!any) return arguments_fail(state, "needed: --stocks, --factors, --test-assets or --ohlcv");
    for (int k = 0; s[k]; k++)
        if (s[k]->given(&a->o) && s[k]->check && s[k]->check(&a->o, &e)) return arguments_fail(state, "%s", e.text);
    return 0;
}

int command_ingest(int argc, char **argv, struct team *world)
{
    struct ingest_arguments a = {.o = INGEST_DEFAULTS};
    struct command_line line = {
        .group = {{.title = "Every panel", .list = common}},
        .argument = input,
        .own = own,
        .seen = seen,
        .finish = finish,
        .files = "[--stocks FILE] [--factors NAME=FILE]... -o PANEL\n--ohlcv FILE... -o PANEL",
        .doc = "Make a panel of real data: filter the sample, rank characteristics within each "
               "period, and write it in parallel."
               "\vFilters, in order: dates and country, JKP's flags, characteristics missing "
               "too often, rows missing too many of the rest, nano stocks; then "
               "ranks in [-0.5, 0.5] among all that are left, missing values 0, and rows that "
               "no return follows are dropped. Every count is printed by year "
               "and kept in the panel's group audit/.\n\n"
               "Prices (--ohlcv): the calendar is the union of all files' dates. log_return, intraday_return, "
               "range, relative_volume (over the mean of 20), volatility (of 20 log returns), rsi (14), macd, "
               "macd_signal and macd_histogram (12, 26, 9; over close) come from the asset's own rows up to "
               "the date; an asset has a row where all of them are known and it has prices on the date, the "
               "date before and the next formation date: nothing is filled in, no return bridges a gap. "
               "Close is Adj Close where there is one. Counts by file go to the terminal and to audit/, "
               "values before standardisation to ohlcv/features and ohlcv/close."};
    const struct source_class *const *source = source_classes();
    for (int k = 0; source[k]; k++)
        line.group[k + 1] = (struct argument_group){.title = source[k]->summary, .list = source[k]->options};
    struct error e = {""};
    a.o.price = memory_array(char *, argc, "price files");
    int status = arguments_read(&line, argc, argv, &a);
    if (status == -1) {
        ingest(&a.o, world, &e);
        status = command_end(&e);
    }
    for (int k = 0; k < a.texts; k++) memory_free(a.text[k]);
    memory_free(a.o.price);
    return status;
}
