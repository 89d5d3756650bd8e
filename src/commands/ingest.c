/* aipm ingest: real data to a panel: stocks and factors, or files of prices (--ohlcv). What can be said of a source stands with the
 * source (include/ingest/ingest.h). */
#include <argp.h>
#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "commands/commands.h"
#include "ingest/ingest.h"

#define AT(member) offsetof(struct ingest_options, member)
static const struct source_option common[] = {
    {"output", "PANEL", SOURCE_TEXT, AT(output), .help = "the panel file to write"},
    {"characteristics", "LIST|FILE", SOURCE_TEXT, AT(characteristics),
     .help = "of prices: some of those below, separated by commas; of stocks: names separated by commas, a file of names, "
             "or `jkp` for JKP's 153; default: those 153 in a file that has excntry, else every numeric column that is no "
             "known identifier, price, return or flag"},
    {"frequency", "NAME", SOURCE_TEXT, AT(frequency),
     .help = "stocks: monthly (default; a row belongs to its calendar month) or daily; --ohlcv: hourly, daily, weekly, "
             "monthly, or as 5-minute, 4-hourly (default: by the median spacing of the dates)"},
    {"from", "YYYYMMDD", SOURCE_DATE, AT(from), .help = "first formation date", .low = 18000101, .high = 21991231},
    {"to", "YYYYMMDD", SOURCE_DATE, AT(to), .help = "last formation date", .low = 18000101, .high = 21991231},
    {"any-volatility", NULL, SOURCE_FLAG, AT(any_volatility),
     .help = "take returns whose monthly volatility lies outside [0.3%, 30%] (factors; of all stocks together 100%), as a "
             "file in percent would"},
    {"memory-mb", "N", SOURCE_MEGA, AT(memory),
     .help = "rows that a rank holds before the rest goes to a temporary file beside the panel (default 1024)", .low = 0,
     .high = 1e9},
    {0},
};

enum { MOST_OPTIONS = 80, KEY_QUIET = 255, KEY_FIRST = 256 };
struct ingest_arguments {
    struct ingest_options o;
    int options;
    struct {
        const struct source_class *source; /* NULL: common */
        const struct source_option *option;
    } option[MOST_OPTIONS];                         /* by key - KEY_FIRST */
    const struct source_option *seen[MOST_OPTIONS]; /* by source: the first of its options that was given */
    char *text[2 * INGEST_FACTORS + 4];             /* copies of FILE,percent taken apart */
    int texts;
};

static void list_options(struct ingest_arguments *a, const struct source_class *source, const struct source_option *of,
                         int group, struct argp_option **out)
{
    *(*out)++ = (struct argp_option){.doc = source ? source->summary : "Every panel", .group = group};
    for (; of && of->name; of++) {
        require(a->options < MOST_OPTIONS);
        a->option[a->options].source = source;
        a->option[a->options].option = of;
        *(*out)++ = (struct argp_option){.name = of->name,
                                         .key = !strcmp(of->name, "output") ? 'o' : KEY_FIRST + a->options,
                                         .arg = of->argument,
                                         .doc = of->help,
                                         .group = group};
        a->options++;
    }
}

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

static error_t factors(struct ingest_arguments *a, const char *arg, struct argp_state *state)
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

static bool is_word(const char *arg, const char *words)
{
    size_t n = strlen(arg);
    for (const char *w = words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL)
        if (strcspn(w, "|") == n && !memcmp(w, arg, n)) return true;
    return false;
}

