/* A period's assets ordered by group, and the runs of every shard's. */
#include "asset_runs.h"

#include <string.h>

/* Groups of a period of N. Assets whose label is not known are a group, the last. */
static int groups_of(const struct asset_runs *r, int N)
{
    return r->sees == SEES_ALL ? 1 : r->sees == SEES_ITSELF ? N : r->labels + 1;
}

int asset_runs_most(const struct asset_runs *r, const struct network *n)
{
    double most = (double)n->shards.own * groups_of(r, n->max_assets);
    return most < n->rows.most ? (int)most : n->rows.most;
}

int asset_runs_tiles(const struct asset_runs *r, const struct network *n)
{
    return asset_runs_most(r, n) + n->rows.most / TILE;
}

double asset_runs_seen(const struct asset_runs *r, double assets)
{
    return r->sees == SEES_ALL ? assets : r->sees == SEES_ITSELF ? 1 : assets / (r->labels > 0 ? r->labels : 1);
}

void asset_runs_memory(struct asset_runs *r, const struct network *n, struct memory_layout *w)
{
    MEMORY(w, r->run, asset_runs_most(r, n), "runs of assets");
    MEMORY(w, r->order, n->max_assets, "order of assets");
    MEMORY(w, r->own, n->rows.most, "order of assets");
    MEMORY(w, r->group, n->max_assets, "groups of assets");
    MEMORY(w, r->first, groups_of(r, n->max_assets) + 1, "groups of assets");
}

static void label(struct asset_runs *r, const struct network *n)
{
    const int32_t *labels = r->sees == SEES_GROUP ? n->rows.period->group[r->column] : NULL;
    for (int i = 0; i < n->rows.N; i++) {
        int g = labels && labels[i] >= 0 ? labels[i] : r->labels;
        require(r->sees != SEES_GROUP || g <= r->labels);
        r->group[i] = r->sees == SEES_ALL ? 0 : r->sees == SEES_ITSELF ? i : g;
    }
}

/* Counting sort by group, which leaves assets of a group in order. */
static void sort(struct asset_runs *r, int N)
{
    int groups = groups_of(r, N);
    memset(r->first, 0, sizeof(int) * ((size_t)groups + 1));
    for (int i = 0; i < N; i++) r->first[r->group[i]]++;
    for (int g = 0, at = 0; g <= groups; g++) at += r->first[g], r->first[g] = at; /* where the group ends */
    for (int i = N - 1; i >= 0; i--) r->order[--r->first[r->group[i]]] = i;
}

/* The runs of a shard of this rank; *tile counts tiles of queries. */
static void find_runs(struct asset_runs *r, const struct network *n, int shard, int *tile)
{
    int at, assets = shard_assets(n, shard, &at), last = -1, from = n->rows.first + at;
    for (int k = 0; k < n->rows.N; k++) {
        int asset = r->order[k], g = r->group[asset];
        if (asset < from || asset >= from + assets) continue;
        if (g != last)
            r->run[r->runs++] = (struct asset_run){
                .shard = shard, .at = at, .key = r->first[g], .keys = r->first[g + 1] - r->first[g], .tile = *tile};
        struct asset_run *run = &r->run[r->runs - 1];
        if (run->queries++ % TILE == 0) ++*tile;
        r->own[at++] = asset - n->rows.first;
        last = g;
    }
}

void asset_runs_plan(struct asset_runs *r, const struct network *n)
{
    int tile = 0;
    r->runs = 0;
    label(r, n);
    sort(r, n->rows.N);
    for (int s = 0; s < n->shards.own; s++) find_runs(r, n, s, &tile);
}

void rows_gather(int n, const int *order, size_t row, const float *x, float *out)
{
    for (int i = 0; i < n; i++) memcpy(out + (size_t)i * row, x + (size_t)order[i] * row, sizeof(float) * row);
}

void rows_scatter(int n, const int *order, size_t row, const float *x, float *out)
{
    for (int i = 0; i < n; i++) memcpy(out + (size_t)order[i] * row, x + (size_t)i * row, sizeof(float) * row);
}
