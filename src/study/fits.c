#include "fits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/parameters_file.h"
#include "models/network.h"
#include "fit_seat.h"
#include "fit_tasks.h"

enum { PROBE_PERIODS = 8, PROBE_SECONDS = 3 };

/* What monitoring a fit needs, on the team's leader. */
struct checkpoint {
    struct fits_job *job;
    char state[4096]; /* path of the checkpoint */
    double saved_at;
    struct error error;
};

double fits_bytes(const struct fits_job *j)
{
    double most = 0;
    for (int c = 0; c < j->rows->study->configs; c++) {
        const struct config *config = &j->rows->study->config[c];
        if (!fits_serves(config->class)) continue;
        double b = seat_bytes(j->rows, config);
        if (b > most) most = b;
    }
    return most;
}

/* ---- one fit ---- */

static enum fit_poll poll(void *context)
{
    struct checkpoint *g = context;
    rows_idle(g->job->rows);
    if (stop_requested() || error_is_set(&g->error)) return FIT_STOP;
    if (clock_seconds() - g->saved_at < g->job->checkpoint_seconds) return FIT_CONTINUE;
    g->saved_at = clock_seconds();
    return FIT_CHECKPOINT;
}

static void save(void *context, const void *state, size_t bytes)
{
    struct checkpoint *g = context;
    state_write(g->state, state, bytes, &g->error);
}

static char *network_folder(const struct seat *s, const char *folder)
{
    return parameters_folder(folder, s->config->universe->name, s->config->name, s->seed);
}

/* The parameters that a chain of windows goes on from: kept beside the logs by the leader, row by row. */
struct link {
    int64_t row, code; /* of the last fit */
};
static void link_path(const struct seat *s, const struct fits_job *j, char *path, size_t size)
{
    snprintf(path, size, "%s/chain-%d-%d.state", j->folder, (int)(s->config - j->rows->study->config), s->seed);
}
static int link_save(struct seat *s, const struct fits_job *j, int row, int code, struct error *e)
{
    char path[4096];
    const struct network *n = s->config->class->trainable->network(s->model);
    size_t bytes = sizeof(struct link) + n->size * sizeof(float);
    char *data = memory_allocate(bytes, 1, "a saved state");
    struct link head = {.row = row, .code = code};
    memcpy(data, &head, sizeof head);
    memcpy(data + sizeof head, n->parameter, n->size * sizeof(float));
    link_path(s, j, path, sizeof path);
    int rc = state_write(path, data, bytes, e);
    memory_free(data);
    return rc;
}
/* The row whose parameters are in hand now, -1 for none. Collective on the team. */
static int link_load(struct seat *s, const struct fits_job *j, struct team *team)
{
    char path[4096];
    struct network *n = s->config->class->trainable->network(s->model);
    size_t bytes = 0, needed = sizeof(struct link) + n->size * sizeof(float);
    struct link head = {.row = -1};
    link_path(s, j, path, sizeof path);
    char *data = team_rank(team) == 0 ? state_read(path, &bytes) : NULL;
    if (data && bytes == needed) {
        memcpy(&head, data, sizeof head);
        memcpy(n->parameter, data + sizeof head, n->size * sizeof(float));
    }
    memory_free(data);
    team_broadcast(team, &head, sizeof head, 0);
    if (head.row >= 0) team_broadcast(team, n->parameter, n->size * sizeof(float), 0);
    s->config->class->trainable->warm(s->model, head.row >= 0 && !head.code);
    s->code = (int)head.code;
    return (int)head.row;
}

static int load_parameters(struct seat *s, const struct fits_job *j, struct error *e)
{
    int64_t found;
    char *folder = network_folder(s, j->apply);
    int rc = parameters_load(folder, s->period[s->config->shape.T].date, s->config->class->trainable->network(s->model),
                             &found, e);
    memory_free(folder);
    return rc;
}

