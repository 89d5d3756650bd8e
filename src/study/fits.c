/* Working the cuts and the queue, and handing every finished record to the part log. */
#include "fits.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "fit_state.h"
#include "io/durable_file.h"
#include "parallel/progress_counter.h"
#include "parallel/stop.h"

/* ---- progress ---- */

static struct {
    struct progress progress;
    double logged;
    long at; /* fits done when last logged */
    bool begun;
} show;

/* Rank 0's line on the terminal, and one a minute in the log file. */
static void show_progress(struct fit_job *j)
{
    long done;
    int slowest;
    double share;
    char extra[96] = "", line[32], eta[32], text[1024];
    struct error ignored = {""}; /* a run goes on where its log cannot be written */
    if (j->quiet) return;
    progress_counter_read(&done, &slowest, &share);
    if (team_size(j->world) > 1) snprintf(extra, sizeof extra, "slowest rank %d at %.0f%%", slowest, 100 * share);
    if (!show.begun) {
        progress_begin(&show.progress, j->study->name, j->total, j->done_before);
        show.begun = true;
    }
    progress_show(&show.progress, j->done_before + done, extra);
    double now = clock_seconds(), seconds = now - show.progress.start;
    bool last = j->done_before + done == j->total && show.at != done;
    if (now - show.logged < 60 && !last) return;
    show.logged = now;
    show.at = done;
    time_t t = time(NULL);
    strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
    double rate = seconds > 0 ? (double)done / seconds : 0;
    format_duration(rate > 0 ? (double)(j->total - j->done_before - done) / rate : INFINITY, eta);
    snprintf(text, sizeof text, "%s %s: %ld of %ld rows, %.2f rows/s, %s left%s%s", line, j->study->name,
             j->done_before + done, j->total, rate, eta, *extra ? ", " : "", extra);
    line_append(j->log, text, &ignored);
}

void fits_idle(void *job)
{
    struct fit_job *j = job;
    if (team_rank(j->world) == 0) show_progress(j);
    stop_requested(); /* pass a request on even while waiting */
}

/* ---- a task ---- */

/* Put what came of a row where it lasts: its parameters, its record, and the state that the next row of a chain needs. Leader. */
static int keep(struct fit_context *x, int row, struct error *e)
{
    struct fit_job *j = x->job;
    const struct config *c = x->config;
    struct part_key key = {.config = (int32_t)(c - j->study->config), .seed = x->seed, .row = row, .code = x->code};
    size_t assets = context_weighs(x) ? (size_t)x->now.n : 0;
    if (c->policy.save_parameters && x->trained && x->fitted == row && !x->fit_code && state_save(x, e)) return -1;
    if (x->chains && state_save_chain(x, row, e)) return -1;
    j->finished++;
    return part_append(j->parts, &key, layout_record(&c->layout), x->record, assets, x->now.ids, x->weights, e);
}

/* Where a chain must begin: after the last row whose parameters are known, if all rows before it are done. */
static int chain_start(struct fit_context *x, const struct task *t)
{
    const struct study *s = x->job->study;
    int first = config_first_row(s, x->config), next = first;
    while (next < t->row + t->rows && !fit_pending(x->job, t->config, t->seed, next)) next++;
    if (next == first || state_load_chain(x) != next - 1) return first;
    x->last = next - 1;
    x->fitted = fit_start(s, x->config, next - 1);
    return next;
}

/* context_compute() with its processor time noted. */
static int compute_timed(struct fit_context *x, int row, struct error *e)
{
    struct fit_pace *p = x->job->pace ? &x->job->pace[x->config - x->job->study->config] : NULL;
    bool begins = x->last < 0 || x->last != row - 1;
    double start = p ? clock_thread() : 0;
    int rc = context_compute(x, row, e);
    if (p && begins) p->begun += clock_thread() - start, p->begins++;
    else if (p) p->followed += clock_thread() - start, p->follows++;
    return rc;
}

