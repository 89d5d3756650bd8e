/* The synthetic panel: random access, moments, persistence, and the known SDF against a dense inverse. */
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "panel/synthetic.h"

enum { K = SYNTHETIC_FACTORS };

/* Room for one period, and the period. */
struct made {
    float *X;
    double *R, sdf;
    int64_t *ids;
    int8_t *groups;
    int n;
};

static struct made room(const struct synthetic_options *o)
{
    return (struct made){memory_array(float, o->N * o->D, "X"), memory_array(double, o->N, "R"),      0,
                         memory_array(int64_t, o->N, "ids"),    memory_array(int8_t, o->N, "groups"), 0};
}

static void make(struct synthetic *s, int t, struct made *p)
{
    p->n = synthetic_period(s, t, p->X, p->R, p->ids, p->groups, &p->sdf);
}

static void release(struct made *p)
{
    memory_free(p->X);
    memory_free(p->R);
    memory_free(p->ids);
    memory_free(p->groups);
}

static struct synthetic_options options(int N, int D, int T)
{
    struct synthetic_options o = synthetic_default;
    o.N = N, o.D = D, o.T = T;
    return o;
}

static void blocks_of_words(void)
{
    enum { N = 37 };
    struct random_stream s = random_open(7, 1, 2, 3);
    uint64_t index[N];
    uint32_t many[4 * N], one[4];
    for (int i = 0; i < N; i++) index[i] = (uint64_t)i * 0x9E3779B97F4A7C15u;
    random_blocks(&s, N, index, many);
    for (int i = 0; i < N; i++) {
        random_block(&s, index[i], one);
        for (int w = 0; w < 4; w++) CU_ASSERT(many[w * N + i] == one[w]);
    }
}

static void any_order(void)
{
    struct synthetic_options o = options(60, 60, 90);
    struct synthetic *a = synthetic_create(&o), *b = synthetic_create(&o);
    struct made p = room(&o), q = room(&o);
    static const int order[] = {89, 0, 40, 41, 12, 12, 88, 3};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) make(a, order[i], &p); /* wander about */
    for (int t = 0; t < o.T; t++) {
        make(b, t, &q);
        if (t % 7) continue;
        make(a, o.T - 1 - t, &p);
        make(a, t, &p);
        size_t n = (size_t)p.n;
        CU_ASSERT(p.n == q.n && p.sdf == q.sdf && !memcmp(p.X, q.X, n * 60 * sizeof *p.X) &&
                  !memcmp(p.R, q.R, n * sizeof *p.R));
        CU_ASSERT(!memcmp(p.ids, q.ids, n * sizeof *p.ids) && !memcmp(p.groups, q.groups, n));
    }
    synthetic_destroy(a);
    synthetic_destroy(b);
    release(&p);
    release(&q);
}

/* What a panel promises; assets come and go; size groups are populated and persistent. */
static void a_good_panel(void)
{
    struct synthetic_options o = options(400, 14, 240);
    struct synthetic *s = synthetic_create(&o);
    struct panel_meta m;
    struct made p = room(&o);
    struct error e = {0};
    synthetic_describe(s, &m);
    CU_ASSERT(m.dates[0] == 19950131 && m.dates[1] == 19950228 && m.dates[13] == 19960229 && m.dates[239] == 20141231);
    CU_ASSERT(m.T == 240 && m.D == 14 && m.has_size_groups && m.benchmarks == 1 && m.rows == m.offsets[240]);
    long group[6] = {0}, entries = 0, exits = 0, present = 0, moved = 0;
    int64_t *before = memory_array(int64_t, o.N, "ids");
    int8_t *group_before = memory_array(int8_t, o.N, "groups");
    int n_before = 0;
    for (int t = 0; t < o.T; t++) {
        make(s, t, &p);
        struct rows r = {.n = p.n, .characteristics = p.X, .returns = p.R, .ids = p.ids, .size_groups = p.groups};
        CU_ASSERT(p.n == m.offsets[t + 1] - m.offsets[t] && p.n <= o.N && p.n > 0.95 * o.N);
        CU_ASSERT(rows_check(&r, &m, t, "synthetic", &e) == 0);
        for (int i = 0; i < p.n; i++) group[p.groups[i] + 1]++;
        int stayed = 0;
        for (int i = 0, j = 0; i < p.n; i++) {
            while (j < n_before && before[j] < p.ids[i]) j++;
            if (j >= n_before || before[j] != p.ids[i]) continue;
            stayed++;
            moved += group_before[j] != p.groups[i];
        }
        if (t) entries += p.n - stayed, exits += n_before - stayed, present += stayed;
        memcpy(before, p.ids, (size_t)p.n * sizeof *before);
        memcpy(group_before, p.groups, (size_t)p.n);
        n_before = p.n;
    }
    /* lives of 120 months on average: about one exit in 120 */
    CU_ASSERT(exits > present / 160 && exits < present / 80 && entries > present / 160 && entries < present / 80);
    CU_ASSERT(group[0] == 0 && group[1] == 0);
    CHECK_CLOSE((double)group[2] / (double)m.rows, 0.40, 0.01);
    CHECK_CLOSE((double)group[3] / (double)m.rows, 0.27, 0.01);
    CHECK_CLOSE((double)group[4] / (double)m.rows, 0.21, 0.01);
    CHECK_CLOSE((double)group[5] / (double)m.rows, 0.12, 0.01);
    CU_ASSERT(moved < present / 20);
    memory_free(before);
    memory_free(group_before);
    release(&p);
    panel_meta_free(&m);
    synthetic_destroy(s);
}

