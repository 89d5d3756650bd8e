/* aipm run: train a study. */
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

#define AT(member) offsetof(struct run_arguments, member)
static const struct argument arguments[] = {
    {"panel", "PANEL", ARGUMENT_TEXT, AT(options.panel), .help = "panel file, instead of the study's"},
    {"output", "RESULTS", ARGUMENT_TEXT, AT(options.output), .help = "results file, instead of the study's"},
    {"resume", NULL, ARGUMENT_FLAG, AT(options.resume),
     .help = "go on with the finished rows in RESULTS.parts/, on any number of ranks; a complete RESULTS is left as it is"},
    {"checkpoint-seconds", "S", ARGUMENT_REAL, AT(options.checkpoint_seconds),
     .help = "finished rows are forced to disk at least this often (default 30)", 0, DBL_MAX, "seconds"},
    {"apply", "PARAMETERS", ARGUMENT_TEXT, AT(options.apply),
     .help =
         "do not train: use the parameters in this folder (RESULTS.parameters of a run with save_parameters), those of each "
         "date "
         "or the latest before it"},
    {"watchdog-seconds", "S", ARGUMENT_REAL, AT(options.watchdog_seconds),
     .help = "a rank silent for so long, a lost host or a file system that does not answer ends the job with status 75 "
             "(default 60; "
             "0: never)",
     0, DBL_MAX, "seconds"},
    {"verify", "SHARE", ARGUMENT_REAL, AT(options.verify),
     .help = "compute this share of the fits (0 to 1) once more on another rank and compare every bit; a rank that computes "
             "other bits than others is named, with its host, and all its fits are done again elsewhere (on one rank only "
             "faults that pass are seen). It costs that share of the processor time: where a fit by itself costs more than "
             "one that follows another, fewer are verified, and what cannot be for so little is said. Of a chain of warm "
             "starts the first rows are verified. Not verified: the panel as it is read, and its moments; fits that several "
             "ranks share (ranks: of a model)",
     0, 1, "share of fits"},
    {"placebo", "WHAT", ARGUMENT_OWN, 0,
     .help =
         "train where there is nothing to find: returns (shuffled among the assets of each period), signs (flipped by "
         "period), "
         "periods (permuted), iid (of each period's mean and spread) or characteristics[=K] (each asset's own of K periods "
         "earlier, default 12; zeros where it has none); or on less than the panel holds: noise=X (added to "
         "characteristics, X "
         "times their spread), without=NAME,NAME...; results go to OUTPUT.placebo-WHAT.h5 unless -o says otherwise"},
    {"explain", NULL, ARGUMENT_FLAG, AT(explain), .help = "print every key of a study file and every option of every model"},
    {"quiet", NULL, ARGUMENT_QUIET, 0, .help = "warnings and errors only"},
    {0},
};

static int placebo(void *into, const struct argument *of, char *value, struct argp_state *state)
{
    (void)of;
    struct run_arguments *a = into;
    struct error found = {""};
    return placebo_parse(value, &a->options.placebo, &found) ? arguments_fail(state, "--%s", found.text) : 0;
}

static int finish(void *into, struct argp_state *state)
{
    const struct run_arguments *a = into;
    return a->study || a->explain ? 0 : arguments_fail(state, "needed: a study file");
}

static void print_line(const char *line)
{
    puts(line);
}

int command_run(int argc, char **argv, struct team *world)
{
    static const struct command_line line = {
        .group = {{.list = arguments}},
        .what = "study file",
        .file = AT(study),
        .own = placebo,
        .finish = finish,
        .files = "STUDY.yaml",
        .doc =
            "Train the study's models in rolling windows and write their out-of-sample SDF returns to the results file.\v"
            "A study file names a panel, an output and models:\n\n"
            "  study: demo\n  panel: data/demo.h5\n  output: results/demo.h5\n  window: 60\n  models:\n"
            "    - {name: bsv, kind: bsv}\n    - {name: linear, kind: linear_transformer, heads: [1, 2, 4]}\n\n"
            "aipm run --explain lists every key. SIGUSR1 or SIGTERM: rows in hand are finished and saved, exit status 75; "
            "run again with --resume. Progress goes to stderr and, a line a minute, to RESULTS.log."};
    struct run_arguments a = {.options = {.checkpoint_seconds = 30, .watchdog_seconds = 60}};
    int status = arguments_read(&line, argc, argv, &a);
    if (status >= 0) return status;
    if (a.explain) {
        if (log_speaks()) study_explain(print_line);
        return EXIT_DONE;
    }
    struct error e = {""};
    struct study s;
    blas_one_thread();
    if (blas_warning()) log_warn("%s", blas_warning());
    status = EXIT_INPUT;
    if (!study_load(world, a.study, &s, &e)) {
        status = study_run(world, &s, &a.options, &e);
        study_free(&s);
    }
    if (error_is_set(&e) && log_speaks()) error_print(&e);
    return status;
}
