/* The simulation: one pass over the panel, every portfolio a step a period. */
#include <math.h>
#include <string.h>

#include "backtest_book.h"
#include "base/escape.h"
#include "base/memory.h"
#include "io/panel_file.h"
#include "measure/series.h"
#include "study/study.h"

struct market { /* a period of the panel */
    const struct rows *rows;
    int64_t date;
    int *index;     /* [n] room for a universe's rows */
    double *target; /* [n] room for shares */
    int64_t *target_ids;
};

static struct book_series *add_series(struct book *b, const struct result_model *m, const char *universe)
{
    require(b->series < b->capacity);
    struct book_series *s = &b->s[b->series++];
    *s = (struct book_series){.model = m, .universe = universe, .begin = -1, .equal = -1, .ruined = -1};
    s->gross = memory_array(double, b->n, "gross returns");
    s->net = memory_array(double, b->n, "net returns");
    s->traded = memory_array(double, b->n, "traded shares");
    for (int i = 0; i < b->n; i++) s->gross[i] = s->net[i] = s->traded[i] = NAN;
    return s;
}

/* The series of equal weights of a universe that begins at place i, which is made where there is none. */
static int equal_weights(struct book *b, const char *universe, int i, int64_t capacity)
{
    for (int k = 0; k < b->series; k++)
        if (!b->s[k].model && b->s[k].begin == i && !strcmp(b->s[k].universe, universe)) return k;
    struct book_series *s = add_series(b, NULL, universe);
    s->begin = i;
    backtest_open(&s->held, capacity);
    return b->series - 1;
}

static int64_t equal_targets(const struct book_series *s, const struct backtest_options *o, struct market *m)
{
    int n = universe_select(universe_find(s->universe), m->rows, m->index);
    for (int k = 0; k < n; k++) {
        m->target_ids[k] = m->rows->ids[m->index[k]];
        m->target[k] = (o->gross > 0 ? o->gross : 1) / n;
    }
    return n;
}

/* A model's shares at place i of the book; -1: it has none. */
static int64_t model_targets(const struct book *b, struct book_series *s, struct results_reader *f, int p,
                             const struct backtest_options *o, struct market *m, struct error *e)
{
    if (weights_step(&s->w, f, p, e)) return -1;
    const struct held *h = &s->w.now;
    for (int64_t k = 0; k + 1 < h->n; k++)
        if (h->ids[k] >= h->ids[k + 1])
            return error_set(e, "%s: %s/weight_asset_ids: found %lld after %lld on %lld; needed: ids that ascend",
                             b->r->path, s->w.group, (long long)h->ids[k + 1], (long long)h->ids[k], (long long)m->date);
    if (h->n > m->rows->n)
        return error_set(e, "%s: %s/weights: found %lld assets on %lld; needed: at most the panel's %d", b->r->path,
                         s->w.group, (long long)h->n, (long long)m->date, m->rows->n);
    if (!backtest_scale(h->n, h->w, o->gross, m->target)) return -1;
    memcpy(m->target_ids, h->ids, (size_t)h->n * sizeof *h->ids);
    return h->n;
}

static int step(struct book *b, int k, int i, struct results_reader *f, const struct backtest_options *o, struct market *m,
                int64_t capacity, struct error *e)
{
    struct book_series *s = &b->s[k];
    struct backtest_period out;
    int64_t targets = -1;
    if (s->begin < 0 || (i - s->begin) % o->rebalance == 0) {
        targets = s->model ? model_targets(b, s, f, b->first + i, o, m, e) : equal_targets(s, o, m);
        if (error_is_set(e)) return -1;
        if (s->begin < 0 && targets < 0) return 0;
        if (s->begin < 0) {
            s->begin = i;
            backtest_open(&s->held, capacity);
            s->equal = equal_weights(b, s->universe, i, capacity);
        } else s->kept += targets < 0;
    }
    enum backtest_code code = backtest_step(&s->held, o->cost_bp * 1e-4, m->rows->n, m->rows->ids, m->rows->returns, targets,
                                            targets < 0 ? NULL : m->target_ids, m->target, &out);
    if (code == BACKTEST_UNKNOWN)
        return error_set(e, "%s: %s holds assets on %lld that the panel does not have then", b->r->path, s->w.group,
                         (long long)m->date);
    if (code == BACKTEST_RUINED && s->ruined < 0) s->ruined = i;
    s->gross[i] = out.gross, s->net[i] = out.net, s->traded[i] = out.traded;
    return 0;
}

