/* Market, reversal and factor portfolios, kept up to date as periods come by. */
#include "panel/reference.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

void reference_create(struct reference *f, int T, int D, int most)
{
    *f = (struct reference){.T = T, .D = D};
    f->market = memory_array(double, T, "market");
    f->reversal = memory_array(double, T, "reversal");
    f->factors = memory_array(double, (size_t)T *(size_t)D, "managed factors");
    f->past_ids = memory_array(int64_t, most, "assets of a period");
    f->past_returns = memory_array(double, most, "returns of a period");
}

void reference_free(struct reference *f)
{
    memory_free_all(f->market, f->reversal, f->factors, f->past_ids, f->past_returns);
    *f = (struct reference){0};
}

/* The reversal portfolio over the assets of both periods: first their mean return before, then the product. */
static double reversal_of(const struct reference *f, const struct rows *r, const int *index, int n)
{
    double mean = 0, product = 0, gross = 0;
    int both = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0, j = 0; i < n; i++) {
            while (j < f->past && f->past_ids[j] < r->ids[index[i]]) j++;
            if (j == f->past || f->past_ids[j] != r->ids[index[i]]) continue;
            if (!pass) {
                mean += f->past_returns[j], both++;
                continue;
            }
            double weight = mean - f->past_returns[j];
            product += weight * r->returns[index[i]];
            gross += fabs(weight);
        }
        if (!pass) mean /= both ? both : 1;
    }
    return gross > 0 ? product / gross : 0;
}

void reference_period(struct reference *f, int t, const struct rows *r, const int *index, int n)
{
    size_t D = (size_t)f->D;
    double *factor = f->factors + (size_t)t * D, sum = 0;
    memset(factor, 0, sizeof(double) * D);
    for (int i = 0; i < n; i++) {
        const float *x = r->characteristics + (size_t)index[i] * D;
        double y = r->returns[index[i]];
        sum += y;
        for (size_t d = 0; d < D; d++) factor[d] += x[d] * y;
    }
    for (size_t d = 0; d < D && n; d++) factor[d] /= n;
    f->market[t] = n ? sum / n : 0;
    f->reversal[t] = reversal_of(f, r, index, n);
    for (int i = 0; i < n; i++) f->past_ids[i] = r->ids[index[i]], f->past_returns[i] = r->returns[index[i]];
    f->past = n;
}
