/* aipm trial: a study before a sceptical referee. */
#include <argp.h>
#include <stdint.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/memory.h"
#include "commands/commands.h"
#include "io/yaml.h"
#include "linalg/eigen.h"
#include "report/trial_page.h"
#include "study/trial.h"

struct trial_arguments {
    const char *study, *folder;
    struct trial_options trial;
    double checkpoint_seconds, watchdog_seconds;
    bool plan, rules, quiet;
};
enum {
    KEY_PANEL = 256,
    KEY_THEMES,
    KEY_SEEDS,
    KEY_BUDGET,
    KEY_NETWORKS,
    KEY_PLAN,
    KEY_RULES,
    KEY_CHECKPOINT,
    KEY_WATCHDOG,
    KEY_QUIET
};

static const struct argp_option options[] = {
    {.name = "output", .key = 'o', .arg = "DIR", .doc = "folder of the trial: runs/, tables/, figures/, index.html; needed"},
    {.name = "panel", .key = KEY_PANEL, .arg = "PANEL", .doc = "panel file, instead of the study's"},
    {.name = "themes",
     .key = KEY_THEMES,
     .arg = "FILE.csv",
     .doc = "themes of characteristics, a header and rows NAME,THEME (as jkp_cluster_labels.csv); without it themes are the "
            "names' parts before the first underscore where that makes 2 to 6, else the characteristics themselves, or four "
            "blocks of them in alphabetical order"},
    {.name = "seeds",
     .key = KEY_SEEDS,
     .arg = "N",
     .doc = "draws of every placebo (default: what the budget holds, 1 to 20)"},
    {.name = "budget",
     .key = KEY_BUDGET,
     .arg = "X",
     .doc = "most that the trial may cost, in units of what the study itself costs (30)"},
    {.name = "networks", .key = KEY_NETWORKS, .doc = "networks take part, too: mind the cost"},
    {.name = "plan", .key = KEY_PLAN, .doc = "say what the trial will run and cost, and stop"},
    {.name = "rules", .key = KEY_RULES, .doc = "print the rules by which verdicts follow from the numbers, and stop"},
    {.name = "checkpoint-seconds",
     .key = KEY_CHECKPOINT,
     .arg = "S",
     .doc = "finished rows are forced to disk at least this often (default 30)"},
    {.name = "watchdog-seconds", .key = KEY_WATCHDOG, .arg = "S", .doc = "as in aipm run (default 60; 0: never)"},
    {.name = "quiet", .key = KEY_QUIET, .doc = "warnings and errors only"},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct trial_arguments *a = state->input;
    switch (key) {
    case 'o': a->folder = arg; return 0;
    case KEY_PANEL: a->trial.panel = arg; return 0;
    case KEY_THEMES: a->trial.themes = arg; return 0;
    case KEY_SEEDS: return arguments_count(state, "seeds", "a number of seeds", arg, 1, 100, &a->trial.seeds);
    case KEY_BUDGET: return arguments_real(state, "budget", "a number", arg, 1, DBL_MAX, &a->trial.budget);
    case KEY_NETWORKS: a->trial.networks = true; return 0;
    case KEY_PLAN: a->plan = true; return 0;
    case KEY_RULES: a->rules = true; return 0;
    case KEY_CHECKPOINT:
        return arguments_real(state, "checkpoint-seconds", "a number", arg, 0, DBL_MAX, &a->checkpoint_seconds);
    case KEY_WATCHDOG: return arguments_real(state, "watchdog-seconds", "a number", arg, 0, DBL_MAX, &a->watchdog_seconds);
    case KEY_QUIET: log_set_quiet(a->quiet = true); return 0;
    case ARGP_KEY_ARG: return arguments_one(state, &a->study, arg, "study file");
    case ARGP_KEY_END:
        if (a->rules) return 0;
        if (!a->study) return arguments_fail(state, "needed: a study file");
        if (!a->folder && !a->plan) return arguments_fail(state, "needed: -o DIR");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void print_line(FILE *out, const char *line)
{
    fprintf(out, "%s\n", line);
}

/* --help ends with the rules. argp frees what it is given. */
static char *add_rules(int key, const char *text, void *unused)
{
    (void)unused;
    if (key != ARGP_KEY_HELP_POST_DOC) return (char *)(uintptr_t)text;
    char *all = NULL;
    size_t size;
    FILE *out = open_memstream(&all, &size);
    if (!out) return (char *)(uintptr_t)text;
    fprintf(out, "%s\n\nThe rules:\n", text);
    trial_explain(print_line, out);
    fclose(out);
    return all;
}

static void print_plan(const struct trial *t, const double *seconds, int ranks)
{
    static const char *const part[TRIAL_PARTS] = {"the study", "placebos",        "noise in characteristics",
                                                  "filters",   "themes left out", "specifications"};
    double all = 0;
    char took[32];
    printf("%-28s %8s %14s %14s\n", "part", "runs", "times the study", "time");
    for (int p = 0; p < TRIAL_PARTS; p++) {
        double cost = 0, time = 0;
        int runs = 0;
        for (int v = 0; v < t->n; v++)
            if ((int)t->variant[v].part == p) runs++, cost += t->variant[v].cost, time += seconds[v];
        printf("%-28s %8d %14.1f %14s\n", part[p], runs, cost, format_duration(time, took));
        all += time;
    }
    printf("%-28s %8d %14.1f %14s   on %d rank%s\n", "all", t->n, t->cost, format_duration(all, took), ranks,
           ranks == 1 ? "" : "s");
    printf("%d draw%s of every placebo; themes: %s", t->seeds, t->seeds == 1 ? "" : "s", t->theme_rule);
    printf(*t->left_out ? "; takes no part: %s\n" : "%s\n", escape_shown(t->left_out));
}

static int try_study(struct team *world, const struct trial_arguments *a, const struct trial *t, struct error *e)
{
    int status = EXIT_INPUT;
    double *seconds = memory_array(double, t->n, "forecast");
    if (!trial_forecast(world, t, seconds, e)) {
        if (log_speaks() && (a->plan || !a->quiet)) print_plan(t, seconds, team_size(world));
        status = EXIT_DONE;
        if (!a->plan)
            status = trial_run(world, t, a->folder, seconds, a->quiet, a->checkpoint_seconds, a->watchdog_seconds, e);
        if (!a->plan && status == EXIT_DONE && team_rank(world) == 0) trial_write(t, a->folder, e);
        if (team_agree(world, e)) status = EXIT_INPUT;
    }
    memory_free(seconds);
    return status;
}

int command_trial(int argc, char **argv, struct team *world)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .help_filter = add_rules,
        .args_doc = "STUDY.yaml -o DIR",
        .doc =
            "Put a study before a sceptical referee: run it again on placebos (returns shuffled, signs flipped, periods "
            "permuted, iid returns, lagged characteristics), with noise in its characteristics, without microcaps, without "
            "each theme, under other windows, factor scales and penalty grids; hold it against the market, short-term "
            "reversal and volatility-timed momentum; and say what follows.\v"
            "  aipm trial jobs/us-stocks.yaml --plan\n"
            "  mpirun -n 8 aipm trial jobs/us-stocks.yaml -o trials/us-stocks --themes jkp_cluster_labels.csv\n"
            "  aipm trial jobs/us-stocks.yaml -o trials/us-stocks --seeds 20 --budget 150\n\n"
            "Every run is a study of its own in DIR/runs; stopped or killed, the same command goes on where it was, on any "
            "number of ranks. Closed-form models of the study's first universe take part, networks with --networks. "
            "DIR/index.html has the verdicts first: nothing, market, reversal, momentum, leak, noise, fragile or stands, "
            "for each model; --rules prints the rules. A verdict `stands` means that these questions found nothing "
            "against it, no more."};
    struct trial_arguments a = {.trial = {.budget = 30}, .checkpoint_seconds = 30, .watchdog_seconds = 60};
    int status = arguments_parse(&argp, argc, argv, &a);
    if (status >= 0) return status;
    if (a.rules) {
        if (log_speaks()) trial_explain(print_line, stdout);
        return EXIT_DONE;
    }
    struct error e = {""};
    struct trial t;
    blas_one_thread();
    status = EXIT_INPUT;
    char *text = team_rank(world) == 0 ? text_file_read(a.study, 1 << 22, &e) : NULL;
    if (!team_agree(world, &e)) {
        char *everywhere = team_broadcast_text(world, text, 0);
        if (!trial_open(world, a.study, everywhere, &a.trial, &t, &e)) status = try_study(world, &a, &t, &e);
        trial_free(&t);
        memory_free(everywhere);
    }
    memory_free(text);
    if (error_is_set(&e) && log_speaks()) error_print(&e);
    return status;
}
