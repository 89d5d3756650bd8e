#include "fits.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/parameters_file.h"
#include "models/network.h"
#include "parallel/pick.h"
#include "row_ring.h"

enum { PROBE_PERIODS = 8, PROBE_SECONDS = 3 };

struct task {
    int config, seed, row, rows;
};

/* Tasks of each configuration in order, the same on all ranks. */
struct tasks {
    int64_t total;
    int64_t *first; /* [configs + 1] */
    struct task *task;
};

/* One configuration and seed at work on this rank. */
struct seat {
    const struct config *config;
    int seed;
    struct model *model;
    struct row_ring ring;
    struct window window;
    struct period *period; /* [T+1] */
    double *base, *positions, *variant, *record;
    float *weights;
    bool warm;   /* windows chain: each begins at the parameters of the one before */
    int chained; /* row whose parameters the model holds; -1: none */
    int every;   /* rows that share a fit: those of a block, whose first row's window trains */
    int fitted;  /* first row of the block whose parameters the model holds; -1: none ... */
    int code;    /* ... and how its fit ended */
};

/* What the watch of a fit needs, on the team's leader. */
struct guard {
    struct fits_job *job;
    char state[4096]; /* path of the checkpoint */
    double saved_at;
    struct error error;
};

static bool option_on(const struct config *c, const char *key)
{
    for (int i = 0; i < c->values.n; i++)
        if (!strcmp(c->values.options[i].key, key)) return values_bool(&c->values, key);
    return false;
}

static int option_int(const struct config *c, const char *key, int otherwise)
{
    for (int i = 0; i < c->values.n; i++)
        if (!strcmp(c->values.options[i].key, key)) return (int)values_int(&c->values, key);
    return otherwise;
}

static int lookback_of(const struct config *c)
{
    return c->class->needs & NEED_HISTORY ? c->shape.lookback : 0;
}

/* The first row of the block of rows that share row's fit. */
static int block_start(const struct study *s, const struct config *c, int every, int row)
{
    int first = config_first_row(s, c);
    return row - (row - first) % every;
}

/* ---- tasks ---- */

static bool pending(const struct fits_job *j, int c, int seed, int row)
{
    const struct study *s = j->rows->study;
    return row >= config_first_row(s, &s->config[c]) &&
           !j->done[c][(size_t)row * (size_t)s->config[c].layout.seeds + (size_t)seed];
}

int fits_stretch(const struct study *s, const struct config *c, int ranks)
{
    if (option_on(c, "warm_start")) return s->P;
    int every = option_int(c, "refit_every", 1);
    if (every > 1) return every;
    return c->cost.first_seconds > 0 ? (s->P + ranks - 1) / ranks : 1;
}

/* Fill task (NULL: count only) with what is pending of configuration c; rows outer, seeds inner, so that neighbours share rows. Stretches
 * are counted from the first row, so that they hold whole blocks of rows that share a fit. */
static int64_t list_tasks(const struct fits_job *j, int c, struct task *task)
{
    const struct study *s = j->rows->study;
    const struct config *config = &s->config[c];
    int rows = fits_stretch(s, config, team_size(j->rows->world));
    int64_t n = 0;
    for (int row = config_first_row(s, config); row < s->P; row += rows)
        for (int seed = 0; seed < config->layout.seeds; seed++) {
            int left = 0, end = row + rows < s->P ? row + rows : s->P;
            for (int r = row; r < end; r++) left += pending(j, c, seed, r);
            if (left && task) task[n] = (struct task){c, seed, row, end - row};
            n += left > 0;
        }
    return n;
}

static void tasks_create(struct tasks *t, const struct fits_job *j)
{
    const struct study *s = j->rows->study;
    *t = (struct tasks){.first = memory_array(int64_t, s->configs + 1, "tasks")};
    for (int c = 0; c < s->configs; c++) {
        t->first[c] = t->total;
        if (fits_serves(s->config[c].class)) t->total += list_tasks(j, c, NULL);
    }
    t->first[s->configs] = t->total;
    t->task = memory_array(struct task, t->total, "tasks");
    for (int c = 0; c < s->configs; c++)
        if (fits_serves(s->config[c].class)) list_tasks(j, c, t->task + t->first[c]);
}

static void tasks_free(struct tasks *t)
{
    memory_free(t->first);
    memory_free(t->task);
}

/* Of the configurations with tasks left, the one whose tasks take longest, by what was measured a row where any was, else the model's
 * own figure times how far those measured were off. */
int fits_choose(const struct study *s, const int64_t *left, const int *rows, const double *measured)
{
    double best = -1, ratio = 0;
    int which = -1, known = 0;
    for (int c = 0; c < s->configs; c++)
        if (measured[c] > 0 && s->config[c].cost.seconds > 0) ratio += measured[c] / s->config[c].cost.seconds, known++;
    for (int c = 0; c < s->configs; c++) {
        if (left[c] <= 0) continue;
        double row = measured[c] > 0 ? measured[c] : s->config[c].cost.seconds * (known ? ratio / known : 1);
        if (row * rows[c] > best) best = row * rows[c], which = c;
    }
    return which;
}

