#include "linalg/kernels.h"
#include "linalg/kernels_sets.h"

#ifdef __x86_64__
#pragma GCC target("avx512f")
#include <immintrin.h>

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
/* 32 registers: 6 x 4 and 5 x 5 both run at 0.98 of the processor's multiply-add rate, 3 x 9 at 0.82 */
#define MOST_ROWS  12
#define WIDEST     5
#define COLUMNS(n) ((n) == 5 ? 5 : (n) == 6 ? 3 : (n) == 9 ? 5 : (n) < 4 ? (n) : 4)
#define TILES(X)   X(1, 12) X(2, 12) X(3, 8) X(4, 6) X(5, 5)
#include "linalg/kernels_body.h"

const struct kernels kernels_avx512 = {"avx512", product, panel_max, panel_exp, panel_softmax_back, relu_sum, wave_sum};
#endif
