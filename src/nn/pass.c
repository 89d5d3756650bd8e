/* A network's way forward and back over one period: its rows and batches, stage by stage. */
#include <string.h>

#include "base/memory.h"
#include "stage.h"

int network_batch(const struct network *n)
{
    return n->work->batch;
}
float *network_tile(const struct network *n, int i)
{
    return n->work->tile[i];
}
float *network_attention_work(const struct network *n)
{
    return n->work->attention;
}

static const int64_t *network_ranges(const struct network *n, size_t width)
{
    const struct shards *p = &n->shards;
    for (int r = 0; r <= team_size(p->team); r++)
        p->range[r] = (int64_t)shard_first(p, n->rows.N, p->part_first[r]) * (int64_t)width;
    return p->range;
}

void affine(const struct network *n, int rows, int in, int columns, const float *x, size_t x_row, const float *w,
            const float *b, float *y, size_t y_row)
{
    const struct kernels *k = n->kernels;
    int ld = padded(columns);
    k->product(rows, ld, in, x, (ptrdiff_t)x_row, 1, w, ld, y, (ptrdiff_t)y_row, false);
    if (!b) return;
    if (y_row == (size_t)ld) k->row_bias(rows, ld, b, false, y);
    else
        for (int i = 0; i < rows; i++) k->row_bias(1, ld, b, false, y + (size_t)i * y_row);
}

/* ---- what ranks share ---- */

void network_share_begin(const struct network *n, float *table, size_t row)
{
    team_share_begin(n->work->share, table, network_ranges(n, row));
}
void network_share_finish(const struct network *n)
{
    team_share_finish(n->work->share);
}
float *network_back(const struct network *n, int shard)
{
    return n->work->back[shard];
}
void network_sum_begin(const struct network *n, size_t row)
{
    team_sum_begin(n->work->sum, network_ranges(n, row), n->work->back);
}
void network_sum_finish(const struct network *n, float *out)
{
    team_sum_finish(n->work->sum, out);
}
float *network_spare(const struct network *n)
{
    return n->work->spare;
}

/* ---- rows ---- */

/* Groups a shard's assets into runs of at most `batch` rows of span v. The groups are the same however shards are spread over ranks. */
static void plan_batches(struct network *n, enum span v)
{
    int count = 0;
    for (int s = 0; s < n->shards.own; s++) {
        int at, assets = shard_assets(n, s, &at), held = 0;
        for (int i = at; i < at + assets; i++) {
            int rows = rows_of(n, v, i);
            if (i == at || held + rows > n->work->batch) {
                n->rows.batch[v][count++] = (struct batch){.shard = s, .asset = i};
                held = 0;
            }
            n->rows.batch[v][count - 1].assets++;
            held += rows;
        }
    }
    n->rows.batches[v] = count;
}

static void plan_rows(struct network *n, const struct period *p)
{
    struct network_rows *r = &n->rows;
    int L = n->L;
    require(p->n <= n->max_assets && (L == 1 || (p->history && p->history->L == L)));
    r->period = p;
    r->N = p->n, r->first = own_first(n, p->n), r->own = own_assets(n, p->n);
    size_t row = 0;
    for (int i = 0; i < r->own; i++) {
        const int32_t *there = L > 1 ? p->history->row + (size_t)(r->first + i) * (size_t)L : NULL;
        int all = 0, late = 0;
        require(!there || there[L - 1] >= 0);
        for (int l = 0; l < L; l++) {
            if (there && there[l] < 0) continue;
            r->step[row++] = l;
            all++;
            late += l >= L - n->late;
        }
        r->count[ALL * r->most + i] = all, r->count[LATE * r->most + i] = late, r->count[LAST * r->most + i] = 1;
    }
    for (int v = 0; v < SPANS; v++) {
        size_t *begin = r->begin + v * (r->most + 1);
        begin[0] = 0;
        for (int i = 0; i < r->own; i++) begin[i + 1] = begin[i] + (size_t)rows_of(n, (enum span)v, i);
        plan_batches(n, (enum span)v);
    }
}

