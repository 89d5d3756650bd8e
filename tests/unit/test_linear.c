/* The linear models against brute force: the D^3 primal ridge, its heads by the singular vectors of the full parameter, attention
 * matrices applied stock by stock, and refitting for every period left out. */
#include "check.h"

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "models/model.h"
#include "panel/moments.h"

/* A random panel of T+1 periods with its window, moments and Gram matrices. */
struct sample {
    int T, D, n[64];
    float *x[64];
    double *r[64], *record[64], *gram, *timing;
    struct period period[64];
    struct window window;
};

static void sample_make(struct sample *s, int T, int D, uint64_t seed, double scale_power)
{
    *s = (struct sample){.T = T, .D = D};
    double *work = memory_array(double, moments_workspace(D), "work");
    for (int t = 0; t <= T; t++) {
        struct random_stream u = random_open(seed, 1, (uint64_t)t, 0);
        int n = s->n[t] = 7 + t % 5, index[64];
        s->x[t] = memory_array(float, n *D, "x");
        s->r[t] = memory_array(double, n, "r");
        s->record[t] = memory_array(double, moments_size(D), "record");
        for (int i = 0; i < n * D; i++) s->x[t][i] = (float)(random_uniform(&u, (uint64_t)i) - 0.5);
        for (int i = 0; i < n; i++)
            s->r[t][i] = 0.1 * random_normal(&u, 4000 + (uint64_t)i) + 0.05 * s->x[t][i * D], index[i] = i;
        struct rows rows = {.n = n, .characteristics = s->x[t], .returns = s->r[t]};
        moments_of(D, &rows, index, n, work, s->record[t]);
        double scale = pow(n, scale_power);
        cblas_dscal(D, scale, s->record[t] + 1, 1);
        s->period[t] = (struct period){.index = 40 + t,
                                       .n = n,
                                       .scale = scale,
                                       .factors = t < T ? moments_factors(s->record[t]) : NULL,
                                       .squares = t < T ? moments_squares(s->record[t], D) : 0,
                                       .timing = moments_timing(s->record[t], D)};
    }
    s->gram = memory_array(double, T *T, "gram");
    s->timing = memory_array(double, (T + 1) * (T + 1), "gram");
    for (int a = 0; a <= T; a++)
        for (int b = 0; b <= T; b++) {
            s->timing[a * (T + 1) + b] = cblas_ddot((int)packed_size(D), s->period[a].timing, 1, s->period[b].timing, 1);
            if (a < T && b < T) s->gram[a * T + b] = cblas_ddot(D, s->period[a].factors, 1, s->period[b].factors, 1);
        }
    s->window = (struct window){.T = T, .D = D, .period = s->period, .factor_gram = s->gram, .timing_gram = s->timing};
    memory_free(work);
}

static void sample_free(struct sample *s)
{
    for (int t = 0; t <= s->T; t++) memory_free(s->x[t]), memory_free(s->r[t]), memory_free(s->record[t]);
    memory_free(s->gram);
    memory_free(s->timing);
}

/* X'Z/n from the definition. */
static void timing_of(const struct sample *s, int t, double *xi)
{
    int D = s->D;
    for (int a = 0; a < D; a++)
        for (int b = 0; b < D; b++) {
            double sum = 0;
            for (int i = 0; i < s->n[t]; i++) sum += (double)s->x[t][i * D + a] * s->x[t][i * D + b];
            xi[a * D + b] = sum / s->n[t];
        }
}

/* Feature vector S_t'R_{t+1} = F (x) vec Xi: index (a, b, c) -> F_a Xi_bc. */
static void features(const struct sample *s, int t, double *f)
{
    int D = s->D;
    double xi[64];
    timing_of(s, t, xi);
    for (int a = 0; a < D; a++) {
        double F = 0;
        for (int i = 0; i < s->n[t]; i++) F += s->x[t][i * D + a] * s->r[t][i];
        for (int bc = 0; bc < D * D; bc++) f[a * D * D + bc] = s->period[t].scale * F * xi[bc];
    }
}