/* 12 X_i'X_j / n: the correlation of two characteristics, both in one period. */
static double correlation(const struct made *p, int D, int i, int j)
{
    double sum = 0;
    for (int k = 0; k < p->n; k++) sum += (double)p->X[k * D + i] * p->X[k * D + j];
    return 12 * sum / p->n;
}

/* Average over assets present in both periods of the product of characteristic d. */
static double persistence(const struct made *p, const struct made *q, int D, int d)
{
    double sum = 0;
    int n = 0;
    for (int i = 0, j = 0; i < p->n; i++) {
        while (j < q->n && q->ids[j] < p->ids[i]) j++;
        if (j >= q->n || q->ids[j] != p->ids[i]) continue;
        sum += (double)p->X[i * D + d] * q->X[j * D + d];
        n++;
    }
    return 12 * sum / n;
}

static void moments_and_persistence(void)
{
    enum { D = 56, T = 60 }; /* themes return every 13; pairs are 0..27; 26 = value_3, 39 = value_4, 31 = reversal_3 */
    struct synthetic_options o = options(1500, D, T);
    struct synthetic *s = synthetic_create(&o);
    struct made p = room(&o), q = room(&o);
    double lag1[D] = {0}, lag12[D] = {0}, theme = 0, other = 0, year = 0, noise = 0, rows = 0;
    for (int t = 0; t < T; t++) {
        make(s, t, &p);
        for (int d = 0; d < D; d++) {
            double mean = 0;
            for (int i = 0; i < p.n; i++) mean += p.X[i * D + d];
            CHECK_CLOSE(mean / p.n, 0, 1e-6);
            CHECK_CLOSE(correlation(&p, D, d, d), (p.n + 1.0) / (p.n - 1.0), 1e-4); /* all ranks, once each */
        }
        theme += correlation(&p, D, 28 + 13, 28) / T; /* the same theme, the other sign */
        other += fabs(correlation(&p, D, 28, 33)) / T;
        const double *mu = synthetic_means(s), *u = synthetic_loadings(s);
        for (int i = 0; i < p.n; i++) {
            double v = o.volatility * o.volatility;
            for (int f = 0; f < K; f++) v += u[i * K + f] * u[i * K + f];
            noise += (p.R[i] - mu[i]) * (p.R[i] - mu[i]) / v;
            rows++;
        }
        if (t + 1 < T) {
            make(s, t + 1, &q);
            for (int d = 0; d < D; d++) lag1[d] += persistence(&p, &q, D, d) / (T - 1);
        }
        if (t + 12 < T) {
            make(s, t + 12, &q);
            year += 1;
            for (int d = 0; d < D; d++) lag12[d] += persistence(&p, &q, D, d);
        }
    }
    CHECK_CLOSE(theme, -0.3, 0.05);
    CU_ASSERT(other < 0.05);
    CHECK_CLOSE(noise / rows, 1, 0.02);
    CU_ASSERT(lag1[39] > 0.85 && lag12[39] / year > 0.7);       /* value: years */
    CU_ASSERT(lag1[40] > 0.8 && fabs(lag12[40] / year) < 0.25); /* momentum: months */
    CU_ASSERT(fabs(lag1[31]) < 0.05);                           /* reversal: none */
    release(&p);
    release(&q);
    synthetic_destroy(s);
}

/* The pairs' correlation is the state: of mean zero, persistent, of changing sign. */
static void pairs_follow_the_state(void)
{
    enum { D = 16, T = 400 };
    struct synthetic_options o = options(300, D, T);
    struct synthetic *s = synthetic_create(&o);
    struct made p = room(&o);
    double worst = 0, sum = 0, square = 0, lagged = 0, before = 0;
    int turns = 0;
    for (int t = 0; t < T; t++) {
        make(s, t, &p);
        double state = synthetic_state(s, t), mean = 0;
        for (int k = 0; k < 4; k++) mean += correlation(&p, D, 2 * k, 2 * k + 1) / 4;
        worst = fmax(worst, fabs(mean - state));
        CU_ASSERT(fabs(state) < 1);
        sum += state / T;
        square += state * state / T;
        lagged += t ? state * before / (T - 1) : 0;
        turns += t && state * before < 0;
        before = state;
    }
    CU_ASSERT(worst < 0.2);
    CU_ASSERT(fabs(sum) < 0.2 && square > 0.5 && lagged / square > 0.5);
    CU_ASSERT(turns > 40 && turns < 160);
    release(&p);
    synthetic_destroy(s);
}