/* Whether a configuration's rows are served by parameters that an earlier run saved; classes without any are fitted. */
static bool applies(const struct fits_job *j, const struct config *c)
{
    return j->apply && c->class->trainable;
}

/* Finish a fit's row on the leader: parameters, record, weights. */
static int keep(struct seat *s, struct fits_job *j, int row, const struct fit_note *note, struct error *e)
{
    const struct config *c = s->config;
    int now = study_period(j->rows->study, row), n = s->period[c->shape.T].n;
    size_t size = layout_record(&c->layout);
    if (!note->code) seat_earn(s, now);
    else
        for (size_t i = 0; i < size; i++) s->record[i] = NAN;
    bool weights = j->rows->study->save_weights;
    if (weights) seat_weigh(s, note->code);
    if (!s->code && !applies(j, c) && s->fitted == row && c->policy.save_parameters) {
        char *folder = network_folder(s, j->parameters);
        int rc = parameters_save(folder, s->period[c->shape.T].date, c->class->trainable->network(s->model), e);
        memory_free(folder);
        if (rc) return -1;
    }
    struct part_key key = {.config = (int32_t)(c - j->rows->study->config), .seed = s->seed, .row = row, .code = note->code};
    j->rows->finished++;
    if (s->config->policy.warm_start && link_save(s, j, row, s->code, e)) return -1;
    return part_append(j->rows->parts, &key, size, s->record, weights ? (size_t)n : 0, s->period[c->shape.T].ids, s->weights,
                       e);
}

/* Path of the checkpoint of a row's fit. */
static void state_path(const struct seat *s, const struct fits_job *j, int row, char *path, size_t size)
{
    snprintf(path, size, "%s/fit-%d-%d-%d.state", j->folder, (int)(s->config - j->rows->study->config), s->seed, row);
}

/* The model's fit over the window in hand, or with `apply` only the portfolio of now by the parameters it holds. Where nobody is there
 * now, a fit that no other row waits for is left out. Collective. */
static void fit_window(struct seat *s, struct fits_job *j, struct team *team, int row, bool apply, struct fit_note *note,
                       struct error *e)
{
    const struct config *c = s->config;
    bool leads = team_rank(team) == 0;
    const struct trainable *trainable = c->class->trainable;
    struct checkpoint checkpoint = {.job = j, .saved_at = clock_seconds()};
    struct fit_monitor monitor = {.context = &checkpoint, .poll = poll, .save = save};
    void *state = NULL;
    state_path(s, j, row, checkpoint.state, sizeof checkpoint.state);
    if (leads && !apply) state = state_read(checkpoint.state, &monitor.state_bytes);
    monitor.state = state;
    if (s->period[c->shape.T].n == 0 && (apply || (c->policy.refit_every == 1 && !c->policy.warm_start)))
        note->code = CODE_NO_ASSETS;
    else if (apply) trainable->apply(s->model, &s->window, team, note);
    else {
        if (trainable) trainable->monitor(s->model, &monitor);
        c->class->fit(s->model, &s->window, team, note);
        if (trainable) trainable->monitor(s->model, NULL);
    }
    memory_free(state);
    if (error_is_set(&checkpoint.error) && !error_is_set(e)) *e = checkpoint.error;
}

/* A row that shares the fit of an earlier one: train there first, unless the model holds those parameters. 1 stopped, -1 error (agreed). */
static int fit_block(struct seat *s, struct fits_job *j, struct panel_file *f, struct team *team, int start, struct error *e)
{
    struct fit_note note = {0};
    if (s->fitted == start) return 0;
    seat_window(s, j->rows, f, study_period(j->rows->study, start), e);
    if (team_agree(team, e)) return -1;
    fit_window(s, j, team, start, false, &note, e);
    if (team_agree(team, e)) return -1;
    if (note.code < 0) return 1;
    s->fitted = start;
    s->code = note.code;
    return 0;
}

