#include "rows.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/memory.h"

/* One configuration's model at work and the window it sees. */
struct bench {
    const struct config *config;
    struct model *model;
    struct window window;
    struct period *period; /* [T+1] */
    double *factors;       /* [T, D] scaled */
    double *factor_gram, *timing_gram;
    double *base;      /* realised returns of the base assets */
    double *positions; /* [V, base assets] */
    double *variant;   /* [V] */
    double *record;
    int traded;              /* base assets */
    struct panel_file *file; /* open while weights are saved */
    struct row_buffer buffer;
    int *index;
    float *weights;
    int64_t *ids;
};

static struct {
    struct progress progress;
    double logged;
    long at; /* rows done when last logged */
    bool begun;
} show;

static int base_assets(const struct config *c)
{
    return c->class->trades == TRADE_BENCHMARK ? c->shape.benchmark->k : c->shape.D;
}

static double bench_bytes(const struct rows_job *j, const struct config *c)
{
    double T = c->shape.T, D = c->shape.D, V = c->layout.variants, k = base_assets(c);
    double bytes = c->cost.bytes +
                   8 * (T * D + T * T + (T + 1) * (T + 1) + k + V * k + V + (double)layout_record(&c->layout)) +
                   sizeof(struct period) * (T + 1);
    if (j->study->save_weights && c->class->trades != TRADE_BENCHMARK)
        bytes += (double)row_buffer_bytes(j->meta, c->shape.max_assets) + 16. * c->shape.max_assets;
    return bytes;
}

double rows_bytes(const struct rows_job *j)
{
    double largest = 0;
    for (int64_t u = j->first; u < j->end; u++) {
        double b = schedule_pending(j->work, u) ? bench_bytes(j, &j->study->config[u / j->work->P]) : 0;
        if (b > largest) largest = b;
    }
    for (int c = 0; c < j->study->configs; c++) {
        double b = rows_teams_serve(&j->study->config[c]) ? bench_bytes(j, &j->study->config[c]) : 0;
        if (b > largest) largest = b;
    }
    return largest;
}

double *rows_shares(const struct study *s)
{
    bool any = false;
    for (int c = 0; c < s->configs; c++) any |= s->config[c].grows;
    double *share = any ? memory_array(double, (size_t)s->configs * s->P, "costs of rows") : NULL;
    for (int c = 0; c < s->configs && any; c++)
        for (int row = 0; row < s->P; row++)
            share[(size_t)c * s->P + row] =
                row < config_first_row(s, &s->config[c]) ? 0 : config_share(s, &s->config[c], row);
    return share;
}

int rows_teams_cut(const struct study *s, int config, const uint8_t *done, int ranks, int *first)
{
    const struct config *c = &s->config[config];
    int teams = ranks / config_ranks(c), k = 0, from = config_first_row(s, c);
    double left = 0, seen = 0;
    for (int row = from; row < s->P; row++) left += done[row] ? 0 : config_share(s, c, row);
    for (int row = from; row < s->P && k < teams; row++) {
        if (done[row]) continue;
        while (k < teams && seen >= left * k / teams) first[k++] = row;
        seen += config_share(s, c, row);
    }
    while (k <= teams) first[k++] = s->P;
    return teams;
}

static int open_rows(struct bench *b, const struct rows_job *j, struct error *e)
{
    int n = b->config->shape.max_assets;
    if (!(b->file = panel_open(j->panel, NULL, j->meta, e))) return -1;
    row_buffer_create(&b->buffer, j->meta, n);
    b->index = memory_array(int, n, "rows of a universe");
    b->weights = memory_array(float, n, "weights");
    b->ids = memory_array(int64_t, n, "assets");
    return 0;
}

static int bench_open(struct bench *b, const struct rows_job *j, const struct config *c, struct error *e)
{
    size_t T = (size_t)c->shape.T, D = (size_t)c->shape.D, V = (size_t)c->layout.variants;
    *b = (struct bench){.config = c, .traded = base_assets(c)};
    b->period = memory_array(struct period, T + 1, "window");
    b->factors = memory_array(double, T *D, "factors of the window");
    b->factor_gram = memory_array(double, T *T, "Gram matrix of the window");
    b->timing_gram = memory_array(double, (T + 1) * (T + 1), "Gram matrix of the window");
    b->base = memory_array(double, b->traded, "realised returns");
    b->positions = memory_array(double, V *(size_t)b->traded, "positions");
    b->variant = memory_array(double, V, "realised returns");
    b->record = memory_array(double, layout_record(&c->layout), "a record");
    b->model = c->class->create(&c->shape, j->study->seed, &c->values);
    b->window = (struct window){
        .T = c->shape.T, .D = c->shape.D, .period = b->period, .factor_gram = b->factor_gram, .timing_gram = b->timing_gram};
    return j->study->save_weights && c->class->trades != TRADE_BENCHMARK ? open_rows(b, j, e) : 0;
}

