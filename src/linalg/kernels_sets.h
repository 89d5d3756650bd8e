/* The sets of kernels that are compiled in. */
#ifndef LINALG_KERNELS_SETS_H
#define LINALG_KERNELS_SETS_H
extern const struct kernels kernels_portable;
#ifdef __x86_64__
extern const struct kernels kernels_avx2, kernels_avx512;
#endif
#endif