static const char *objective = "msrr", *solver = "auto";

/* The OLS objective's primal: returns of stocks on S_t = scale X_t (x) vec Xi_t. */
static void primal_ols(const struct sample *s, int P, double shift, const char *keep, double *lambda)
{
    int D = s->D;
    double *A = memory_array(double, P *P, "A"), *row = memory_array(double, P, "S"), xi[64];
    memset(lambda, 0, sizeof(double) * (size_t)P);
    for (int t = 0; t < s->T; t++) {
        timing_of(s, t, xi);
        for (int i = 0; i < s->n[t] && keep[t]; i++) {
            for (int a = 0; a < D; a++)
                for (int bc = 0; bc < D * D; bc++) row[a * D * D + bc] = s->period[t].scale * s->x[t][i * D + a] * xi[bc];
            cblas_dsyr(CblasColMajor, CblasLower, P, 1, row, 1, A, P);
            cblas_daxpy(P, s->r[t][i], row, 1, lambda, 1);
        }
    }
    for (int i = 0; i < P; i++) A[i * P + i] += shift;
    CU_ASSERT_EQUAL(LAPACKE_dposv(LAPACK_COL_MAJOR, 'L', P, 1, A, P, lambda, P), 0);
    memory_free(A);
    memory_free(row);
}

/* Primal ridge over the periods with keep[t], shift fixed at z T. */
static void primal(const struct sample *s, const double *f, int P, double shift, const char *keep, double *lambda)
{
    if (!strcmp(objective, "ols")) {
        primal_ols(s, P, shift, keep, lambda);
        return;
    }
    double *A = memory_array(double, P *P, "A");
    memset(lambda, 0, sizeof(double) * (size_t)P);
    for (int t = 0; t < s->T; t++) {
        if (!keep[t]) continue;
        cblas_dger(CblasColMajor, P, P, 1, f + (size_t)t * P, 1, f + (size_t)t * P, 1, A, P);
        cblas_daxpy(P, 1, f + (size_t)t * P, 1, lambda, 1);
    }
    for (int i = 0; i < P; i++) A[i * P + i] += shift;
    CU_ASSERT_EQUAL(LAPACKE_dposv(LAPACK_COL_MAJOR, 'L', P, 1, A, P, lambda, P), 0);
    memory_free(A);
}

static struct value option_value[5];
static int head_list[8];

static struct values options_of(const struct model_class *c, int nh)
{
    option_value[0] = (struct value){.word = (char *)(uintptr_t)objective};
    option_value[1] = (struct value){.n = nh, .list = head_list};
    option_value[2] = (struct value){.number = 0};
    option_value[3] = (struct value){.word = (char *)(uintptr_t)solver};
    option_value[4] = (struct value){.number = 1};
    return (struct values){.options = c->options, .value = option_value, .n = c->options[0].key ? 5 : 0};
}

/* Fit a class to the sample; variants' returns for now and the record. */
static void run_class(const char *kind, const struct sample *s, const struct shape *shape, int nh, double *variant,
                      double *record, struct layout *l)
{
    const struct model_class *c = model_class_find(kind);
    struct values v = options_of(c, nh);
    struct fit_note note = {0};
    c->layout(shape, &v, l);
    struct model *m = c->create(shape, 1, &v);
    CU_ASSERT_EQUAL(c->fit(m, &s->window, NULL, &note), 0);
    double *theta = memory_array(double, l->variants * s->D, "positions");
    c->positions(m, &s->window, theta);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, l->variants, s->D, 1, theta, s->D, moments_factors(s->record[s->T]), 1, 0,
                variant, 1);
    c->record(m, variant, record);
    memory_free(theta);
    c->destroy(m);
}

