/* Runs over a simulated disk (tests/sim): the lease, part logs, history, checkpoints, schedule and files that are whole when they exist, as
 * they are, under crashes at every operation, full disks, power cuts that lose, reorder and tear what was not forced to disk, two
 * runs on one path, and clocks apart. What must hold after each history:
 *   a row that was forced to disk is in the logs or in finished results, whatever happens;
 *   results and skeletons are whole, of one study alone, and stay once a run has said it is finished;
 *   no two runs hold the path at once unless one of them was held up for longer than the lease allows;
 *   checkpoints are whole or not there; all memory and all files are given back;
 *   a last run without faults finishes, and leaves the results and nothing else.
 *   HISTORIES=N how many, from SEED_FROM on; SEED=S prints what happens in history S. */
#define _GNU_SOURCE /* memmem */
#include "check.h"

#include "sim/run.h"

#ifdef __SANITIZE_ADDRESS__
enum { HISTORIES = 2000 };
#else
enum { HISTORIES = 100000 };
#endif

/* ---- what must hold ---- */

static void check_task(void *unused)
{
    (void)unused;
    struct part_index x;
    struct error e = {""};
    double values[VALUES];
    uint8_t done[ROWS] = {0};
    char folder[PARTS_PATH];
    int results = file_study(RESULTS, "results", ROWS), skeleton = parts_find(PARTS, folder) ? skeleton_study(folder) : 0;
    if (results < 0 || (results && !begun[results])) breaks("the results are not whole, or of another study");
    if (final && !results) breaks("finished results are gone");
    if (skeleton < 0) breaks("the skeleton is not whole");
    if (parts_index(*folder ? folder : PARTS, 0, 1, &x, &e)) breaks("the logs cannot be read: %s", e.text);
    for (size_t i = 0; i < x.records && skeleton > 0; i++) {
        const struct part_record *r = &x.record[i];
        if (!parts_serve(r, ROWS, 1, VALUES) || r->key.config || r->key.seed) breaks("a record is none of ours");
        else if (parts_read(&x, r, values, NULL, NULL, &e)) breaks("%s", e.text);
        else if (values[0] != value_of(skeleton, r->key.row, 0) || values[1] != value_of(skeleton, r->key.row, 1))
            breaks("row %d is not of study %d", r->key.row, skeleton);
        else done[r->key.row] = 1;
    }
    parts_free(&x);
    for (int row = 0; row < ROWS && final && !strcmp(folder, final_folder); row++)
        if (removable[row] && !done[row]) breaks("the rows of finished results would be computed again");
    for (int s = 1; s <= STUDIES; s++)
        for (int row = 0; row < ROWS; row++)
            if (kept[s][row] && results != s && !(skeleton == s && done[row]))
                breaks("row %d of study %d was forced to disk and is lost", row, s);
}

static void check_end_task(void *unused)
{
    (void)unused;
    if (os_kind(PARTS) != OS_NOTHING) breaks("the parts are left");
    if (os_kind(RESULTS ".lock") != OS_NOTHING) breaks("the lock is left");
}

static int study_of_skeleton;
static void look_task(void *unused)
{
    (void)unused;
    char folder[PARTS_PATH];
    study_of_skeleton = parts_find(PARTS, folder) ? skeleton_study(folder) : 0;
}

/* ---- histories ---- */

static void alone(void (*task)(void *))
{
    sim_power = -1, sim_stall = 0, sim_full = 0;
    sim_spawn(0, sim_now, -1, task, NULL);
    if (sim_run()) breaks("a check does not end");
}

static struct start *add_start(int study, bool resume, int kill_in, double at)
{
    struct start *s = &start[starts++];
    *s = (struct start){.study = study,
                        .resume = resume,
                        .ranks = 1 + sim_below(RANKS),
                        .stops = sim_below(6) == 0,
                        .interval = sim_below(2) ? 10 * sim_uniform() : 60};
    s->process = sim_spawn(sim_below(SIM_HOSTS), at, kill_in, start_task, s);
    return s;
}

