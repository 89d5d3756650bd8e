/* Who does what: the cut of a study's rows over ranks against all cuts that there are, its cost counted again. */
#include <string.h>

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

int main(void)
{
    static const struct check tests[] = {{"against all cuts that there are", against_all_cuts}};
    int status = check_run("schedules", tests, sizeof tests / sizeof *tests);
    return status || memory_blocks() != 0;
}