/* x = A^-1 b by Gaussian elimination with pivots; A [n, n] and b [n] are overwritten. */
static void solve(int n, double *A, double *b)
{
    for (int k = 0; k < n; k++) {
        int best = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(A[i * n + k]) > fabs(A[best * n + k])) best = i;
        for (int j = 0; j < n; j++) {
            double x = A[k * n + j];
            A[k * n + j] = A[best * n + j];
            A[best * n + j] = x;
        }
        double x = b[k];
        b[k] = b[best];
        b[best] = x;
        for (int i = k + 1; i < n; i++) {
            double f = A[i * n + k] / A[k * n + k];
            for (int j = k; j < n; j++) A[i * n + j] -= f * A[k * n + j];
            b[i] -= f * b[k];
        }
    }
    for (int k = n - 1; k >= 0; k--) {
        for (int j = k + 1; j < n; j++) b[k] -= A[k * n + j] * b[j];
        b[k] /= A[k * n + k];
    }
}

static void truth_is_the_inverse(void)
{
    struct synthetic_options o = options(40, 9, 30);
    struct synthetic *s = synthetic_create(&o);
    struct made p = room(&o);
    for (int t = 0; t < o.T; t += 5) {
        make(s, t, &p);
        const double *mu = synthetic_means(s), *u = synthetic_loadings(s);
        int n = p.n;
        double *A = memory_array(double, n *n, "A"), *w = memory_array(double, n, "w"), sdf = 0;
        for (int i = 0; i < n; i++) {
            w[i] = mu[i];
            for (int j = 0; j < n; j++) {
                A[i * n + j] = mu[i] * mu[j] + (i == j ? o.volatility * o.volatility : 0);
                for (int f = 0; f < K; f++) A[i * n + j] += u[i * K + f] * u[j * K + f];
            }
        }
        solve(n, A, w);
        for (int i = 0; i < n; i++) sdf += w[i] * p.R[i];
        CHECK_CLOSE(p.sdf, sdf, 1e-12);
        CU_ASSERT(fabs(sdf) > 1e-6);
        memory_free(A);
        memory_free(w);
    }
    release(&p);
    synthetic_destroy(s);
}

/* With the cross-asset part alone, the means are a linear transformer's: c sum_p X (w e_j') Xi e_j', one c for all periods, dense here. */
static void cross_part_is_a_transformer(void)
{
    enum { D = 9, T = 40 };
    struct synthetic_options o = options(50, D, T);
    o.factor_share = o.own_share = 0;
    struct synthetic *s = synthetic_create(&o);
    struct made p = room(&o);
    double c = 0;
    CHECK_CLOSE(synthetic_ceiling(s), 4 * sqrt(0.4), 1e-12);
    for (int t = 0; t < T; t++) {
        make(s, t, &p);
        double Xi[D][D] = {{0}}, direction[D] = {0}, size = 0, inner = 0;
        for (int i = 0; i < D; i++)
            for (int j = 0; j < D; j++)
                for (int k = 0; k < p.n; k++) Xi[i][j] += (double)p.X[k * D + i] * p.X[k * D + j] / p.n;
        double w[D] = {[D - 1] = 0.8, [D - 2] = -0.6};
        for (int head = 0; head < D / 4; head++) { /* W_h = w e_{2h}', lambda_h = e_{2h+1} */
            double W[D][D] = {{0}};
            for (int i = 0; i < D; i++) W[i][2 * head] = w[i];
            for (int i = 0; i < D; i++)
                for (int j = 0; j < D; j++) direction[i] += W[i][j] * Xi[j][2 * head + 1];
        }
        const double *mu = synthetic_means(s);
        double *form = memory_array(double, p.n, "form");
        for (int k = 0; k < p.n; k++) {
            for (int i = 0; i < D; i++) form[k] += p.X[k * D + i] * direction[i];
            size += form[k] * form[k];
            inner += form[k] * mu[k];
        }
        if (!t) c = inner / size;
        CU_ASSERT(c > 0);
        for (int k = 0; k < p.n; k++) CHECK_CLOSE(mu[k], c * form[k], 1e-12);
        memory_free(form);
    }
    release(&p);
    synthetic_destroy(s);
}