/* One to three runs until they are over or the power goes. */
static void play_faults(void)
{
    static const double apart[] = {0.02, 2, 60};
    int power = sim_below(3) == 0, runs = 1 + (sim_below(5) < 2) + (sim_below(10) == 0), study = 1 + (sim_below(5) == 0),
        held = runs > 1 && sim_below(3) == 0 ? 1 + sim_below(2) : 0; /* 1 threads, 2 whole processes */
    double at = sim_now;
    starts = 0;
    sim_power = power ? sim_below(sim_below(4) ? 150 : 600) : -1;
    sim_stall = held == 1 ? 100 : 0;
    held_up |= held > 0;
    sim_full = sim_below(8) ? 0 : 1 + sim_below(100);
    for (int i = 0; i < runs; i++) {
        struct start *s = add_start(i ? 1 + sim_below(STUDIES) : study, sim_below(5) > 0,
                                    sim_below(2) ? sim_below(sim_below(4) ? 150 : 600) : -1, at);
        struct sim_process *p = &sim_process[s->process];
        if (held == 2) p->hold_in = sim_below(sim_below(2) ? 60 : 400), p->hold_for = 10 + 140 * sim_uniform();
        at += apart[sim_below(3)] * sim_uniform();
    }
    if (sim_run()) breaks("the runs do not end");
    if (power) {
        sim_power_cut();
        for (int h = 0; h < SIM_HOSTS; h++) sim_host[h].boot++;
    } else if (sim_below(4) == 0) sim_host[sim_below(SIM_HOSTS)].boot++;
    alone(check_task);
}

/* The same study again, without faults: as whoever waits for the results does. */
static void play_end(void)
{
    alone(look_task);
    starts = 0;
    sim_power = -1, sim_stall = 0, sim_full = 0;
    add_start(study_of_skeleton > 0 ? study_of_skeleton : 1, study_of_skeleton > 0, -1, sim_now + 1);
    start[0].stops = false;
    int last = start[0].process;
    if (sim_run()) breaks("the last run does not end");
    if (start[0].outcome != FINISHED) breaks("the last run does not finish");
    for (int i = 0; i < disk.descriptors; i++)
        if (disk.open[i] >= 0 && disk.opened[i] == last && !*broken) breaks("a file is left open");
    memset(kept, 0, sizeof kept);
    alone(check_task);
    alone(check_end_task);
    sim_power_cut();
    alone(check_task);
}

/* What happens to a run at its operation k: it is killed, or the power goes, and the next is killed somewhere; or it is held up while another
 * takes over, and then a third comes; or it waits for one that is well, and is held up. */
enum { KILLED, POWER_CUT, HELD_UP, HELD_UP_WAITING, FATES };
static const uint64_t PLANNED = (uint64_t)1 << 40; /* a seed of such a history holds fate, operation and draw */

static void hold(struct start *s, int k, double seconds)
{
    sim_process[s->process].hold_in = k;
    sim_process[s->process].hold_for = seconds;
    held_up = true;
}

/* False: it has fewer operations. */
static bool play_planned(int fate, int k)
{
    bool same = sim_below(2);
    starts = 0;
    sim_power = fate == POWER_CUT ? k : -1;
    if (fate == HELD_UP_WAITING) add_start(1, true, -1, sim_now)->slow = true;
    struct start *s = add_start(1, true, fate == KILLED ? k : -1, sim_now + starts);
    struct sim_process *p = &sim_process[s->process];
    s->stops = false;
    if (fate >= HELD_UP) hold(s, k, fate == HELD_UP ? 80 + 80 * sim_uniform() : 25 + 15 * sim_uniform());
    if (fate == HELD_UP) {
        add_start(same ? 1 : 2, same, -1, sim_now + 60 * sim_uniform())->slow = true;
        add_start(2, false, -1, sim_now + 60 + 120 * sim_uniform());
    }
    if (sim_run()) breaks("the runs do not end");
    bool reached = fate == KILLED ? p->kill_in < 0 : fate == POWER_CUT ? sim_power < 0 : p->hold_in < 0;
    if (fate == POWER_CUT) sim_power_cut();
    if (reached) alone(check_task);
    if (!reached || fate >= HELD_UP || *broken) return reached;
    starts = 0;
    add_start(1, true, sim_below(150), sim_now);
    if (sim_run()) breaks("the runs do not end");
    alone(check_task);
    return true;
}

