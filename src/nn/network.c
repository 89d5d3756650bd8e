/* A list of layers becomes a network: which rows each takes, which go through a batch together, the memory it takes on a rank. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/multihead.h"
#include "stage.h"

void memory_piece(struct memory_layout *w, void *where, size_t count, size_t size, const char *what)
{
    void *p;
    switch (w->way) {
    case MEMORY_COUNT: w->bytes += (double)count * (double)size; return;
    case MEMORY_TAKE: p = memory_allocate(count, size, what); break;
    default: memcpy(&p, where, sizeof p), memory_free(p), p = NULL;
    }
    memcpy(where, &p, sizeof p);
}

/* ---- building ---- */

struct network *network_open(int D, int L, int max_assets, int shards)
{
    struct network *n = memory_array(struct network, 1, "network");
    *n = (struct network){
        .kernels = kernels_best(), .D = D, .L = L, .max_assets = max_assets, .late = 1, .norm = -1, .shards.count = shards};
    n->work = memory_array(struct workspace, 1, "workspace");
    n->work->heads = 1;
    return n;
}

void *network_append(struct network *n, size_t size, struct layer base)
{
    struct layer *l = memory_allocate(1, size, "layer");
    if (!base.in) base.in = n->layers ? n->layer[n->layers - 1]->out : n->D;
    *l = base;
    n->layer = memory_grow(n->layer, (size_t)n->layers + 1, sizeof *n->layer, "layers");
    n->layer[n->layers++] = l;
    return l;
}

/* From the last layer to the first: each gives what the next takes. The last gives one row an asset. */
static void set_spans(struct network *n)
{
    enum span wanted = LAST;
    for (int i = n->layers - 1; i >= 0; i--) {
        struct layer *l = n->layer[i];
        l->gives = wanted;
        wanted = l->takes = l->class->takes ? l->class->takes(l, wanted) : wanted;
        l->first = i == 0 || (i == 1 && !n->layer[0]->class->backward);
    }
}

static bool is_over(const struct network *n, int i)
{
    return n->layer[i]->class->over;
}

/* Layers of a stage: one over all assets, or a run of others up to the first that gives other rows than it takes. */
static void set_stages(struct network *n)
{
    n->stage = memory_array(struct stage, n->layers, "stages");
    enum span held = ALL;
    for (int i = 0; i < n->layers; n->stages++) {
        struct stage *s = &n->stage[n->stages];
        *s = (struct stage){.first = i, .last = i, .over = n->layer[i]->class->over, .held = held};
        s->span = n->layer[i]->takes;
        while (!s->over && s->last + 1 < n->layers && !is_over(n, s->last + 1) &&
               n->layer[s->last]->takes == n->layer[s->last]->gives)
            s->last++;
        const struct layer *end = n->layer[s->last];
        held = s->over && s->over->beside ? end->takes : end->gives;
        i = s->last + 1;
    }
}

struct network *network_close(struct network *n)
{
    n->outputs = n->layer[n->layers - 1]->out;
    set_spans(n);
    set_stages(n);
    return n;
}

struct network *network_make(struct network *n)
{
    if (!n->parameter) n->parameter = memory_array(float, n->size, "parameters");
    return n;
}

void network_shares(struct network *n, size_t row)
{
    if (row > n->work->shared) n->work->shared = row;
}

void network_heads(struct network *n, int width)
{
    if (width > n->work->heads) n->work->heads = width;
}

struct layer *network_last(const struct network *n, const struct layer_class *class)
{
    for (int i = n->layers - 1; i >= 0; i--)
        if (n->layer[i]->class == class) return n->layer[i];
    return NULL;
}

/* ---- memory ---- */

/* The most rows that an asset can have of a span. */
static int span_rows(const struct network *n, enum span v)
{
    return v == ALL ? n->L : v == LATE ? n->late : 1;
}

/* The most floats that a row of a batch can leave for the way back in a layer: of an asset with so many rows that it is worst. */
static double most_kept(const struct network *n, const struct layer *l)
{
    double most = 0;
    for (int r = 1; l->class->keeps && r <= n->L; r++)
        most = fmax(most, (double)l->class->keeps(l, (size_t)r, (size_t)r) / r);
    return ceil(most);
}

/* Floats of a batch of a stage in the arena or in scratch, for the largest batch there can be. */
static size_t most_scratch(const struct network *n)
{
    double most = 0;
    for (int s = 0; s < n->stages; s++) {
        double run = 0;
        for (int i = n->stage[s].first; !n->stage[s].over && i <= n->stage[s].last; i++)
            run += 2 * PAD + n->work->batch * (most_kept(n, n->layer[i]) + padded(n->layer[i]->out));
        most = fmax(most, run);
    }
    return (size_t)most;
}

