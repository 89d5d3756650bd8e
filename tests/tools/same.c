/* same A B: exit 0 if two results files hold the same bits in everything a model computed; otherwise say where they differ. */
#include <stdio.h>
#include <string.h>

#include "io/results_file.h"

static int differ(const char *model, const char *what, const void *a, const void *b, size_t n)
{
    if (!a && !b) return 0;
    if (a && b && !memcmp(a, b, n)) return 0;
    printf("%s: %s differs\n", model, what);
    return 1;
}

static int differ_doubles(const char *model, const char *what, const double *a, const double *b, size_t n)
{
    return differ(model, what, a, b, n * sizeof *a);
}

int main(int argc, char **argv)
{
    struct error e = {""};
    struct results a, b;
    if (argc != 3) return 2;
    if (results_load(argv[1], &a, &e) || results_load(argv[2], &b, &e)) return printf("%s\n", e.text), 1;
    if (a.P != b.P || a.models != b.models || a.M != b.M) return printf("shapes differ\n"), 1;
    size_t P = (size_t)a.P;
    int bad = differ("file", "dates", a.dates, b.dates, P * sizeof *a.dates) + differ_doubles("file", "test assets", a.test_assets, b.test_assets, P * (size_t)a.M);
    for (int i = 0; i < a.models; i++) {
        const struct result_model *x = &a.model[i], *y = &b.model[i];
        if (strcmp(x->name, y->name) || strcmp(x->universe, y->universe) || x->nz != y->nz || x->nh != y->nh || x->S != y->S || x->E != y->E)
            return printf("models differ at %d\n", i), 1;
        size_t nz = (size_t)x->nz, S = (size_t)x->S;
        bad += differ(x->name, "done", x->done, y->done, P) + differ_doubles(x->name, "returns", x->returns, y->returns, P) +
               differ_doubles(x->name, "selected_ridge", x->selected_ridge, y->selected_ridge, P) +
               differ_doubles(x->name, "loo_loss", x->loo_loss, y->loo_loss, P * nz) +
               differ_doubles(x->name, "returns_by_ridge", x->returns_by_ridge, y->returns_by_ridge, P * nz) +
               differ_doubles(x->name, "returns_by_heads", x->returns_by_heads, y->returns_by_heads, P * nz * (size_t)x->nh) +
               differ_doubles(x->name, "symmetric_returns", x->symmetric_returns, y->symmetric_returns, P) +
               differ_doubles(x->name, "antisymmetric_returns", x->antisymmetric_returns, y->antisymmetric_returns, P) +
               differ_doubles(x->name, "returns_by_seed", x->returns_by_seed, y->returns_by_seed, P * S) +
               differ_doubles(x->name, "training_loss", x->training_loss, y->training_loss, P * S * (size_t)x->E);
    }
    results_free(&a);
    results_free(&b);
    return bad != 0;
}
