/* One way to run a table of CUnit tests, alone or under mpirun: rank 0 prints, failures of all ranks count, and the last line
 * says `RESULT passed failed skipped` for tests/run.sh. A test that cannot run here calls SKIP("why") and returns. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <CUnit/Basic.h>
#include <glob.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

struct check {
    const char *name;
    void (*run)(void);
};

static int check_skipped;
#define SKIP(why) (check_skipped++, printf("[skipped: %s] ", why), (void)0)

/* |a - b| <= tolerance * max(1, |b|), with both printed on failure. */
#define CHECK_CLOSE(a, b, tolerance)                                                                                        \
    do {                                                                                                                    \
        double check_a = (a), check_b = (b);                                                                                \
        int check_ok = fabs(check_a - check_b) <= (tolerance)*fmax(1, fabs(check_b));                                       \
        if (!check_ok) fprintf(stderr, "%s:%d: %.17g against %.17g\n", __FILE__, __LINE__, check_a, check_b);               \
        CU_ASSERT(check_ok);                                                                                                \
    } while (0)

/* How many temporaries of the file `of` lie beside it. */
static inline int check_temporaries(const char *of)
{
    char pattern[512];
    glob_t found = {0};
    snprintf(pattern, sizeof pattern, "%s.*.tmp", of);
    int n = glob(pattern, 0, NULL, &found) ? 0 : (int)found.gl_pathc;
    globfree(&found);
    return n;
}

/* Call after MPI is up (or without MPI). Returns the process's exit status. */
static inline int check_run(const char *suite, const struct check *tests, int n)
{
    int mpi = 0, rank = 0;
    MPI_Initialized(&mpi);
    if (mpi) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite(suite, NULL, NULL);
    for (int i = 0; i < n; i++) CU_add_test(s, tests[i].name, tests[i].run);
    CU_basic_set_mode(rank ? CU_BRM_SILENT : CU_BRM_VERBOSE);
    if (rank && !freopen("/dev/null", "w", stdout)) return 2;
    CU_basic_run_tests();
    int failed = (int)CU_get_number_of_tests_failed(), total = (int)CU_get_number_of_tests_run();
    CU_cleanup_registry();
    if (mpi) MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    int passed = total - failed - check_skipped;
    printf("RESULT %d %d %d\n", passed < 0 ? 0 : passed, failed, check_skipped);
    fflush(stdout);
    return failed != 0;
}

#endif
