/* The linear portfolio transformer: w = sum_h (X W_h X'/n) X lambda_h, D^3 parameters, solved in the dual. Objective MSRR:
 *     K = Sigma^F o Sigma^Xi, alpha = (K + zT I)^-1 1, q_tau = alpha_tau F_{tau+1}                    (49), (58), (64)
 * On now's managed factors the portfolio is theta = sum_tau alpha_tau <Xi_now b b', Xi_tau> F_{tau+1}  (50), (57): b b' = I is
 * the saturated model, the leading heads' b give the others. The transposed attention matrices give
 * theta' = sum_tau alpha_tau Xi_tau Xi_now F_{tau+1}; symmetric and antisymmetric parts are (theta +- theta')/2 (4.4.6).
 * Objective OLS: the same with q_tau from models/ols_fit.h in place of alpha_tau F_{tau+1}. */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "linalg/heads.h"
#include "models/embedded_transformer.h"
#include "models/model.h"
#include "models/ols_fit.h"
#include "models/ridge_grid.h"
#include "models/ridge_rows.h"
#include "parallel/team.h"

struct model {
    int D, T, nz, nh;      /* T: of the window in place */
    bool grid;             /* the window's eigen-problem goes to a team's grid */
    struct grid_note note; /* of the last, MSRR */
    const double *z;
    struct ridge_path path;
    struct heads *heads;
    struct ols_fit *ols;   /* NULL: MSRR */
    double *cross;         /* [nz, T, T] q_s'q_t, OLS only */
    const double **timing; /* [T+1] packed Xi of the window */
    double *kernel;        /* [T, T] Sigma^F o Sigma^Xi */
    double *factors;       /* [T, D] */
    double *score;         /* [nz, nh, T] <Xi_now b b', Xi_tau>, then alpha times it */
    double *saturated;     /* [nz, T] alpha <Xi_now, Xi_tau> */
    double *transposed;    /* [T, D] q_tau' Xi_now */
};

static const struct model_option options[] = {
    WORD_OPTION(
        "objective", "msrr", "msrr|ols",
        "msrr: maximal Sharpe ratio regression, the paper's main objective (11); ols: returns of stocks on features (67)"),
    INTS_OPTION("heads", "[]", 1, 1e6,
                "head counts to report, ascending, at most D; empty: 1, 2, 4, ... and D. All come from one fit"),
    INT_OPTION("rank", "0", 0, 1e6, "ols: leading eigenpairs of the timing Gram matrix to keep (Lemma 5); 0: exact"),
    WORD_OPTION(
        "solver", "auto", "auto|dense|iterative",
        "ols: one eigen-decomposition of order D T, conjugate gradients, or the cheaper of those that fit in memory_mb"),
    INT_OPTION("ranks", "1", 1, 65536,
               "ranks that share one fit; from 2 on a ScaLAPACK grid whose bits depend on their number"),
    WORD_OPTION("embedding", "none", "none|x|z|both",
                "random features in place of the characteristics traded (x), of those attended through (z), or both (29)"),
    INT_OPTION("embedding_features", "500", 2, 1e6, "how many"),
    WORD_OPTION("embedding_activation", "fourier", "fourier|relu", "sin and cos, or relu"),
    REAL_OPTION("embedding_bandwidth", "1.0", 1e-6, 1e6, "standard deviation of the random weights"),
    {.key = NULL},
};

/* The head counts that the options ask for, or else 1, 2, 4, ... and D. Returns how many; out must have room for 64 more
 * than the list. */
static int head_counts(const struct shape *s, const struct values *v, int *out)
{
    int n, k = 0;
    const int *list = values_list(v, "heads", &n);
    if (n) memcpy(out, list, sizeof(int) * (size_t)n);
    else {
        for (int h = 1; h < s->D; h *= 2) out[k++] = h;
        out[k++] = s->D;
    }
    return n ? n : k;
}