static double brute_loss(const struct sample *s, const double *f, int P, double shift)
{
    int ols = !strcmp(objective, "ols"), D = s->D;
    double sum = 0, *lambda = memory_array(double, P, "lambda");
    char keep[64];
    for (int out = 0; out < s->T; out++) {
        memset(keep, 1, sizeof keep);
        keep[out] = 0;
        primal(s, f, P, shift, keep, lambda);
        double residual = 1 - cblas_ddot(P, lambda, 1, f + (size_t)out * P, 1);
        if (!ols) {
            sum += residual * residual;
            continue;
        }
        double xi[64], theta[8];
        timing_of(s, out, xi);
        for (int a = 0; a < D; a++) theta[a] = s->period[out].scale * cblas_ddot(D * D, lambda + a * D * D, 1, xi, 1);
        for (int i = 0; i < s->n[out]; i++) {
            double e = s->r[out][i];
            for (int a = 0; a < D; a++) e -= s->x[out][i * D + a] * theta[a];
            sum += e * e;
        }
    }
    memory_free(lambda);
    return sum / s->T;
}

/* Return of the H leading heads of lambda [D, D, D] and of their transposed attention matrices, stock by stock. */
static void brute_heads(const struct sample *s, const double *lambda, int H, double *straight, double *transposed)
{
    int D = s->D, T = s->T, n = s->n[T];
    double M[64] = {0}, value[8], xi[64];
    for (int ab = 0; ab < D * D; ab++)
        for (int c = 0; c < D; c++)
            for (int d = 0; d < D; d++) M[c * D + d] += lambda[ab * D + c] * lambda[ab * D + d];
    CU_ASSERT_EQUAL(LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'L', D, M, D, value), 0);
    timing_of(s, T, xi);
    *straight = *transposed = 0;
    for (int h = 0; h < H; h++) {
        const double *b = M + (size_t)(D - 1 - h) * D;
        double W[64] = {0}, v[8] = {0}; /* W_h(a, b) = sum_c lambda(a, b, c) b_c;  v = X'X b / n */
        for (int ab = 0; ab < D * D; ab++)
            for (int c = 0; c < D; c++) W[ab] += lambda[ab * D + c] * b[c];
        for (int a = 0; a < D; a++)
            for (int c = 0; c < D; c++) v[a] += xi[a * D + c] * b[c];
        for (int i = 0; i < n; i++) {
            double w = 0, wt = 0;
            for (int a = 0; a < D; a++)
                for (int c = 0; c < D; c++)
                    w += s->x[T][i * D + a] * W[a * D + c] * v[c], wt += s->x[T][i * D + a] * W[c * D + a] * v[c];
            *straight += w * s->r[T][i] * s->period[T].scale;
            *transposed += wt * s->r[T][i] * s->period[T].scale;
        }
    }
}

static void against_brute_force(int T, int D, double scale_power, size_t memory)
{
    static const double ridge[] = {1e-6, 1e-4, 1e-3, 1e-2, 1e-1};
    enum { NZ = 5 };
    struct sample s;
    int P = D * D * D;
    sample_make(&s, T, D, 17 + (uint64_t)D, scale_power);
    double *f = memory_array(double, (size_t)(T + 1) * P, "features"), *lambda = memory_array(double, P, "lambda");
    for (int t = 0; t <= T; t++) features(&s, t, f + (size_t)t * P);
    struct shape shape = {.T = T, .D = D, .max_assets = 16, .nz = NZ, .ridge = ridge, .memory = memory};
    for (int h = 0; h < D; h++) head_list[h] = h + 1;
    double variant[256], record[256];
    char keep[64];
    struct layout l;
    memset(keep, 1, sizeof keep);
    run_class("linear_transformer", &s, &shape, D, variant, record, &l);
    int selected = 0;
    for (int z = 0; z < NZ; z++) {
        primal(&s, f, P, ridge[z] * T, keep, lambda);
        CHECK_CLOSE(variant[z], cblas_ddot(P, lambda, 1, f + (size_t)T * P, 1), 1e-8);
        CHECK_CLOSE(record[1 + z], brute_loss(&s, f, P, ridge[z] * T), 1e-8);
        if (record[1 + z] <= record[1 + selected]) selected = z;
        for (int h = 0; h < D; h++) {
            double straight, transposed;
            brute_heads(&s, lambda, h + 1, &straight, &transposed);
            CHECK_CLOSE(variant[NZ + z * D + h], straight, 1e-8);
            CHECK_CLOSE(record[2 * NZ + 2 + z * D + h], straight, 1e-8);
        }
    }
    double straight, transposed;
    primal(&s, f, P, ridge[selected] * T, keep, lambda);
    brute_heads(&s, lambda, D, &straight, &transposed);
    CHECK_CLOSE(record[0], straight, 1e-8);
    CHECK_CLOSE(record[1 + NZ], ridge[selected], 0);
    CHECK_CLOSE(record[2 * NZ + 2 + NZ * D], (straight + transposed) / 2, 1e-8);
    CHECK_CLOSE(record[2 * NZ + 3 + NZ * D], (straight - transposed) / 2, 1e-8);
    layout_free(&l);
    memory_free(f);
    memory_free(lambda);
    sample_free(&s);
}

