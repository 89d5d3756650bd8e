/* A run from its study file to its results: checks, resumption, schedule, memory, fits, and the final file. */
#include "study/driver.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "fits.h"
#include "io/panel_file.h"
#include "io/parts.h"
#include "linalg/eigen.h"
#include "parallel/progress_counter.h"
#include "parallel/stop.h"
#include "run_output.h"
#include "study/moment_pass.h"
#include "verify_run.h"

static size_t fits_of(const struct study *s, int c)
{
    return (size_t)s->P * (size_t)s->config[c].layout.seeds;
}

static void free_schedule(struct run *r)
{
    cuts_free(&r->cuts);
    r->cuts = (struct cuts){0};
    for (int c = 0; c < r->study->configs && r->fit; c++) memory_free(r->fit[c]);
    memory_free(r->fit);
    r->fit = NULL;
}

/* Done flags from the part logs, every rank reading its share of the files; the newest start that left any trace. */
static int find_done(struct run *r, int *newest, struct error *e)
{
    struct part_index x = {0};
    const struct study *s = r->study;
    int P = s->P, me = team_rank(r->world), ranks = team_size(r->world);
    free_schedule(r);
    r->fit = memory_array(uint8_t *, s->configs, "done flags");
    for (int c = 0; c < s->configs; c++) r->fit[c] = memory_array(uint8_t, fits_of(s, c), "done flags");
    if (*r->folder && !parts_index(r->folder, me, ranks, &x, e))
        for (size_t i = 0; i < x.records; i++) {
            const struct part_key *k = &x.record[i].key;
            if (k->config < 0 || k->config >= s->configs) continue;
            const struct layout *l = &s->config[k->config].layout;
            if (parts_serve(&x.record[i], P, l->seeds, layout_record(l))) r->fit[k->config][k->row * l->seeds + k->seed] = 1;
        }
    double generation = me == 0 && *r->folder ? fmax(x.generation, history_last(&r->lock)) : x.generation;
    parts_free(&x);
    if (team_agree(r->world, e)) return -1;
    for (int c = 0; c < s->configs; c++) team_or_bytes(r->world, r->fit[c], fits_of(s, c));
    team_max_double(r->world, &generation, 1);
    *newest = (int)generation;
    return 0;
}

/* What is pending, cut among so many ranks. */
static void make_schedule(struct run *r, int ranks)
{
    const struct study *s = r->study;
    r->total = r->done_before = 0;
    cuts_create(&r->cuts, s, ranks, r->fit);
    for (int c = 0; c < s->configs; c++)
        for (size_t i = (size_t)config_first_row(s, &s->config[c]) * (size_t)s->config[c].layout.seeds; i < fits_of(s, c);
             i++) {
            r->total++;
            r->done_before += r->fit[c][i];
        }
}

/* Periods of a universe whose moments this rank holds; where fits are verified it may have to do what any other does. */
static int64_t most_periods(const struct run *r, int u)
{
    int me = team_rank(r->world), from = r->pass.keep ? 0 : me, to = r->pass.keep ? team_size(r->world) - 1 : me;
    int64_t most = 0;
    for (int i = from; i <= to; i++)
        if (r->need[u][2 * i + 1] - r->need[u][2 * i] > most) most = r->need[u][2 * i + 1] - r->need[u][2 * i];
    return most;
}

/* What this rank will hold, before it holds it: own moments and a period's rows during the moment pass; then moments of its windows and
 * the largest model. A study that does not fit says so here. */
