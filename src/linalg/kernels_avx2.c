#include "linalg/kernels.h"
#include "linalg/kernels_sets.h"

#ifdef __x86_64__
#pragma GCC target("avx2,fma")
#include <immintrin.h>

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
/* 16 registers; widths are multiples of two vectors */
#define MOST_ROWS  6
#define WIDEST     2
#define COLUMNS(n) 2
#define TILES(X)   X(2, 6)
#include "linalg/kernels_body.h"

const struct kernels kernels_avx2 = {"avx2", product, panel_max, panel_exp, panel_softmax_back, relu_sum, wave_sum};
#endif