/* Every period of the panel is read: all of them make its digest. */
static void simulate(struct book *b, struct results_reader *f, const struct backtest_options *o, const char *path,
                     struct panel_meta *m, struct panel_file *panel, int t0, struct error *e)
{
    struct row_buffer buffer;
    struct rows rows;
    int64_t capacity = panel_max_assets(m);
    uint32_t *crc = memory_array(uint32_t, m->T, "digests");
    struct market market = {.rows = &rows,
                            .index = memory_array(int, capacity, "rows of a universe"),
                            .target = memory_array(double, capacity, "shares"),
                            .target_ids = memory_array(int64_t, capacity, "assets")};
    char digest[PANEL_DIGEST];
    struct error held = {""}; /* an error of the steps waits: that the panel is another one explains it better */
    row_buffer_create(&buffer, m, capacity);
    for (int t = 0; t < m->T && !error_is_set(e); t++) {
        if (panel_read_stored(panel, t, &buffer, &rows, e)) break;
        crc[t] = rows_digest(&rows, m->D);
        int i = t - t0;
        if (i < 0 || i >= b->n || panel_apply_placebo(panel, t, &buffer, e)) continue;
        market.date = m->dates[t];
        for (int k = 0; k < b->series && !error_is_set(&held); k++) step(b, k, i, f, o, &market, capacity, &held);
    }
    if (!error_is_set(e) && strcmp(panel_digest_text(m, crc, digest), b->r->panel_digest))
        error_set(e, "%s: found the panel %s; needed: %s, the one that %s was made from (--panel names another file)", path,
                  digest, b->r->panel_digest, b->r->path);
    if (!error_is_set(e) && error_is_set(&held)) *e = held;
    row_buffer_free(&buffer);
    memory_free_all(crc, market.index, market.target, market.target_ids);
}

/* The results' rows must follow each other in the panel: returns of the panel's dates compound. */
static int align(const struct book *b, const char *path, const struct panel_meta *m, int *t0, struct error *e)
{
    const int64_t *dates = b->r->dates + b->first;
    *t0 = 0;
    while (*t0 < m->T && m->dates[*t0] != dates[0]) ++*t0;
    for (int i = 0; i < b->n; i++)
        if (*t0 + i >= m->T || m->dates[*t0 + i] != dates[i])
            return error_set(e, "%s: does not have the results' date %lld in its place; needed: the panel of %s", path,
                             (long long)dates[i], b->r->path);
    return 0;
}

/* A placebo's returns are the ones that its models saw. */
static int take_placebo(const struct results *r, struct panel_meta *m, struct error *e)
{
    struct study s;
    m->placebo = r->placebo;
    if (!r->placebo.kind) return 0;
    if (study_parse(r->path, r->study, &s, e)) return -1;
    m->placebo.seed = s.seed;
    study_free(&s);
    return 0;
}

static void over_panel(struct book *b, struct results_reader *f, const struct backtest_options *o, struct error *e)
{
    const char *path = o->panel ? o->panel : b->r->panel;
    struct panel_meta m;
    int t0;
    if (panel_load_meta(path, NULL, &m, e)) return;
    if (!align(b, path, &m, &t0, e) && !take_placebo(b->r, &m, e)) {
        struct panel_file *panel = panel_open(path, NULL, &m, e);
        if (panel) {
            simulate(b, f, o, path, &m, panel, t0, e);
            panel_close(panel, e);
        }
    }
    panel_meta_free(&m);
}

int book_fill(struct book *b, const struct results *r, const struct backtest_options *o, struct error *e)
{
    *b = (struct book){.r = r, .capacity = 2 * r->models};
    if (r->under_way)
        return error_set(e, "%s: the run is under way and its weights are not together yet; needed: a finished run",
                         r->path);
    date_range(r->P, r->dates, o->from, o->to, &b->first, &b->n);
    if (b->n == 0) return error_set(e, "%s: no formation date lies in the range asked for", r->path);
    b->s = memory_array(struct book_series, b->capacity, "portfolios");
    struct results_reader *f = results_reader_open(r, e);
    if (!f) return -1;
    for (int i = 0; i < r->models && !error_is_set(e); i++) {
        struct weights w;
        if (!weights_open(&w, f, &r->model[i], e)) {
            weights_close(&w);
            continue;
        }
        add_series(b, &r->model[i], r->model[i].universe)->w = w;
        if (!universe_find(r->model[i].universe))
            error_set(e, "%s: found weights of the universe '%s'; needed: one of %s", r->path,
                      escape_shown(r->model[i].universe), universe_list());
    }
    if (!error_is_set(e) && b->series == 0)
        error_set(e, "%s: found no model with saved weights; needed: a study with save_weights: true", r->path);
    if (!error_is_set(e)) over_panel(b, f, o, e);
    return results_reader_close(f, e);
}

void book_free(struct book *b)
{
    for (int k = 0; k < b->series; k++) {
        struct book_series *s = &b->s[k];
        weights_close(&s->w);
        backtest_close(&s->held);
        memory_free_all(s->gross, s->net, s->traded);
    }
    memory_free(b->s);
    *b = (struct book){0};
}

int book_periods(const struct book *b, const struct book_series *s)
{
    return s->begin < 0 ? 0 : s->ruined < 0 ? b->n - s->begin : s->ruined - s->begin + 1;
}

bool backtest_possible(const struct results *r)
{
    bool any = false;
    for (int i = 0; i < r->models; i++) any = any || r->model[i].has_weights;
    return any;
}
