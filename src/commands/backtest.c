/* aipm backtest: saved portfolios held over the panel's returns, rebalanced and paid for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "commands/commands.h"
#include "commands/results_arguments.h"
#include "io/results_file.h"
#include "report/backtest_tables.h"

struct backtest_arguments {
    const char *results, *folder;
    struct backtest_options backtest;
};

#define AT(member) offsetof(struct backtest_arguments, member)
static const struct argument arguments[] = {
    {"panel", "PANEL", ARGUMENT_TEXT, AT(backtest.panel), .help = "panel file, where it is no longer in the study's place"},
    {"rebalance", "K", ARGUMENT_INT, AT(backtest.rebalance), .help = "set the weights at every K-th date (1)", 1, 1e6,
     "a number of periods"},
    {"cost", "BP", ARGUMENT_REAL, AT(backtest.cost_bp), .help = "basis points of what is traded, one way (10)", 0, 10000,
     "basis points"},
    {"gross", "G", ARGUMENT_REAL, AT(backtest.gross),
     .help = "scale weights to this sum of absolute shares; 0: as they are (1)", 0, 1000, "a gross exposure"},
    {"from", "DATE", ARGUMENT_DATE, AT(backtest.from), .help = "first formation date, YYYYMMDD or YYYY-MM-DD"},
    {"to", "DATE", ARGUMENT_DATE, AT(backtest.to), .help = "last formation date"},
    {"against", "MODEL", ARGUMENT_TEXT, AT(backtest.against), .help = "compare with this model, too, universe by universe"},
    {"output", "DIR", ARGUMENT_TEXT, AT(folder),
     .help = "folder for tables, paths and figures (RESULTS without .h5, .backtest)"},
    {0},
};

static int finish(void *into, struct argp_state *state)
{
    const struct backtest_arguments *a = into;
    const struct backtest_options *o = &a->backtest;
    if (!a->results) return arguments_fail(state, "needed: a results file");
    if (o->from && o->to && o->from > o->to)
        return arguments_fail(state, "--from %lld --to %lld: found a range that ends before it begins", (long long)o->from,
                              (long long)o->to);
    return 0;
}

int command_backtest(int argc, char **argv, struct team *world)
{
    (void)world;
    static const struct command_line line = {
        .group = {{.list = arguments}},
        .what = "results file",
        .file = AT(results),
        .finish = finish,
        .files = "RESULTS",
        .doc = "Hold each model's saved weights (a study run with save_weights: true) over the panel's realised returns. At "
               "every K-th date the portfolio is set to the weights, in between its holdings drift; costs are paid on what "
               "is traded against the drifted holdings, the first purchase included; an asset that leaves the panel is "
               "sold at its last value; wealth compounds. Beside the models: equal weights of their universe's assets under "
               "the same rules, and the difference in Sharpe ratios with its t. The panel must be the study's: its digest "
               "is checked.\v"
               "Examples:\n  aipm backtest results/demo.h5\n"
               "  aipm backtest results/demo.h5 --rebalance 5 --cost 20 --against without_cross -o tables/weekly"};
    struct backtest_arguments a = {.backtest = BACKTEST_DEFAULT};
    int status = arguments_read(&line, argc, argv, &a);
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
    return command_end(&e);
}
