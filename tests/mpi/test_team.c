/* Teams: RANKS: 1 2 3 5. Agreement on errors, row exchange with ranks that own or need nothing, gathering, stopping, tasks taken once,
 * watches that end at once. */
#include "check.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/memory.h"
#include "parallel/progress_counter.h"
#include "parallel/stop.h"
#include "parallel/team.h"
#include "parallel/watchdog.h"
#include "parallel/work_queue.h"

static struct team *world;
static int me, ranks;

static void agreement(void)
{
    struct error e = {""};
    CU_ASSERT_EQUAL(team_agree(world, &e), 0);
    for (int bad = 0; bad < ranks; bad++) { /* several ranks fail: all hear of the lowest */
        e = (struct error){""};
        if (me >= bad) error_set(&e, "rank %d has it", me);
        CU_ASSERT_EQUAL(team_agree(world, &e), -1);
        char says[64];
        snprintf(says, sizeof says, "rank %d has it", bad);
        CU_ASSERT_STRING_EQUAL(e.text, says);
    }
}

/* Rows of 3 numbers {row, row + 0.5, owner}; uneven ownership, overlapping and empty needs. */
static void row_exchange(void)
{
    enum { ROWS = 17 };
    int64_t *own = memory_array(int64_t, ranks + 1, "own"), *need = memory_array(int64_t, 2 * ranks, "need");
    for (int r = 0; r <= ranks; r++) own[r] = r == ranks ? ROWS : (int64_t)(r > 0) * ROWS * r * r / (ranks * ranks);
    for (int r = 0; r < ranks; r++) {
        need[2 * r] = (5 * r) % ROWS;
        need[2 * r + 1] = r == 1 ? need[2 * r] : need[2 * r] + 9 < ROWS ? need[2 * r] + 9 : ROWS;
    }
    int64_t mine = own[me + 1] - own[me], wanted = need[2 * me + 1] - need[2 * me];
    double *have = memory_array(double, 3 * mine, "have"), *get = memory_array(double, 3 * wanted, "get");
    for (int64_t i = 0; i < mine; i++)
        have[3 * i] = (double)(own[me] + i), have[3 * i + 1] = have[3 * i] + 0.5, have[3 * i + 2] = me;
    team_fetch_rows(world, 3 * sizeof(double), own, have, need, get);
    for (int64_t i = 0; i < wanted; i++) {
        int64_t row = need[2 * me] + i;
        CU_ASSERT(get[3 * i] == (double)row && get[3 * i + 1] == (double)row + 0.5);
        int owner = (int)get[3 * i + 2];
        CU_ASSERT(own[owner] <= row && row < own[owner + 1]);
    }
    memory_free(own), memory_free(need), memory_free(have), memory_free(get);
}

static void gathering(void)
{
    size_t *bytes = memory_array(size_t, ranks, "bytes"), total = 0;
    for (int r = 0; r < ranks; r++) bytes[r] = (size_t)(3 * r), total += bytes[r];
    char *mine = memory_array(char, bytes[me], "mine"), *all = me == 0 ? memory_array(char, total, "all") : NULL;
    memset(mine, 'a' + me, bytes[me]);
    team_gather_bytes(world, mine, bytes, all, 0);
    for (int r = 0, at = 0; me == 0 && r < ranks; r++)
        for (size_t i = 0; i < bytes[r]; i++) CU_ASSERT_EQUAL(all[at++], 'a' + r);
    memory_free(bytes), memory_free(mine), memory_free(all);
    char *text = team_broadcast_text(world, me == ranks - 1 ? "from the last" : NULL, ranks - 1);
    CU_ASSERT_STRING_EQUAL(text, "from the last");
    memory_free(text);
    double v = me;
    team_max_double(world, &v, 1);
    CU_ASSERT_EQUAL(v, ranks - 1);
    uint8_t flags[2] = {(uint8_t)(1 << (me % 8)), (uint8_t)(me == 0)};
    team_or_bytes(world, flags, 2);
    CU_ASSERT_EQUAL(flags[0], (1 << (ranks < 8 ? ranks : 8)) - 1);
    CU_ASSERT_EQUAL(flags[1], 1);
    CU_ASSERT(team_ranks_on_host(world) >= 1 && team_ranks_on_host(world) <= ranks);
}

