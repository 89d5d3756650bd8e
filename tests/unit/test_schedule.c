/* Who does what: the cut of a study's rows over ranks against all cuts that there are, its cost counted again; the queue's tasks hold every
 * fit that is pending once, and no task nothing. */
#include <string.h>

#include "../../src/study/fit_tasks.h"
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "study/schedule.h"

enum { MOST = 14 };

/* Seconds of the pending units of [from, to): a start-up where a configuration begins, and after every gap. */
static double seconds_of(const struct schedule_work *w, int64_t from, int64_t to)
{
    double sum = 0;
    int64_t last = -1;
    for (int64_t u = from; u < to; u++) {
        int c = (int)(u / w->P);
        if (!schedule_pending(w, u)) continue;
        if (last < 0 || u != last + 1 || last / w->P != c) sum += w->first_seconds[c];
        sum += w->seconds[c] * (w->share ? w->share[u] : 1);
        last = u;
    }
    return sum;
}

/* The shortest possible longest rank, over all cuts of [from, units) into runs. */
static double best_of(const struct schedule_work *w, int ranks, int64_t from)
{
    int64_t units = (int64_t)w->configs * w->P;
    if (ranks == 1) return seconds_of(w, from, units);
    double best = INFINITY;
    for (int64_t cut = from; cut <= units; cut++)
        best = fmin(best, fmax(seconds_of(w, from, cut), best_of(w, ranks - 1, cut)));
    return best;
}

static void against_all_cuts(void)
{
    for (int trial = 0; trial < 400; trial++) {
        struct random_stream s = random_open(2, (uint64_t)trial, 0, 0);
        uint64_t at = 0;
        int configs = 1 + trial % 3, P = 3 + (int)(random_uniform(&s, at++) * (MOST / configs - 2)), first_row[3], units;
        double seconds[3], start[3], share[3 * MOST], total, sum = 0;
        uint8_t done[3 * MOST];
        int64_t first[5];
        units = configs * P;
        for (int c = 0; c < configs; c++) {
            seconds[c] = 0.1 + random_uniform(&s, at++), start[c] = trial % 2 ? 2 * random_uniform(&s, at++) : 0;
            first_row[c] = random_uniform(&s, at++) < 0.3;
        }
        for (int u = 0; u < units; u++) share[u] = 0.5 + random_uniform(&s, at++), done[u] = random_uniform(&s, at++) < 0.25;
        struct schedule_work w = {.configs = configs,
                                  .P = P,
                                  .seconds = seconds,
                                  .share = trial % 5 ? share : NULL,
                                  .first_seconds = start,
                                  .first_row = first_row,
                                  .done = done};
        for (int ranks = 1; ranks <= 4; ranks++) {
            double longest = schedule_cut(&w, ranks, first, &total), worst = 0, best = best_of(&w, ranks, 0);
            CU_ASSERT(first[0] == 0 && first[ranks] == units);
            for (int r = 0; r < ranks; r++) {
                CU_ASSERT(first[r] <= first[r + 1]);
                worst = fmax(worst, seconds_of(&w, first[r], first[r + 1]));
            }
            CHECK_CLOSE(longest, worst, 1e-12);
            CU_ASSERT(longest <= best * (1 + 1e-5) + 1e-12);
        }
        for (int u = 0; u < units; u++) sum += schedule_pending(&w, u) ? seconds[u / P] * (w.share ? share[u] : 1) : 0;
        CHECK_CLOSE(total, sum, 1e-12);
    }
}

/* ---- the queue ---- */

static const char *const queued =
    "window: 10\nmodels:\n  - {name: bsv, kind: bsv}\n  - {name: mlp, kind: mlp, hidden: [4], seeds: 3}\n"
    "  - {name: refit, kind: mlp, hidden: [4], seeds: 2, refit_every: 4}\n"
    "  - {name: late, kind: mlp, hidden: [4], window: 13, seeds: 2}\n"
    "  - {name: chain, kind: mlp, hidden: [4], seeds: 2, warm_start: true}\n";

static struct team *world;

