/* What every ridge model records of a window, and its fit and positions where it holds the factors itself. */
#include "models/ridge_rows.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>

void ridge_rows_layout(const struct shape *s, struct layout *l)
{
    layout_field(l, (struct field){.name = "returns",
                                   .unit = "decimal per period",
                                   .meaning = "out-of-sample SDF return, ridge selected by leave-one-out"});
    layout_field(l, (struct field){.name = "loo_loss",
                                   .unit = "1",
                                   .meaning = "leave-one-out loss of each ridge penalty in the window",
                                   .dim = {{"ridge", s->nz}}});
    layout_field(l, (struct field){.name = "selected_ridge",
                                   .unit = "1",
                                   .meaning = "ridge penalty z of smallest leave-one-out loss, ties to the larger"});
    layout_field(l, (struct field){.name = "returns_by_ridge",
                                   .unit = "decimal per period",
                                   .meaning = "out-of-sample SDF return of each ridge penalty",
                                   .dim = {{"ridge", s->nz}}});
    layout_constant(l, (struct constant){.name = "ridge",
                                         .unit = "1",
                                         .meaning = "ridge penalties z",
                                         .dimension = "ridge",
                                         .n = s->nz,
                                         .value = s->ridge});
}

double *ridge_rows_record(const struct ridge_path *p, const double *z, const double *returns_by_ridge, double *record)
{
    size_t nz = (size_t)p->nz;
    *record++ = returns_by_ridge[p->selected];
    memcpy(record, p->loss, sizeof(double) * nz);
    record[nz] = z[p->selected];
    memcpy(record + nz + 1, returns_by_ridge, sizeof(double) * nz);
    return record + 2 * nz + 1;
}

int ridge_rows_fit(struct ridge_path *p, int T, const double *gram, const double *z, struct fit_note *note)
{
    note->code = ridge_fit(p, T, gram, z) != 0;
    if (note->code) snprintf(note->text, sizeof note->text, "the Gram matrix has no eigen-decomposition");
    return note->code;
}

void ridge_rows_positions(const struct ridge_path *p, int T, int D, const double *factors, double *out)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, p->nz, D, T, 1, p->alpha, T, factors, D, 0, out, D);
}