/* The next task for a team: of the configuration whose tasks take longest. -1: none is left. */
static int64_t take(struct team_pick *pick, const struct study *s, const struct tasks *t)
{
    int64_t *taken = memory_array(int64_t, s->configs, "task counters"), result = -1;
    double *measured = memory_array(double, s->configs, "task counters");
    int *rows = memory_array(int, s->configs, "task counters");
    while (result < 0) {
        team_pick_look(pick, taken, measured);
        for (int c = 0; c < s->configs; c++) {
            taken[c] = t->first[c + 1] - t->first[c] - taken[c];
            rows[c] = taken[c] > 0 ? t->task[t->first[c]].rows : 0;
        }
        int which = fits_choose(s, taken, rows, measured);
        if (which < 0) break;
        int64_t i = t->first[which] + team_pick_take(pick, which);
        if (i < t->first[which + 1]) result = i;
    }
    memory_free(taken);
    memory_free(measured);
    memory_free(rows);
    return result;
}

int fits_team_size(const struct study *s, int ranks, int64_t tasks)
{
    int most = s->shards < ranks ? s->shards : ranks, size = s->ranks_per_fit;
    if (!size) size = tasks > 0 && tasks < ranks ? (int)((ranks + tasks - 1) / tasks) : 1;
    return size < most ? size : most;
}

/* ---- the seat ---- */

static int base_assets(const struct config *c)
{
    return c->class->trades == TRADE_OWN ? c->class->own_assets(&c->shape, &c->values) : c->shape.max_assets;
}

static double seat_bytes(const struct rows_job *j, const struct config *c)
{
    double k = base_assets(c);
    return c->cost.bytes + ring_bytes(j->meta, c->shape.T + 1, lookback_of(c), c->shape.max_assets) + 8 * (k * (1 + c->layout.variants)) +
           4. * c->shape.max_assets + 8. * (double)layout_record(&c->layout);
}

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

static void seat_leave(struct seat *s)
{
    if (s->model) s->config->class->destroy(s->model);
    ring_free(&s->ring);
    void *const all[] = {s->period, s->base, s->positions, s->variant, s->record, s->weights};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
    *s = (struct seat){0};
}

/* Sit down at a configuration and seed. The seed's number enters every random key beside the study's own. */
static void seat_take(struct seat *s, const struct rows_job *j, const struct config *c, int seed)
{
    if (s->config == c && s->seed == seed) return;
    if (s->config == c) {
        c->class->destroy(s->model);
    } else {
        int same_rows = s->config && s->config->universe == c->universe && s->config->shape.T == c->shape.T &&
                        lookback_of(s->config) == lookback_of(c);
        struct row_ring ring = s->ring;
        if (same_rows) s->ring = (struct row_ring){0};
        seat_leave(s);
        if (same_rows) s->ring = ring;
        else ring_create(&s->ring, j->meta, c->universe, c->shape.T + 1, lookback_of(c), c->shape.max_assets);
        int k = base_assets(c);
        s->period = memory_array(struct period, c->shape.T + 1, "window");
        s->base = memory_array(double, k, "realised returns");
        s->positions = memory_array(double, (size_t)k *(size_t)c->layout.variants, "positions");
        s->variant = memory_array(double, c->layout.variants, "realised returns");
        s->record = memory_array(double, layout_record(&c->layout), "a record");
        s->weights = memory_array(float, c->shape.max_assets, "weights");
        s->window = (struct window){.T = c->shape.T, .D = c->shape.D, .period = s->period};
        s->warm = option_on(c, "warm_start");
        s->every = option_int(c, "refit_every", 1);
    }
    s->config = c;
    s->seed = seed;
    s->chained = s->fitted = -1;
    s->model = c->class->create(&c->shape, j->study->seed + ((uint64_t)seed << 53), &c->values);
}

/* The window that ends before panel period `now`: everything up to now, no return of now. */
static int window_read(struct seat *s, const struct rows_job *j, struct panel_file *f, int now, struct error *e)
{
    const struct shape *shape = &s->config->shape;
    for (int k = 0; k <= shape->T; k++) {
        int t = now - shape->T + k;
        const struct ring_slot *r =
            s->ring.lookback ? ring_get_history(&s->ring, f, t, e) : ring_get(&s->ring, f, t, e);
        if (!r) return -1;
        s->period[k] = (struct period){.index = t,
                                       .date = j->meta->dates[t],
                                       .n = r->n,
                                       .scale = factor_scale_of(shape->factor_scale, r->n),
                                       .characteristics = r->characteristics,
                                       .returns = k < shape->T ? r->returns : NULL,
                                       .ids = r->ids,
                                       .history = s->ring.lookback ? &r->history : NULL};
        for (int g = 0; g < s->ring.groups; g++) s->period[k].group[g] = r->group[g];
    }
    return 0;
}

