/* A run played through with the scheduler's own functions: the cuts and the queue of fit_tasks.c. */
#include <math.h>

#include "base/memory.h"
#include "fit_context.h"
#include "study/plan.h"

/* When a team is free: a binary heap, the earliest on top. */
struct heap {
    int n;
    double *at;
    int *who;
};

static void sink(struct heap *h, int i)
{
    for (;;) {
        int least = i, l = 2 * i + 1, r = l + 1;
        if (l < h->n && h->at[l] < h->at[least]) least = l;
        if (r < h->n && h->at[r] < h->at[least]) least = r;
        if (least == i) return;
        double t = h->at[i];
        int w = h->who[i];
        h->at[i] = h->at[least], h->who[i] = h->who[least];
        h->at[least] = t, h->who[least] = w;
        i = least;
    }
}

static double pace(const double *slowness, int rank)
{
    return slowness ? slowness[rank] : 1;
}

/* The cut among teams of one size, which begin when the last rank is done with the cut before. load [ranks] in and out; the rank-seconds
 * of work. What the program schedules by is the models' own figure; what rows then take is the calibration's. */
static double play_cut(const struct study *s, const struct cut *k, const struct calibration *c, int ranks,
                       const double *slowness, double *load)
{
    double busy = 0, start = 0;
    struct task t;
    for (int r = 0; r < ranks; r++) start = fmax(start, load[r]);
    for (int team = 0; team < k->teams; team++) {
        double work = 0;
        for (int64_t at = 0; cut_next(k, s, team, &at, &t);) {
            const struct config *config = &s->config[t.config];
            int from = t.row > config_first_row(s, config) ? t.row : config_first_row(s, config);
            if (from < t.row + t.rows) work += c->first[t.config];
            for (int row = from; row < t.row + t.rows; row++) work += c->row[t.config] * config_share(s, config, row);
        }
        for (int r = team * k->ranks; r < (team + 1) * k->ranks && r < ranks; r++) {
            load[r] = start + work * pace(slowness, r);
            busy += work * pace(slowness, r);
        }
    }
    return busy;
}

/* Fits over rows: whoever is free takes the next task of the kind whose tasks take longest. load [ranks] in and out. */
static double play_fits(const struct study *s, const struct calibration *c, int ranks, const double *slowness, int *team,
                        double *load)
{
    int64_t *left = memory_array(int64_t, s->configs, "tasks left"), tasks = 0;
    int *rows = memory_array(int, s->configs, "rows of a task");
    double *known = memory_array(double, s->configs, "rates"), busy = 0;
    for (int i = 0; i < s->configs; i++) {
        if (config_cut(&s->config[i])) continue;
        rows[i] = tasks_rows(s, &s->config[i], ranks);
        int P = s->P - config_first_row(s, &s->config[i]);
        left[i] = (int64_t)((P + rows[i] - 1) / rows[i]) * s->config[i].layout.seeds;
        tasks += left[i];
        known[i] = c->row[i];
    }
    if (!*team) *team = tasks_team(s, ranks, tasks);
    int teams = (ranks + *team - 1) / *team;
    struct heap h = {.n = teams, .at = memory_array(double, teams, "teams"), .who = memory_array(int, teams, "teams")};
    for (int t = 0; t < teams; t++) {
        h.who[t] = t;
        for (int r = t * *team; r < (t + 1) * *team && r < ranks; r++) h.at[t] = fmax(h.at[t], load[r]);
    }
    for (int i = teams / 2; i >= 0; i--) sink(&h, i);
    for (; tasks > 0; tasks--) {
        int i = tasks_choose(s, left, rows, known), from = h.who[0] * *team,
            members = ranks - from < *team ? ranks - from : *team;
        if (i < 0) break;
        double work = c->row[i] * rows[i] + c->first[i];
        left[i]--;
        double slowest = 0;
        for (int r = from; r < from + members; r++) slowest = fmax(slowest, pace(slowness, r));
        h.at[0] += work * slowest / members;
        busy += work * slowest;
        sink(&h, 0);
    }
    for (int t = 0; t < teams; t++)
        for (int r = h.who[t] * *team; r < (h.who[t] + 1) * *team && r < ranks; r++) load[r] = h.at[t];
    memory_free_all(left, rows, known, h.at, h.who);
    return busy;
}