static int head_room(const struct values *v)
{
    int n;
    values_list(v, "heads", &n);
    return n + 64;
}

static struct heads_plan plan(const struct shape *s, int nh, const int *heads)
{
    return (struct heads_plan){.D = s->D,
                               .T = s->T,
                               .nz = s->nz,
                               .nh = nh,
                               .grows = s->shortest && s->shortest < s->T,
                               .heads = heads,
                               .memory = s->memory};
}

static int ranks(const struct values *v)
{
    return (int)values_int(v, "ranks");
}

/* Whether fits take the grid, and so have checks of an eigen-decomposition to record. */
static bool on_grid(const struct shape *s, const struct values *v)
{
    struct ols_plan o = ols_plan_of(s, v, s->D);
    return ranks(v) > 1 && (!ols_asked(v) || ols_plan_solver(&o) == OLS_DENSE || ols_plan_falls_back(&o));
}

static void choice(const struct shape *s, const struct values *v, char *out, size_t size)
{
    struct ols_plan o = ols_plan_of(s, v, s->D);
    if (ols_asked(v)) ols_plan_choice(&o, out, size);
}

static int check(const struct shape *s, const struct values *v, struct error *e)
{
    int n;
    struct ols_plan plan_ols = ols_plan_of(s, v, s->D);
    if (!ols_asked(v) && (plan_ols.rank || plan_ols.solver != OLS_AUTO))
        return error_set(e, "model %s: rank and solver: found with objective msrr; needed: objective ols", s->name);
    if (!ols_asked(v) && ranks(v) > 1 && ridge_grid_bytes(s->T, s->nz, ranks(v)) > (double)s->memory) {
        char need[32], have[32];
        double bytes = ridge_grid_bytes(s->T, s->nz, ranks(v));
        return error_set(e,
                         "model %s: the kernel of order %d = T does not fit: needs %s on each of %d ranks, found memory_mb: "
                         "%s; needed: a larger memory_mb, or ranks: %d",
                         s->name, s->T, isfinite(bytes) ? format_bytes(bytes, need) : "more than 32-bit counts can state",
                         ranks(v), format_bytes((double)s->memory, have), ridge_grid_needed(s->T, s->nz, (double)s->memory));
    }
    if (ols_asked(v) && ols_plan_check(&plan_ols, s->name, e)) return -1;
    const int *list = values_list(v, "heads", &n);
    for (int i = 0; i < n; i++) {
        if (list[i] > s->D)
            return error_set(e, "model %s: heads: found %d; needed: at most D = %d, the panel's number of characteristics",
                             s->name, list[i], s->D);
        if (i && list[i] <= list[i - 1])
            return error_set(e, "model %s: heads: found %d after %d; needed: ascending, each once", s->name, list[i],
                             list[i - 1]);
    }
    return 0;
}

static void cost(const struct shape *s, const struct values *v, struct cost *c)
{
    int room[head_room(v)], nh = head_counts(s, v, room);
    struct heads_plan p = plan(s, nh, room);
    double D = s->D, T = s->T, nz = s->nz, k = D * (D + 1) / 2, pairs = T * (T + 1) / 2, pair = 2 * D * D * D;
    int kept;
    *c = (struct cost){.bytes = (double)heads_bytes(&p, &kept)};
    double rank = T < D ? T : D, mix = kept ? 2 * nz * pairs * k : nz * (2 * rank * T * k + rank * D * D * D);
    double eigen = nz * 9 * D * D * D;
    c->flops = mix + (T + 1) * pair + eigen + 2 * nz * nh * T * k + nz * D * D * D + 20 * T * T * T;
    /* measured: products at 25 and 40 GF/s, the eigen-solver at 25 */
    c->seconds = mix / 25e9 + (c->flops - mix - eigen) / 40e9 + eigen / 25e9;
    c->first_seconds = kept ? (pairs - T - 1) * pair / 40e9 : 0;
    bool grid = on_grid(s, v) && !ols_asked(v);
    if (grid) c->seconds -= 20 * T * T * T / 40e9 * (1 - 1. / ranks(v));
    c->bytes += grid ? (double)ridge_outline_bytes(s->T, s->nz) + ridge_grid_bytes(s->T, s->nz, ranks(v))
                     : (double)ridge_bytes(s->T, s->nz);
    c->bytes += 8 * (T * T + 2 * T * D + nz * nh * T + nz * T);
    if (!ols_asked(v)) return;
    struct ols_plan o = ols_plan_of(s, v, s->D);
    c->flops += ols_plan_flops(&o, ols_plan_solver(&o));
    c->seconds += ols_plan_seconds(&o, ols_plan_solver(&o));
    c->bytes += ols_plan_bytes(&o) + 8 * nz * T * T;
}

