/* A run played through with the scheduler's own functions: the cut of schedule.c, the choice of fits.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fits.h"
#include "study/plan.h"
#include "study/schedule.h"
#include "study/survey.h"

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

/* Seconds each rank needs for its part of the cut, into load [ranks]; the rank-seconds of work. */
static double play_cut(const struct study *s, const struct calibration *c, int ranks, const double *slowness, int64_t *first,
                       double *load)
{
    uint8_t *done = memory_array(uint8_t, (size_t)s->configs * s->P, "done flags");
    int *first_row = memory_array(int, s->configs, "first rows");
    double *seconds = memory_array(double, 2 * s->configs, "costs"), busy = 0;
    for (int i = 0; i < s->configs; i++) {
        first_row[i] = config_first_row(s, &s->config[i]);
        seconds[i] = s->config[i].cost.seconds; /* what the program schedules by; what it then takes is the calibration's */
        seconds[s->configs + i] = s->config[i].cost.first_seconds;
        if (!rows_serves(&s->config[i])) memset(done + (size_t)i * s->P, 1, (size_t)s->P);
    }
    struct schedule_work w = {.configs = s->configs,
                              .P = s->P,
                              .seconds = seconds,
                              .first_seconds = seconds + s->configs,
                              .share = rows_shares(s),
                              .first_row = first_row,
                              .done = done};
    schedule_cut(&w, ranks, first, NULL);
    for (int r = 0; r < ranks; r++) {
        int64_t last = -2;
        for (int64_t u = first[r]; u < first[r + 1]; u++) {
            if (!schedule_pending(&w, u)) continue;
            int i = (int)(u / s->P);
            load[r] += (c->row[i] * (w.share ? w.share[u] : 1) + (u != last + 1 || u % s->P == 0 ? c->first[i] : 0)) *
                       pace(slowness, r);
            last = u;
        }
        busy += load[r];
    }
    memory_free((void *)(uintptr_t)w.share);
    memory_free(done);
    memory_free(first_row);
    memory_free(seconds);
    return busy;
}

