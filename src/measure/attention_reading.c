/* Entropy, leaders and collapse of an attention matrix, and means of such figures over dates. */
#include "measure/attention_reading.h"

#include <math.h>

#include "base/memory.h"

/* Sum, largest weight and entropy of row i, relative to its sum; false: it has no weight. An asset that gives itself exactly nothing is
 * not one that it sees (include_self: false). */
static bool read_row(int A, int i, const double *row, double *largest, double *entropy)
{
    double sum = 0, most = 0, plogp = 0;
    int seen = 0;
    for (int j = 0; j < A; j++)
        if (isfinite(row[j])) sum += row[j], most = fmax(most, row[j]), seen += j != i || row[j] > 0;
    if (!(sum > 0)) return false;
    for (int j = 0; j < A; j++)
        if (row[j] > 0 && isfinite(row[j])) plogp -= row[j] / sum * log(row[j] / sum);
    *largest = most / sum;
    *entropy = seen > 1 ? plogp / log(seen) : NAN;
    return true;
}

void attention_view(int A, const double *matrix, struct attention_view *out)
{
    double entropy = 0, concentration = 0, total = 0;
    double *column = memory_array(double, A, "attention received");
    int with_entropy = 0;
    *out = (struct attention_view){0, NAN, NAN, -1, NAN};
    for (int i = 0; i < A; i++) {
        const double *row = matrix + (size_t)i * (size_t)A;
        double largest, own;
        if (!read_row(A, i, row, &largest, &own)) continue;
        out->assets++;
        concentration += largest;
        if (isfinite(own)) entropy += own, with_entropy++;
        for (int j = 0; j < A; j++)
            if (isfinite(row[j])) column[j] += row[j], total += row[j];
    }
    for (int j = 0; j < A && out->assets; j++)
        if (out->strongest < 0 || column[j] > column[out->strongest]) out->strongest = j;
    if (out->assets) {
        out->concentration = concentration / out->assets;
        out->share = column[out->strongest] / total;
        if (with_entropy) out->entropy = entropy / with_entropy;
    }
    memory_free(column);
}

void attention_leaders(int A, const double *matrix, double *leader, double *follower)
{
    for (int j = 0; j < A; j++) {
        double sum = 0;
        int seen = 0;
        for (int i = 0; i < A; i++) {
            double w = matrix[(size_t)i * (size_t)A + (size_t)j];
            if (i != j && isfinite(w)) sum += w, seen++;
        }
        double self = matrix[(size_t)j * (size_t)A + (size_t)j];
        leader[j] = seen ? sum / seen : NAN;
        follower[j] = isfinite(self) ? 1 - self : NAN;
    }
}

bool attention_collapsed(const struct attention_view *v)
{
    return v->entropy < ATTENTION_LEAST_ENTROPY || attention_taken(v);
}

bool attention_taken(const struct attention_view *v)
{
    return v->share > ATTENTION_MOST_SHARE && v->share * v->assets > 2;
}

void means_add(size_t n, const double *x, double *sum, double *count)
{
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i])) sum[i] += x[i], count[i]++;
}

void means_take(size_t n, const double *sum, const double *count, double *out)
{
    for (size_t i = 0; i < n; i++) out[i] = count[i] > 0 ? sum[i] / count[i] : NAN;
}
