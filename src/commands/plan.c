/* aipm plan: what a study will cost, and a batch script for it. */
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
    double verify;
};
#define AT(member) offsetof(struct plan_arguments, member)
static const struct argument arguments[] = {
    {"panel", "PANEL", ARGUMENT_TEXT, AT(panel), .help = "panel file, instead of the study's"},
    {"ranks", "P", ARGUMENT_INT, AT(ranks), .help = "plan for P ranks; default: a table, and a suggestion", 1, 1e6,
     "a number of ranks"},
    {"cores", "N", ARGUMENT_INT, AT(cores), .help = "cores of a node of the cluster (default: as many as here)", 1, 1e6,
     "a number of cores"},
    {"sbatch", "FILE", ARGUMENT_OPTIONAL, AT(script),
     .help = "write a batch script with the ranks, memory and time of the plan (default STUDY.sbatch)",
     .unit = AT(write_script)},
    {"fresh", NULL, ARGUMENT_FLAG, AT(fresh), .help = "measure again rather than use what the cache knows"},
    {"verify", "SHARE", ARGUMENT_REAL, AT(verify), .help = "plan for a run with --verify SHARE", 0, 1, "share of fits"},
    {"quiet", NULL, ARGUMENT_QUIET, 0, .help = "warnings and errors only"},
    {0},
};

static int finish(void *into, struct argp_state *state)
{
    const struct plan_arguments *a = into;
    return a->study ? 0 : arguments_fail(state, "needed: a study file");
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

static void forecast_asked(const struct plan_arguments *a, const struct study *s, const struct panel_meta *m,
                           const struct calibration *c, int ranks, struct forecast *f)
{
    forecast_best(s, m, c, ranks, f);
    forecast_verify(s, m, c, a->verify, f);
}

/* As many ranks as keep busy, in powers of two: until the run takes minutes or a fifth of the time is idle. */
static struct forecast suggest(const struct plan_arguments *a, const struct study *s, const struct panel_meta *m,
                               const struct calibration *c)
{
    struct forecast best, next;
    forecast_asked(a, s, m, c, 1, &best);
    for (int ranks = 2; ranks <= 16384 && best.seconds > 300; ranks *= 2) {
        forecast_asked(a, s, m, c, ranks, &next);
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
    if (a->verify > 0) fprintf(out, " --verify %g", a->verify);
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
        forecast_asked(a, s, m, c, a->ranks, &f);
        print_forecast(&f);
    } else {
        static const int shown[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
        for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
            forecast_asked(a, s, m, c, shown[i], &f);
            print_forecast(&f);
            if (f.seconds < 20 || f.idle > 0.6) break;
        }
        f = suggest(a, s, m, c);
    }
    int nodes = (f.ranks + cores - 1) / cores;
    printf("\nsuggested     %d rank%s on %d node%s of %d cores, ranks_per_fit %d: %s\n", f.ranks, f.ranks == 1 ? "" : "s",
           nodes, nodes == 1 ? "" : "s", cores, f.team, format_duration(f.seconds, total));
    if (a->verify > 0) printf("verified      %g of the fits: %s of it\n", a->verify, format_duration(f.verify, total));
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
    static const struct command_line line = {
        .group = {{.list = arguments}},
        .what = "study file",
        .file = AT(study),
        .finish = finish,
        .files = "STUDY.yaml",
        .doc = "Say what a study will cost before it runs: fits, flops, memory, time on any number of ranks.\v"
               "Every configuration is measured on a few rows of the study's own panel, in seconds, and the figures are "
               "kept in "
               "~/.cache/aipm/calibration by processor, BLAS and program. Under mpirun -n P the ranks measure at once, as "
               "they will "
               "run: do so for a forecast of a run on P ranks of this machine."};
    struct plan_arguments a = {0};
    int status = arguments_read(&line, argc, argv, &a);
    if (status >= 0) return status;
    struct error e = {""};
    struct study s;
    blas_one_thread();
    if (!study_load(world, a.study, &s, &e)) {
        plan(world, &a, &s, &e);
        study_free(&s);
    }
    return command_end(&e);
}