/* Fits of a fixed number of ranks, one configuration after the other. load [ranks] in and out. */
static double play_teams(const struct study *s, const struct calibration *c, int ranks, double *load)
{
    double busy = 0;
    for (int i = 0; i < s->configs; i++) {
        if (!rows_teams_serve(&s->config[i])) continue;
        int size = config_ranks(&s->config[i]), teams = ranks / size > 1 ? ranks / size : 1,
            first = config_first_row(s, &s->config[i]);
        double start = 0, shares = 0;
        for (int row = first; row < s->P; row++) shares += config_share(s, &s->config[i], row);
        double work = ceil(shares / teams) * c->row[i];
        for (int r = 0; r < ranks; r++) start = fmax(start, load[r]);
        for (int r = 0; r < ranks; r++) load[r] = start + (r < teams * size ? work : 0);
        busy += c->row[i] * shares * size;
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
        if (!fits_serves(s->config[i].class)) continue;
        rows[i] = fits_stretch(s, &s->config[i], ranks);
        int P = s->P - config_first_row(s, &s->config[i]);
        left[i] = (int64_t)((P + rows[i] - 1) / rows[i]) * s->config[i].layout.seeds;
        tasks += left[i];
        known[i] = c->row[i];
    }
    if (!*team) *team = fits_team_size(s, ranks, tasks);
    int teams = (ranks + *team - 1) / *team;
    struct heap h = {.n = teams, .at = memory_array(double, teams, "teams"), .who = memory_array(int, teams, "teams")};
    for (int t = 0; t < teams; t++) {
        h.who[t] = t;
        for (int r = t * *team; r < (t + 1) * *team && r < ranks; r++) h.at[t] = fmax(h.at[t], load[r]);
    }
    for (int i = teams / 2; i >= 0; i--) sink(&h, i);
    for (; tasks > 0; tasks--) {
        int i = fits_choose(s, left, rows, known), from = h.who[0] * *team,
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
    memory_free(left);
    memory_free(rows);
    memory_free(known);
    memory_free(h.at);
    memory_free(h.who);
    return busy;
}

/* Most periods whose moments a rank needs, in the universe where it needs most. */
static int64_t widest_hull(const struct study *s, int ranks, const int64_t *first)
{
    int64_t most = 0;
    for (int r = 0; r < ranks; r++)
        for (int64_t u = first[r]; u < first[r + 1];) { /* stretches of one configuration */
            const struct config *c = &s->config[u / s->P];
            int64_t end = (u / s->P + 1) * s->P;
            if (end > first[r + 1]) end = first[r + 1];
            int64_t last = (end - 1) % s->P, need = c->grows ? study_period(s, (int)last) + 1 : end - u + c->shape.T;
            if (!fits_serves(c->class) && c->class->trades != TRADE_BENCHMARK && need > most) most = need;
            u = end;
        }
    return most;
}

static double bytes_of(const struct study *s, const struct panel_meta *m, int ranks, int64_t hull)
{
    uint8_t *done = memory_array(uint8_t, (size_t)s->configs * s->P, "done flags");
    int *first_row = memory_array(int, s->configs, "first rows"), band = 0;
    for (int i = 0; i < s->configs; i++) {
        first_row[i] = config_first_row(s, &s->config[i]);
        if (s->config[i].shape.T > band) band = s->config[i].shape.T;
        if (!rows_serves(&s->config[i])) memset(done + (size_t)i * s->P, 1, (size_t)s->P);
    }
    struct schedule_work w = {.configs = s->configs, .P = s->P, .first_row = first_row, .done = done};
    struct rows_job rows = {.study = s, .meta = m, .work = &w, .end = (int64_t)s->configs * s->P};
    struct fits_job fits = {.rows = &rows};
    double meta = 8. * m->T * (2 + m->M) + (double)s->configs * s->P, store = hull ? store_bytes(m->D, hull, band) : 0;
    double work = fmax(fmax(survey_bytes(s, m, ranks), rows_bytes(&rows)), fits_bytes(&fits));
    memory_free(done);
    memory_free(first_row);
    return meta + store + work;
}

void forecast_run(const struct study *s, const struct panel_meta *m, const struct calibration *c, int ranks, int team,
                  const double *slowness, struct forecast *f)
{
    int64_t *first = memory_array(int64_t, ranks + 1, "schedule");
    double *load = memory_array(double, ranks, "loads"), longest = 0;
    *f = (struct forecast){.ranks = ranks, .team = team};
    f->busy = play_cut(s, c, ranks, slowness, first, load) + play_teams(s, c, ranks, load);
    f->busy += play_fits(s, c, ranks, slowness, &f->team, load);
    for (int r = 0; r < ranks; r++) longest = fmax(longest, load[r]);
    int64_t hull = widest_hull(s, ranks, first);
    int longest_period = panel_max_assets(m);
    f->survey = c->read_row * fmax((double)m->rows / ranks, longest_period) + c->gram_period * (double)hull;
    f->rows = longest;
    double values = 0;
    for (int i = 0; i < s->configs; i++)
        values += (double)layout_record(&s->config[i].layout) * s->P * s->config[i].layout.seeds;
    f->finish = 0.2 + 8 * values / 200e6; /* read back, assembled and written: 200 MB/s */
    f->seconds = f->survey + f->rows + f->finish;
    f->idle = longest > 0 ? 1 - f->busy / (longest * ranks) : 0;
    f->bytes = bytes_of(s, m, ranks, hull);
    memory_free(first);
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

void workload_of(const struct study *s, const struct calibration *c, struct workload *w)
{
    *w = (struct workload){0};
    for (int i = 0; i < s->configs; i++) {
        const struct config *k = &s->config[i];
        int64_t rows = s->P - config_first_row(s, k);
        w->rows += rows;
        w->fits += rows * k->layout.seeds;
        double share = 0;
        for (int row = config_first_row(s, k); row < s->P; row++) share += config_share(s, k, row);
        w->flops += share * k->layout.seeds * k->cost.flops;
        w->seconds += share * k->layout.seeds * c->row[i];
    }
}
