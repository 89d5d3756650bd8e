/* Choosing the rows inside a date range, universe by universe, and the measures of each model over them. */
#include "date_sample.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "measure/series.h"

int tables_range(const struct results *r, const struct table_options *o, int *first, int *count, struct error *e)
{
    if (o->from && o->to && o->from > o->to)
        return error_set(e, "--from %lld --to %lld: found a range that ends before it begins; needed: FROM <= TO",
                         (long long)o->from, (long long)o->to);
    date_range(r->P, r->dates, o->from, o->to, first, count);
    if (r->P == 0) return error_set(e, "%s: found no out-of-sample periods; needed: at least one", r->path);
    if (*count == 0)
        return error_set(e, "%s: no formation date lies in the range asked for; the results run from %lld to %lld", r->path,
                         (long long)r->dates[0], (long long)r->dates[r->P - 1]);
    return 0;
}

void sample_open(struct sample *s, const struct results *r, const struct table_options *o, int first, int n)
{
    *s = (struct sample){.r = r, .o = o, .first = first, .n = n, .hjd_n = -1};
    s->index = memory_array(int, n, "sample rows");
    s->hjd_index = memory_array(int, n, "sample rows");
    s->series = memory_array(double, n, "sample returns");
}

void sample_close(struct sample *s)
{
    hjd_free(&s->hjd);
    memory_free_all(s->index, s->hjd_index, s->series);
}

int sample_take(struct sample *s, const double *returns, int stride)
{
    int n = 0;
    for (int i = 0; i < s->n; i++) {
        double x = returns[(size_t)(s->first + i) * (size_t)stride];
        if (isfinite(x)) s->index[n] = s->first + i, s->series[n++] = x;
    }
    return n;
}

static const struct hjd *hjd_of(struct sample *s, int n)
{
    size_t bytes = (size_t)n * sizeof *s->index;
    if (n != s->hjd_n || memcmp(s->index, s->hjd_index, bytes)) {
        hjd_free(&s->hjd);
        hjd_create(&s->hjd, s->r->M, s->r->test_assets, n, s->index, s->o->hjd_covariance, s->o->hjd_root);
        s->hjd_n = n;
        memcpy(s->hjd_index, s->index, bytes);
    }
    return &s->hjd;
}

double sample_hjd(struct sample *s, int n, double *scaled)
{
    return hjd_distance(hjd_of(s, n), s->series, scaled);
}

struct measure_sample sample_measured(struct sample *s, int n)
{
    return (struct measure_sample){.n = n,
                                   .periods_per_year = s->r->periods_per_year,
                                   .returns = s->series,
                                   .scaled = s->series,
                                   .hjd = n && s->r->M ? hjd_of(s, n) : NULL};
}

/* The column of a measure at a parameter, and what people read above it. */
static const char *with_parameter(const struct measure *m, const char *text, const char *between, int parameter,
                                  char out[80])
{
    if (m->last) snprintf(out, 80, "%s%s%d", text, between, parameter);
    else snprintf(out, 80, "%s", text);
    return out;
}

void measure_columns(struct table *t, enum measure_set set)
{
    char name[80], title[80];
    for (const struct measure *m = measures; m->name; m++)
        for (int k = m->first; k <= m->last && m->sets & set; k++)
            table_column(t, with_parameter(m, m->name, "_", k, name), with_parameter(m, m->title, " ", k, title), TABLE_REAL,
                         m->decimals);
}

void measure_values(struct table *t, enum measure_set set, struct measure_sample sample)
{
    char name[80];
    for (const struct measure *m = measures; m->name; m++)
        for (sample.parameter = m->first; sample.parameter <= m->last && m->sets & set; sample.parameter++)
            table_set(t, with_parameter(m, m->name, "_", sample.parameter, name), m->function(&sample));
}

int64_t sample_date(const struct sample *s, int i)
{
    return s->r->dates[s->index[i]];
}

int sample_universes(const struct results *r, const char **out)
{
    int n = 0;
    for (int i = 0; i < r->models; i++) {
        int u = 0;
        while (u < n && strcmp(out[u], r->model[i].universe)) u++;
        if (u == n) out[n++] = r->model[i].universe;
    }
    return n;
}

int sample_common(struct sample *s, int k, const double *const *series, double *out)
{
    const double **shifted = memory_array(const double *, k, "series");
    for (int i = 0; i < k; i++) shifted[i] = series[i] + s->first;
    int n = common_rows(s->n, k, shifted, s->index);
    for (int i = 0; i < k; i++) series_gather(n, s->index, shifted[i], out + (size_t)i * (size_t)n);
    memory_free(shifted);
    return n;
}

int sample_members(struct sample *s, const char *universe, int *out)
{
    int k = 0;
    for (int i = 0; i < s->r->models; i++)
        if (!strcmp(s->r->model[i].universe, universe) && sample_take(s, s->r->model[i].returns, 1)) out[k++] = i;
    return k;
}