static void bench_close(struct bench *b)
{
    struct error ignored = {""};
    if (b->model) b->config->class->destroy(b->model);
    if (b->file) {
        panel_close(b->file, &ignored);
        row_buffer_free(&b->buffer);
    }
    void *const all[] = {b->period,  b->factors, b->factor_gram, b->timing_gram, b->base, b->positions,
                         b->variant, b->record,  b->index,       b->weights,     b->ids};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
    *b = (struct bench){0};
}

static int universe_index(const struct survey *v, const struct universe *u)
{
    int i = 0;
    while (v->universe[i] != u) i++;
    return i;
}

/* The window that ends before panel period `now`: everything up to now, no return of now. */
static void window_fill(struct bench *b, const struct rows_job *j, int now)
{
    const struct config *c = b->config;
    int T = config_window(j->study, c, now - j->study->min_window), D = c->shape.D,
        u = universe_index(j->survey, c->universe);
    const struct moment_store *s = &j->survey->store[u];
    b->window.T = T;
    for (int k = 0; k <= T; k++) {
        int t = now - T + k, n = j->survey->n[(size_t)u * j->meta->T + t];
        struct period *p = &b->period[k];
        *p = (struct period){
            .index = t, .date = j->meta->dates[t], .n = n, .scale = factor_scale_of(c->shape.factor_scale, n)};
        if (c->shape.benchmark && k < T) p->benchmark = c->shape.benchmark->returns + (size_t)t * c->shape.benchmark->k;
        if (!(c->class->needs & (NEED_FACTORS | NEED_TIMING))) continue;
        const double *record = store_record(s, D, t);
        p->timing = moments_timing(record, D);
        if (k == T) continue;
        p->squares = moments_squares(record, D);
        double *scaled = b->factors + (size_t)k * D;
        for (int d = 0; d < D; d++) scaled[d] = p->scale * moments_factors(record)[d];
        p->factors = scaled;
    }
    if (!(c->class->needs & (NEED_FACTORS | NEED_TIMING))) return;
    for (int x = 0; x <= T; x++)
        for (int y = 0; y <= x; y++) {
            size_t at = (size_t)(now - T + x - s->first) * ((size_t)s->band + 1) + (size_t)(x - y);
            b->timing_gram[(size_t)x * (T + 1) + y] = b->timing_gram[(size_t)y * (T + 1) + x] = s->timing_gram[at];
            if (x < T)
                b->factor_gram[(size_t)x * T + y] = b->factor_gram[(size_t)y * T + x] =
                    s->factor_gram[at] * b->period[x].scale * b->period[y].scale;
        }
}

/* Returns of the base assets over now -> now+1, which no model sees. */
static void realise(struct bench *b, const struct rows_job *j, int now)
{
    const struct config *c = b->config;
    if (c->class->trades == TRADE_BENCHMARK) {
        memcpy(b->base, c->shape.benchmark->returns + (size_t)now * c->shape.benchmark->k,
               sizeof(double) * (size_t)c->shape.benchmark->k);
    } else {
        const double *record = store_record(&j->survey->store[universe_index(j->survey, c->universe)], c->shape.D, now);
        for (int d = 0; d < c->shape.D; d++) b->base[d] = b->period[b->window.T].scale * moments_factors(record)[d];
    }
    cblas_dgemv(CblasRowMajor, CblasNoTrans, c->layout.variants, b->traded, 1, b->positions, b->traded, b->base, 1, 0,
                b->variant, 1);
}

/* The chosen portfolio on assets: w = scale X theta. Returns how many, or -1. */
static int save_weights(struct bench *b, int now, int failed, struct error *e)
{
    struct rows r;
    const struct config *c = b->config;
    if (panel_read_period(b->file, now, &b->buffer, &r, e)) return -1;
    int n = universe_select(c->universe, &r, b->index), D = c->shape.D;
    const double *theta = failed ? NULL : b->positions + (size_t)config_chosen(c, b->model) * b->traded;
    for (int i = 0; i < n; i++) {
        const float *x = r.characteristics + (size_t)b->index[i] * D;
        double w = 0;
        for (int d = 0; theta && d < D; d++) w += x[d] * theta[d];
        b->weights[i] = theta ? (float)(w * b->period[b->window.T].scale) : NAN;
        b->ids[i] = r.ids[b->index[i]];
    }
    return n;
}

/* Fit a row with a team (NULL: alone); its leader keeps what comes of it. */
static int run_row(struct bench *b, struct rows_job *j, int row, struct team *team, struct error *e)
{
    const struct config *c = b->config;
    int now = study_period(j->study, row), assets = 0;
    size_t n = layout_record(&c->layout);
    struct fit_note note = {0};
    window_fill(b, j, now);
    if (c->class->trades != TRADE_BENCHMARK && b->period[b->window.T].n == 0) note.code = CODE_NO_ASSETS;
    else c->class->fit(b->model, &b->window, team, &note);
    if (team && team_rank(team) > 0) return 0;
    if (!note.code) {
        c->class->positions(b->model, &b->window, b->positions);
        realise(b, j, now);
        c->class->record(b->model, b->variant, b->record);
    } else
        for (size_t i = 0; i < n; i++) b->record[i] = NAN;
    if (b->file && (assets = save_weights(b, now, note.code, e)) < 0) return -1;
    struct part_key key = {.config = (int32_t)(c - j->study->config), .seed = 0, .row = row, .code = note.code};
    j->finished++;
    return part_append(j->parts, &key, n, b->record, (size_t)assets, b->ids, b->weights, e);
}

