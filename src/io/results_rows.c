/* Records from part logs to the rows of a model, with means over its seeds. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "io/results_rows.h"

static void rows_allocate(struct row_set *r, int first_row)
{
    size_t P = (size_t)r->P, S = (size_t)r->S;
    for (int i = 0; i < r->fields; i++) {
        struct row_field *f = &r->field[i];
        size_t n = P * (f->per_seed ? S : 1) * (size_t)f->size;
        f->data = memory_array(double, n, f->name);
        for (size_t k = 0; k < n; k++) f->data[k] = NAN;
    }
    r->done = memory_array(uint8_t, P, "done flags");
    r->code = memory_array(int64_t, P * S, "fit codes");
    memset(r->done, 1, (size_t)first_row);
}

/* Every field of one fit into place; shared fields are gathered per seed first and averaged afterwards. */
static void place(struct row_set *r, double **by_seed, const struct part_key *key, const double *values)
{
    for (int i = 0; i < r->fields; i++) {
        struct row_field *f = &r->field[i];
        double *to = f->per_seed || r->S > 1
                         ? (f->per_seed ? f->data : by_seed[i]) + ((size_t)key->row * r->S + key->seed) * f->size
                         : f->data + (size_t)key->row * f->size;
        memcpy(to, values, sizeof(double) * (size_t)f->size);
        values += f->size;
    }
}

/* The mean over the seeds that did not fail, in seed order. */
static void average(struct row_field *f, const double *by_seed, int P, int S)
{
    for (int p = 0; p < P; p++)
        for (int k = 0; k < f->size; k++) {
            double sum = 0;
            int n = 0;
            for (int s = 0; s < S; s++) {
                double v = by_seed[((size_t)p * S + s) * f->size + k];
                if (isfinite(v)) sum += v, n++;
            }
            f->data[(size_t)p * f->size + k] = n ? sum / n : NAN;
        }
}

const struct part_record **rows_records(const struct part_index *x, int config, int P, int S, size_t values)
{
    const struct part_record **first = memory_array(const struct part_record *, (size_t)P *(size_t)S, "fits found");
    size_t found;
    for (const struct part_record *r = parts_of(x, config, &found); found; found--, r++) {
        if (!parts_serve(r, P, S, values)) continue;
        const struct part_record **at = &first[(size_t)r->key.row * (size_t)S + (size_t)r->key.seed];
        if (!*at) *at = r;
    }
    return first;
}

int rows_assemble(struct row_set *r, const struct part_index *x, int config, int first_row, struct error *e)
{
    size_t record = 0, P = (size_t)r->P, S = (size_t)r->S;
    double *by_seed[LAYOUT_FIELDS] = {0};
    rows_allocate(r, first_row);
    for (int i = 0; i < r->fields; i++) {
        record += (size_t)r->field[i].size;
        if (r->S == 1 || r->field[i].per_seed) continue;
        size_t n = P * S * (size_t)r->field[i].size;
        by_seed[i] = memory_array(double, n, r->field[i].name);
        for (size_t k = 0; k < n; k++) by_seed[i][k] = NAN;
    }
    const struct part_record **first = rows_records(x, config, r->P, r->S, record);
    double *values = memory_array(double, record, "a record");
    int status = 0;
    for (size_t at = 0; at < P * S && !status; at++) {
        if (!first[at]) continue;
        status = parts_read(x, first[at], values, NULL, NULL, e);
        place(r, by_seed, &first[at]->key, values);
        r->code[at] = first[at]->key.code;
    }
    for (size_t p = (size_t)first_row; p < P; p++) {
        r->done[p] = 1;
        for (size_t s = 0; s < S; s++) r->done[p] = r->done[p] && first[p * S + s];
    }
    for (int i = 0; i < r->fields; i++) {
        if (by_seed[i]) average(&r->field[i], by_seed[i], r->P, r->S);
        memory_free(by_seed[i]);
    }
    for (size_t p = 0; p < P; p++) /* a row of which seeds are missing is not there yet */
        if (!r->done[p])
            for (int i = 0; i < r->fields; i++)
                if (!r->field[i].per_seed)
                    for (int k = 0; k < r->field[i].size; k++)
                        r->field[i].data[p * (size_t)r->field[i].size + (size_t)k] = NAN;
    memory_free(first);
    memory_free(values);
    if (status) rows_free(r);
    return status;
}

void rows_free(struct row_set *r)
{
    for (int i = 0; i < r->fields; i++) memory_free(r->field[i].data), r->field[i].data = NULL;
    memory_free(r->done);
    memory_free(r->code);
    r->done = NULL;
    r->code = NULL;
}