static void tasks_hold_what_is_pending(void)
{
    enum { PERIODS = 31, ASSETS = 6 };
    struct error e = {""};
    struct study s;
    int64_t offsets[PERIODS + 1], dates[PERIODS];
    for (int t = 0; t <= PERIODS; t++) offsets[t] = ASSETS * t;
    for (int t = 0; t < PERIODS; t++) dates[t] = 20000101 + t;
    struct panel_meta m = {
        .T = PERIODS, .D = 3, .periods_per_year = 252, .rows = offsets[PERIODS], .offsets = offsets, .dates = dates};
    CU_ASSERT_FATAL(!study_parse("queued.yaml", queued, &s, &e) && !study_bind(&s, &m, &e));
    CU_ASSERT_EQUAL_FATAL(s.configs, 5);
    for (int trial = 0; trial < 200; trial++) {
        struct random_stream u = random_open(6, (uint64_t)trial, 0, 0);
        uint8_t done[5][PERIODS * 3], *by_config[5];
        int held[5][PERIODS * 3] = {{0}};
        uint64_t at = 0;
        for (int c = 0; c < 5; c++)
            for (int i = 0; i < PERIODS * 3; i++)
                by_config[c] = done[c], done[c][i] = random_uniform(&u, at++) < trial % 11 / 10.0;
        struct fit_job job = {.world = world, .study = &s, .meta = &m, .done = by_config};
        struct tasks t;
        tasks_create(&t, &job);
        for (int64_t i = 0; i < t.total; i++) {
            const struct task *k = &t.task[i];
            int S = s.config[k->config].layout.seeds, pending = 0;
            CU_ASSERT(i >= t.first[k->config] && i < t.first[k->config + 1] && k->seed < S);
            for (int row = k->row; row < k->row + k->rows; row++)
                held[k->config][row * S + k->seed]++, pending += !done[k->config][row * S + k->seed];
            CU_ASSERT(pending > 0);
        }
        for (int c = 0; c < 5; c++) {
            int S = s.config[c].layout.seeds;
            if (config_cut(&s.config[c])) {
                CU_ASSERT(t.first[c] == t.first[c + 1]);
                continue;
            }
            for (int row = 0; row < s.P; row++)
                for (int seed = 0; seed < S; seed++)
                    if (row < config_first_row(&s, &s.config[c])) CU_ASSERT(held[c][row * S + seed] == 0)
                    else CU_ASSERT(done[c][row * S + seed] ? held[c][row * S + seed] <= 1 : held[c][row * S + seed] == 1);
        }
        CU_ASSERT(t.total == t.first[5]);
        tasks_free(&t);
    }
    study_free(&s);
}

/* The longest task first: by what was measured, else by the models' own figures as far as those measured were off. */
static void longest_first(void)
{
    struct config config[3] = {{.cost = {.seconds = 1}}, {.cost = {.seconds = 2}}, {.cost = {.seconds = 5}}};
    struct study s = {.configs = 3, .config = config};
    const int64_t all[3] = {4, 4, 4}, first[3] = {4, 0, 0}, none[3] = {0, 0, 0};
    const double nothing[3] = {0, 0, 0}, slow[3] = {0, 30, 0}, both[3] = {4, 2, 0};
    CU_ASSERT_EQUAL(tasks_choose(&s, all, (int[]){1, 1, 1}, nothing), 2);
    CU_ASSERT_EQUAL(tasks_choose(&s, all, (int[]){20, 9, 1}, nothing), 0); /* 20, 18 and 5 seconds a task */
    CU_ASSERT_EQUAL(tasks_choose(&s, all, (int[]){1, 3, 1}, slow), 1); /* 15, 90, 75: a row takes 15 times as long as said */
    CU_ASSERT_EQUAL(tasks_choose(&s, all, (int[]){1, 2, 1}, slow), 2); /* 15, 60, 75 */
    CU_ASSERT_EQUAL(tasks_choose(&s, all, (int[]){4, 1, 1}, both), 0); /* 16, 2, 12.5 */
    CU_ASSERT_EQUAL(tasks_choose(&s, all, (int[]){3, 1, 1}, both), 2); /* 12, 2, 12.5 */
    CU_ASSERT_EQUAL(tasks_choose(&s, first, (int[]){1, 1, 1}, nothing), 0);
    CU_ASSERT_EQUAL(tasks_choose(&s, (int64_t[]){4, 4, 0}, (int[]){3, 2, 9}, nothing), 1); /* 3 and 4 */
    CU_ASSERT_EQUAL(tasks_choose(&s, none, (int[]){1, 1, 1}, nothing), -1);
}

int main(int argc, char **argv)
{
    static const struct check tests[] = {{"against all cuts that there are", against_all_cuts},
                                         {"tasks hold what is pending", tasks_hold_what_is_pending},
                                         {"the longest task first", longest_first}};
    world = world_open(&argc, &argv);
    int status = check_run("schedules", tests, sizeof tests / sizeof *tests);
    world_close(world);
    return status || memory_blocks() != 0;
}