static void transformer_pairs(void)
{
    for (int D = 2; D <= 6; D++) against_brute_force(12, D, 0, 1 << 28);
}
static void transformer_stack(void)
{
    for (int D = 2; D <= 6; D++) against_brute_force(12, D, 0, 0);
}
static void transformer_scaled(void)
{
    against_brute_force(9, 4, -0.5, 1 << 28);
    against_brute_force(9, 4, -1, 1 << 28);
}

/* BSV is the same regression on F alone. */
static void transformer_ols(void)
{
    objective = "ols";
    for (int choice = 0; choice < 2; choice++) {
        solver = choice ? "iterative" : "dense";
        for (int D = 2; D <= 5; D++) against_brute_force(12, D, 0, choice ? 0 : 1 << 28);
        against_brute_force(9, 4, -0.5, 1 << 28);
        against_brute_force(9, 4, -1, 1 << 28);
    }
    objective = "msrr", solver = "auto";
}

static void bsv_primal(void)
{
    static const double ridge[] = {1e-8, 1e-3, 1};
    struct sample s;
    struct layout l;
    sample_make(&s, 15, 5, 3, 0);
    double f[16 * 5], lambda[5], variant[8], record[16];
    char keep[64];
    memset(keep, 1, sizeof keep);
    for (int t = 0; t <= 15; t++) memcpy(f + t * 5, moments_factors(s.record[t]), sizeof(double) * 5);
    struct shape shape = {.T = 15, .D = 5, .nz = 3, .ridge = ridge};
    run_class("bsv", &s, &shape, 0, variant, record, &l);
    for (int z = 0; z < 3; z++) {
        primal(&s, f, 5, ridge[z] * 15, keep, lambda);
        CHECK_CLOSE(variant[z], cblas_ddot(5, lambda, 1, f + 15 * 5, 1), 1e-8);
        CHECK_CLOSE(record[1 + z], brute_loss(&s, f, 5, ridge[z] * 15), 1e-8);
    }
    layout_free(&l);
    sample_free(&s);
}

/* Fewer factors than periods, large factors, a tiny ridge: the null space of K must leave no trace. The primal is solved by QR of the
 * stacked (F; sqrt(zT) I), which loses nothing. */
