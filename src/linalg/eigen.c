/* LAPACK's symmetric eigen-solver with its workspace, and how OpenBLAS is opened: one thread, its kernels named. */
#include "linalg/eigen.h"

#include <cblas.h>
#include <lapacke.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

void eigen_workspace(int n, int *lwork, int *liwork)
{
    double w = 1;
    lapack_int iw = 1;
    double dummy = 0;
    LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'L', n, &dummy, n > 1 ? n : 1, &dummy, &w, -1, &iw, -1);
    *lwork = (int)w;
    *liwork = (int)iw;
}

int eigen_symmetric(int n, double *A, double *value, double *work, int lwork, int *iwork, int liwork)
{
    if (n == 0) return 0;
    return (int)LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'L', n, A, n, value, work, lwork, iwork, liwork);
}

const char *blas_text(void)
{
    static char text[128];
    char version[64] = "";
    sscanf(openblas_get_config(), "%*s %63s", version);
    snprintf(text, sizeof text, "OpenBLAS %s %s, %d thread%s", version, openblas_get_corename(), openblas_get_num_threads(),
             openblas_get_num_threads() == 1 ? "" : "s");
    return text;
}

const char *blas_warning(void)
{
    static char text[320];
    const char *core = openblas_get_corename(), *wide = NULL;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        if (strcmp(core, "SkylakeX") && strcmp(core, "Cooperlake") && strcmp(core, "Sapphirerapids") && strcmp(core, "Zen4"))
            wide = "AVX-512";
    } else if (__builtin_cpu_supports("avx2")) {
        if (!strcmp(core, "Prescott") || !strcmp(core, "Nehalem") || !strcmp(core, "Sandybridge") || !strcmp(core, "Core2"))
            wide = "AVX2";
    }
#endif
    if (!wide) return NULL;
    snprintf(text, sizeof text,
             "OpenBLAS runs its %s kernels although this processor has %s%s: about half the speed is lost", core, wide,
             getenv("OPENBLAS_CORETYPE") ? " (OPENBLAS_CORETYPE is set in the environment: unset it)" : "");
    return text;
}

void blas_one_thread(void)
{
    if (!getenv("OPENBLAS_NUM_THREADS") && !getenv("OMP_NUM_THREADS")) openblas_set_num_threads(1);
}

int blas_open(size_t others, struct error *e)
{
    const size_t buffer = (size_t)128 << 20, stack = (size_t)8 << 20, libraries = (size_t)112 << 20;
    char need[32], have[32];
    size_t threads = (size_t)openblas_get_num_threads(), limit = memory_address_limit();
    size_t needed = libraries + threads * buffer + (threads - 1) * stack + others;
    if (limit < needed)
        return error_set(
            e,
            "this process is limited to %s of addresses (ulimit -v, ulimit -d); needed: %s (OpenBLAS takes 128 MB for "
            "each of its threads, here %zu: OPENBLAS_NUM_THREADS)",
            format_bytes((double)limit, have), format_bytes((double)needed, need), threads);
    double x = 0, y = 0;
    cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, 1, 1, 1, &x, 1, 0, &y, 1);
    return 0;
}