/* Floats of everything that may be kept: batches of whole histories, and what layers over assets want. */
static double all_kept(const struct network *n, double *wanted)
{
    double all = 0;
    *wanted = 0;
    for (int i = 0; i < n->layers; i++) {
        const struct layer *l = n->layer[i];
        size_t in = (size_t)span_rows(n, l->takes), out = (size_t)span_rows(n, l->gives);
        if (l->class->over) *wanted += l->class->over->wants ? l->class->over->wants(l, n) : 0;
        else all += (l->class->keeps ? (double)l->class->keeps(l, in, out) : 0) + (double)out * padded(l->out) + 2 * PAD;
    }
    return all * n->rows.most;
}

static void rows_memory(struct network *n, struct memory_layout *w)
{
    size_t most = (size_t)n->rows.most;
    MEMORY(w, n->rows.count, SPANS * most, "rows of assets");
    MEMORY(w, n->rows.begin, SPANS * (most + 1), "rows of assets");
    MEMORY(w, n->rows.step, most * (size_t)n->L, "steps of rows");
    for (int v = 0; v < SPANS; v++) MEMORY(w, n->rows.batch[v], most, "batches");
}

static void work_memory(struct network *n, struct memory_layout *w)
{
    struct workspace *work = n->work;
    size_t most = (size_t)n->rows.most, widest = 0, derivative = most * (size_t)padded(n->outputs);
    for (int i = 0; i < n->layers; i++) {
        const struct layer *l = n->layer[i];
        size_t wide = (size_t)padded(l->wide > l->out ? l->wide : l->out);
        widest = wide > widest ? wide : widest;
    }
    for (int s = 1; s < n->stages; s++) {
        struct stage *at = &n->stage[s];
        const struct stage *before = at - 1;
        size_t floats = most * (size_t)span_rows(n, at->held) * (size_t)padded(n->layer[at->first]->in);
        derivative = floats > derivative ? floats : derivative;
        if (!before->over || !before->over->beside) MEMORY(w, at->x, floats, "states");
        else at->x = before->x;
    }
    for (int i = 0; i < 2; i++) MEMORY(w, work->d[i], derivative, "derivatives of states");
    MEMORY(w, work->out, most * (size_t)padded(n->outputs), "outputs");
    for (int i = 0; i < TILES; i++) MEMORY(w, work->tile[i], (size_t)work->batch * widest, "a batch");
    MEMORY(w, work->attention, multihead_workspace(work->heads), "attention workspace");
    MEMORY(w, work->scratch, most_scratch(n), "a batch");
    MEMORY(w, work->kept, (size_t)n->stages * most, "kept batches");
    MEMORY(w, work->pass, n->layers, "a batch");
}

static void shared_memory(struct network *n, struct memory_layout *w)
{
    struct workspace *work = n->work;
    size_t own = work->shared ? (size_t)n->shards.own : 0, table = (size_t)n->max_assets * work->shared;
    if (w->way == MEMORY_TAKE) work->back = memory_array(float *, own, "derivatives of what is shared");
    for (size_t s = 0; s < own; s++) {
        if (w->way == MEMORY_COUNT) w->bytes += 4. * (double)table;
        else MEMORY(w, work->back[s], table, "derivatives of what is shared");
    }
    if (w->way == MEMORY_GIVE) memory_free(work->back);
    MEMORY(w, work->spare, (size_t)n->rows.most * work->shared, "derivatives of what is shared");
}

static void memory_all(struct network *n, struct memory_layout *w)
{
    rows_memory(n, w);
    work_memory(n, w);
    shared_memory(n, w);
    for (int i = 0; i < n->layers; i++)
        if (n->layer[i]->class->memory) n->layer[i]->class->memory(n->layer[i], n, w);
}

/* Bytes of all vectors that are as long as the parameters: one gradient for each shard, the parameters, Adam's moments and the like. */
static double vectors(const struct network *n)
{
    return 4. * (double)n->size * (n->shards.own + 6);
}

/* Bytes that shards of other ranks send to a rank that holds at most `most` assets. */
static double inbox(const struct network *n, int most)
{
    return 4. * (n->shards.count - n->shards.own) * most * (double)n->work->shared;
}

static void set_own(struct network *n, int own)
{
    enum { BATCH = 128, MOST = 1024 }; /* rows: enough for products at full speed, few enough for the second-level cache */
    int rows = BATCH;
    for (int i = 0; i < n->layers; i++) {
        int64_t wanted = (int64_t)n->layer[i]->assets * n->L;
        if (wanted > rows) rows = wanted < MOST ? (int)wanted : MOST;
    }
    n->shards.own = own;
    n->rows.most = most_assets(n, own);
    n->work->batch = n->L > rows ? n->L : rows;
}