/* Rank 0's line on the terminal, and one a minute in the log file. */
static void show_progress(struct rows_job *j)
{
    long done;
    int slowest;
    double share;
    char extra[96] = "", line[256], eta[32];
    gauge_read(&done, &slowest, &share);
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
    FILE *f = fopen(j->log, "a");
    if (!f) return;
    time_t t = time(NULL);
    strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
    double rate = seconds > 0 ? (double)done / seconds : 0;
    format_duration(rate > 0 ? (double)(j->total - j->done_before - done) / rate : INFINITY, eta);
    fprintf(f, "%s %s: %ld of %ld rows, %.2f rows/s, %s left%s%s\n", line, j->study->name, j->done_before + done, j->total,
            rate, eta, *extra ? ", " : "", extra);
    fclose(f);
}

void rows_idle(void *job)
{
    struct rows_job *j = job;
    if (team_rank(j->world) == 0) show_progress(j);
    stop_requested(); /* pass a request on even while waiting */
}

int rows_run(struct rows_job *j, struct error *e)
{
    struct bench b = {0};
    long mine = 0;
    int stopped = 0;
    for (int64_t u = j->first; u < j->end; u++) mine += schedule_pending(j->work, u);
    if (team_rank(j->world) == 0) show_progress(j);
    for (int64_t u = j->first; u < j->end && !error_is_set(e); u++) {
        if (!schedule_pending(j->work, u)) continue;
        if ((stopped = stop_requested())) break;
        const struct config *c = &j->study->config[u / j->work->P];
        if (b.config != c) {
            bench_close(&b);
            if (bench_open(&b, j, c, e)) break;
        }
        if (run_row(&b, j, (int)(u % j->work->P), NULL, e)) break;
        gauge_put(j->finished, mine);
        if (team_rank(j->world) == 0) show_progress(j);
    }
    bench_close(&b);
    return stopped;
}

/* The rows of a configuration that this rank's team works. 1 stopped, -1 error. Collective over the team. */
static int run_team(struct rows_job *j, const struct config *c, const uint8_t *done, int from, int end, struct team *team,
                    struct error *e)
{
    struct bench b = {0};
    int stop = 0;
    bench_open(&b, j, c, e);
    for (int row = from; row < end && !stop && !team_agree(team, e); row++) {
        if (done[row]) continue;
        stop = team_rank(team) == 0 && stop_requested();
        team_broadcast(team, &stop, sizeof stop, 0);
        if (stop) break;
        run_row(&b, j, row, team, e);
        gauge_put(j->finished, j->finished);
        rows_idle(j);
    }
    bench_close(&b);
    return team_agree(team, e) ? -1 : stop;
}

int rows_run_teams(struct rows_job *j, uint8_t *const *done, struct error *e)
{
    int me = team_rank(j->world), ranks = team_size(j->world), *first = memory_array(int, ranks + 1, "teams' rows"),
        stopped = 0;
    for (int c = 0; c < j->study->configs; c++) {
        const struct config *config = &j->study->config[c];
        if (!rows_teams_serve(config)) continue;
        int teams = rows_teams_cut(j->study, c, done[c], ranks, first), mine = me / config_ranks(config);
        if (first[0] == first[teams]) continue;
        if (error_is_set(e)) stop_raise();
        if ((stopped = team_wait_max(j->world, stopped || error_is_set(e), rows_idle, j))) break;
        struct team *team = team_split(j->world, mine < teams ? mine : -1);
        if (team) stopped = run_team(j, config, done[c], first[mine], first[mine + 1], team, e) > 0;
        team_close(team);
    }
    memory_free(first);
    return stopped;
}

int rows_probe(const struct rows_job *j, const struct config *c, int row, int rows, double *seconds, struct error *e)
{
    struct bench b = {0};
    int status = bench_open(&b, j, c, e);
    double spent = 0;
    int n = 0;
    for (int i = 0; i < rows && !status && (i < 2 || spent < 2); i++) {
        struct fit_note note = {0};
        double start = clock_thread();
        window_fill(&b, j, study_period(j->study, row + i));
        c->class->fit(b.model, &b.window, NULL, &note);
        if (!note.code) {
            c->class->positions(b.model, &b.window, b.positions);
            realise(&b, j, study_period(j->study, row + i));
            c->class->record(b.model, b.variant, b.record);
        }
        if (b.file) status = save_weights(&b, study_period(j->study, row + i), note.code, e) < 0;
        seconds[n++] = clock_thread() - start;
        spent += seconds[i];
    }
    bench_close(&b);
    return status ? -1 : n;
}
