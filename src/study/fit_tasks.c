/* The list of tasks from what is still pending: static cuts for closed forms, the queue for fits over rows. */
#include "fit_tasks.h"

#include "base/memory.h"
#include "study/schedule.h"

bool fit_pending(const struct fit_job *j, int c, int seed, int row)
{
    const struct study *s = j->study;
    return row >= config_first_row(s, &s->config[c]) &&
           !j->done[c][(size_t)row * (size_t)s->config[c].layout.seeds + (size_t)seed];
}

int fit_start(const struct study *s, const struct config *c, int row)
{
    return row - (row - config_first_row(s, c)) % c->policy.refit_every;
}

/* ---- the static cut ---- */

int config_cut(const struct config *c)
{
    return c->class->needs & NEED_ROWS ? 0 : config_ranks(c);
}

/* The smallest size of teams above `ranks` that a configuration asks for; 0: none does. */
static int next_size(const struct study *s, int ranks)
{
    int size = 0;
    for (int i = 0; i < s->configs; i++) {
        int own = config_cut(&s->config[i]);
        if (own > ranks && (!size || own < size)) size = own;
    }
    return size;
}

/* What the rows of configurations whose windows grow take of their longest one's seconds; NULL: all windows roll. */
static double *shares_of(const struct study *s, int ranks)
{
    bool any = false;
    for (int c = 0; c < s->configs; c++) any |= s->config[c].grows;
    double *share = any ? memory_array(double, (size_t)s->configs * s->P, "costs of rows") : NULL;
    for (int c = 0; c < s->configs && any; c++)
        for (int row = config_first_row(s, &s->config[c]); row < s->P && config_cut(&s->config[c]) == ranks; row++)
            share[(size_t)c * s->P + row] = config_share(s, &s->config[c], row);
    return share;
}

static void cut_create(struct cut *k, const struct study *s, int size, int ranks, uint8_t *const *done)
{
    uint8_t *other = memory_array(uint8_t, (size_t)s->configs * s->P, "done flags");
    double *seconds = memory_array(double, s->configs, "costs"), *first = memory_array(double, s->configs, "costs"),
           *share = shares_of(s, size);
    int *first_row = memory_array(int, s->configs, "first rows");
    *k = (struct cut){.ranks = size, .teams = ranks / size > 1 ? ranks / size : 1};
    k->first = memory_array(int64_t, k->teams + 1, "schedule");
    for (int c = 0; c < s->configs; c++) {
        seconds[c] = s->config[c].cost.seconds;
        first[c] = s->config[c].cost.first_seconds;
        first_row[c] = config_first_row(s, &s->config[c]);
        require(config_cut(&s->config[c]) != size || s->config[c].layout.seeds == 1);
        for (int row = 0; row < s->P; row++)
            other[(size_t)c * s->P + row] = config_cut(&s->config[c]) != size || (done && done[c][row]);
    }
    struct schedule_work w = {.configs = s->configs,
                              .P = s->P,
                              .seconds = seconds,
                              .first_seconds = first,
                              .share = share,
                              .first_row = first_row,
                              .done = other};
    schedule_cut(&w, k->teams, k->first, NULL);
    memory_free_all(other, seconds, first, share, first_row);
}

void cuts_create(struct cuts *k, const struct study *s, int ranks, uint8_t *const *done)
{
    *k = (struct cuts){.cut = memory_array(struct cut, s->configs, "schedule")};
    for (int size = next_size(s, 0); size; size = next_size(s, size)) cut_create(&k->cut[k->n++], s, size, ranks, done);
}

void cuts_free(struct cuts *k)
{
    for (int i = 0; i < k->n; i++) memory_free(k->cut[i].first);
    memory_free(k->cut);
}

bool cut_next(const struct cut *k, const struct study *s, int team, int64_t *at, struct task *t)
{
    if (*at < k->first[team]) *at = k->first[team];
    while (*at < k->first[team + 1]) {
        int64_t next = (*at / s->P + 1) * s->P;
        if (next > k->first[team + 1]) next = k->first[team + 1];
        *t = (struct task){.config = (int)(*at / s->P), .row = (int)(*at % s->P), .rows = (int)(next - *at)};
        *at = next;
        if (config_cut(&s->config[t->config]) == k->ranks) return true;
    }
    return false;
}

static void widen(const struct study *s, const struct config *c, int row, int64_t n[2])
{
    int64_t now = study_period(s, row), from = now - config_window(s, c, row);
    if (n[0] == n[1]) n[0] = from, n[1] = now + 1;
    if (from < n[0]) n[0] = from;
    if (now >= n[1]) n[1] = now + 1;
}

