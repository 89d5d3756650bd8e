#include "fit_tasks.h"

#include <string.h>

#include "base/memory.h"

bool fit_pending(const struct fits_job *j, int c, int seed, int row)
{
    const struct study *s = j->rows->study;
    return row >= config_first_row(s, &s->config[c]) &&
           !j->done[c][(size_t)row * (size_t)s->config[c].layout.seeds + (size_t)seed];
}

int fits_stretch(const struct study *s, const struct config *c, int ranks)
{
    if (c->policy.warm_start) return s->P;
    if (c->policy.refit_every > 1) return c->policy.refit_every;
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
            for (int r = row; r < end; r++) left += fit_pending(j, c, seed, r);
            if (left && task) task[n] = (struct task){c, seed, row, end - row};
            n += left > 0;
        }
    return n;
}

void tasks_create(struct tasks *t, const struct fits_job *j)
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

void tasks_free(struct tasks *t)
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

int64_t tasks_take(struct team_pick *pick, const struct study *s, const struct tasks *t)
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