static int plan_memory(struct run *r, const struct fit_job *job, struct error *e)
{
    int ranks = team_size(r->world), here = team_ranks_on_host(r->world), me = team_rank(r->world);
    const char *limit;
    double store = 0, largest[1], available = (double)memory_room(here, &limit);
    for (int u = 0; u < r->pass.U; u++)
        store += store_bytes(r->meta.D, most_periods(r, u), cuts_longest(r->study)) +
                 (r->pass.keep ? store_bytes(r->meta.D, r->pass.own_first[me + 1] - r->pass.own_first[me], 0) : 0);
    double meta = 8. * r->meta.T * (2 + r->meta.M) + (double)r->study->configs * r->study->P;
    double pass = moment_pass_bytes(r->study, &r->meta, ranks), fits = contexts_bytes(job, me);
    r->planned = meta + store + (pass > fits ? pass : fits);
    largest[0] = r->planned;
    team_max_double(r->world, largest, 1);
    char need[32], have[32], base[32];
    format_bytes(largest[0], need);
    format_bytes(available, have);
    log_info("memory: %s a rank planned, beside %s of the program and its libraries; %s a rank available (%d rank%s on this "
             "host)",
             need, format_bytes((double)r->base, base), have, here, here == 1 ? "" : "s");
    if (available > 0 && r->planned > available)
        error_set(e,
                  "%s: does not fit: needs %s a rank, found %s a rank on the host of rank %d (%s, %d ranks there); needed: "
                  "fewer ranks per host, more hosts, higher limits, or a smaller memory_mb",
                  r->study->file, need, have, me, limit, here);
    return team_agree(r->world, e);
}

static int say_stopped(const struct run *r, int64_t finished)
{
    log_info("stopped on request: %ld of %ld rows are saved in %s; run again with --resume", r->done_before + (long)finished,
             r->total, r->parts);
    return EXIT_STOPPED;
}

/* The rows that are pending, by a team of some of the ranks (NULL: this one rests), into logs of a generation. 0 done, 1 stopped, -1 error
 * (agreed). Collective over the world. */
static int work(struct run *r, struct fit_job *job, struct team *team, int generation, struct error *e)
{
    int stopped = 0;
    struct error closing = {""};
    job->done = r->fit;
    job->total = r->total;
    job->done_before = r->done_before;
    job->finished = job->planned = 0;
    job->parts = part_create(r->folder, generation, team_rank(r->world), r->options->checkpoint_seconds);
    job->world = team;
    if (team) stopped = fits_run(job, e);
    job->world = r->world;
    if (part_close(job->parts, &closing) && !error_is_set(e)) *e = closing;
    /* a rank that failed stops the others too: they finish the row in hand */
    if (error_is_set(e)) stop_raise();
    stopped = team_wait_max(r->world, stopped || error_is_set(e), fits_idle, job);
    return team_agree(r->world, e) ? -1 : stopped;
}

/* The logs of ranks that were outvoted are gone: those left to work compute the rows. As work(). */
static int work_again(void *run, const struct verification *v, struct error *e)
{
    struct run *r = run;
    int ranks = team_size(r->world), me = team_rank(r->world), newest, works = 0;
    if (find_done(r, &newest, e)) return -1;
    make_schedule(r, v->workers);
    for (int u = 0; u < r->pass.U; u++) memset(r->need[u], 0, 2 * sizeof(int64_t) * (size_t)ranks);
    cuts_needs(&r->cuts, r->study, v->workers, r->fit, r->need);
    for (int i = v->workers - 1; i >= 0; i--) { /* worker i is that rank of the world, which is i or above */
        works |= v->worker[i] == me;
        for (int u = 0; u < r->pass.U && v->worker[i] != i; u++) {
            memcpy(r->need[u] + 2 * v->worker[i], r->need[u] + 2 * i, 2 * sizeof(int64_t));
            memset(r->need[u] + 2 * i, 0, 2 * sizeof(int64_t));
        }
    }
    moment_pass_fetch(r->world, &r->pass, r->need, cuts_longest(r->study));
    log_info("%ld rows are computed again on %d rank%s", r->total - r->done_before, v->workers, v->workers == 1 ? "" : "s");
    struct team *team = team_split(r->world, works ? 0 : -1);
    int rc = work(r, v->job, team, v->newest, e);
    team_close(team);
    return rc;
}

