/* Whom to believe when fits are computed twice: the policy of verify.h driven by simulated ranks, of which one flips a bit in a tenth of
 * what it computes. 1,000 runs a setting, every one replayable from its number. */
#include <string.h>

#include "../../src/study/verify.h"
#include "base/memory.h"
#include "base/random.h"
#include "check.h"

enum { RUNS = 1000, FITS = 2000 }; /* fits a rank */
static const double SHARE = 0.05;

/* A run at work: `bad` flips a bit in a tenth of what it computes; -1: nobody does. */
struct simulation {
    struct random_stream faults;
    uint64_t drawn;
    int ranks, bad, fit; /* fit: the one being voted on */
    long computed, again;
};

static uint64_t truth(int fit)
{
    return verify_digest(0, &fit, sizeof fit);
}

static uint64_t compute(struct simulation *s, int rank, int fit)
{
    s->computed++;
    if (rank != s->bad || random_uniform(&s->faults, s->drawn++) >= 0.1) return truth(fit);
    return truth(fit) ^ (uint64_t)1 << random_word(&s->faults, s->drawn++) % 64;
}

static int ask(void *context, int rank, uint64_t *digest)
{
    struct simulation *s = context;
    *digest = compute(s, rank, s->fit);
    return 0;
}

/* Verify the share of what was kept, once for all as a run does. Returns the number of ranks outvoted, marked in out [ranks]. */
static int verify(struct simulation *s, uint64_t seed, const int *owner, const uint64_t *kept, int fits, char *out)
{
    int worker[16], outvoted = 0, believed;
    for (int r = 0; r < s->ranks; r++) worker[r] = r;
    for (int fit = 0; fit < fits; fit++) {
        if (!verify_chosen(seed, SHARE, 0, fit)) continue;
        struct ballot b = {.votes = 1, .width = 1, .rank = {owner[fit]}, .digest = {kept[fit]}};
        int by = verify_next(&b, worker, s->ranks);
        CU_ASSERT_FATAL(by >= 0 && by < s->ranks && (by != owner[fit] || s->ranks == 1));
        b.rank[b.votes] = by;
        b.digest[b.votes++] = compute(s, by, fit);
        s->again++;
        if (out[owner[fit]] || out[by]) continue; /* what they say no longer counts */
        s->fit = fit;
        if (verify_decide(&b, worker, s->ranks, ask, s, &believed)) continue;
        for (int k = 0; k < b.votes; k++)
            if (b.digest[k] != b.digest[believed] && !out[b.rank[k]]) out[b.rank[k]] = 1, outvoted++;
    }
    return outvoted;
}

/* A run of `ranks`: all compute their fits, in a cut or as they come from a queue; a share is verified; the fits of those outvoted are computed
 * again by the others. Returns whether the bad rank, and nobody else, was named and every record is right. */
static bool run(uint64_t seed, int ranks, int bad, bool queue, double *overhead)
{
    int fits = ranks * FITS, *owner = memory_array(int, fits, "test");
    uint64_t *kept = memory_array(uint64_t, fits, "test");
    struct simulation s = {.faults = random_open(seed, 1, 0, 0), .ranks = ranks, .bad = bad};
    struct random_stream who = random_open(seed, 2, 0, 0);
    char out[16] = {0};
    bool good = true;
    for (int i = 0; i < fits; i++) {
        owner[i] = queue ? (int)(random_word(&who, (uint64_t)i) % (unsigned)ranks) : i / FITS;
        kept[i] = compute(&s, owner[i], i);
    }
    int outvoted = verify(&s, seed, owner, kept, fits, out);
    *overhead = (double)(s.computed - fits) / fits;
    for (int i = 0; i < fits; i++) {
        for (int r = owner[i]; out[owner[i]]; r = (r + 1) % ranks)
            if (!out[r]) kept[i] = compute(&s, owner[i] = r, i);
        good = good && kept[i] == truth(i);
    }
    memory_free(owner);
    memory_free(kept);
    return good && outvoted == (bad >= 0) && (bad < 0 || out[bad]);
}

static void against(int ranks, bool queue)
{
    int caught = 0;
    double overhead;
    for (uint64_t seed = 0; seed < RUNS; seed++) caught += run(seed, ranks, (int)(seed % (unsigned)ranks), queue, &overhead);
    if (caught != RUNS) fprintf(stderr, "%d ranks: caught %d of %d\n", ranks, caught, RUNS);
    CU_ASSERT_EQUAL(caught, RUNS);
}

static void cut_of_four(void)
{
    against(4, false);
}
static void queue_of_five(void)
{
    against(5, true);
}
static void two_ranks(void)
{
    against(2, false);
    against(2, true);
}

/* Where a window by itself costs what many that follow another do, what is drawn costs the share of the processor time and no more; several
 * stretches where that buys them, none where not even one row fits in. */
