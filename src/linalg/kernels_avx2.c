/* The vector kernels for AVX2: what kernels_body.h needs, in 8 lanes. */
#include "linalg/kernels.h"
#include "linalg/kernels_sets.h"

#ifdef __x86_64__
#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

typedef __m256 vec;
#define LANES          8
#define V_ZERO         _mm256_setzero_ps()
#define V_LOAD(p)      _mm256_load_ps(p)
#define V_STORE(p, v)  _mm256_store_ps(p, v)
#define V_SET(s)       _mm256_set1_ps(s)
#define V_ADD(a, b)    _mm256_add_ps(a, b)
#define V_SUB(a, b)    _mm256_sub_ps(a, b)
#define V_MUL(a, b)    _mm256_mul_ps(a, b)
#define V_MAX(a, b)    _mm256_max_ps(a, b)
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define V_SCALE(p, t)                                                                                                       \
    _mm256_castsi256_ps(_mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(t), 23), _mm256_castps_si256(p)))
#define V_FLIP(p, t)                                                                                                        \
    _mm256_castsi256_ps(_mm256_xor_si256(_mm256_slli_epi32(_mm256_castps_si256(t), 31), _mm256_castps_si256(p)))
#define V_LOADU(p)    _mm256_loadu_ps(p)
#define V_WHERE(y, v) _mm256_and_ps(_mm256_cmp_ps(y, V_ZERO, _CMP_GT_OQ), v)
/* 16 registers; widths are multiples of two vectors */
#define MOST_ROWS  6
#define WIDEST     2
#define COLUMNS(n) 2
#define TILES(X)   X(2, 6)

static inline float V_SUM(vec v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

/* Pairs of rows are interleaved, then pairs of pairs, then halves of registers are exchanged. */
static inline void transpose_square(const float *in, ptrdiff_t row, float *out, ptrdiff_t out_row)
{
    vec r[8], t[8];
    for (int i = 0; i < 8; i++) r[i] = V_LOAD(in + i * row);
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            __m256d a = _mm256_castps_pd(t[i + j]), b = _mm256_castps_pd(t[i + j + 2]);
            r[i + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
            r[i + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
        }
    for (int j = 0; j < 4; j++) {
        V_STORE(out + j * out_row, _mm256_permute2f128_ps(r[j], r[j + 4], 0x20));
        V_STORE(out + (j + 4) * out_row, _mm256_permute2f128_ps(r[j], r[j + 4], 0x31));
    }
}
#include "linalg/kernels_body.h"

const struct kernels kernels_avx2 = KERNELS("avx2");
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
