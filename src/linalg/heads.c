/* Attention heads of the linear portfolio transformer. Products of pairs of periods are kept from window to window in a
 * ring. */
#include "linalg/heads.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "linalg/eigen.h"
#include "linalg/packed.h"
#include "pairs.h"

struct heads {
    int D, T, nz, nh, *heads; /* T: of the window in place */
    int capacity;             /* the longest T */
    size_t packed;
    int first;           /* the window in place; -1: none */
    int *held;           /* [capacity+1] which period's Xi is in each slot of the ring; -1: none */
    double *full;        /* [capacity+1, D, D] ring of full Xi: period t in slot t mod (capacity+1) */
    double *pair;        /* tiles (pairs.h) of T(T+1)/2 packed P(s,t), in slot (s mod T, t mod T); NULL: stack instead */
    int *pair_newest;    /* [T] which period each residue mod T holds in `pair`; -1: none */
    double *fresh;       /* [T, packed] P(tau, now) in window order */
    double *coefficient; /* of the pairs (pairs.h), or [T, T] scaled Cholesky factor when stacking */
    double *one;         /* [packed] a pair product on its way */
    double *matrix;      /* [nz, packed]; stacking: [min(T, D), packed] */
    double *stack;       /* [min(T, D), D, D], stacking only */
    double *window;      /* [T, packed] packed Xi of the window, stacking only */
    double *factor;      /* [2, T, T] Cholesky factor of Sigma^F and its pivoted form, stacking only */
    int *pivot;          /* [T], stacking only */
    double *vector;      /* [nz, D, D] eigenvectors in columns, ascending */
    double *projection;  /* [nz*nh, packed] b b' packed */
    double *square;      /* [D, D] */
    double *value, *work;
    int *iwork, lwork, liwork;
};

static size_t pair_count(int T)
{
    return (size_t)T * ((size_t)T + 1) / 2;
}

/* Slot of the unordered pair of residues a, b. */
static size_t pair_slot(int a, int b)
{
    return a >= b ? (size_t)a * ((size_t)a + 1) / 2 + (size_t)b : (size_t)b * ((size_t)b + 1) / 2 + (size_t)a;
}

static size_t doubles_of(const struct heads_plan *p, int pairs)
{
    size_t D = (size_t)p->D, T = (size_t)p->T, nz = (size_t)p->nz, k = packed_size(p->D), rank = T < D ? T : D;
    size_t common = (T + 1) * D * D + T * k + nz * D * D + nz * (size_t)p->nh * k + D * D + D + k;
    return common + (pairs ? pairs_size(pair_count(p->T), k) + pairs_coefficients(pair_count(p->T), p->nz) + nz * k
                           : 3 * T * T + 2 * T + T * k + rank * k + rank * D * D);
}

size_t heads_bytes(const struct heads_plan *p, int *pairs)
{
    int lwork, liwork, keep = !p->grows && doubles_of(p, 1) * sizeof(double) <= p->memory;
    eigen_workspace(p->D, &lwork, &liwork);
    if (pairs) *pairs = keep;
    return (doubles_of(p, keep) + (size_t)lwork) * sizeof(double) +
           sizeof(int) * ((size_t)liwork + 3 * (size_t)p->T + 1 + (size_t)p->nh);
}

struct heads *heads_create(const struct heads_plan *p)
{
    struct heads *h = memory_array(struct heads, 1, "heads");
    size_t D = (size_t)p->D, T = (size_t)p->T, nz = (size_t)p->nz, k = packed_size(p->D), n = pair_count(p->T),
           rank = T < D ? T : D;
    int pairs;
    heads_bytes(p, &pairs);
    *h = (struct heads){.D = p->D, .T = p->T, .capacity = p->T, .nz = p->nz, .nh = p->nh, .packed = k, .first = -1};
    h->heads = memory_array(int, p->nh, "head counts");
    memcpy(h->heads, p->heads, sizeof(int) * (size_t)p->nh);
    h->held = memory_array(int, T + 1, "ring of periods");
    h->pair_newest = memory_array(int, T, "ring of pairs");
    for (size_t i = 0; i <= T; i++) h->held[i] = -1;
    for (size_t i = 0; i < T; i++) h->pair_newest[i] = -1;
    h->full = memory_array(double, (T + 1) * D * D, "timing matrices");
    h->fresh = memory_array(double, T *k, "pair products of the newest period");
    if (pairs) h->pair = memory_array(double, pairs_size(n, k), "pair products");
    else {
        h->stack = memory_array(double, rank *D *D, "stacked timing matrices");
        h->window = memory_array(double, T *k, "timing matrices of the window");
        h->factor = memory_array(double, 2 * T * T, "Cholesky factor");
        h->pivot = memory_array(int, T, "Cholesky pivots");
    }
    h->coefficient = memory_array(double, pairs ? pairs_coefficients(n, p->nz) : T *T + 2 * T, "pair coefficients");
    h->one = memory_array(double, k, "a pair product");
    h->matrix = memory_array(double, (pairs ? nz : rank) * k, "head matrices");
    h->vector = memory_array(double, nz *D *D, "head eigenvectors");
    h->projection = memory_array(double, nz *(size_t)p->nh *k, "head projections");
    h->square = memory_array(double, D *D, "head workspace");
    h->value = memory_array(double, D, "head eigenvalues");
    eigen_workspace(p->D, &h->lwork, &h->liwork);
    h->work = memory_array(double, h->lwork, "eigen workspace");
    h->iwork = memory_array(int, h->liwork, "eigen workspace");
    return h;
}

