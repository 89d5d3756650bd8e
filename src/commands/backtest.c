/* aipm backtest: saved portfolios held over the panel's returns, rebalanced and paid for. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "commands/commands.h"
#include "commands/results_arguments.h"
#include "io/results_file.h"
#include "report/backtest_tables.h"

enum { KEY_PANEL = 256, KEY_REBALANCE, KEY_COST, KEY_GROSS, KEY_FROM, KEY_TO, KEY_AGAINST };

struct backtest_arguments {
    const char *results, *folder;
    struct backtest_options backtest;
};

static const struct argp_option options[] = {
    {.name = "panel", .key = KEY_PANEL, .arg = "PANEL", .doc = "panel file, where it is no longer in the study's place"},
    {.name = "rebalance", .key = KEY_REBALANCE, .arg = "K", .doc = "set the weights at every K-th date (1)"},
    {.name = "cost", .key = KEY_COST, .arg = "BP", .doc = "basis points of what is traded, one way (10)"},
    {.name = "gross",
     .key = KEY_GROSS,
     .arg = "G",
     .doc = "scale weights to this sum of absolute shares; 0: as they are (1)"},
    {.name = "from", .key = KEY_FROM, .arg = "DATE", .doc = "first formation date, YYYYMMDD or YYYY-MM-DD"},
    {.name = "to", .key = KEY_TO, .arg = "DATE", .doc = "last formation date"},
    {.name = "against", .key = KEY_AGAINST, .arg = "MODEL", .doc = "compare with this model, too, universe by universe"},
    {.name = "output",
     .key = 'o',
     .arg = "DIR",
     .doc = "folder for tables, paths and figures (RESULTS without .h5, .backtest)"},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct backtest_arguments *a = state->input;
    struct backtest_options *o = &a->backtest;
    switch (key) {
    case KEY_PANEL: o->panel = arg; return 0;
    case KEY_AGAINST: o->against = arg; return 0;
    case 'o': a->folder = arg; return 0;
    case KEY_REBALANCE: return arguments_count(state, "rebalance", "a number of periods", arg, 1, 1000000, &o->rebalance);
    case KEY_COST: return arguments_real(state, "cost", "basis points", arg, 0, 10000, &o->cost_bp);
    case KEY_GROSS: return arguments_real(state, "gross", "a gross exposure", arg, 0, 1000, &o->gross);
    case KEY_FROM:
    case KEY_TO:
        if (table_argument_date(arg, key == KEY_FROM ? &o->from : &o->to))
            return arguments_fail(state, "--%s: found '%s'; needed: a date as YYYYMMDD", key == KEY_FROM ? "from" : "to",
                                  arg);
        return 0;
    case ARGP_KEY_ARG: return arguments_one(state, &a->results, arg, "results file");
    case ARGP_KEY_END:
        if (!a->results) return arguments_fail(state, "needed: a results file");
        if (o->from && o->to && o->from > o->to)
            return arguments_fail(state, "--from %lld --to %lld: found a range that ends before it begins",
                                  (long long)o->from, (long long)o->to);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int command_backtest(int argc, char **argv, struct team *world)
{
    (void)world;
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "RESULTS",
        .doc = "Hold each model's saved weights (a study run with save_weights: true) over the panel's realised returns. At "
               "every K-th date the portfolio is set to the weights, in between its holdings drift; costs are paid on what "
               "is traded against the drifted holdings, the first purchase included; an asset that leaves the panel is "
               "sold at its last value; wealth compounds. Beside the models: equal weights of their universe's assets under "
               "the same rules, and the difference in Sharpe ratios with its t. The panel must be the study's: its digest "
               "is checked.\v"
               "Examples:\n  aipm backtest results/demo.h5\n"
               "  aipm backtest results/demo.h5 --rebalance 5 --cost 20 --against without_cross -o tables/weekly"};
    struct backtest_arguments a = {.backtest = BACKTEST_DEFAULT};
    int status = arguments_parse(&argp, argc, argv, &a);
    if (status >= 0) return status;
    struct error e = {""};
    struct results r;
    char folder[4096];
    if (!results_load(a.results, &r, &e)) {
        struct table *t;
        results_folder(a.results, ".backtest", a.folder, folder, sizeof folder);
        if (!backtest_write(&r, &a.backtest, folder, &t, &e)) {
            table_print(t, stdout);
            if (fflush(stdout)) error_set(&e, "standard output: %s", strerror(errno));
            table_free(t);
            log_info("backtest: %s/", folder);
        }
        results_free(&r);
    }
    if (!error_is_set(&e)) return EXIT_DONE;
    error_print(&e);
    return EXIT_INPUT;
}