void cuts_needs(const struct cuts *k, const struct study *s, int ranks, uint8_t *const *done, int64_t *const *need)
{
    struct task t;
    for (int i = 0; i < k->n; i++)
        for (int rank = 0; rank < ranks && rank / k->cut[i].ranks < k->cut[i].teams; rank++)
            for (int64_t at = 0; cut_next(&k->cut[i], s, rank / k->cut[i].ranks, &at, &t);) {
                const struct config *c = &s->config[t.config];
                if (c->class->trades == TRADE_BENCHMARK) continue;
                for (int row = t.row; row < t.row + t.rows; row++)
                    if (row >= config_first_row(s, c) && !(done && done[t.config][row]))
                        widen(s, c, row, &need[config_universe(s, c)][2 * rank]);
            }
}

void task_needs(const struct study *s, const struct task *t, int64_t *need)
{
    const struct config *c = &s->config[t->config];
    for (int row = t->row; row < t->row + t->rows && c->class->trades != TRADE_BENCHMARK; row++) widen(s, c, row, need);
}

int cuts_longest(const struct study *s)
{
    int T = 0;
    for (int i = 0; i < s->configs; i++) {
        const struct config *c = &s->config[i];
        if (config_cut(c) && c->class->trades != TRADE_BENCHMARK && c->shape.T > T) T = c->shape.T;
    }
    return T;
}

/* ---- the queue ---- */

int tasks_rows(const struct study *s, const struct config *c, int ranks)
{
    if (c->policy.warm_start) return s->P;
    if (c->policy.refit_every > 1) return c->policy.refit_every < s->P ? c->policy.refit_every : s->P;
    return c->cost.first_seconds > 0 ? (s->P + ranks - 1) / ranks : 1;
}

/* Fill task (NULL: count only) with what is pending of configuration c; rows outer, seeds inner, so that neighbours share rows. Stretches
 * are counted from the first row, so that they hold whole blocks of rows that share a fit. */
static int64_t list_tasks(const struct fit_job *j, int c, struct task *task)
{
    const struct study *s = j->study;
    const struct config *config = &s->config[c];
    int rows = tasks_rows(s, config, team_size(j->world));
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

void tasks_create(struct tasks *t, const struct fit_job *j)
{
    const struct study *s = j->study;
    *t = (struct tasks){.first = memory_array(int64_t, s->configs + 1, "tasks")};
    for (int c = 0; c < s->configs; c++) {
        t->first[c] = t->total;
        if (!config_cut(&s->config[c])) t->total += list_tasks(j, c, NULL);
    }
    t->first[s->configs] = t->total;
    t->task = memory_array(struct task, t->total, "tasks");
    for (int c = 0; c < s->configs; c++)
        if (!config_cut(&s->config[c])) list_tasks(j, c, t->task + t->first[c]);
}

void tasks_free(struct tasks *t)
{
    memory_free(t->first);
    memory_free(t->task);
}

/* Of the configurations with tasks left, the one whose tasks take longest, by what was measured a row where any was, else the model's
 * own figure times how far those measured were off. */
int tasks_choose(const struct study *s, const int64_t *left, const int *rows, const double *measured)
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

int64_t tasks_take(struct work_queue *queue, const struct study *s, const struct tasks *t)
{
    int64_t *taken = memory_array(int64_t, s->configs, "task counters"), result = -1;
    double *measured = memory_array(double, s->configs, "task counters");
    int *rows = memory_array(int, s->configs, "task counters");
    while (result < 0) {
        work_queue_look(queue, taken, measured);
        for (int c = 0; c < s->configs; c++) {
            taken[c] = t->first[c + 1] - t->first[c] - taken[c];
            rows[c] = taken[c] > 0 ? t->task[t->first[c]].rows : 0;
        }
        int which = tasks_choose(s, taken, rows, measured);
        if (which < 0) break;
        int64_t i = t->first[which] + work_queue_take(queue, which);
        if (i < t->first[which + 1]) result = i;
    }
    memory_free_all(taken, measured, rows);
    return result;
}

int tasks_team(const struct study *s, int ranks, int64_t tasks)
{
    int most = s->shards < ranks ? s->shards : ranks, size = s->ranks_per_fit;
    if (!size) size = tasks > 0 && tasks < ranks ? (int)((ranks + tasks - 1) / tasks) : 1;
    return size < most ? size : most;
}
