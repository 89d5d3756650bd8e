/* The vector kernels for AVX-512: what kernels_body.h needs, in 16 lanes. */
#include "linalg/kernels.h"
#include "linalg/kernels_sets.h"

#ifdef __x86_64__
#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#else
#pragma GCC target("avx512f")
#endif

typedef __m512 vec;
#define LANES          16
#define V_ZERO         _mm512_setzero_ps()
#define V_LOAD(p)      _mm512_load_ps(p)
#define V_STORE(p, v)  _mm512_store_ps(p, v)
#define V_SET(s)       _mm512_set1_ps(s)
#define V_ADD(a, b)    _mm512_add_ps(a, b)
#define V_SUB(a, b)    _mm512_sub_ps(a, b)
#define V_MUL(a, b)    _mm512_mul_ps(a, b)
#define V_MAX(a, b)    _mm512_max_ps(a, b)
#define V_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define V_SCALE(p, t)                                                                                                       \
    _mm512_castsi512_ps(_mm512_add_epi32(_mm512_slli_epi32(_mm512_castps_si512(t), 23), _mm512_castps_si512(p)))
#define V_FLIP(p, t)                                                                                                        \
    _mm512_castsi512_ps(_mm512_xor_si512(_mm512_slli_epi32(_mm512_castps_si512(t), 31), _mm512_castps_si512(p)))
#define V_LOADU(p)    _mm512_loadu_ps(p)
#define V_SUM(v)      _mm512_reduce_add_ps(v)
#define V_WHERE(y, v) _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, V_ZERO, _CMP_GT_OQ), v)
/* 32 registers: 6 x 4 and 5 x 5 both run at 0.98 of the processor's multiply-add rate, 3 x 9 at 0.82 */
#define MOST_ROWS  12
#define WIDEST     5
#define COLUMNS(n) ((n) == 5 ? 5 : (n) == 6 ? 3 : (n) == 9 ? 5 : (n) < 4 ? (n) : 4)
#define TILES(X)   X(1, 12) X(2, 12) X(3, 8) X(4, 6) X(5, 5)

/* Pairs of rows are interleaved, then pairs of pairs, then quarters of registers are dealt out twice. */
static inline void transpose_square(const float *in, ptrdiff_t row, float *out, ptrdiff_t out_row)
{
    vec r[16], t[16];
    for (int i = 0; i < 16; i++) r[i] = V_LOAD(in + i * row);
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 2; j++) {
            __m512d a = _mm512_castps_pd(t[i + j]), b = _mm512_castps_pd(t[i + j + 2]);
            r[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            r[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
    for (int h = 0; h < 16; h += 8)
        for (int j = 0; j < 4; j++) {
            t[h + j] = _mm512_shuffle_f32x4(r[h + j], r[h + 4 + j], 0x88);
            t[h + 4 + j] = _mm512_shuffle_f32x4(r[h + j], r[h + 4 + j], 0xdd);
        }
    for (int j = 0; j < 8; j++) {
        V_STORE(out + j * out_row, _mm512_shuffle_f32x4(t[j], t[j + 8], 0x88));
        V_STORE(out + (j + 8) * out_row, _mm512_shuffle_f32x4(t[j], t[j + 8], 0xdd));
    }
}
#include "linalg/kernels_body.h"

const struct kernels kernels_avx512 = KERNELS("avx512");
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
