/* DKKM's features of one period, N=3000, D=132, P=25,000, against the core's own sgemm rate. */
#include "linalg/features.h"
#include "neural.h"

int main(void)
{
    enum { N = 3000, D = 132, P = 25000 };
    struct period p = period_create(N, D);
    double *sums = memory_array(double, P, "bench"), peak = sgemm_rate();
    for (int waves = 0; waves < 2; waves++) {
        struct features f;
        features_create(&f, D, P, waves, 1, 1);
        double best = 1e99, flops = 2. * N * D * f.columns;
        for (int i = 0; i < 5; i++) {
            double t = processor_seconds();
            features_sums(&f, N, p.characteristics, p.returns, sums);
            t = processor_seconds() - t;
            best = t < best ? t : best;
        }
        printf("%s features N=%d D=%d P=%d: %.4f s, %.1f GF/s, %.3f of sgemm\n", waves ? "Fourier" : "relu", N, D, P, best,
               flops / best / 1e9, flops / best / peak);
        features_destroy(&f);
    }
    memory_free(sums);
    period_free(&p);
    return 0;
}