/* Fit a row. Collective on the team. 1 stopped, -1 error (agreed), 0 done. */
static int run_fit(struct seat *s, struct fits_job *j, struct panel_file *f, struct team *team, int row, struct error *e)
{
    const struct config *c = s->config;
    bool chain = s->config->policy.warm_start && !applies(j, s->config);
    int start = applies(j, c) ? row : block_start(j->rows->study, c, row);
    struct fit_note note = {0};
    if (chain && s->chained != row - 1) c->class->trainable->warm(s->model, false);
    if (start != row) {
        int rc = fit_block(s, j, f, team, start, e);
        if (rc) return rc;
    }
    seat_window(s, j->rows, f, study_period(j->rows->study, row), e);
    if (applies(j, c) && !error_is_set(e)) load_parameters(s, j, e);
    if (team_agree(team, e)) return -1;
    if (start != row && s->code) note.code = s->code;
    else fit_window(s, j, team, row, applies(j, c) || start != row, &note, e);
    bool stopped = note.code < 0, leads = team_rank(team) == 0 && !stopped && !error_is_set(e);
    s->chained = stopped ? -1 : row;
    if (start == row) s->fitted = stopped ? -1 : row, s->code = note.code;
    if (!note.code && s->period[c->shape.T].n == 0) note.code = CODE_NO_ASSETS; /* the parameters are for later rows */
    /* rows of a chain that are done already are fitted again only for their parameters */
    if (leads && fit_pending(j, (int)(c - j->rows->study->config), s->seed, row)) keep(s, j, row, &note, e);
    if (leads && !applies(j, c) && !error_is_set(e)) {
        char path[4096];
        state_path(s, j, start, path, sizeof path);
        unlink(path);
    }
    if (team_agree(team, e)) return -1;
    return stopped;
}

/* Where a chain must begin: after the last row whose parameters are known, if all rows before it are done. */
static int chain_start(struct seat *s, const struct fits_job *j, struct team *team, const struct task *t)
{
    int first = config_first_row(j->rows->study, s->config), next = first;
    while (next < t->row + t->rows && !fit_pending(j, t->config, t->seed, next)) next++;
    if (next == first) return first;
    if (link_load(s, j, team) == next - 1) {
        s->chained = next - 1;
        s->fitted = block_start(j->rows->study, s->config, next - 1);
        return next;
    }
    return first;
}

static int run_task(struct seat *s, struct fits_job *j, struct panel_file *f, struct team *team, const struct task *t,
                    struct error *e)
{
    seat_take(s, j->rows, &j->rows->study->config[t->config], t->seed);
    bool chain = s->config->policy.warm_start && !applies(j, s->config);
    int from = chain ? chain_start(s, j, team, t) : t->row;
    for (int row = from; row < t->row + t->rows; row++) {
        if (row < config_first_row(j->rows->study, s->config) || (!chain && !fit_pending(j, t->config, t->seed, row)))
            continue;
        int stop = row > from && team_rank(team) == 0 && stop_requested();
        team_broadcast(team, &stop, sizeof stop, 0);
        if (stop) return 1;
        int rc = run_fit(s, j, f, team, row, e);
        if (rc) return rc;
        gauge_put(j->rows->finished, j->rows->finished);
    }
    return 0;
}