void heads_destroy(struct heads *h)
{
    if (!h) return;
    void *const all[] = {h->heads,      h->held,   h->pair_newest, h->full,        h->fresh, h->pair,   h->stack,
                         h->window,     h->factor, h->pivot,       h->coefficient, h->one,   h->matrix, h->vector,
                         h->projection, h->square, h->value,       h->work,        h->iwork, h};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
}

static double *slot_of(const struct heads *h, int period)
{
    return h->full + (size_t)(period % (h->capacity + 1)) * h->D * h->D;
}

/* P(s,t), s < t: always the same product of the same shape, so its bits do not depend on when it is formed. */
static void pair_product(struct heads *h, int s, int t, double *out)
{
    int D = h->D;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, D, D, D, 1, slot_of(h, s), D, slot_of(h, t), D, 0, h->square, D);
    packed_from_sum(D, h->square, out);
    if (s == t) cblas_dscal((int)h->packed, 0.5, out, 1);
}

/* Put period t (whose earlier partners are in place) into the ring of pairs. */
static void pairs_enter(struct heads *h, int t, int first, int have_fresh)
{
    int T = h->T, a = t % T;
    if (h->pair_newest[a] == t) return;
    size_t n = pair_count(T);
    for (int s = first; s <= t; s++) {
        const double *product = h->one;
        if (have_fresh && s < t) product = h->fresh + (size_t)(s - (t - T)) * h->packed;
        else pair_product(h, s, t, h->one);
        pairs_store(h->pair, n, h->packed, pair_slot(a, s % T), product);
    }
    h->pair_newest[a] = t;
}

void heads_window(struct heads *h, int first, int T, const double *const *timing)
{
    require(T <= h->capacity && (T == h->capacity || !h->pair));
    int now = first + T, continues = h->first >= 0 && first == h->first + 1;
    h->T = T;
    for (int k = 0; k <= T; k++) {
        int t = first + k, slot = t % (h->capacity + 1);
        if (h->held[slot] == t) continue;
        packed_to_full(h->D, timing[k], slot_of(h, t));
        h->held[slot] = t;
    }
    if (h->pair) {
        if (!continues)
            for (int i = 0; i < T; i++) h->pair_newest[i] = -1;
        /* the period that was `now` in the window before has its products with all older ones in `fresh` */
        for (int t = first; t < now; t++) pairs_enter(h, t, first, continues && t == now - 1);
    }
    for (int k = 0; k < T; k++) pair_product(h, first + k, now, h->fresh + (size_t)k * h->packed);
    h->first = first;
}

/* Eigenvectors of penalty z's matrix, given packed, into place. */
static int eigen_of(struct heads *h, int z, const double *matrix)
{
    double *V = h->vector + (size_t)z * h->D * h->D;
    packed_to_full(h->D, matrix, V);
    return eigen_symmetric(h->D, V, h->value, h->work, h->lwork, h->iwork, h->liwork);
}

/* alpha NULL: gram is [nz, T, T], the q_s'q_t themselves. */
static int fit_by_pairs(struct heads *h, const double *alpha, const double *gram)
{
    int T = h->T, info = 0;
    size_t n = pair_count(T);
    for (int z = 0; z < h->nz; z++) {
        const double *a = alpha ? alpha + (size_t)z * T : NULL;
        for (int s = 0; s < T; s++)
            for (int t = s; t < T; t++)
                h->coefficient[pairs_at(n, z, pair_slot((h->first + s) % T, (h->first + t) % T))] =
                    a ? a[s] * a[t] * gram[(size_t)s * T + t] : gram[((size_t)z * T + s) * T + t];
    }
    pairs_mix(h->pair, n, h->packed, h->coefficient, h->nz, h->matrix);
    for (int z = 0; z < h->nz && !info; z++) info = eigen_of(h, z, h->matrix + (size_t)z * h->packed);
    return info;
}