static void splitting(void)
{
    struct team *half = team_split(world, me % 2 ? -1 : 0);
    CU_ASSERT((half == NULL) == (me % 2));
    if (half) {
        CU_ASSERT_EQUAL(team_size(half), (ranks + 1) / 2);
        CU_ASSERT_EQUAL(team_rank(half), me / 2);
        int64_t one = 1;
        team_sum_long(half, &one, 1);
        CU_ASSERT_EQUAL(one, team_size(half));
    }
    team_close(half);
}

static int idled;
static void idle(void *context)
{
    (void)context;
    idled++;
}

static void waiting(void)
{
    if (me == ranks - 1) nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    CU_ASSERT_EQUAL(team_wait_max(world, me == ranks / 2 ? 5 : 1, idle, NULL), 5);
    CU_ASSERT(ranks == 1 || me == ranks - 1 || idled >= 2);
}

/* A signal at the last rank stops everybody within a second. */
static void stopping(void)
{
    stop_install(world);
    CU_ASSERT(!stop_requested());
    team_barrier(world);
    if (me == ranks - 1) raise(SIGUSR1);
    double start = clock_seconds();
    while (!stop_requested() && clock_seconds() - start < 5) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    CU_ASSERT(clock_seconds() - start < 1);
    CU_ASSERT_EQUAL(stop_signal(), me == ranks - 1 ? SIGUSR1 : 0);
    /* a rank that sees it later still passes it on: keep polling until all have it */
    team_wait_max(world, 0, (void (*)(void *))(void *)stop_requested, NULL);
    stop_close();
    CU_ASSERT(!stop_requested());
}

static void gauging(void)
{
    progress_counter_open(world);
    progress_counter_put(me == ranks - 1 ? 3 : 10, 10);
    team_barrier(world);
    if (me == 0) {
        long done = 0;
        int slowest = -1;
        double share = 0, start = clock_seconds();
        while (done != 3 + 10L * (ranks - 1) && clock_seconds() - start < 5) progress_counter_read(&done, &slowest, &share);
        CU_ASSERT_EQUAL(done, 3 + 10L * (ranks - 1));
        CU_ASSERT_EQUAL(slowest, ranks - 1);
        CHECK_CLOSE(share, 0.3, 1e-12);
    }
    progress_counter_close();
}

/* Every task of a kind is given once, whoever asks; costs are means over what all ranks report. */
static void queueing(void)
{
    enum { KINDS = 3, TASKS = 40 };
    struct work_queue *p = work_queue_open(world, KINDS);
    int64_t given[KINDS * TASKS] = {0}, taken[KINDS];
    double seconds[KINDS];
    for (int k = 0; k < KINDS; k++)
        for (int64_t i; (i = work_queue_take(p, (k + me) % KINDS)) < TASKS;) given[(k + me) % KINDS * TASKS + i]++;
    for (int k = 0; k < 2; k++) work_queue_report(p, k, (me + 1) * (k + 1.0), 2);
    team_barrier(world);
    work_queue_look(p, taken, seconds);
    team_sum_long(world, given, KINDS * TASKS);
    for (int i = 0; i < KINDS * TASKS; i++) CU_ASSERT_EQUAL(given[i], 1);
    for (int k = 0; k < KINDS; k++) {
        CU_ASSERT_EQUAL(taken[k], TASKS + ranks); /* who finds that nothing is left has taken a number all the same */
        CHECK_CLOSE(seconds[k], k < 2 ? (k + 1) * (ranks + 1) / 4.0 : 0, 1e-12);
    }
    work_queue_close(p);
}

/* A watch that is over wakes the thread that keeps it: a hundred runs in a row (aipm trial) do not each wait for its next beat, half a
 * second off. */
static void watching(void)
{
    double start = clock_seconds();
    for (int k = 0; k < 20; k++) {
        watchdog_open(world, &(struct watchdog_options){.seconds = 60, .what = "nothing"});
        watchdog_close(world);
    }
    CU_ASSERT(clock_seconds() - start < 5);
}

int main(int argc, char **argv)
{
    static const struct check tests[] = {
        {"agreement", agreement}, {"row exchange", row_exchange}, {"gathering", gathering},
        {"splitting", splitting}, {"waiting", waiting},           {"stopping", stopping},
        {"gauging", gauging},     {"picking", queueing},          {"watching", watching},
    };
    world = world_open(&argc, &argv);
    me = team_rank(world);
    ranks = team_size(world);
    int status = check_run("teams", tests, sizeof tests / sizeof *tests);
    world_close(world);
    if (memory_blocks()) fprintf(stderr, "%ld blocks not freed\n", memory_blocks()), status = 1;
    return status;
}