int fits_run(struct fits_job *j, struct error *e)
{
    struct tasks t;
    struct team *world = j->rows->world;
    tasks_create(&t, j);
    int ranks = team_size(world), size = fits_team_size(j->rows->study, ranks, t.total), stopped = 0;
    if (!t.total) return tasks_free(&t), 0;
    struct team_pick *pick = team_pick_open(world, j->rows->study->configs);
    struct team *team = team_split(world, team_rank(world) / size);
    struct seat seat = {0};
    struct panel_file *f = panel_open(j->rows->panel, NULL, j->rows->meta, e);
    if (size > 1) log_info("teams of %d ranks share the rows of a fit", size);
    int broken = team_agree(team, e);
    while (!broken) {
        int64_t i = -1;
        if (team_rank(team) == 0) i = stop_requested() ? -2 : tasks_take(pick, j->rows->study, &t);
        team_broadcast(team, &i, sizeof i, 0);
        stopped = i == -2;
        if (i < 0) break;
        double began = clock_seconds();
        long before = j->rows->finished;
        int rc = run_task(&seat, j, f, team, &t.task[i], e);
        stopped = rc > 0;
        if (rc) break;
        if (team_rank(team) == 0)
            team_pick_report(pick, t.task[i].config, clock_seconds() - began, (double)(j->rows->finished - before));
    }
    if (error_is_set(e)) stop_raise();
    seat_leave(&seat);
    struct error closing = {""};
    if (f) panel_close(f, error_is_set(e) ? &closing : e);
    stopped = team_wait_max(world, stopped, rows_idle, j->rows);
    team_close(team);
    team_pick_close(pick);
    tasks_free(&t);
    return stopped;
}

/* A configuration small enough to be fitted in about half a second, by the model's own figure. Its cost says how to scale. */
static void shrink(const struct config *c, struct config *small)
{
    *small = *c;
    small->values.value = memory_array(struct value, c->values.n, "option values");
    memcpy(small->values.value, c->values.value, sizeof(struct value) * (size_t)c->values.n);
    if (c->class->trainable)
        c->class->trainable->shorten(c->cost.seconds * c->policy.refit_every, &small->shape, &small->values);
    else if (small->shape.T > PROBE_PERIODS) small->shape.T = PROBE_PERIODS;
    small->layout = (struct layout){0};
    c->class->layout(&small->shape, &small->values, &small->layout);
    c->class->cost(&small->shape, &small->values, &small->cost);
}

int fits_probe(const struct rows_job *j, const struct config *c, int row, double *first, double *next, struct error *e)
{
    struct config small;
    struct seat seat = {0};
    double seconds[3] = {0}, spent = 0;
    struct team *alone = team_split(j->world, team_rank(j->world));
    struct panel_file *f = panel_open(j->panel, NULL, j->meta, e);
    shrink(c, &small);
    const char *limit;
    double bytes = seat_bytes(j, &small), room = (double)memory_room(1, &limit);
    if (room > 0 && bytes > room && !error_is_set(e)) {
        char needed[32], found[32];
        error_set(e, "model '%s' does not fit: needs %s, found %s (%s); needed: a smaller model, or more memory", c->name,
                  format_bytes(bytes, needed), format_bytes(room, found), limit);
    }
    if (f && !error_is_set(e)) seat_take(&seat, j, &small, 0);
    int n = 0;
    for (int i = 0; i < 3 && row + i < j->study->P && !error_is_set(e) && spent < PROBE_SECONDS; i++) {
        struct fit_note note = {0};
        if (seat_window(&seat, j, f, study_period(j->study, row + i), e)) break;
        double start = clock_thread();
        if (seat.period[small.shape.T].n) small.class->fit(seat.model, &seat.window, alone, &note);
        if (seat.period[small.shape.T].n && !note.code) seat_earn(&seat, study_period(j->study, row + i));
        seconds[n++] = clock_thread() - start;
        spent += seconds[i];
    }
    *next = (n < 2                              ? seconds[0]
             : n < 3 || seconds[1] < seconds[2] ? seconds[1]
                                                : seconds[2]) *
            (small.cost.seconds > 0 ? c->cost.seconds / small.cost.seconds : 1);
    *first = small.cost.first_seconds > 0 && n > 1 && seconds[0] > seconds[1]
                 ? (seconds[0] - seconds[1]) * c->cost.first_seconds / small.cost.first_seconds
                 : 0;
    seat_leave(&seat);
    layout_free(&small.layout);
    memory_free(small.values.value);
    struct error closing = {""};
    if (f) panel_close(f, &closing);
    team_close(alone);
    return error_is_set(e) ? -1 : 0;
}