static void layout(const struct shape *s, const struct values *v, struct layout *l)
{
    int room[head_room(v)], nh = head_counts(s, v, room);
    double heads[nh];
    for (int i = 0; i < nh; i++) heads[i] = room[i];
    *l = (struct layout){.variants = s->nz * (nh + 1) + 1, .seeds = 1};
    ridge_rows_layout(s, l);
    layout_field(l, (struct field){.name = "returns_by_heads",
                                   .unit = "decimal per period",
                                   .meaning = "out-of-sample SDF return by ridge penalty and number of heads",
                                   .dim = {{"ridge", s->nz}, {"head", nh}}});
    layout_field(l, (struct field){.name = "symmetric_returns",
                                   .unit = "decimal per period",
                                   .meaning = "part of the return from symmetric attention (A + A')/2, selected ridge"});
    layout_field(l, (struct field){.name = "antisymmetric_returns",
                                   .unit = "decimal per period",
                                   .meaning = "part from antisymmetric attention (A - A')/2, selected ridge"});
    if (ols_asked(v))
        layout_field(l,
                     (struct field){.name = "road",
                                    .unit = "1",
                                    .meaning = "how the window was solved: 1 eigen-decomposition, 2 conjugate gradients"});
    if (on_grid(s, v)) {
        layout_field(l, (struct field){.name = "eigen_residual",
                                       .unit = "n eps",
                                       .meaning = "|A Z x - Z L x| / (|A| |x|) of the distributed eigen-solve"});
        layout_field(l, (struct field){.name = "eigen_orthogonality",
                                       .unit = "n eps",
                                       .meaning = "|Z'Z x - x| / |x| of the distributed eigen-solve"});
    }
    layout_constant(l, (struct constant){.name = "heads",
                                         .unit = "1",
                                         .meaning = "numbers of attention heads",
                                         .dimension = "head",
                                         .n = nh,
                                         .value = heads});
}

static struct model *create(const struct shape *s, uint64_t seed, const struct values *v)
{
    (void)seed;
    int room[head_room(v)], nh = head_counts(s, v, room);
    size_t T = (size_t)s->T, D = (size_t)s->D, nz = (size_t)s->nz;
    struct heads_plan p = plan(s, nh, room);
    struct model *m = memory_array(struct model, 1, "linear transformer");
    *m = (struct model){.D = s->D, .T = s->T, .nz = s->nz, .nh = nh, .z = s->ridge, .grid = on_grid(s, v)};
    if (ols_asked(v) || m->grid) ridge_outline(&m->path, s->T, s->nz);
    else ridge_create(&m->path, s->T, s->nz);
    if (ols_asked(v)) {
        struct ols_plan o = ols_plan_of(s, v, s->D);
        m->ols = ols_fit_create(&o, ranks(v));
        m->cross = memory_array(double, nz *T *T, "OLS head weights");
    }
    m->heads = heads_create(&p);
    m->timing = memory_array(const double *, T + 1, "window");
    m->kernel = memory_array(double, T *T, "kernel");
    m->factors = memory_array(double, T *D, "factors of the window");
    m->score = memory_array(double, nz *(size_t)nh *T, "timing attention");
    m->saturated = memory_array(double, nz *T, "timing attention");
    m->transposed = memory_array(double, T *D, "transposed attention");
    return m;
}

