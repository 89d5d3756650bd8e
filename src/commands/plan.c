/* aipm plan: what a study will cost, and a batch script for it. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/memory.h"
#include "commands/commands.h"
#include "io/panel_file.h"
#include "io/text_file.h"
#include "io/yaml.h"
#include "linalg/eigen.h"
#include "study/plan.h"

struct plan_arguments {
    const char *study, *panel, *script;
    int ranks, cores;
    bool write_script, fresh;
};
enum { KEY_PANEL = 256, KEY_RANKS, KEY_CORES, KEY_SBATCH, KEY_FRESH, KEY_QUIET };

static const struct argp_option options[] = {
    {.name = "panel", .key = KEY_PANEL, .arg = "PANEL", .doc = "panel file, instead of the study's"},
    {.name = "ranks", .key = KEY_RANKS, .arg = "P", .doc = "plan for P ranks; default: a table, and a suggestion"},
    {.name = "cores", .key = KEY_CORES, .arg = "N", .doc = "cores of a node of the cluster (default: as many as here)"},
    {.name = "sbatch",
     .key = KEY_SBATCH,
     .arg = "FILE",
     .flags = OPTION_ARG_OPTIONAL,
     .doc = "write a batch script with the ranks, memory and time of the plan (default STUDY.sbatch)"},
    {.name = "fresh", .key = KEY_FRESH, .doc = "measure again rather than use what the cache knows"},
    {.name = "quiet", .key = KEY_QUIET, .doc = "warnings and errors only"},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct plan_arguments *a = state->input;
    switch (key) {
    case KEY_PANEL: a->panel = arg; return 0;
    case KEY_RANKS: return arguments_count(state, "ranks", "a number of ranks", arg, 1, 1000000, &a->ranks);
    case KEY_CORES: return arguments_count(state, "cores", "a number of cores", arg, 1, 1000000, &a->cores);
    case KEY_SBATCH: a->write_script = true, a->script = arg; return 0;
    case KEY_FRESH: a->fresh = true; return 0;
    case KEY_QUIET: log_set_quiet(true); return 0;
    case ARGP_KEY_ARG:
        if (a->study) return arguments_fail(state, "found a second study file '%s'; needed: one", arg);
        a->study = arg;
        return 0;
    case ARGP_KEY_END: return a->study ? 0 : arguments_fail(state, "needed: a study file");
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void print_work(const struct study *s, const struct calibration *c, int busy)
{
    struct workload w;
    char took[32];
    workload_of(s, c, &w);
    printf("study         %s: %d configurations, %d out-of-sample periods, %lld rows, %lld fits\n", escape_shown(s->name),
           s->configs, s->P, (long long)w.rows, (long long)w.fits);
    printf("work          %.3g Tflop, %s on one rank of this machine\n", w.flops / 1e12, format_duration(w.seconds, took));
    printf("measured      %d configurations in %s, %d known from before; %d rank%s busy, %s\n\n", c->measured,
           format_duration(c->seconds, took), c->cached, busy, busy == 1 ? "" : "s", blas_text());
    printf("%-44s %9s %9s %12s %12s %8s\n", "configuration", "rows", "fits", "Gflop a row", "ms a row", "share");
    double rest = 0;
    int hidden = 0;
    for (int i = 0; i < s->configs; i++) {
        const struct config *k = &s->config[i];
        int seeds = k->layout.seeds, rows = s->P - config_first_row(s, k);
        double work = 0;
        for (int row = config_first_row(s, k); row < s->P; row++) work += config_share(s, k, row) * seeds;
        char name[128];
        if (i >= 24) {
            rest += work * c->row[i];
            hidden++;
            continue;
        }
        snprintf(name, sizeof name, "%s/%s", k->universe->name, k->name);
        printf("%-44.44s %9d %9lld %12.4g %12.4g %7.1f%%\n", name, rows * seeds, (long long)config_fits(s, k) * seeds,
               k->cost.flops / 1e9, 1e3 * c->row[i], w.seconds > 0 ? 100 * work * c->row[i] / w.seconds : 0);
    }
    if (hidden) printf("%-44s %53.1f%%\n", "... and more", 100 * rest / w.seconds);
}

static void print_forecast(const struct forecast *f)
{
    char total[32], pass[32], bytes[32];
    printf("%8d %14s %14s %9.1f%% %8d %14s\n", f->ranks, format_duration(f->seconds, total), format_duration(f->pass, pass),
           100 * f->idle, f->team, format_bytes(f->bytes, bytes));
}

/* As many ranks as keep busy, in powers of two: until the run takes minutes or a fifth of the time is idle. */
static struct forecast suggest(const struct study *s, const struct panel_meta *m, const struct calibration *c)
{
    struct forecast best, next;
    forecast_best(s, m, c, 1, &best);
    for (int ranks = 2; ranks <= 16384 && best.seconds > 300; ranks *= 2) {
        forecast_best(s, m, c, ranks, &next);
        if (next.idle > 0.2 || next.seconds > 0.7 * best.seconds) break;
        best = next;
    }
    return best;
}