/* L [T, T] row-major with Sigma^F = L L', its columns in any order. A pivoted Cholesky factor takes semi-definite matrices
 * (T > D) too. */
static int factor_gram(struct heads *h, const double *gram, int *rank)
{
    int T = h->T;
    double *L = h->factor, *pivoted = L + (size_t)T * T;
    memcpy(pivoted, gram, sizeof(double) * (size_t)T * T);
    memset(L, 0, sizeof(double) * (size_t)T * T);
    int info = (int)LAPACKE_dpstrf_work(LAPACK_COL_MAJOR, 'L', T, pivoted, T, h->pivot, rank, -1, h->coefficient);
    if (info < 0) return info;
    if (*rank > h->D) *rank = h->D; /* F and q have D entries: what is found beyond is rounding */
    for (int i = 0; i < T; i++)     /* row pivot[i] of the answer is row i of the factor */
        for (int l = 0; l <= i && l < *rank; l++) L[(size_t)(h->pivot[i] - 1) * T + l] = pivoted[(size_t)l * T + i];
    return 0;
}

static int fit_by_stack(struct heads *h, const double *alpha, const double *gram)
{
    int T = h->T, D = h->D, rank, k = (int)h->packed, info = alpha ? factor_gram(h, gram, &rank) : 0;
    for (int t = 0; t < T; t++) packed_from_full(D, heads_timing(h, t), h->window + (size_t)t * h->packed);
    for (int z = 0; z < h->nz && !info; z++) {
        if (!alpha && (info = factor_gram(h, gram + (size_t)z * T * T, &rank))) break;
        for (int t = 0; t < T; t++)
            for (int l = 0; l < rank; l++)
                h->coefficient[(size_t)t * T + l] = (alpha ? alpha[(size_t)z * T + t] : 1) * h->factor[(size_t)t * T + l];
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, rank, k, T, 1, h->coefficient, T, h->window, k, 0, h->matrix,
                    k);
        for (int l = 0; l < rank; l++) packed_to_full(D, h->matrix + (size_t)l * h->packed, h->stack + (size_t)l * D * D);
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, D, rank * D, 1, h->stack, D, 0, h->square, D);
        packed_from_full(D, h->square, h->matrix);
        info = eigen_of(h, z, h->matrix);
    }
    return info;
}

int heads_fit_general(struct heads *h, const double *gram)
{
    return heads_fit(h, NULL, gram);
}

int heads_fit(struct heads *h, const double *alpha, const double *gram)
{
    require(h->first >= 0);
    int info = h->pair ? fit_by_pairs(h, alpha, gram) : fit_by_stack(h, alpha, gram);
    if (info) return info;
    /* b b' of every count, adding the columns between one count and the next; eigenvalues ascend: head 1 is the last column */
    int D = h->D;
    for (int z = 0; z < h->nz; z++) {
        const double *V = h->vector + (size_t)z * D * D;
        for (int i = 0, before = 0; i < h->nh; before = h->heads[i++]) {
            int more = h->heads[i] - before;
            cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, D, more, 1, V + (size_t)(D - h->heads[i]) * D, D,
                        before ? 1 : 0, h->square, D);
            packed_from_full(D, h->square, h->projection + ((size_t)z * h->nh + i) * h->packed);
        }
    }
    return 0;
}

void heads_scores(struct heads *h, double *score)
{
    int k = (int)h->packed;
    /* <Xi_now b b', Xi_tau> = <P(tau, now), b b'> / 2 */
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, h->nz * h->nh, h->T, k, 0.5, h->projection, k, h->fresh, k, 0,
                score, h->T);
}

const double *heads_timing(const struct heads *h, int k)
{
    return slot_of(h, h->first + k);
}

void heads_vectors(const struct heads *h, int z, double *out)
{
    for (int i = 0; i < h->D; i++)
        memcpy(out + (size_t)i * h->D, h->vector + ((size_t)z * h->D + (size_t)(h->D - 1 - i)) * h->D,
               sizeof(double) * (size_t)h->D);
}