void rows_narrow(const struct network *n, const struct batch *b, enum span from, enum span to, int ld, const float *x,
                 float *y)
{
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        size_t rows = (size_t)rows_of(n, to, i), of = (size_t)rows_of(n, from, i), wide = (size_t)ld;
        memcpy(y, x + (of - rows) * wide, sizeof(float) * rows * wide);
        x += of * wide, y += rows * wide;
    }
}

void rows_widen(const struct network *n, const struct batch *b, enum span from, enum span to, int ld, const float *x,
                float *y)
{
    for (int i = b->asset; i < b->asset + b->assets; i++) {
        size_t rows = (size_t)rows_of(n, from, i), of = (size_t)rows_of(n, to, i), wide = (size_t)ld;
        memset(y, 0, sizeof(float) * (of - rows) * wide);
        memcpy(y + (of - rows) * wide, x, sizeof(float) * rows * wide);
        x += rows * wide, y += of * wide;
    }
}

/* ---- batches ---- */

/* Floats that a batch leaves in a layer for the way back, y left out. */
static size_t kept_by(const struct network *n, const struct layer *l, const struct batch *b)
{
    size_t floats = 0;
    for (int i = b->asset; l->class->keeps && i < b->asset + b->assets; i++)
        floats += l->class->keeps(l, (size_t)rows_of(n, l->takes, i), (size_t)rows_of(n, l->gives, i));
    return (floats + PAD - 1) / PAD * PAD;
}

static size_t y_floats(const struct network *n, const struct layer *l, const struct batch *b)
{
    return (size_t)batch_rows(n, l->gives, b) * (size_t)padded(l->out);
}

static size_t run_floats(const struct network *n, const struct stage *s, const struct batch *b)
{
    size_t floats = 0;
    for (int i = s->first; i <= s->last; i++) floats += kept_by(n, n->layer[i], b) + y_floats(n, n->layer[i], b);
    return floats;
}

/* Divide the arena: batches are kept in order, from the first of the first stage on, until it is full. */
static void plan_kept(struct network *n)
{
    struct workspace *w = n->work;
    size_t used = 0;
    for (int s = 0; s < n->stages; s++)
        for (int i = 0; !n->stage[s].over && i < n->rows.batches[n->stage[s].span]; i++) {
            size_t size = run_floats(n, &n->stage[s], &n->rows.batch[n->stage[s].span][i]);
            float **kept = &w->kept[s * n->rows.most + i];
            *kept = NULL;
            if (!n->training || size > w->arena_size - used) continue;
            *kept = w->arena + used;
            used += size;
        }
}

/* A batch's rows of a matrix [rows of span v, ld]. */
static float *rows_at(const struct network *n, enum span v, const struct batch *b, int columns, float *x)
{
    return x + begin_of(n, v, b->asset) * (size_t)padded(columns);
}

/* Where a stage's outputs go: to the next one's input, or out. */
static float *output_of(const struct network *n, const struct stage *s)
{
    return s + 1 < n->stage + n->stages ? s[1].x : n->work->out;
}

static const float *input_of(const struct network *n, const struct stage *s, const struct batch *b)
{
    int columns = n->layer[s->first]->in;
    if (!s->x) return NULL;
    const float *x = rows_at(n, s->held, b, columns, s->x);
    if (s->held == s->span) return x;
    rows_narrow(n, b, s->held, s->span, padded(columns), x, n->work->tile[0]);
    return n->work->tile[0];
}

/* What layer i of a stage has of a batch, given what the layer before it has; `at` moves on in the batch's memory. The stage's last layer
 * writes to the next stage's input. */
static struct pass pass_of(const struct network *n, const struct stage *s, int i, const struct batch *b, const float *x,
                           float **at)
{
    const struct layer *l = n->layer[i];
    struct pass p = {.batch = b,
                     .in = batch_rows(n, l->takes, b),
                     .out = batch_rows(n, l->gives, b),
                     .x = x,
                     .kept = *at,
                     .gradient = n->gradient[b->shard]};
    *at += kept_by(n, l, b);
    if (i == s->last) p.y = rows_at(n, l->gives, b, l->out, output_of(n, s));
    else p.y = *at, *at += y_floats(n, l, b);
    return p;
}