/* What the portfolios of now earn, and the record. Leader. */
static void earn(struct seat *s, int now)
{
    const struct config *c = s->config;
    struct period realised = s->period[c->shape.T];
    const struct ring_slot *slot = &s->ring.slot[now % s->ring.slots];
    int k = c->class->trades == TRADE_OWN ? base_assets(c) : slot->n;
    c->class->positions(s->model, &s->window, s->positions);
    realised.returns = slot->returns;
    if (c->class->trades == TRADE_OWN) c->class->own_returns(s->model, &realised, s->base);
    else memcpy(s->base, slot->returns, sizeof(double) * (size_t)k);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, c->layout.variants, k, 1, s->positions, k, s->base, 1, 0, s->variant, 1);
    c->class->record(s->model, s->variant, s->record);
}

/* The chosen portfolio on assets. */
static void weigh(struct seat *s, int failed)
{
    const struct config *c = s->config;
    const struct period *now = &s->period[c->shape.T];
    if (failed) {
        for (int i = 0; i < now->n; i++) s->weights[i] = NAN;
    } else if (c->class->trades == TRADE_OWN) {
        c->class->own_weights(s->model, now, s->positions + (size_t)c->class->chosen(s->model) * (size_t)base_assets(c),
                              s->weights);
    } else {
        for (int i = 0; i < now->n; i++)
            s->weights[i] = (float)s->positions[(size_t)c->class->chosen(s->model) * (size_t)now->n + (size_t)i];
    }
}

/* ---- one fit ---- */

static enum fit_wish wish(void *context)
{
    struct guard *g = context;
    rows_idle(g->job->rows);
    if (stop_requested() || error_is_set(&g->error)) return FIT_STOP;
    if (clock_seconds() - g->saved_at < g->job->checkpoint_seconds) return FIT_GO;
    g->saved_at = clock_seconds();
    return FIT_SAVE;
}

static void save(void *context, const void *state, size_t bytes)
{
    struct guard *g = context;
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
    const struct network *n = s->config->class->network(s->model);
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
    struct network *n = s->config->class->network(s->model);
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
    s->config->class->warm(s->model, head.row >= 0 && !head.code);
    s->code = (int)head.code;
    return (int)head.row;
}

static int load_parameters(struct seat *s, const struct fits_job *j, struct error *e)
{
    int64_t found;
    char *folder = network_folder(s, j->apply);
    int rc = parameters_load(folder, s->period[s->config->shape.T].date, s->config->class->network(s->model), &found, e);
    memory_free(folder);
    return rc;
}

/* Finish a fit's row on the leader: parameters, record, weights. */
static int keep(struct seat *s, struct fits_job *j, int row, const struct fit_note *note, struct error *e)
{
    const struct config *c = s->config;
    int now = study_period(j->rows->study, row), n = s->period[c->shape.T].n;
    size_t size = layout_record(&c->layout);
    if (!note->code) earn(s, now);
    else
        for (size_t i = 0; i < size; i++) s->record[i] = NAN;
    bool weights = j->rows->study->save_weights;
    if (weights) weigh(s, note->code);
    if (!note->code && !j->apply && s->fitted == row && option_on(c, "save_parameters")) {
        char *folder = network_folder(s, j->parameters);
        int rc = parameters_save(folder, s->period[c->shape.T].date, c->class->network(s->model), e);
        memory_free(folder);
        if (rc) return -1;
    }
    struct part_key key = {.config = (int32_t)(c - j->rows->study->config), .seed = s->seed, .row = row, .code = note->code};
    j->rows->finished++;
    if (s->warm && link_save(s, j, row, s->code, e)) return -1;
    return part_append(j->rows->parts, &key, size, s->record, weights ? (size_t)n : 0, s->period[c->shape.T].ids, s->weights,
                       e);
}

/* Path of the checkpoint of a row's fit. */
static void state_path(const struct seat *s, const struct fits_job *j, int row, char *path, size_t size)
{
    snprintf(path, size, "%s/fit-%d-%d-%d.state", j->folder, (int)(s->config - j->rows->study->config), s->seed, row);
}