/* The study's name as a job's, which SLURM puts into the log's path: what is no letter or digit becomes _. */
static int write_script(const struct plan_arguments *a, const struct study *s, const struct forecast *f, int cores,
                        struct error *e)
{
    char path[4096], job[256];
    snprintf(job, sizeof job, "%s", s->name);
    escape_file_name(job);
    if (a->script) snprintf(path, sizeof path, "%s", a->script);
    else snprintf(path, sizeof path, "%s.sbatch", job);
    int nodes = (f->ranks + cores - 1) / cores;
    long minutes = (long)ceil(1.5 * f->seconds / 60 + 10), mb = (long)ceil((1.25 * f->bytes + 100e6) / 1e6);
    FILE *out = text_file_begin(path, e);
    if (!out) return -1;
    fputs("#!/usr/bin/env bash\n# ", out);
    escape_terminal(out, a->study);
    fprintf(
        out,
        " on %d ranks, as aipm plan found it: half as long again as forecast, and ten minutes.\n"
        "#SBATCH --job-name=%s\n#SBATCH --account=ACCOUNT\n#SBATCH --partition=PARTITION\n#SBATCH --nodes=%d\n#SBATCH "
        "--ntasks=%d\n#SBATCH --mem-per-cpu=%ldM\n"
        "#SBATCH --time=%02ld:%02ld:00\n#SBATCH --signal=B:USR1@120\n#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH "
        "--output=results/%%x-%%j.log\n",
        f->ranks, job, nodes, f->ranks, mb, minutes / 60, minutes % 60);
    fputs("exec \"${AIPM_JOB:-slurm/aipm-job}\" ", out);
    escape_shell(out, a->study);
    if (a->panel) fputs(" --panel ", out), escape_shell(out, a->panel);
    fputs(" \"$@\"\n", out);
    if (text_file_end(out, path, e)) return -1;
    printf("\nwritten       %s: fill in account and partition, then sbatch ", escape_shown(path));
    escape_shell(stdout, path);
    putchar('\n');
    return 0;
}

static void print_plan(const struct plan_arguments *a, const struct study *s, const struct panel_meta *m,
                       const struct calibration *c, int busy, struct error *e)
{
    int here = (int)sysconf(_SC_NPROCESSORS_ONLN), cores = a->cores ? a->cores : here;
    struct forecast f;
    char total[32];
    print_work(s, c, busy);
    printf("\n%8s %14s %14s %10s %8s %14s\n", "ranks", "time", "of it reading", "idle", "a fit", "memory a rank");
    if (a->ranks) {
        forecast_best(s, m, c, a->ranks, &f);
        print_forecast(&f);
    } else {
        static const int shown[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
        for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
            forecast_best(s, m, c, shown[i], &f);
            print_forecast(&f);
            if (f.seconds < 20 || f.idle > 0.6) break;
        }
        f = suggest(s, m, c);
    }
    int nodes = (f.ranks + cores - 1) / cores;
    printf("\nsuggested     %d rank%s on %d node%s of %d cores, ranks_per_fit %d: %s\n", f.ranks, f.ranks == 1 ? "" : "s",
           nodes, nodes == 1 ? "" : "s", cores, f.team, format_duration(f.seconds, total));
    if (f.ranks > here) printf("              (this machine has %d cores; others are taken to be as fast)\n", here);
    if (a->write_script) write_script(a, s, &f, cores, e);
}

static int plan(struct team *world, const struct plan_arguments *a, struct study *s, struct error *e)
{
    struct panel_meta m;
    struct calibration c;
    const char *panel = a->panel ? a->panel : s->panel;
    if (!panel) return error_set(e, "%s: the key 'panel' is missing; needed there or as --panel FILE", s->file);
    if (panel_load_meta(panel, world, &m, e)) return -1;
    char *cache = calibration_cache();
    if (cache && a->fresh && team_rank(world) == 0) unlink(cache);
    if (!study_bind(s, &m, e) && !calibrate(world, s, &m, panel, cache, &c, e)) {
        if (log_speaks()) print_plan(a, s, &m, &c, team_size(world), e);
        calibration_free(&c);
        team_agree(world, e);
    }
    memory_free(cache);
    panel_meta_free(&m);
    return error_is_set(e) ? -1 : 0;
}

int command_plan(int argc, char **argv, struct team *world)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "STUDY.yaml",
        .doc = "Say what a study will cost before it runs: fits, flops, memory, time on any number of ranks.\v"
               "Every configuration is measured on a few rows of the study's own panel, in seconds, and the figures are "
               "kept in "
               "~/.cache/aipm/calibration by processor, BLAS and program. Under mpirun -n P the ranks measure at once, as "
               "they will "
               "run: do so for a forecast of a run on P ranks of this machine."};
    struct plan_arguments a = {0};
    int status = arguments_parse(&argp, argc, argv, &a);
    if (status >= 0) return status;
    struct error e = {""};
    struct study s;
    blas_one_thread();
    char *text = team_rank(world) == 0 ? text_file_read(a.study, 1 << 22, &e) : NULL;
    if (!team_agree(world, &e)) {
        char *everywhere = team_broadcast_text(world, text, 0);
        if (!study_parse(a.study, everywhere, &s, &e)) {
            plan(world, &a, &s, &e);
            study_free(&s);
        }
        memory_free(everywhere);
    }
    memory_free(text);
    if (!error_is_set(&e)) return EXIT_DONE;
    if (log_speaks()) error_print(&e);
    return EXIT_INPUT;
}