/* Most periods whose moments a rank needs, in the universe where it needs most. */
static int64_t widest_hull(const struct study *s, const struct cuts *k, int ranks)
{
    int64_t *need[8] = {NULL}, most = 0;
    for (int u = 0; u < s->universes; u++) need[u] = memory_array(int64_t, 2 * (size_t)ranks, "periods needed");
    cuts_needs(k, s, ranks, NULL, need);
    for (int u = 0; u < s->universes; u++) {
        for (int r = 0; r < ranks; r++)
            if (need[u][2 * r + 1] - need[u][2 * r] > most) most = need[u][2 * r + 1] - need[u][2 * r];
        memory_free(need[u]);
    }
    return most;
}

static double bytes_of(const struct study *s, const struct panel_meta *m, const struct cuts *k, int ranks, int64_t hull)
{
    struct fit_job j = {.study = s, .meta = m, .cuts = k};
    double meta = 8. * m->T * (2 + m->M) + (double)s->configs * s->P,
           store = hull ? store_bytes(m->D, hull, cuts_longest(s)) : 0, work = moment_pass_bytes(s, m, ranks);
    for (int r = 0; r < ranks; r++) work = fmax(work, contexts_bytes(&j, r));
    return meta + store + work;
}

void forecast_run(const struct study *s, const struct panel_meta *m, const struct calibration *c, int ranks, int team,
                  const double *slowness, struct forecast *f)
{
    struct cuts k;
    double *load = memory_array(double, ranks, "loads"), longest = 0;
    *f = (struct forecast){.ranks = ranks, .team = team};
    cuts_create(&k, s, ranks, NULL);
    for (int i = 0; i < k.n; i++) f->busy += play_cut(s, &k.cut[i], c, ranks, slowness, load);
    f->busy += play_fits(s, c, ranks, slowness, &f->team, load);
    for (int r = 0; r < ranks; r++) longest = fmax(longest, load[r]);
    int64_t hull = widest_hull(s, &k, ranks);
    int longest_period = panel_max_assets(m);
    f->pass = c->read_row * fmax((double)m->rows / ranks, longest_period) + c->gram_period * (double)hull;
    f->rows = longest;
    double values = 0;
    for (int i = 0; i < s->configs; i++)
        values += (double)layout_record(&s->config[i].layout) * s->P * s->config[i].layout.seeds;
    f->finish = 0.2 + 8 * values / 200e6; /* read back, assembled and written: 200 MB/s */
    f->seconds = f->pass + f->rows + f->finish;
    f->idle = longest > 0 ? 1 - f->busy / (longest * ranks) : 0;
    f->bytes = bytes_of(s, m, &k, ranks, hull);
    cuts_free(&k);
    memory_free(load);
}

void forecast_best(const struct study *s, const struct panel_meta *m, const struct calibration *c, int ranks,
                   struct forecast *f)
{
    forecast_run(s, m, c, ranks, s->ranks_per_fit, NULL, f);
    for (int team = 1; !s->ranks_per_fit && team <= s->shards && team <= ranks; team *= 2) {
        struct forecast other;
        if (s->shards % team) continue;
        forecast_run(s, m, c, ranks, team, NULL, &other);
        if (other.seconds < 0.99 * f->seconds) *f = other;
    }
}

void forecast_verify(const struct study *s, const struct panel_meta *m, const struct calibration *c, double share,
                     struct forecast *f)
{
    double longest = 0, moments = 0;
    if (share <= 0) return;
    for (int i = 0; i < s->configs; i++) {
        if (config_cut(&s->config[i]) < 2) longest = fmax(longest, c->row[i]);
        if (config_cut(&s->config[i])) moments = store_bytes(m->D, (m->T + f->ranks - 1) / f->ranks, 0);
    }
    f->verify = fmax(share * f->busy / f->ranks, longest);
    f->seconds += f->verify;
    f->bytes += moments;
}

void workload_of(const struct study *s, const struct calibration *c, struct workload *w)
{
    *w = (struct workload){0};
    for (int i = 0; i < s->configs; i++) {
        const struct config *k = &s->config[i];
        int64_t rows = s->P - config_first_row(s, k);
        w->rows += rows;
        w->fits += config_fits(s, k) * k->layout.seeds;
        double share = 0;
        for (int row = config_first_row(s, k); row < s->P; row++) share += config_share(s, k, row);
        w->flops += share * k->layout.seeds * k->cost.flops;
        w->seconds += share * k->layout.seeds * c->row[i];
    }
}