static void run_forward(struct network *n, const struct stage *s, const struct batch *b, float *at)
{
    const float *x = input_of(n, s, b);
    for (int i = s->first; i <= s->last; i++) {
        struct pass p = pass_of(n, s, i, b, x, &at);
        n->layer[i]->class->forward(n->layer[i], n, &p);
        x = p.y;
    }
}

/* dy: of this stage's output, rows of all batches; dx: of its input. */
static void run_backward(struct network *n, const struct stage *s, const struct batch *b, float *kept, float *dy, float *dx)
{
    struct pass *pass = n->work->pass;
    int layers = s->last - s->first + 1, columns = n->layer[s->first]->in;
    if (!kept) run_forward(n, s, b, kept = n->work->scratch);
    const float *x = input_of(n, s, b);
    for (int i = 0; i < layers; i++) {
        pass[i] = pass_of(n, s, s->first + i, b, x, &kept);
        x = pass[i].y;
    }
    float *d = rows_at(n, n->layer[s->last]->gives, b, n->layer[s->last]->out, dy);
    for (int i = layers - 1; i >= 0; i--) {
        struct layer *l = n->layer[s->first + i];
        float *whole = i || l->first ? NULL : rows_at(n, s->held, b, columns, dx);
        pass[i].dy = d;
        pass[i].dx = l->first ? NULL : whole && s->held == s->span ? whole : n->work->tile[1 + i % 2];
        l->class->backward(l, n, &pass[i]);
        if (l->first) return;
        d = pass[i].dx;
        if (whole && d != whole) rows_widen(n, b, s->span, s->held, padded(columns), d, whole);
    }
}

/* ---- a pass ---- */

static void prepare(struct network *n, bool backward)
{
    for (int i = 0; i < n->layers; i++)
        if (n->layer[i]->class->prepare) n->layer[i]->class->prepare(n->layer[i], n, backward);
}

void network_forward(struct network *n, const struct period *p, bool training, float *y)
{
    size_t C = (size_t)n->outputs, ld = (size_t)padded(n->outputs);
    n->training = training;
    n->dropout.on = training && n->dropout.share > 0;
    plan_rows(n, p);
    plan_kept(n);
    prepare(n, false);
    for (int i = 0; i < n->stages; i++) {
        const struct stage *s = &n->stage[i];
        if (s->over) {
            s->over->forward(n->layer[s->first], n, s->x, output_of(n, s));
            continue;
        }
        for (int b = 0; b < n->rows.batches[s->span]; b++) {
            float *kept = n->work->kept[i * n->rows.most + b];
            run_forward(n, s, &n->rows.batch[s->span][b], kept ? kept : n->work->scratch);
        }
    }
    for (size_t i = 0; i < (size_t)n->rows.own; i++) memcpy(y + i * C, n->work->out + i * ld, sizeof(float) * C);
}

void network_backward(struct network *n, const struct period *p, const float *dy)
{
    size_t C = (size_t)n->outputs, ld = (size_t)padded(n->outputs);
    float *d = n->work->d[0], *next = n->work->d[1];
    require(p->n == n->rows.N && p->history == n->rows.period->history);
    prepare(n, true);
    memset(d, 0, sizeof(float) * (size_t)n->rows.own * ld);
    for (size_t i = 0; i < (size_t)n->rows.own; i++) memcpy(d + i * ld, dy + i * C, sizeof(float) * C);
    for (int i = n->stages - 1; i >= 0; i--) {
        const struct stage *s = &n->stage[i];
        struct layer *l = n->layer[s->first];
        bool beside = s->over && s->over->beside;
        if (s->over) s->over->backward(l, n, s->x, d, l->first ? NULL : beside ? d : next);
        for (int b = 0; !s->over && b < n->rows.batches[s->span]; b++)
            run_backward(n, s, &n->rows.batch[s->span][b], n->work->kept[i * n->rows.most + b], d, next);
        if (l->first) return; /* nothing before it learns */
        if (beside) continue;
        float *was = d;
        d = next, next = was;
    }
}