static int run_rows(struct run *r, struct fit_job *job, struct error *e)
{
    progress_counter_open(r->world);
    job->pace = r->options->verify > 0 ? memory_array(struct fit_pace, r->study->configs, "rates") : NULL;
    int rc = work(r, job, r->world, r->generation, e);
    struct verification v = {.world = r->world,
                             .job = job,
                             .pass = &r->pass,
                             .lock = &r->lock,
                             .share = r->options->verify,
                             .start = r->generation,
                             .again = work_again,
                             .context = r};
    if (!rc && v.share > 0) rc = verification_run(&v, e);
    progress_counter_close();
    memory_free(job->pace);
    int64_t finished = job->finished;
    team_sum_long(r->world, &finished, 1);
    if (team_rank(r->world) == 0 && rc)
        history_end(&r->lock, r->generation, rc < 0 ? "failed" : "stopped on request", (long)finished);
    if (rc < 0) return EXIT_INPUT;
    if (!rc) return run_finish(r, e) ? EXIT_INPUT : EXIT_DONE;
    return say_stopped(r, finished);
}

/* From the moment pass on: the panel's rows are read, then trained. */
static int train(struct run *r, struct error *e)
{
    struct fit_job job = {.world = r->world,
                          .study = r->study,
                          .meta = &r->meta,
                          .panel = r->panel,
                          .pass = &r->pass,
                          .cuts = &r->cuts,
                          .log = r->log,
                          .folder = r->folder,
                          .parameters = r->parameters,
                          .apply = r->options->apply,
                          .checkpoint_seconds = r->options->checkpoint_seconds};
    int me = team_rank(r->world), stopped, newest;
    if (find_done(r, &newest, e)) return EXIT_INPUT;
    r->generation = newest + 1;
    make_schedule(r, team_size(r->world));
    moment_pass_begin(r->world, r->study, &r->meta, &r->pass);
    r->pass.keep = r->options->verify > 0;
    for (int u = 0; u < r->pass.U; u++)
        r->need[u] = memory_array(int64_t, 2 * (size_t)team_size(r->world), "periods needed");
    cuts_needs(&r->cuts, r->study, team_size(r->world), r->fit, r->need);
    if (plan_memory(r, &job, e)) return EXIT_INPUT;
    if ((stopped = moment_pass_read(r->world, &r->meta, r->panel, &r->pass, e)) < 0) return EXIT_INPUT;
    if (stopped) return say_stopped(r, 0);
    int M = r->meta.M ? r->meta.M : r->meta.D, status = EXIT_INPUT;
    double *test_assets = memory_array(double, (size_t)r->study->P *M, "test assets");
    run_plan_results(r, test_assets);
    if (me == 0 && *r->folder) run_check_parts(r, e);
    else if (me == 0) results_skeleton(r->parts, &r->plan, r->folder, e);
    if (me == 0 && !error_is_set(e)) history_begin(&r->lock, r->generation, e);
    if (!team_agree(r->world, e)) {
        team_broadcast(r->world, r->folder, sizeof r->folder, 0);
        moment_pass_fetch(r->world, &r->pass, r->need, cuts_longest(r->study));
        if (r->done_before) log_info("resuming: %ld of %ld rows are done", r->done_before, r->total);
        status = run_rows(r, &job, e);
    }
    memory_free(test_assets);
    memory_free((void *)(uintptr_t)r->plan.fingerprint);
    memory_free((void *)(uintptr_t)r->plan.config);
    return status;
}

static void run_free(struct run *r)
{
    moment_pass_free(&r->pass);
    for (int u = 0; u < 8; u++) memory_free(r->need[u]);
    panel_meta_free(&r->meta);
    free_schedule(r);
    memory_free(r->parameters);
    memory_free(r->output);
    memory_free(r->parts);
    memory_free(r->log);
}

