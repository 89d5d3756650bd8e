/* Published factor models: the tangency portfolio of the factors by normal equations, and nothing where a factor is missing or the
 * factors say the same twice. */
#include <cblas.h>
#include <lapacke.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "models/model.h"

enum { T = 24, K = 4 };
static double f[T + 1][K];

/* Fit over a window of the factors' returns as they stand; weights [K] and the fit's code. */
static int fit_factors(double *weights, char *text, size_t size)
{
    const struct model_class *c = model_class_find("factors");
    struct benchmark b = {.name = (char[]){"ff"}, .k = K};
    struct shape s = {.T = T, .D = 1, .benchmark = &b, .name = "ff"};
    struct period period[T + 1];
    struct fit_note note = {0};
    struct values none = {0};
    for (int t = 0; t <= T; t++)
        period[t] = (struct period){.index = t, .date = 20000100 + t, .n = 1, .benchmark = t < T ? f[t] : NULL};
    struct window w = {.T = T, .D = 1, .period = period};
    struct model *m = c->create(&s, 1, &none);
    int code = c->fit(m, &w, NULL, &note);
    c->positions(m, &w, weights);
    c->destroy(m);
    snprintf(text, size, "%s", note.text);
    CU_ASSERT_EQUAL(code, note.code);
    return code;
}

static void fill(void)
{
    struct random_stream s = random_open(8, 0, 0, 0);
    for (int t = 0; t <= T; t++)
        for (int k = 0; k < K; k++) f[t][k] = 0.005 * k + 0.04 * random_normal(&s, (uint64_t)(t * K + k));
}

static void tangency(void)
{
    double A[K * K] = {0}, b[K] = {0}, weights[K];
    char text[200];
    fill();
    CU_ASSERT_EQUAL(fit_factors(weights, text, sizeof text), 0);
    for (int t = 0; t < T; t++)
        for (int i = 0; i < K; i++) {
            b[i] += f[t][i];
            for (int j = 0; j < K; j++) A[i * K + j] += f[t][i] * f[t][j];
        }
    CU_ASSERT_EQUAL(LAPACKE_dposv(LAPACK_ROW_MAJOR, 'L', K, 1, A, K, b, 1), 0);
    for (int k = 0; k < K; k++) CHECK_CLOSE(weights[k] / b[k], 1, 1e-10);
}

static void missing(void)
{
    double weights[K];
    char text[200];
    for (int t = 0; t < T; t += T - 1) { /* first and last period, last and first factor */
        fill();
        f[t][t ? 0 : K - 1] = NAN;
        CU_ASSERT(fit_factors(weights, text, sizeof text) > FIT_NO_DATA);
        CU_ASSERT(strstr(text, t ? "factor 1 has no return" : "factor 4 has no return") &&
                  strstr(text, t ? "20000123" : "20000100"));
    }
    fill();
    f[T][0] = NAN; /* now's return is none of its business */
    CU_ASSERT_EQUAL(fit_factors(weights, text, sizeof text), 0);
}

static void collinear(void)
{
    double weights[K];
    char text[200];
    fill();
    for (int t = 0; t < T; t++) f[t][2] = 2 * f[t][0] - f[t][1];
    int code = fit_factors(weights, text, sizeof text);
    CU_ASSERT(code > 0 && code < FIT_NO_DATA && strstr(text, "span only 3 dimensions"));
}

int main(void)
{
    static const struct check tests[] = {{"tangency weights by normal equations", tangency},
                                         {"a factor without a return", missing},
                                         {"factors that say the same", collinear}};
    int status = check_run("factor models", tests, sizeof tests / sizeof *tests);
    return status || memory_blocks() != 0;
}
