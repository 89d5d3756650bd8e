/* Size breakpoints and groups from the market equity of the stocks that define them. */
#include "panel/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int sample_characteristics(const struct sample_rules *r, int T, int C, const int64_t *rows, const int64_t *missing,
                           uint8_t *use)
{
    int kept = 0;
    for (int c = 0; c < C; c++) {
        int64_t all = 0, none = 0;
        bool any = false;
        for (int t = 0; t < T; t++) {
            all += rows[t];
            none += missing[(size_t)t * C + c];
            use[(size_t)t * C + c] = r->past_only && all > 0 && !sample_exceeds(none, r->characteristic_missing, all);
            any |= use[(size_t)t * C + c];
        }
        if (!r->past_only && all > 0 && !sample_exceeds(none, r->characteristic_missing, all)) {
            for (int t = 0; t < T; t++) use[(size_t)t * C + c] = 1;
            any = true;
        }
        kept += any;
    }
    return kept;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool size_breakpoints(int n, double *me, double breaks[4])
{
    static const int percent[4] = {1, 20, 50, 80};
    if (n == 0) return false;
    qsort(me, (size_t)n, sizeof *me, ascending);
    for (int k = 0; k < 4; k++) {
        int64_t product = (int64_t)n * percent[k];
        int64_t j = product / 100; /* n p = j + fraction; values are counted from 1 */
        if (product % 100) breaks[k] = me[j];
        else breaks[k] = j == 0 ? me[0] : 0.5 * (me[j - 1] + me[j]);
    }
    return true;
}

enum size_group size_group_of(double me, const double breaks[4])
{
    if (isnan(me)) return SIZE_UNKNOWN;
    int g = SIZE_NANO;
    while (g < SIZE_MEGA && me >= breaks[g]) g++;
    return (enum size_group)g;
}

enum size_group size_group_named(const char *text, size_t n)
{
    static const char *const name[] = {"nano", "micro", "small", "large", "mega"};
    for (int g = 0; g < 5; g++)
        if (strlen(name[g]) == n && !memcmp(name[g], text, n)) return (enum size_group)g;
    return SIZE_UNKNOWN;
}