/* A fit of several ranks needs so many; what classes chose by themselves is said once a model. */
static int check_teams(const struct run *r, struct error *e)
{
    const struct study *s = r->study;
    int ranks = team_size(r->world);
    for (int i = 0; i < s->configs; i++) {
        const struct config *c = &s->config[i];
        char choice[64] = "";
        if (config_ranks(c) > ranks)
            return error_set(e,
                             "%s: line %d: model '%s': ranks: found %d in a run on %d; needed: a run on at least %d ranks "
                             "(mpirun -n %d), or a smaller number here",
                             s->file, c->line, c->name, config_ranks(c), ranks, config_ranks(c), config_ranks(c));
        if (c->class->choice && (!i || strcmp(c->model, s->config[i - 1].model)))
            c->class->choice(&c->shape, &c->values, choice, sizeof choice);
        if (*choice) log_info("%s: %s", c->name, choice);
    }
    return 0;
}

/* Where results go: a placebo does not take the place of the study's own. */
static char *output_of(const struct study *s, const struct run_options *o)
{
    char suffix[PLACEBO_TEXT + 16], option[PLACEBO_TEXT];
    if (o->output || !o->placebo.kind) return memory_text(o->output ? o->output : s->output);
    size_t n = strlen(s->output);
    bool h5 = n > 3 && !strcmp(s->output + n - 3, ".h5");
    snprintf(suffix, sizeof suffix, ".placebo-%s.h5", placebo_option(&o->placebo, option));
    char *stem = memory_text(s->output), *out;
    stem[h5 ? n - 3 : n] = '\0';
    out = path_joined(stem, suffix);
    memory_free(stem);
    return out;
}

/* The placebo asked for goes to the study, which is what is computed, and to the header that row readers see. */
static int take_placebo(struct run *r, struct error *e)
{
    struct study *s = r->study;
    char words[PLACEBO_TEXT];
    s->placebo = r->options->placebo;
    s->placebo.seed = s->seed;
    r->meta.placebo = s->placebo;
    if (placebo_check(&s->placebo, r->meta.T, r->meta.D, r->meta.characteristic_names, e)) return -1;
    if (s->placebo.kind)
        log_info("%s: %s; results: %s", placebo_sort(&s->placebo), placebo_words(&s->placebo, words), r->output);
    return 0;
}

int study_run(struct team *world, struct study *s, const struct run_options *o, struct error *e)
{
    struct run r = {.world = world, .study = s, .options = o, .base = memory_resident()};
    bool complete = false;
    r.panel = o->panel ? o->panel : s->panel;
    if (!r.panel || !(o->output || s->output))
        return error_set(e, "%s: the key '%s' is missing; needed there or as %s FILE", s->file, r.panel ? "output" : "panel",
                         r.panel ? "-o" : "--panel"),
               EXIT_INPUT;
    r.output = output_of(s, o);
    r.parts = path_joined(r.output, ".parts");
    r.log = path_joined(r.output, ".log");
    r.parameters = path_joined(r.output, ".parameters");
    stop_install(world);
    int status = EXIT_INPUT;
    if (team_rank(world) == 0) run_check_place(&r, e);
    if (!team_agree(world, e) && !panel_load_meta(r.panel, world, &r.meta, e)) {
        if (!take_placebo(&r, e) && !study_bind(s, &r.meta, e) && !check_teams(&r, e) &&
            !run_lock_enter(&r.lock, world, r.output, r.folder, o->watchdog_seconds, e) &&
            !run_check_output(&r, &complete, e)) {
            if (complete) log_info("%s: is complete; nothing to do", r.output);
            else
                log_info("%s: %d configurations x %d out-of-sample periods on %d rank%s; %s", s->name, s->configs, s->P,
                         team_size(world), team_size(world) == 1 ? "" : "s", blas_text());
            status = complete ? EXIT_DONE : train(&r, e);
        }
    }
    run_lock_leave(&r.lock);
    run_free(&r);
    stop_close();
    return status;
}