static void stretches(void)
{
    for (double first = 0; first < 100; first = 2 * first + 1)
        for (int seeds = 1; seeds <= 8; seeds *= 2)
            for (double share = 0.01; share < 1; share *= 2) {
                enum { ROWS = 300 };
                double work = first * seeds + ROWS * seeds, spent = 0;
                struct verify_stretch t = verify_stretch(share, work, first, 1, ROWS, ROWS * seeds);
                CU_ASSERT((t.rows == 0) == (share * work < first + 1));
                if (!t.rows) continue;
                int units = (ROWS + t.rows - 1) / t.rows, stretches = 0;
                for (uint64_t seed = 0; seed < 200; seed++)
                    for (int k = 0; k < units * seeds; k++)
                        if (verify_chosen(seed, t.share, 0, k)) {
                            int rows = (k % units + 1) * t.rows > ROWS ? ROWS - k % units * t.rows : t.rows;
                            spent += first + rows, stretches++;
                        }
                CU_ASSERT(spent / 200 < 1.1 * share * work);
                CU_ASSERT(stretches > 0);
                if (share * work > 4 * (first + 2)) CU_ASSERT(stretches / 200. > 3);
            }
    struct verify_stretch all = verify_stretch(1, 10, 5, 1, 300, 300);
    CU_ASSERT(all.rows == 300 && all.share == 1);
}

/* Nobody is named where nobody errs, and the work is the share. */
static void healthy_runs(void)
{
    for (uint64_t seed = 0; seed < 100; seed++)
        for (int ranks = 1; ranks <= 8; ranks++) {
            double overhead;
            CU_ASSERT(run(seed, ranks, -1, seed % 2, &overhead));
            CU_ASSERT(overhead > SHARE - 0.005 && overhead < SHARE + 0.005);
        }
}

/* The units drawn are the share of them to within one, other ones for other seeds; 1 is all of them. */
static void the_share_is_met(void)
{
    static const double shares[] = {0.001, 0.03, 0.05, 1. / 3, 0.5, 0.7, 0.99, 1};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        for (int units = 1; units < 5000; units = units * 3 + 1) {
            int chosen = 0, other = 0, both = 0;
            for (int u = 0; u < units; u++) {
                bool a = verify_chosen(7, shares[i], 2, u), b = verify_chosen(8, shares[i], 2, u);
                chosen += a, other += b, both += a && b;
            }
            CU_ASSERT(fabs(chosen - units * shares[i]) <= 1);
            if (shares[i] < 0.4 && chosen > 20) CU_ASSERT(both < chosen * 3 / 4);
        }
}

/* Teams: no rank of the owner's team is asked before all others; the majority is found wherever it stands. */
static void who_is_asked(void)
{
    static const int worker[] = {0, 1, 2, 4, 5};
    struct ballot b = {.votes = 1, .width = 2, .rank = {1}, .digest = {11}};
    static const int expected[] = {4, 5, 0};
    for (int k = 0; k < 3; k++) {
        CU_ASSERT_EQUAL(verify_next(&b, worker, 5), expected[k]);
        b.rank[b.votes] = expected[k];
        b.digest[b.votes++] = 20 + (uint64_t)k;
        CU_ASSERT_EQUAL(verify_believed(&b, 5), -1);
    }
    b.digest[b.votes] = 21;
    b.rank[b.votes++] = 1;
    CU_ASSERT_EQUAL(verify_believed(&b, 5), 2);
    struct ballot gone = {.votes = 1, .width = 1, .rank = {7}}; /* a rank of an earlier start that is not there now */
    int by = verify_next(&gone, worker, 5);
    CU_ASSERT(by >= 0 && by <= 5);
    struct ballot pair = {.votes = 2, .width = 1, .rank = {1, 0}, .digest = {1, 2}};
    CU_ASSERT_EQUAL(verify_next(&pair, worker, 2), 0); /* of two the one that verified, once more */
    pair.rank[pair.votes] = 0;
    pair.digest[pair.votes++] = 2;
    CU_ASSERT_EQUAL(verify_believed(&pair, 2), -1); /* it repeats itself: which of the two errs is not known */
    CU_ASSERT_EQUAL(verify_next(&pair, worker, 2), 1);
    CU_ASSERT_EQUAL(verify_believed(&pair, 1), 1);
}

int main(void)
{
    static const struct check tests[] = {{"the share is met", the_share_is_met}, {"who is asked", who_is_asked},
                                         {"a cut over four ranks", cut_of_four}, {"stretches that share work", stretches},
                                         {"a queue of five", queue_of_five},     {"two ranks", two_ranks},
                                         {"healthy runs", healthy_runs}};
    return check_run("verify", tests, sizeof tests / sizeof *tests);
}