static void destroy(struct model *m)
{
    ridge_destroy(&m->path);
    heads_destroy(m->heads);
    ols_fit_destroy(m->ols);
    memory_free(m->cross);
    memory_free(m->timing);
    memory_free(m->kernel);
    memory_free(m->factors);
    memory_free(m->score);
    memory_free(m->saturated);
    memory_free(m->transposed);
    memory_free(m);
}

/* q [T, D] of a penalty. */
static const double *dual_of(const struct model *m, int z)
{
    const struct ols *o = ols_fit_answer(m->ols);
    return o->q + (size_t)z * o->T * o->D;
}

static int fit_ols(struct model *m, const struct window *w, struct team *team, struct fit_note *note)
{
    int T = w->T, D = m->D;
    if (ols_fit_window(m->ols, w, team, note)) return note->code;
    if (team && team_rank(team) > 0) return 0;
    heads_window(m->heads, w->period[0].index, T, m->timing);
    const struct ols *o = ols_fit_answer(m->ols);
    memcpy(m->path.loss, o->loss, sizeof(double) * (size_t)m->nz);
    m->path.selected = o->selected;
    for (int z = 0; z < m->nz; z++) {
        const double *q = dual_of(m, z);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, T, T, D, 1, q, D, q, D, 0, m->cross + (size_t)z * T * T, T);
    }
    note->code = heads_fit_general(m->heads, m->cross) ? 2 : 0;
    if (note->code) snprintf(note->text, sizeof note->text, "the head matrix has no eigen-decomposition");
    return note->code;
}

static int fit(struct model *m, const struct window *w, struct team *team, struct fit_note *note)
{
    int T = m->T = w->T;
    for (int t = 0; t <= T; t++) m->timing[t] = w->period[t].timing;
    for (int t = 0; t < T; t++) {
        memcpy(m->factors + (size_t)t * m->D, w->period[t].factors, sizeof(double) * (size_t)m->D);
        for (int s = 0; s < T; s++)
            m->kernel[(size_t)t * T + s] = w->factor_gram[(size_t)t * T + s] * w->timing_gram[(size_t)t * (T + 1) + s];
    }
    if (m->ols) return fit_ols(m, w, team, note);
    int info =
        m->grid ? ridge_grid_fit(&m->path, team, T, m->kernel, m->z, &m->note) : ridge_fit(&m->path, T, m->kernel, m->z);
    note->code = m->grid && info > 0 ? OLS_GRID + info : info != 0;
    if (note->code > OLS_GRID) return snprintf(note->text, sizeof note->text, "%s", grid_code_text(info)), note->code;
    if (note->code) return snprintf(note->text, sizeof note->text, "the kernel has no eigen-decomposition"), note->code;
    if (team && team_rank(team) > 0) return 0; /* the leader states the portfolios */
    heads_window(m->heads, w->period[0].index, T, m->timing);
    note->code = heads_fit(m->heads, m->path.alpha, w->factor_gram) ? 2 : 0;
    if (note->code) snprintf(note->text, sizeof note->text, "the head matrix has no eigen-decomposition");
    return note->code;
}

/* theta' of the selected penalty: sum_tau alpha_tau Xi_tau (Xi_now F_{tau+1}); OLS: sum_tau Xi_tau (Xi_now q_tau). */
static void transposed(struct model *m, double *out)
{
    int T = m->T, D = m->D;
    const double *alpha = m->path.alpha + (size_t)m->path.selected * T;
    const double *q = m->ols ? dual_of(m, m->path.selected) : m->factors;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, T, D, D, 1, q, D, heads_timing(m->heads, T), D, 0, m->transposed,
                D);
    memset(out, 0, sizeof(double) * (size_t)D);
    for (int t = 0; t < T; t++)
        cblas_dgemv(CblasRowMajor, CblasNoTrans, D, D, m->ols ? 1 : alpha[t], heads_timing(m->heads, t), D,
                    m->transposed + (size_t)t * D, 1, 1, out, 1);
}