double network_bytes(const struct network *n, int ranks, bool least)
{
    struct network copy = *n;
    struct workspace work = *n->work;
    struct memory_layout count = {.way = MEMORY_COUNT};
    double wanted;
    copy.work = &work;
    set_own(&copy, (n->shards.count + ranks - 1) / ranks);
    memory_all(&copy, &count);
    return count.bytes + vectors(&copy) + inbox(&copy, copy.rows.most) +
           (least ? 0 : 4 * (all_kept(&copy, &wanted) + wanted));
}

double network_room(const struct network *n, size_t memory)
{
    double all = network_bytes(n, 1, false);
    return all <= (double)memory ? all : fmax(network_bytes(n, 1, true), (double)memory);
}

double network_flops(const struct network *n, double N)
{
    double flops = 0;
    for (int i = 0; i < n->layers; i++) {
        const struct layer *l = n->layer[i];
        if (l->class->flops) flops += l->class->flops(l, N, span_rows(n, l->takes), span_rows(n, l->gives));
    }
    return flops;
}

/* ---- on a team ---- */

/* What the bound on memory leaves goes to the batches first, where a float saves the most, then to layers over assets. */
static void share_arena(struct network *n, double fixed)
{
    double wanted, all = all_kept(n, &wanted), left = floor(((double)n->memory - fixed) / 4);
    double batches = left < 0 ? 0 : left < all ? left : all, rest = fmin(fmax(left - batches, 0), wanted);
    n->work->arena_size = (size_t)batches / PAD * PAD;
    size_t over = (size_t)rest / PAD * PAD;
    n->work->arena = memory_array(float, n->work->arena_size + over, "kept batches");
    float *at = n->work->arena + n->work->arena_size;
    for (int i = 0; i < n->layers; i++) {
        const struct over *o = n->layer[i]->class->over;
        if (!o || !o->wants) continue;
        double wants = o->wants(n->layer[i], n);
        size_t given = (double)over < wants ? over : (size_t)wants;
        o->grant(n->layer[i], at, given);
        at += given / PAD * PAD, over -= given / PAD * PAD;
    }
}

static void bind_workspace(struct network *n)
{
    struct memory_layout count = {.way = MEMORY_COUNT}, take = {.way = MEMORY_TAKE};
    int most = 0;
    set_own(n, n->shards.own);
    memory_all(n, &count);
    memory_all(n, &take);
    for (int r = 0; r < team_size(n->shards.team); r++) {
        int m = most_assets(n, n->shards.part_first[r + 1] - n->shards.part_first[r]);
        most = m > most ? m : most;
    }
    share_arena(n, count.bytes + vectors(n) + inbox(n, most));
    if (!n->work->shared) return;
    n->work->share = team_share_create(n->shards.team);
    n->work->sum = team_sum_create(n->shards.team, n->shards.count, n->shards.part_first, (size_t)most * n->work->shared);
}

static void unbind(struct network *n)
{
    struct memory_layout give = {.way = MEMORY_GIVE};
    if (!n->shards.team) return;
    memory_all(n, &give);
    if (n->work->shared) team_share_destroy(n->work->share), team_sum_destroy(n->work->sum);
    memory_free(n->work->arena);
    for (int s = 0; s < n->shards.own; s++) memory_free(n->gradient[s]);
    memory_free(n->gradient);
    memory_free(n->shards.part_first);
    memory_free(n->shards.range);
    n->shards.team = NULL;
}

void network_bind(struct network *n, struct team *team)
{
    struct shards *p = &n->shards;
    if (p->team == team) return;
    unbind(n);
    int ranks = team_size(team), me = team_rank(team);
    p->team = team;
    p->part_first = memory_array(int, ranks + 1, "shards of ranks");
    p->range = memory_array(int64_t, ranks + 1, "rows of ranks");
    for (int r = 0; r <= ranks; r++) p->part_first[r] = (int)((int64_t)p->count * r / ranks);
    p->first = p->part_first[me];
    p->own = p->part_first[me + 1] - p->first;
    n->gradient = memory_array(float *, p->own, "gradients");
    for (int s = 0; s < p->own; s++) n->gradient[s] = memory_array(float, n->size, "gradient of a shard");
    bind_workspace(n);
}

void network_destroy(struct network *n)
{
    if (!n) return;
    unbind(n);
    for (int i = 0; i < n->layers; i++) {
        if (n->layer[i]->class->destroy) n->layer[i]->class->destroy(n->layer[i]);
        memory_free(n->layer[i]);
    }
    memory_free(n->layer);
    memory_free(n->stage);
    memory_free(n->work);
    memory_free(n->tensor);
    memory_free(n->parameter);
    memory_free(n);
}
