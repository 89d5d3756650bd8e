/* Combinations of packed matrices in one pass over them: a tile of columns at a time, a few combinations at once. */
#include "pairs.h"

#include <cblas.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

size_t pairs_size(size_t n, size_t k)
{
    return (k + PAIRS_TILE - 1) / PAIRS_TILE * PAIRS_TILE * n;
}
size_t pairs_coefficients(size_t n, int nz)
{
    return (size_t)(nz + PAIRS_GROUP - 1) / PAIRS_GROUP * PAIRS_GROUP * n;
}

void pairs_store(double *tiles, size_t n, size_t k, size_t p, const double *matrix)
{
    for (size_t j = 0; j < k; j += PAIRS_TILE) {
        size_t m = k - j < PAIRS_TILE ? k - j : PAIRS_TILE;
        memcpy(tiles + j * n + p * PAIRS_TILE, matrix + j, m * sizeof *matrix);
    }
}

/* One tile [n, 32] times one group of coefficients [n, 7] to out [7, 32]. */
static void tile_blas(size_t n, const double *tile, const double *c, double *out)
{
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, PAIRS_GROUP, PAIRS_TILE, (int)n, 1, c, PAIRS_GROUP, tile,
                PAIRS_TILE, 0, out, PAIRS_TILE);
}

#if defined(__x86_64__)
/* 7 x 4 accumulators fill 28 of the 32 vector registers; the tile (484 kB at T = 60) comes from L2 for all groups but the first. */
__attribute__((target("avx512f"))) static void tile_avx512(size_t n, const double *tile, const double *c, double *out)
{
    __m512d a[PAIRS_GROUP][4];
    for (int r = 0; r < PAIRS_GROUP; r++)
        for (int q = 0; q < 4; q++) a[r][q] = _mm512_setzero_pd();
    for (size_t p = 0; p < n; p++, tile += PAIRS_TILE, c += PAIRS_GROUP) {
        __m512d v0 = _mm512_load_pd(tile), v1 = _mm512_load_pd(tile + 8), v2 = _mm512_load_pd(tile + 16),
                v3 = _mm512_load_pd(tile + 24);
#pragma GCC unroll 7
        for (int r = 0; r < PAIRS_GROUP; r++) {
            __m512d s = _mm512_set1_pd(c[r]);
            a[r][0] = _mm512_fmadd_pd(s, v0, a[r][0]);
            a[r][1] = _mm512_fmadd_pd(s, v1, a[r][1]);
            a[r][2] = _mm512_fmadd_pd(s, v2, a[r][2]);
            a[r][3] = _mm512_fmadd_pd(s, v3, a[r][3]);
        }
    }
    for (int r = 0; r < PAIRS_GROUP; r++)
        for (int q = 0; q < 4; q++) _mm512_storeu_pd(out + r * PAIRS_TILE + 8 * q, a[r][q]);
}
#endif

void pairs_mix(const double *tiles, size_t n, size_t k, const double *coefficient, int nz, double *out)
{
    void (*tile)(size_t, const double *, const double *, double *) = tile_blas;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) tile = tile_avx512;
#endif
    double block[PAIRS_GROUP * PAIRS_TILE];
    for (size_t j = 0; j < k; j += PAIRS_TILE) {
        size_t m = k - j < PAIRS_TILE ? k - j : PAIRS_TILE;
        for (int z = 0; z < nz; z += PAIRS_GROUP) {
            tile(n, tiles + j * n, coefficient + pairs_at(n, z, 0), block);
            for (int r = 0; r < PAIRS_GROUP && z + r < nz; r++)
                memcpy(out + (size_t)(z + r) * k + j, block + r * PAIRS_TILE, m * sizeof *out);
        }
    }
}