static void positions_ols(struct model *m, const double *now, double *out)
{
    int T = m->T, D = m->D, nh = m->nh;
    double *by_heads = out + (size_t)m->nz * D;
    heads_scores(m->heads, m->score);
    for (int z = 0; z < m->nz; z++) {
        const double *q = dual_of(m, z);
        cblas_dgemv(CblasRowMajor, CblasTrans, T, D, 1, q, D, now, 1, 0, out + (size_t)z * D, 1);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, nh, D, T, 1, m->score + (size_t)z * nh * T, T, q, D, 0,
                    by_heads + (size_t)z * nh * D, D);
    }
    transposed(m, by_heads + (size_t)m->nz * nh * D);
}

static void positions(struct model *m, const struct window *w, double *out)
{
    int T = m->T, D = m->D, by_heads = m->nz * m->nh;
    const double *now = w->timing_gram + (size_t)T * (T + 1);
    if (m->ols) {
        positions_ols(m, now, out);
        return;
    }
    heads_scores(m->heads, m->score);
    for (int z = 0; z < m->nz; z++) {
        const double *alpha = m->path.alpha + (size_t)z * T;
        for (int t = 0; t < T; t++) m->saturated[(size_t)z * T + t] = alpha[t] * now[t];
        for (int h = 0; h < m->nh; h++)
            for (int t = 0; t < T; t++) m->score[((size_t)z * m->nh + h) * T + t] *= alpha[t];
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m->nz, D, T, 1, m->saturated, T, m->factors, D, 0, out, D);
    out += (size_t)m->nz * D;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, by_heads, D, T, 1, m->score, T, m->factors, D, 0, out, D);
    transposed(m, out + (size_t)by_heads * D);
}

static int record(struct model *m, const double *returns, double *out)
{
    size_t by_heads = (size_t)m->nz * m->nh;
    double saturated = returns[m->path.selected], transposed = returns[(size_t)m->nz + by_heads];
    out = ridge_rows_record(&m->path, m->z, returns, out);
    memcpy(out, returns + m->nz, sizeof(double) * by_heads);
    out[by_heads] = (saturated + transposed) / 2;
    out[by_heads + 1] = (saturated - transposed) / 2;
    if (m->ols) out[by_heads + 2] = ols_fit_solver(m->ols) == OLS_DENSE ? 1 : 2;
    if (!m->grid) return m->path.selected;
    const struct grid_note *note = m->ols ? ols_fit_grid(m->ols) : &m->note;
    out[by_heads + 2 + (m->ols != NULL)] = note->residual;
    out[by_heads + 3 + (m->ols != NULL)] = note->orthogonality;
    return m->path.selected;
}

/* With an embedding another class serves. */
static const struct model_class *serving(const struct values *v)
{
    return strcmp(values_word(v, "embedding"), "none") ? &embedded_transformer_class : NULL;
}

static const struct shared_fit shared = {.ranks = ranks};

const struct model_class linear_transformer_class = {
    .name = "linear_transformer",
    .summary = "w = sum over heads of (X W X'/n) X lambda: attention across stocks in closed form, ridge MSRR or OLS",
    .options = options,
    .needs = NEED_FACTORS | NEED_TIMING,
    .trades = TRADE_FACTORS,
    .grows = true,
    .serving = serving,
    .check = check,
    .shared = &shared,
    .choice = choice,
    .cost = cost,
    .layout = layout,
    .create = create,
    .destroy = destroy,
    .fit = fit,
    .positions = positions,
    .record = record,
};
