/* What every ridge model reports, written once: the fields loo_loss, selected_ridge and returns_by_ridge and the constant ridge. */
#ifndef MODELS_RIDGE_ROWS_H
#define MODELS_RIDGE_ROWS_H

#include "linalg/ridge.h"
#include "models/model.h"

/* Appends returns, loo_loss, selected_ridge, returns_by_ridge, and the constant ridge. */
void ridge_rows_layout(const struct shape *s, struct layout *l);
/* Fills those four in record from the fitted path and the realised return of each penalty [nz]; returns where the next
 * field begins. */
double *ridge_rows_record(const struct ridge_path *p, const double *z, const double *returns_by_ridge, double *record);

/* For models that hold the ridge combination of their own factors [T, D] themselves (BSV, DKKM): fit the path to their Gram matrix
 * [T, T], 0 or note's code 1; and every penalty's positions [nz, D] in them. */
int ridge_rows_fit(struct ridge_path *p, int T, const double *gram, const double *z, struct fit_note *note);
void ridge_rows_positions(const struct ridge_path *p, int T, int D, const double *factors, double *out);

#endif