static error_t take(struct ingest_arguments *a, const struct source_option *of, char *arg, struct argp_state *state)
{
    char *at = (char *)&a->o + of->at;
    double v = 0;
    bool numeric = of->type == SOURCE_INT || of->type == SOURCE_REAL || of->type == SOURCE_DATE || of->type == SOURCE_MEGA;
    if (numeric) {
        error_t bad = arguments_real(state, of->name, "a number", arg, of->low, of->high, &v);
        if (bad) return bad;
    }
    switch (of->type) {
    case SOURCE_FLAG: *(bool *)at = true; break;
    case SOURCE_TEXT: *(const char **)(void *)at = arg; break;
    case SOURCE_INT: *(int *)(void *)at = (int)v; break;
    case SOURCE_REAL: *(double *)(void *)at = v; break;
    case SOURCE_DATE: *(int64_t *)(void *)at = (int64_t)v; break;
    case SOURCE_MEGA: *(size_t *)(void *)at = (size_t)(v * 1e6); break;
    case SOURCE_WORD:
        if (!is_word(arg, of->words))
            return arguments_fail(state, "--%s: found '%s'; needed: %.*s or %s", of->name, arg, (int)strcspn(of->words, "|"),
                                  of->words, strchr(of->words, '|') + 1);
        *(const char **)(void *)at = arg;
        break;
    case SOURCE_FILE:
        if (*(const char **)(void *)at) return arguments_fail(state, "--%s: found twice", of->name);
        *((bool *)&a->o + of->unit) = take_unit(a, arg, (char **)(void *)at);
        break;
    case SOURCE_FILES: return factors(a, arg, state);
    case SOURCE_INPUTS: a->o.price[a->o.prices++] = arg; break;
    }
    return 0;
}

/* What must hold between options. */
static error_t finish(struct ingest_arguments *a, struct argp_state *state)
{
    const struct source_class *const *s = source_classes(), *rows = NULL;
    struct error e = {""};
    bool any = false;
    if (!a->o.output) return arguments_fail(state, "needed: -o PANEL");
    for (int k = 0; s[k]; k++) {
        bool given = s[k]->given(&a->o);
        if (!given && a->seen[k])
            return arguments_fail(state, "--%s: found an option of %s without --%s; needed: --%s FILE", a->seen[k]->name,
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

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct ingest_arguments *a = state->input;
    if (key == KEY_QUIET) return log_set_quiet(true), 0;
    if (key == 'o') return take(a, &common[0], arg, state);
    if (key == ARGP_KEY_ARG) {
        a->o.price[a->o.prices++] = arg;
        return 0;
    }
    if (key == ARGP_KEY_END) return finish(a, state);
    if (key < KEY_FIRST || key >= KEY_FIRST + a->options) return ARGP_ERR_UNKNOWN;
    const struct source_class *const *s = source_classes(), *of = a->option[key - KEY_FIRST].source;
    for (int k = 0; s[k]; k++)
        if (s[k] == of && !a->seen[k]) a->seen[k] = a->option[key - KEY_FIRST].option;
    return take(a, a->option[key - KEY_FIRST].option, arg, state);
}

int command_ingest(int argc, char **argv, struct team *world)
{
    struct ingest_arguments a = {.o = INGEST_DEFAULTS};
    struct argp_option options[MOST_OPTIONS + 8] = {{0}}, *end = options;
    int group = 1;
    list_options(&a, NULL, common, group++, &end);
    for (const struct source_class *const *s = source_classes(); *s; s++) list_options(&a, *s, (*s)->options, group++, &end);
    *end++ =
        (struct argp_option){.name = "quiet", .key = KEY_QUIET, .doc = "warnings, errors and the table only", .group = 1};
    struct argp argp = {.options = options,
                        .parser = parse,
                        .args_doc = "[--stocks FILE] [--factors NAME=FILE]... -o PANEL\n--ohlcv FILE... -o PANEL",
                        .doc =
                            "Make a panel of real data: filter the sample, rank characteristics within each "
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
    struct error e = {""};
    a.o.price = memory_array(char *, argc, "price files");
    int status = arguments_parse(&argp, argc, argv, &a);
    if (status == -1) {
        status = ingest(&a.o, world, &e) ? EXIT_INPUT : EXIT_DONE;
        if (status && log_speaks()) error_print(&e);
    }
    for (int k = 0; k < a.texts; k++) memory_free(a.text[k]);
    memory_free(a.o.price);
    return status;
}