static bool play(uint64_t s)
{
    size_t before = memory_held();
    bool reached = true;
    seed = s;
    *broken = '\0';
    memset(kept, 0, sizeof kept);
    memset(begun, 0, sizeof begun);
    final = 0;
    held_up = false;
    sim_reset(s);
    if (s & PLANNED) reached = play_planned((int)(s >> 32 & 255), (int)(s >> 8 & 0xffffff));
    else
        for (int epochs = 1 + sim_below(3); epochs > 0 && !*broken; epochs--) play_faults();
    if (!*broken && reached) play_end();
    if (memory_held() != before && !*broken) breaks("%zd bytes of memory are left", (ssize_t)(memory_held() - before));
    if (*broken) printf("\n    SEED=%llu shows: %s", (unsigned long long)s, broken);
    return reached;
}

static void histories(void)
{
    const char *one = getenv("SEED"), *many = getenv("HISTORIES"), *from = getenv("SEED_FROM");
    uint64_t first = from ? strtoull(from, NULL, 10) : 1, n = many ? strtoull(many, NULL, 10) : HISTORIES, failed = 0;
    double operations = 0;
    if (one) {
        log_set_speaker(true);
        sim_traced = true;
        first = strtoull(one, NULL, 10), n = 1;
        printf("\n");
    }
    for (uint64_t s = first; s < first + n && failed < 5; s++) {
        play(s);
        failed += *broken != '\0';
        operations += (double)sim_operations;
    }
    printf("[%llu histories of %.0f operations] ", (unsigned long long)n, operations / (double)n);
    CU_ASSERT(failed == 0);
}

static void every_operation(void)
{
    static const uint64_t draws[FATES] = {4, 4, 16, 16};
    int failed = 0, n = 0;
    for (uint64_t fate = 0; fate < FATES && !getenv("SEED"); fate++) {
        bool reached = true;
        for (uint64_t k = 0; reached; k++) {
            reached = false;
            for (uint64_t draw = 0; draw < draws[fate] && failed < 5; draw++, n++) {
                reached |= play(PLANNED | fate << 32 | k << 8 | draw);
                failed += *broken != '\0';
            }
        }
    }
    printf("[%d histories] ", n);
    CU_ASSERT(failed == 0);
}

/* A history as a power cut leaves it: the size has grown, and the bytes have not come. */
static void history_task(void *unused)
{
    static const char text[] = "begin 1: a start\n\0\0\0\0\nbegin 2: a start\n";
    (void)unused;
    int fd = os_open("/d/history", OS_CREATE);
    CU_ASSERT(os_write_at(fd, text, sizeof text - 1, 0) == 0 && os_close(fd) == 0);
    CU_ASSERT(history_last(&(struct run_lock){.folder = "/d"}) == 2);
}

static void zeros_in_the_history(void)
{
    sim_reset(1);
    alone(history_task);
}

int main(void)
{
    static const struct check tests[] = {{"nothing is lost or mixed", histories},
                                         {"nor at any operation", every_operation},
                                         {"zeros in the history", zeros_in_the_history}};
    log_set_speaker(false);
    sim_before_loss = check_loss;
    return check_run("disk", tests, sizeof tests / sizeof *tests);
}
