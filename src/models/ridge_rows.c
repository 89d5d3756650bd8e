#include "models/ridge_rows.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>

void ridge_rows_layout(const struct shape *s, struct layout *l)
{
    layout_field(l, "returns", 0, 0, 0, false, "decimal per period",
                 "out-of-sample SDF return, ridge selected by leave-one-out");
    layout_field(l, "loo_loss", 1, s->nz, 0, false, "1", "leave-one-out loss of each ridge penalty in the window");
    layout_field(l, "selected_ridge", 0, 0, 0, false, "1",
                 "ridge penalty z of smallest leave-one-out loss, ties to the larger");
    layout_field(l, "returns_by_ridge", 1, s->nz, 0, false, "decimal per period",
                 "out-of-sample SDF return of each ridge penalty");
    layout_constant(l, "ridge", s->nz, s->ridge, "1", "ridge penalties z");
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
