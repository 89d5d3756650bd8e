/* Which set of vector kernels this processor runs, or the environment asks for. */
#include "linalg/kernels.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "linalg/kernels_sets.h"

const struct kernels *kernels_named(const char *name)
{
#ifdef __x86_64__
    if (!strcmp(name, "avx512")) return __builtin_cpu_supports("avx512f") ? &kernels_avx512 : NULL;
    if (!strcmp(name, "avx2")) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kernels_avx2 : NULL;
#endif
    return !strcmp(name, "portable") ? &kernels_portable : NULL;
}

const struct kernels *kernels_best(void)
{
    static const struct kernels *best;
    if (best) return best;
    const char *asked = getenv("AIPM_KERNELS");
    if (asked && !(best = kernels_named(asked))) log_warn("AIPM_KERNELS=%s is not available on this processor", asked);
    static const char *const order[] = {"avx512", "avx2", "portable"};
    for (int i = 0; !best; i++) best = kernels_named(order[i]);
    return best;
}