/* The model's fit over the window in hand, or with `apply` only the portfolio of now by the parameters it holds. Collective. */
static void fit_window(struct seat *s, struct fits_job *j, struct team *team, int row, bool apply, struct fit_note *note,
                       struct error *e)
{
    const struct config *c = s->config;
    bool leads = team_rank(team) == 0;
    struct guard guard = {.job = j, .saved_at = clock_seconds()};
    struct fit_watch watch = {.context = &guard, .wish = wish, .save = save, .apply = apply};
    void *state = NULL;
    state_path(s, j, row, guard.state, sizeof guard.state);
    if (leads && !apply) state = state_read(guard.state, &watch.state_bytes);
    watch.state = state;
    if (c->class->watch) c->class->watch(s->model, &watch);
    if (s->period[c->shape.T].n == 0) note->code = CODE_NO_ASSETS;
    else c->class->fit(s->model, &s->window, team, note);
    if (c->class->watch) c->class->watch(s->model, NULL);
    memory_free(state);
    if (error_is_set(&guard.error) && !error_is_set(e)) *e = guard.error;
}

/* A row that shares the fit of an earlier one: train there first, unless the model holds those parameters. 1 stopped, -1 error (agreed). */
static int fit_block(struct seat *s, struct fits_job *j, struct panel_file *f, struct team *team, int start, struct error *e)
{
    struct fit_note note = {0};
    if (s->fitted == start) return 0;
    window_read(s, j->rows, f, study_period(j->rows->study, start), e);
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
    bool chain = s->warm && !j->apply;
    int start = j->apply ? row : block_start(j->rows->study, c, s->every, row);
    struct fit_note note = {0};
    if (chain && s->chained != row - 1) c->class->warm(s->model, false);
    if (start != row) {
        int rc = fit_block(s, j, f, team, start, e);
        if (rc) return rc;
    }
    window_read(s, j->rows, f, study_period(j->rows->study, row), e);
    if (j->apply && !error_is_set(e)) load_parameters(s, j, e);
    if (team_agree(team, e)) return -1;
    if (start != row && s->code) note.code = s->code;
    else fit_window(s, j, team, row, j->apply || start != row, &note, e);
    bool stopped = note.code < 0, leads = team_rank(team) == 0 && !stopped && !error_is_set(e);
    s->chained = stopped ? -1 : row;
    if (start == row) s->fitted = stopped ? -1 : row, s->code = note.code;
    /* rows of a chain that are done already are fitted again only for their parameters */
    if (leads && pending(j, (int)(c - j->rows->study->config), s->seed, row)) keep(s, j, row, &note, e);
    if (leads && !j->apply && !error_is_set(e)) {
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
    while (next < t->row + t->rows && !pending(j, t->config, t->seed, next)) next++;
    if (next == first) return first;
    if (link_load(s, j, team) == next - 1) {
        s->chained = next - 1;
        s->fitted = block_start(j->rows->study, s->config, s->every, next - 1);
        return next;
    }
    return first;
}

static int run_task(struct seat *s, struct fits_job *j, struct panel_file *f, struct team *team, const struct task *t,
                    struct error *e)
{
    seat_take(s, j->rows, &j->rows->study->config[t->config], t->seed);
    bool chain = s->warm && !j->apply;
    int from = chain ? chain_start(s, j, team, t) : t->row;
    for (int row = from; row < t->row + t->rows; row++) {
        if (row < config_first_row(j->rows->study, s->config) || (!chain && !pending(j, t->config, t->seed, row))) continue;
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
        if (team_rank(team) == 0) i = stop_requested() ? -2 : take(pick, j->rows->study, &t);
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

/* A configuration small enough to be fitted in about half a second, by the model's own figure: fewer epochs, then fewer periods. Its cost
 * says how to scale. */
static void shrink(const struct config *c, struct config *small)
{
    double epoch = c->cost.seconds;
    struct value *epochs = NULL;
    *small = *c;
    small->values.value = memory_array(struct value, c->values.n, "option values");
    memcpy(small->values.value, c->values.value, sizeof(struct value) * (size_t)c->values.n);
    for (int i = 0; i < c->values.n; i++)
        if (!strcmp(c->values.options[i].key, "epochs") && small->values.value[i].number > 1)
            epochs = &small->values.value[i];
    if (epochs) {
        epoch /= epochs->number;
        epochs->number = fmax(1, fmin(epochs->number, floor(0.5 / epoch)));
        small->shape.T = (int)fmax(2, fmin(c->shape.T, floor(0.5 / epoch * c->shape.T)));
    } else if (small->shape.T > PROBE_PERIODS) small->shape.T = PROBE_PERIODS;
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
    if (f) seat_take(&seat, j, &small, 0);
    int n = 0;
    for (int i = 0; i < 3 && !error_is_set(e) && spent < PROBE_SECONDS; i++) {
        struct fit_note note = {0};
        if (window_read(&seat, j, f, study_period(j->study, row + i), e)) break;
        double start = clock_thread();
        if (seat.period[small.shape.T].n) small.class->fit(seat.model, &seat.window, alone, &note);
        if (seat.period[small.shape.T].n && !note.code) earn(&seat, study_period(j->study, row + i));
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
