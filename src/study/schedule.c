/* Cutting the pending rows into one run for each rank, by bisection on the longest rank's time. */
#include "study/schedule.h"

#include <stddef.h>

static double unit_seconds(const struct schedule_work *w, int64_t u)
{
    return w->seconds[u / w->P] * (w->share ? w->share[u] : 1);
}

/* Fill ranks one after the other, each up to `limit` seconds. Returns whether all units found a place; first may be NULL. */
static int fill(const struct schedule_work *w, int ranks, double limit, int64_t *first, double *longest)
{
    int64_t units = (int64_t)w->configs * w->P, last = -2;
    int rank = 0;
    double here = 0;
    *longest = 0;
    if (first) first[0] = 0;
    for (int64_t u = 0; u < units; u++) {
        if (!schedule_pending(w, u)) continue;
        int c = (int)(u / w->P);
        double start = w->first_seconds[c], own = unit_seconds(w, u),
               more = own + (u != last + 1 || u % w->P == 0 || here == 0 ? start : 0);
        if (here > 0 && here + more > limit) {
            if (++rank == ranks) return 0;
            if (first) first[rank] = u;
            here = 0;
            more = own + start;
        }
        here += more;
        if (here > *longest) *longest = here;
        last = u;
    }
    while (first && rank < ranks) first[++rank] = units;
    return 1;
}

double schedule_cut(const struct schedule_work *w, int ranks, int64_t *first, double *total)
{
    double sum = 0, high = 0, longest;
    for (int64_t u = 0; u < (int64_t)w->configs * w->P; u++)
        if (schedule_pending(w, u)) sum += unit_seconds(w, u), high += unit_seconds(w, u) + w->first_seconds[u / w->P];
    if (total) *total = sum;
    double low = sum / ranks;
    for (int i = 0; i < 50 && high - low > 1e-6 * high; i++) {
        double middle = (low + high) / 2;
        if (fill(w, ranks, middle, NULL, &longest)) high = middle;
        else low = middle;
    }
    fill(w, ranks, high, first, &longest);
    return longest;
}