/* The rows of a task that are not done. 0 done, 1 stopped, -1 error (agreed). Collective on the team. */
static int run_task(struct fit_context *x, const struct task *t, struct error *e)
{
    struct fit_job *j = x->job;
    bool leads = team_rank(x->team) == 0;
    context_take(x, &j->study->config[t->config], t->seed, e);
    if (team_agree(x->team, e)) return -1;
    /* rows of a chain that are done already are computed again only for their parameters */
    for (int row = x->chains ? chain_start(x, t) : t->row; row < t->row + t->rows; row++) {
        bool pending = fit_pending(j, t->config, t->seed, row);
        if (!pending && (!x->chains || row < config_first_row(j->study, x->config))) continue;
        int stop = leads && stop_requested();
        team_broadcast(x->team, &stop, sizeof stop, 0);
        int rc = stop ? 1 : compute_timed(x, row, e);
        if (rc) return rc;
        if (leads && pending) keep(x, row, e);
        if (team_agree(x->team, e)) return -1;
        if (leads && x->trained && x->config->class->trainable) state_remove(x, x->fitted);
        if (!j->quiet) progress_counter_put(j->finished, j->planned);
        fits_idle(j);
    }
    return 0;
}

static void plan_task(struct fit_job *j, const struct task *t)
{
    for (int row = t->row; row < t->row + t->rows; row++) j->planned += fit_pending(j, t->config, t->seed, row);
}

/* ---- the schedules ---- */

static int run_cut(struct fit_context *x, const struct cut *k, struct error *e)
{
    struct fit_job *j = x->job;
    int mine = team_rank(j->world) / k->ranks, rc = 0;
    struct task t;
    x->team = team_split(j->world, mine < k->teams ? mine : -1);
    if (x->team && team_rank(x->team) == 0)
        for (int64_t at = 0; cut_next(k, j->study, mine, &at, &t);) plan_task(j, &t);
    for (int64_t at = 0; !rc && x->team && cut_next(k, j->study, mine, &at, &t);) rc = run_task(x, &t, e);
    context_leave(x);
    team_close(x->team);
    return rc;
}

static int run_queue(struct fit_context *x, struct error *e)
{
    struct fit_job *j = x->job;
    struct tasks t;
    tasks_create(&t, j);
    int ranks = team_size(j->world), size = tasks_team(j->study, ranks, t.total), rc = 0;
    j->team = t.total ? size : 0;
    if (!t.total) return tasks_free(&t), 0;
    struct work_queue *queue = work_queue_open(j->world, j->study->configs);
    x->team = team_split(j->world, team_rank(j->world) / size);
    if (size > 1) log_info("teams of %d ranks share the rows of a fit", size);
    while (!rc) {
        int64_t i = -1;
        bool leads = team_rank(x->team) == 0;
        if (leads) i = stop_requested() ? -2 : tasks_take(queue, j->study, &t);
        team_broadcast(x->team, &i, sizeof i, 0);
        if (i == -2) rc = 1;
        if (i < 0) break;
        double began = clock_seconds();
        long before = j->finished;
        if (leads) plan_task(j, &t.task[i]);
        rc = run_task(x, &t.task[i], e);
        if (leads && !rc)
            work_queue_report(queue, t.task[i].config, clock_seconds() - began, (double)(j->finished - before));
    }
    context_leave(x);
    if (error_is_set(e)) stop_raise();
    rc = team_wait_max(j->world, rc != 0, fits_idle, j); /* all ranks have left the queue */
    team_close(x->team);
    work_queue_close(queue);
    tasks_free(&t);
    return rc;
}

int fits_run(struct fit_job *j, struct error *e)
{
    struct fit_context x = {.job = j};
    int stopped = 0;
    if (team_rank(j->world) == 0) show_progress(j);
    for (int i = 0; i < j->cuts->n && !stopped; i++) {
        stopped = run_cut(&x, &j->cuts->cut[i], e) != 0;
        if (error_is_set(e)) stop_raise(); /* a rank that failed stops the others too: they finish the row in hand */
        stopped = team_wait_max(j->world, stopped, fits_idle, j);
    }
    return stopped ? 1 : run_queue(&x, e);
}
