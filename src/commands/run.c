/* aipm run: train a study. */
#include <argp.h>
#include <float.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "commands/commands.h"
#include "io/yaml.h"
#include "linalg/eigen.h"
#include "study/driver.h"

struct run_arguments {
    const char *study;
    struct run_options options;
    bool explain;
};

enum {
    KEY_PANEL = 256,
    KEY_RESUME,
    KEY_CHECKPOINT,
    KEY_EXPLAIN,
    KEY_QUIET,
    KEY_APPLY,
    KEY_WATCHDOG,
    KEY_PLACEBO,
    KEY_VERIFY
};

static const struct argp_option options[] = {
    {.name = "panel", .key = KEY_PANEL, .arg = "PANEL", .doc = "panel file, instead of the study's"},
    {.name = "output", .key = 'o', .arg = "RESULTS", .doc = "results file, instead of the study's"},
    {.name = "resume",
     .key = KEY_RESUME,
     .doc = "go on with the finished rows in RESULTS.parts/, on any number of ranks; a complete RESULTS is left as it is"},
    {.name = "checkpoint-seconds",
     .key = KEY_CHECKPOINT,
     .arg = "S",
     .doc = "finished rows are forced to disk at least this often (default 30)"},
    {.name = "apply",
     .key = KEY_APPLY,
     .arg = "PARAMETERS",
     .doc = "do not train: use the parameters in this folder (RESULTS.parameters of a run with save_parameters), those of "
            "each date or the latest before it"},
    {.name = "watchdog-seconds",
     .key = KEY_WATCHDOG,
     .arg = "S",
     .doc = "a rank silent for so long, a lost host or a file system that does not answer ends the job with status 75 "
            "(default 60; 0: never)"},
    {.name = "verify",
     .key = KEY_VERIFY,
     .arg = "SHARE",
     .doc = "compute this share of the fits (0 to 1) once more on another rank and compare every bit; a rank that computes "
            "other bits than others is named, with its host, and all its fits are done again elsewhere (on one rank only "
            "faults that pass are seen); not seen are faults in reading the panel, and fits that ranks share on a grid"},
    {.name = "placebo",
     .key = KEY_PLACEBO,
     .arg = "WHAT",
     .doc =
         "train where there is nothing to find: returns (shuffled among the assets of each period), signs (flipped by "
         "period), periods (permuted), iid (of each period's mean and spread) or characteristics[=K] (each asset's own of "
         "K periods earlier, default 12; zeros where it has none); or on less than the panel holds: noise=X (added to "
         "characteristics, X times their spread), without=NAME,NAME...; results go to OUTPUT.placebo-WHAT.h5 unless -o "
         "says otherwise"},
    {.name = "explain", .key = KEY_EXPLAIN, .doc = "print every key of a study file and every option of every model"},
    {.name = "quiet", .key = KEY_QUIET, .doc = "warnings and errors only"},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct run_arguments *a = state->input;
    switch (key) {
    case KEY_PANEL: a->options.panel = arg; return 0;
    case 'o': a->options.output = arg; return 0;
    case KEY_APPLY: a->options.apply = arg; return 0;
    case KEY_RESUME: a->options.resume = true; return 0;
    case KEY_EXPLAIN: a->explain = true; return 0;
    case KEY_QUIET: log_set_quiet(true); return 0;
    case KEY_CHECKPOINT:
        return arguments_real(state, "checkpoint-seconds", "seconds", arg, 0, DBL_MAX, &a->options.checkpoint_seconds);
    case KEY_VERIFY: return arguments_real(state, "verify", "share of fits", arg, 0, 1, &a->options.verify);
    case KEY_PLACEBO: {
        struct error found = {""};
        return placebo_parse(arg, &a->options.placebo, &found) ? arguments_fail(state, "--%s", found.text) : 0;
    }
    case KEY_WATCHDOG:
        return arguments_real(state, "watchdog-seconds", "seconds", arg, 0, DBL_MAX, &a->options.watchdog_seconds);
    case ARGP_KEY_ARG:
        if (a->study) return arguments_fail(state, "found a second study file '%s'; needed: one", arg);
        a->study = arg;
        return 0;
    case ARGP_KEY_END:
        if (!a->study && !a->explain) return arguments_fail(state, "needed: a study file");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void print_line(const char *line)
{
    puts(line);
}

int command_run(int argc, char **argv, struct team *world)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "STUDY.yaml",
        .doc =
            "Train the study's models in rolling windows and write their out-of-sample SDF returns to the results file.\v"
            "A study file names a panel, an output and models:\n\n"
            "  study: demo\n  panel: data/demo.h5\n  output: results/demo.h5\n  window: 60\n  models:\n"
            "    - {name: bsv, kind: bsv}\n    - {name: linear, kind: linear_transformer, heads: [1, 2, 4]}\n\n"
            "aipm run --explain lists every key. SIGUSR1 or SIGTERM: rows in hand are finished and saved, exit status 75; "
            "run again with --resume. Progress goes to stderr and, a line a minute, to RESULTS.log."};
    struct run_arguments a = {.options = {.checkpoint_seconds = 30, .watchdog_seconds = 60}};
    int status = arguments_parse(&argp, argc, argv, &a);
    if (status >= 0) return status;
    if (a.explain) {
        if (log_speaks()) study_explain(print_line);
        return EXIT_DONE;
    }
    struct error e = {""};
    struct study s;
    blas_one_thread();
    if (blas_warning()) log_warn("%s", blas_warning());
    char *text = team_rank(world) == 0 ? text_file_read(a.study, 1 << 22, &e) : NULL;
    status = EXIT_INPUT;
    if (!team_agree(world, &e)) {
        char *everywhere = team_broadcast_text(world, text, 0);
        if (!study_parse(a.study, everywhere, &s, &e)) {
            status = study_run(world, &s, &a.options, &e);
            study_free(&s);
        }
        memory_free(everywhere);
    }
    memory_free(text);
    if (error_is_set(&e) && log_speaks()) error_print(&e);
    return status;
}