/* A share of 0 switches a part off exactly. */
static void parts_switch_off(void)
{
    enum { D = 12 };
    struct synthetic_options o = options(80, D, 24);
    struct made p = room(&o);
    o.cross_share = o.own_share = 0; /* linear in the factors' characteristics alone */
    struct synthetic *s = synthetic_create(&o);
    make(s, 5, &p);
    const double *mu = synthetic_means(s), *u = synthetic_loadings(s);
    double ratio = mu[0] / (u[0] + u[1] + u[2]);
    for (int i = 0; i < p.n; i++) CHECK_CLOSE(mu[i], ratio * (u[i * K] + u[i * K + 1] + u[i * K + 2]), 1e-14);
    synthetic_destroy(s);
    o.factor_share = 0, o.own_share = 0.3; /* products and squares, demeaned */
    s = synthetic_create(&o);
    make(s, 5, &p);
    mu = synthetic_means(s);
    double mean = 0, average = 0, g[80], c;
    for (int i = 0; i < p.n; i++) {
        const float *x = p.X + i * D;
        g[i] = (double)x[0] * x[6] + (double)x[1] * x[7] + (double)x[2] * x[2];
        average += g[i] / p.n;
        mean += mu[i] / p.n;
    }
    CHECK_CLOSE(mean, 0, 1e-15);
    c = mu[0] / (g[0] - average);
    for (int i = 0; i < p.n; i++) CHECK_CLOSE(mu[i], c * (g[i] - average), 1e-13);
    synthetic_destroy(s);
    o.own_share = 0; /* nothing but noise: no SDF portfolio, no benchmark */
    s = synthetic_create(&o);
    struct panel_meta m;
    synthetic_describe(s, &m);
    make(s, 5, &p);
    mu = synthetic_means(s);
    for (int i = 0; i < p.n; i++) CU_ASSERT(mu[i] == 0);
    CU_ASSERT(p.sdf == 0 && m.benchmarks == 0 && synthetic_ceiling(s) == 0);
    panel_meta_free(&m);
    synthetic_destroy(s);
    release(&p);
}

/* Over 2,000 months the true portfolio's Sharpe ratio is the one asked for (standard error about 0.1), and the benchmark is the
 * factors that move the returns. */
static void sharpe_is_the_ceiling(void)
{
    enum { T = 2000 };
    for (int k = 0; k < 2; k++) {
        struct synthetic_options o = options(100, 8, T);
        if (k) o.cross_share = 0;
        struct synthetic *s = synthetic_create(&o);
        struct made p = room(&o);
        double sum = 0, square = 0;
        for (int t = 0; t < T; t++) {
            make(s, t, &p);
            sum += p.sdf / T;
            square += p.sdf * p.sdf / T;
        }
        double sharpe = sqrt(12) * sum / sqrt(square - sum * sum);
        CHECK_CLOSE(sharpe / synthetic_ceiling(s), 1, 0.08);
        release(&p);
        synthetic_destroy(s);
    }
}

static void refused_options(void)
{
    struct error e = {0};
    struct synthetic_options o = synthetic_default;
    CU_ASSERT(synthetic_check(&o, &e) == 0);
#define REFUSE(change, words)                                                                                               \
    do {                                                                                                                    \
        o = synthetic_default;                                                                                              \
        e = (struct error){0};                                                                                              \
        o.change;                                                                                                           \
        CU_ASSERT(synthetic_check(&o, &e) == -1 && strstr(e.text, words));                                                  \
    } while (0)
    REFUSE(N = 9, "9 assets");
    REFUSE(D = 3, "3 characteristics");
    REFUSE(T = 0, "0 periods");
    REFUSE(start = 199013, "199013");
    REFUSE(sharpe = 0, "Sharpe ratio 0");
    REFUSE(volatility = NAN, "volatility nan");
    REFUSE(own_share = -0.1, "-0.1");
    REFUSE(cross_share = -0.2, "-0.2");
    REFUSE(factor_share = NAN, "nan");
    REFUSE(own_share = 0.4, "at most 1");
}

int main(void)
{
    static const struct check tests[] = {
        {"blocks of random words", blocks_of_words},
        {"any order of periods", any_order},
        {"a good panel with entry and exit", a_good_panel},
        {"moments and persistence", moments_and_persistence},
        {"pairs follow the state", pairs_follow_the_state},
        {"the truth against a dense inverse", truth_is_the_inverse},
        {"the cross-asset part is a linear transformer", cross_part_is_a_transformer},
        {"shares of 0", parts_switch_off},
        {"the Sharpe ratio asked for", sharpe_is_the_ceiling},
        {"options that make no panel", refused_options},
    };
    return check_run("synthetic panel", tests, sizeof tests / sizeof *tests) || memory_blocks() != 0;
}