static void bsv_low_ridge(void)
{
    static const double ridge[] = {1e-10, 1e-6, 1e-2};
    enum { T = 40, D = 4 };
    struct sample s;
    struct layout l;
    sample_make(&s, T, D, 8, 2); /* F times n^2 */
    struct shape shape = {.T = T, .D = D, .nz = 3, .ridge = ridge};
    double variant[8], record[16];
    run_class("bsv", &s, &shape, 0, variant, record, &l);
    for (int z = 0; z < 3; z++)
        for (int out = -1; out < T; out++) {
            double A[(T + D) * D] = {0}, b[T + D] = {0}, loss = 0;
            for (int t = 0; t < T; t++)
                for (int d = 0; d < D && t != out; d++) A[d * (T + D) + t] = moments_factors(s.record[t])[d], b[t] = 1;
            for (int d = 0; d < D; d++) A[d * (T + D) + T + d] = sqrt(ridge[z] * T);
            CU_ASSERT_EQUAL(LAPACKE_dgels(LAPACK_COL_MAJOR, 'N', T + D, D, 1, A, T + D, b, T + D), 0);
            if (out < 0) CHECK_CLOSE(variant[z] / cblas_ddot(D, b, 1, moments_factors(s.record[T]), 1), 1, 1e-9);
            else loss = 1 - cblas_ddot(D, b, 1, moments_factors(s.record[out]), 1), record[1 + z] -= loss * loss / T;
        }
    for (int z = 0; z < 3; z++) CHECK_CLOSE(record[1 + z], 0, 1e-9);
    layout_free(&l);
    sample_free(&s);
}

/* A model that has come here through earlier windows answers with the same bits as a fresh one. */
static void history_is_irrelevant(void)
{
    static const double ridge[] = {1e-4, 1e-2};
    const struct model_class *c = model_class_find("linear_transformer");
    enum { T = 8, D = 4, EXTRA = 5 };
    struct sample s;
    sample_make(&s, T + EXTRA, D, 5, 0);
    struct shape shape = {.T = T, .D = D, .nz = 2, .ridge = ridge, .memory = 1 << 28};
    for (int h = 0; h < 3; h++) head_list[h] = h + 1;
    struct values v = options_of(c, 3);
    struct layout l;
    struct fit_note note;
    c->layout(&shape, &v, &l);
    struct model *walker = c->create(&shape, 1, &v);
    double *a = memory_array(double, l.variants *D, "a"), *b = memory_array(double, l.variants *D, "b");
    for (int first = 0; first <= EXTRA; first += first == 2 ? 2 : 1) { /* one jump on the way */
        double gram[T * T], timing[(T + 1) * (T + 1)];
        for (int x = 0; x <= T; x++)
            for (int y = 0; y <= T; y++) {
                timing[x * (T + 1) + y] = s.timing[(first + x) * (T + EXTRA + 1) + first + y];
                if (x < T && y < T) gram[x * T + y] = s.gram[(first + x) * (T + EXTRA) + first + y];
            }
        struct window w = {.T = T, .D = D, .period = s.period + first, .factor_gram = gram, .timing_gram = timing};
        struct model *fresh = c->create(&shape, 1, &v);
        CU_ASSERT_EQUAL(c->fit(walker, &w, NULL, &note), 0);
        CU_ASSERT_EQUAL(c->fit(fresh, &w, NULL, &note), 0);
        c->positions(walker, &w, a);
        c->positions(fresh, &w, b);
        CU_ASSERT(!memcmp(a, b, sizeof(double) * (size_t)(l.variants * D)));
        c->destroy(fresh);
    }
    c->destroy(walker);
    memory_free(a);
    memory_free(b);
    layout_free(&l);
    sample_free(&s);
}

int main(void)
{
    static const struct check tests[] = {
        {"linear transformer equals the D^3 primal ridge (pair products)", transformer_pairs},
        {"linear transformer equals the D^3 primal ridge (stacked)", transformer_stack},
        {"factor scales root and mean", transformer_scaled},
        {"OLS: portfolios, leave-one-out, heads and their parts equal the primal's, both solvers", transformer_ols},
        {"BSV equals its primal ridge", bsv_primal},
        {"BSV at low ridges, fewer factors than periods", bsv_low_ridge},
        {"earlier windows leave no trace", history_is_irrelevant},
    };
    int status = check_run("linear models", tests, sizeof tests / sizeof *tests);
    if (memory_blocks()) fprintf(stderr, "%ld blocks not freed\n", memory_blocks());
    return status;
}
