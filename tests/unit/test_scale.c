/* The paper's study on 100, 1,000 and 10,000 ranks, played through with the scheduler's own code and costs measured by `aipm plan` on a
 * panel of its size (719 periods, 3,000 stocks, 132 characteristics; AMD EPYC with AVX-512): how much of the ranks' time is idle, what
 * is read at the start, how many part files there are and what the end gathers. */
#include "check.h"

#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "study/plan.h"
#include "study/schedule.h"

enum { T = 719, D = 132, N = 3000 };
static const char text[] = "study: paper\npanel: p\noutput: r\nwindow: 60\nshards: 16\nmodels:\n"
                           "  - {name: bsv, kind: bsv}\n"
                           "  - {name: linear, kind: linear_transformer}\n"
                           "  - {name: linear_ols, kind: linear_transformer, objective: ols, rank: 20}\n"
                           "  - {name: dkkm, kind: dkkm, features: 25000}\n"
                           "  - {name: mlp, kind: mlp, seeds: 10}\n"
                           "  - {name: transformer, kind: transformer, blocks: [1, 10], seeds: 10}\n";
/* seconds a fit, in the order above */
static double row[] = {0.000271, 0.0432, 4.70, 0.188, 54.1, 147, 2308}, first[] = {0, 0.2, 0, 11.3, 0, 0, 0};
enum { CONFIGS = sizeof row / sizeof *row };

static struct panel_meta meta;
static struct study study;
static struct calibration rates = {.row = row, .first = first, .read_row = 3.6e-6, .gram_period = 3.6e-4};

static void prepare(void)
{
    struct error e = {""};
    static int64_t dates[T], offsets[T + 1];
    static char *names[D];
    for (int t = 0; t < T; t++) dates[t] = (1963 + t / 12) * 10000 + (t % 12 + 1) * 100 + 28;
    for (int t = 0; t <= T; t++) offsets[t] = (int64_t)t * N;
    for (int d = 0; d < D; d++) names[d] = "c";
    meta = (struct panel_meta){.T = T,
                               .D = D,
                               .periods_per_year = 12,
                               .frequency = "monthly",
                               .rows = (int64_t)T * N,
                               .dates = dates,
                               .offsets = offsets,
                               .characteristic_names = names};
    if (study_parse("paper.yaml", text, &study, &e) || study_bind(&study, &meta, &e))
        fprintf(stderr, "%s\n", e.text), exit(1);
    if (study.configs != CONFIGS) fprintf(stderr, "%d configurations\n", study.configs), exit(1);
}

static void test_idle(void)
{
    static const int ranks[] = {100, 1000, 10000};
    for (int i = 0; i < 3; i++) {
        struct forecast f, uneven;
        forecast_best(&study, &meta, &rates, ranks[i], &f);
        double *slowness = memory_array(double, ranks[i], "slowness");
        struct random_stream s = random_open(1, 2, 3, 4);
        for (int r = 0; r < ranks[i]; r++)
            slowness[r] = 1 + 0.1 * random_uniform(&s, (uint64_t)r); /* processors differ by up to a tenth */
        forecast_run(&study, &meta, &rates, ranks[i], f.team, slowness, &uneven);
        printf("\n    %5d ranks, teams of %d: %.1f h, %.2f%% idle; with processors that differ by up to 10%%: %.2f%%",
               ranks[i], f.team, f.seconds / 3600, 100 * f.idle, 100 * uneven.idle);
        CU_ASSERT(f.idle < 0.03);
        CU_ASSERT(uneven.idle < 0.05);
        memory_free(slowness);
    }
    printf("\n  ");
}

/* One log a rank that finished something; every rank reads its own periods once; rank 0 reads all logs at the end. */
static void test_counts(void)
{
    enum { RANKS = 10000, FRAME = 32 };
    double bytes = 0, fits = 0, closed = 0;
    struct forecast f;
    forecast_best(&study, &meta, &rates, RANKS, &f);
    for (int i = 0; i < study.configs; i++) {
        double n = (double)(study.P - config_first_row(&study, &study.config[i])) * study.config[i].layout.seeds,
               record = FRAME + 8. * (double)layout_record(&study.config[i].layout);
        fits += n;
        bytes += n * record;
        if (i < 3) closed += n; /* by the cut: at most a log a row; the others' logs are their teams' leaders' */
    }
    double panel = (double)meta.rows * (4 * D + 8 + 8), period = (double)N * (4 * D + 8 + 8);
    printf("\n    %d ranks: the panel's %.2f GB are read once, at most %.1f MB a rank; %.0f fits in at most %d logs, %.1f "
           "MB in all, %.0f bytes a rank on average; "
           "the end reads these %.1f MB on one rank\n  ",
           RANKS, panel / 1e9, period / 1e6, fits, (int)fmin(RANKS, closed + RANKS / f.team), bytes / 1e6, bytes / RANKS,
           bytes / 1e6);
    CU_ASSERT(period <= panel);
    CU_ASSERT(f.pass < 1);
    CU_ASSERT(bytes < 100e6);
    CU_ASSERT(f.finish < 2);
    CU_ASSERT(f.bytes < 2e9);
}

/* The forecast adds up where it can be counted by hand: one rank, one configuration after the other. */
static void test_alone(void)
{
    struct forecast f;
    double sum = 0;
    forecast_run(&study, &meta, &rates, 1, 0, NULL, &f);
    for (int i = 0; i < study.configs; i++) sum += (double)study.P * study.config[i].layout.seeds * row[i] + first[i];
    CHECK_CLOSE(f.rows, sum, 1e-9);
    CHECK_CLOSE(f.idle, 0, 1e-9);
    double t[3];
    for (int i = 0; i < 3; i++) {
        forecast_run(&study, &meta, &rates, 1 << (3 * i), 1, NULL, &f);
        t[i] = f.rows;
    }
    CU_ASSERT(t[0] > 7.9 * t[1] && t[1] > 7.9 * t[2] && t[0] < 8.1 * t[1]);
}

/* A share verified adds that share of the work, spread over the ranks, but no less than the longest row; and the moments kept for it. */
static void test_verified(void)
{
    struct forecast plain, f;
    forecast_best(&study, &meta, &rates, 100, &plain);
    f = plain;
    forecast_verify(&study, &meta, &rates, 0, &f);
    CU_ASSERT(f.seconds == plain.seconds && f.bytes == plain.bytes && f.verify == 0);
    forecast_verify(&study, &meta, &rates, 0.25, &f);
    CHECK_CLOSE(f.verify, 0.25 * plain.busy / 100, 1e-9);
    CHECK_CLOSE(f.seconds, plain.seconds + f.verify, 1e-9);
    CU_ASSERT(f.bytes > plain.bytes + 8. * 8 * D * D / 2 && f.bytes < plain.bytes + 8. * 8 * D * D);
    forecast_best(&study, &meta, &rates, 10000, &f);
    forecast_verify(&study, &meta, &rates, 1e-6, &f);
    CHECK_CLOSE(f.verify, 2308, 1e-9);
}

int main(void)
{
    static const struct check tests[] = {{"one rank adds up", test_alone},
                                         {"verified", test_verified},
                                         {"idle share at scale", test_idle},
                                         {"files and bytes at scale", test_counts}};
    prepare();
    int status = check_run("scale", tests, 4);
    study_free(&study);
    return status;
}
