/* aipm inspect: the attention of a fitted transformer at one date, from its saved parameters. */
#include <argp.h>
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "commands/commands.h"
#include "commands/results_arguments.h"
#include "io/results_file.h"
#include "io/table.h"
#include "report/attention_links.h"

struct inspect_arguments {
    const char *results, *folder;
    struct attention_options attention;
};

enum { KEY_DATE = 256, KEY_BLOCK, KEY_HEAD, KEY_SEED, KEY_MODEL, KEY_UNIVERSE, KEY_PANEL, KEY_LINKS };

static const struct argp_option options[] = {
    {.name = "date", .key = KEY_DATE, .arg = "YYYYMMDD", .doc = "formation date; needed"},
    {.name = "block", .key = KEY_BLOCK, .arg = "K", .doc = "transformer block, from 1 (1)"},
    {.name = "head", .key = KEY_HEAD, .arg = "H", .doc = "attention head, from 1 (the mean over heads)"},
    {.name = "seed", .key = KEY_SEED, .arg = "S", .doc = "which seed's fit, from 0 (0)"},
    {.name = "model", .key = KEY_MODEL, .arg = "NAME", .doc = "model as the results name it (the first transformer)"},
    {.name = "universe", .key = KEY_UNIVERSE, .arg = "NAME", .doc = "universe (the study's first)"},
    {.name = "panel", .key = KEY_PANEL, .arg = "PANEL", .doc = "panel file, where it is no longer in the study's place"},
    {.name = "links", .key = KEY_LINKS, .arg = "N", .doc = "strongest links listed (100)"},
    {.name = "output", .key = 'o', .arg = "DIR", .doc = "folder for the tables (RESULTS without .h5, .attention)"},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct inspect_arguments *a = state->input;
    struct attention_options *o = &a->attention;
    switch (key) {
    case KEY_MODEL: o->model = arg; return 0;
    case KEY_UNIVERSE: o->universe = arg; return 0;
    case KEY_PANEL: o->panel = arg; return 0;
    case 'o': a->folder = arg; return 0;
    case KEY_DATE:
        if (!table_argument_date(arg, &o->date)) return 0;
        return arguments_fail(state, "--date: found '%s'; needed: a date as YYYYMMDD", arg);
    case KEY_BLOCK: return arguments_count(state, "block", "a whole number", arg, 1, 1000000, &o->block);
    case KEY_HEAD: return arguments_count(state, "head", "a whole number", arg, 1, 1000000, &o->head);
    case KEY_LINKS: return arguments_count(state, "links", "a whole number", arg, 1, 1000000, &o->links);
    case KEY_SEED: return arguments_count(state, "seed", "a whole number", arg, 0, 1000000, &o->seed);
    case ARGP_KEY_ARG: return arguments_one(state, &a->results, arg, "results file");
    case ARGP_KEY_END:
        if (!a->results || !o->date) return arguments_fail(state, "needed: a results file and --date");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void print_summary(const struct attention *r, const struct table *assets, const char *folder)
{
    double entropy = 0, self = 0;
    for (int i = 0; i < r->n; i++) entropy += r->entropy[i] / r->n, self += r->self[i] / r->n;
    printf("%lld: %d assets; mean entropy %.3f of %.3f if even; mean weight on itself %.4f\n", (long long)r->date, r->n,
           entropy, log(r->n), self);
    for (int k = 0; k < assets->rows && k < 5; k++)
        printf("  leader %d: asset %lld, receives %.3f\n", k + 1, (long long)table_at(assets, k, 0)->number,
               table_at(assets, k, 1)->number);
    printf("links and assets: %s\n", folder);
}

static void inspect(const struct inspect_arguments *a, const struct results *results, struct team *alone, struct error *e)
{
    char folder[4096];
    struct attention r;
    if (attention_read(results, &a->attention, alone, &r, e)) return;
    if (r.fitted != r.date)
        log_warn("no parameters of %lld: those of %lld are used", (long long)r.date, (long long)r.fitted);
    struct table *links = attention_links(&r), *assets = attention_assets(&r);
    results_folder(a->results, ".attention", a->folder, folder, sizeof folder);
    if (!table_write(links, folder, e) && !table_write(assets, folder, e)) print_summary(&r, assets, folder);
    table_free(links);
    table_free(assets);
    attention_free(&r);
}

int command_inspect(int argc, char **argv, struct team *world)
{
    static const struct argp argp = {.options = options,
                                     .parser = parse,
                                     .args_doc = "RESULTS",
                                     .doc =
                                         "Read the attention of a transformer at one date, from RESULTS.parameters of a "
                                         "study run with save_parameters: true. "
                                         "Writes links (the strongest, an asset's weight on itself left out) and assets "
                                         "(what each receives from others and gives "
                                         "to them, entropy of its attention), leaders first, as CSV, Markdown and LaTeX.\v"
                                         "Example:\n  aipm inspect results/demo.h5 --date 20151231 --block 2"};
    struct inspect_arguments a = {.attention = {.block = 1, .links = 100}};
    int status = arguments_parse(&argp, argc, argv, &a);
    if (status >= 0) return status;
    struct error e = {""};
    struct team *alone = team_split(world, team_rank(world));
    if (team_rank(world) == 0) {
        struct results r;
        if (!results_load(a.results, &r, &e)) {
            inspect(&a, &r, alone, &e);
            results_free(&r);
        }
        if (error_is_set(&e)) error_print(&e);
    }
    team_close(alone);
    return team_agree(world, &e) ? EXIT_INPUT : EXIT_DONE;
}
