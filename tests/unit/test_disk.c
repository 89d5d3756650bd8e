/* Runs over a simulated disk (tests/sim): the lease, part logs, history, checkpoints, schedule and files that are whole when they exist, as
 * they are, under crashes at every operation, full disks, power cuts that lose, reorder and tear what was not forced to disk, two
 * runs on one path, and clocks apart. What must hold after each history:
 *   a row that was forced to disk is in the logs or in finished results, whatever happens;
 *   results and skeletons are whole, of one study alone, and stay once a run has said it is finished;
 *   no two runs hold the path at once unless one of them was held up for longer than the lease allows;
 *   checkpoints are whole or not there; all memory and all files are given back;
 *   a last run without faults finishes, and leaves the results and nothing else.
 * run() goes the way of study/driver.c without MPI and HDF5: the results and the skeleton are files of plain bytes here.
 *   HISTORIES=N how many, from SEED_FROM on; SEED=S prints what happens in history S. */
#include "check.h"

#include "base/log.h"
#include "base/memory.h"
#include "io/durable_file.h"
#include "io/lease.h"
#include "io/parameters_file.h"
#include "io/parts.h"
#include "sim/system.h"
#include "study/schedule.h"

#include "../../src/study/run_lock.h"

#define RESULTS  "/d/r.h5"
#define PARTS    "/d/r.h5.parts"
#define SKELETON PARTS "/" PARTS_SKELETON
#ifdef __SANITIZE_ADDRESS__
enum { HISTORIES = 2000 };
#else
enum { HISTORIES = 100000 };
#endif
enum { ROWS = 5, STUDIES = 2, VALUES = 2, RANKS = 2, STARTS = 4, RECORD = 40 };
enum outcome { UNKNOWN, FINISHED, STOPPED, FAILED, REFUSED };

struct start {
    int study, ranks, process, generation, left;
    bool resume, holds, ending, stops; /* left: ranks that still work */
    double interval;
    enum outcome outcome;
    char token[LEASE_TOKEN];
    uint8_t done[ROWS];
    int64_t first[RANKS + 1];
    struct rank {
        struct start *start;
        int number;
        struct error error;
    } rank[RANKS];
};
static struct start start[STARTS];
static int starts;
static bool kept[STUDIES + 1][ROWS]; /* rows forced to disk and not yet in results */
static bool held_up;                 /* a process was stopped for long: the lease cannot exclude another */
static int final;                    /* the study whose results were said to be finished */
static bool removable[ROWS];         /* its rows that are in logs on disk, until these are removed */
static bool anew;                    /* a skeleton was begun since */
static bool begun[STUDIES + 1];      /* of which studies results may be there */
static uint64_t seed;
static char broken[512]; /* the first thing that did not hold */

static void breaks(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void breaks(const char *format, ...)
{
    if (*broken) return;
    va_list a;
    va_start(a, format);
    vsnprintf(broken, sizeof broken, format, a);
    va_end(a);
    sim_say("BROKEN: %s", broken);
}

static double value_of(int study, int row, int k)
{
    return 1000 * study + 10 * row + k;
}

/* ---- results and skeletons: a word, the study, its rows, and the word again ---- */

/* A file of a study, written as HDF5's are: by the temporary's name. */
static int put_file(const char *path, const char *word, int study, int rows, const double *values, const char *token,
                    struct error *e)
{
    struct durable_file f;
    char text[RECORD + 1];
    if (durable_begin(&f, path, e)) return -1;
    durable_close(&f);
    int fd = os_open(f.temporary, OS_EDIT);
    if (fd < 0) error_set(e, "%s: %s", path, strerror(errno));
    for (int i = -1; i <= rows && !error_is_set(e); i++) {
        if (i >= 0 && i < rows)
            snprintf(text, sizeof text, "%-12d%13d%13d\n", i, (int)values[VALUES * i], (int)values[VALUES * i + 1]);
        else snprintf(text, sizeof text, "%-12s%-12d%14d\n", word, study, i < 0);
        if (os_write_at(fd, text, strlen(text), (i + 1) * (RECORD - 1))) error_set(e, "%s: %s", path, strerror(errno));
    }
    if (fd >= 0) os_close(fd);
    if (token) lease_check(RESULTS, token, e);
    return token ? durable_commit(&f, e) : durable_commit_new(&f, e);
}

/* The study of a file: 0 it is not there, -1 it is not whole. */
static int file_study(const char *path, const char *word, int rows)
{
    char text[(ROWS + 3) * RECORD] = "", expected[(ROWS + 3) * RECORD] = "";
    int fd = os_open(path, OS_READ), study = 0;
    if (fd < 0) return errno == ENOENT ? 0 : -1;
    ssize_t n = os_read_at(fd, text, sizeof text - 1, 0);
    os_close(fd);
    if (n < 0 || sscanf(text + 12, "%d", &study) != 1 || study < 1 || study > STUDIES) return -1;
    char *p = expected + sprintf(expected, "%-12s%-12d%14d\n", word, study, 1);
    for (int i = 0; i < rows; i++)
        p += sprintf(p, "%-12d%13d%13d\n", i, (int)value_of(study, i, 0), (int)value_of(study, i, 1));
    sprintf(p, "%-12s%-12d%14d\n", word, study, 0);
    return strcmp(text, expected) ? -1 : study;
}

/* ---- a run ---- */

static void *beat(struct start *s)
{
    unsigned long long count = 0;
    while (!s->ending && !sim_dead()) {
        os_sleep(LEASE_BEAT);
        if (s->ending || sim_dead()) break;
        if (lease_beat(RESULTS, s->token, true, ++count) < 0 && !sim_dead() && !s->ending) {
            sim_say("lost the path");
            sim_kill(s->process);
        }
    }
    return NULL;
}
static void beat_task(void *s)
{
    beat(s);
}

static void count_record(const struct part_record *r, uint8_t done[ROWS])
{
    if (r->key.config == 0 && parts_serve(r, ROWS, 1, VALUES)) done[r->key.row] = 1;
}

static int find_done(struct start *s, struct error *e)
{
    int generation = history_last(&(struct run_lock){.parts = PARTS});
    for (int r = 0; r < s->ranks && !error_is_set(e); r++) {
        struct part_index x;
        if (parts_index(PARTS, r, s->ranks, &x, e)) return -1;
        for (size_t i = 0; i < x.records; i++) count_record(&x.record[i], s->done);
        if (x.generation > generation) generation = x.generation;
        parts_free(&x);
    }
    s->generation = generation + 1;
    return error_is_set(e) ? -1 : 0;
}

/* A checkpoint is what was saved last, or nothing. */
static void check_state(const struct start *s, const char *path)
{
    size_t bytes;
    char expected[64], *state = state_read(path, &bytes);
    int n = snprintf(expected, sizeof expected, "the state of a fit of study %d: %s", s->study, path + sizeof PARTS);
    if (state && !sim_dead() && ((int)bytes != n || memcmp(state, expected, bytes)))
        breaks("%s is not what was saved", path);
    memory_free(state);
}

static int work_row(struct start *s, struct part_writer *w, int row, struct error *e)
{
    char path[128], state[64];
    struct part_key key = {.row = row};
    double values[VALUES];
    int64_t ids[2] = {row, 7};
    float weights[2] = {(float)s->study, 0.5f};
    for (int k = 0; k < VALUES; k++) values[k] = value_of(s->study, row, k);
    os_sleep(sim_below(3) ? sim_uniform() : 15 * sim_uniform());
    snprintf(path, sizeof path, PARTS "/fit-0-0-%d.state", row);
    if (sim_below(4) == 0) {
        check_state(s, path);
        int n = snprintf(state, sizeof state, "the state of a fit of study %d: %s", s->study, path + sizeof PARTS);
        if (state_write(path, state, (size_t)n, e)) return -1;
        check_state(s, path);
    }
    if (part_append(w, &key, VALUES, values, sim_below(2) ? 2 : 0, ids, weights, e)) return -1;
    os_unlink(path);
    return 0;
}

static void rank_task(void *argument)
{
    struct rank *r = argument;
    struct start *s = r->start;
    struct error *e = &r->error;
    bool mine[ROWS] = {false};
    struct part_writer *w = part_create(PARTS, s->generation, r->number, s->interval);
    for (int row = (int)s->first[r->number]; row < s->first[r->number + 1] && !error_is_set(e); row++) {
        if (s->done[row]) continue;
        if (s->stops && sim_below(3) == 0) break;
        if (work_row(s, w, row, e)) break;
        mine[row] = true;
        if (sim_below(3)) continue;
        if (part_sync(w, e)) break;
        for (int i = 0; i <= row && !sim_dead(); i++) kept[s->study][i] |= mine[i];
    }
    bool failed = error_is_set(e);
    if (!part_close(w, e) && !failed && !sim_dead())
        for (int i = 0; i < ROWS; i++) kept[s->study][i] |= mine[i];
    s->left--;
}

static int work(struct start *s, struct error *e)
{
    double seconds = 1, later = 0;
    int first_row = 0;
    struct schedule_work work = {
        .configs = 1, .P = ROWS, .seconds = &seconds, .first_seconds = &later, .first_row = &first_row, .done = s->done};
    schedule_cut(&work, s->ranks, s->first, NULL);
    s->left = s->ranks;
    for (int r = 0; r < s->ranks; r++) {
        s->rank[r] = (struct rank){.start = s, .number = r};
        if (r) sim_thread(s->process, sim_now, rank_task, &s->rank[r]);
    }
    rank_task(&s->rank[0]);
    while (s->left && !sim_dead()) os_sleep(0.5);
    for (int r = 0; r < s->ranks; r++)
        if (error_is_set(&s->rank[r].error)) *e = s->rank[r].error;
    return error_is_set(e) ? -1 : 0;
}

/* The results of a study are on disk: from here on they are these until another study's are begun. */
static void say_final(int study)
{
    anew = false;
    final = study;
    memcpy(removable, kept[study], sizeof removable);
    memset(kept[study], 0, sizeof *kept);
    memset(begun, held_up, sizeof begun);
    begun[study] = true;
}

static int finish(struct start *s, struct error *e)
{
    struct part_index x;
    double values[ROWS * VALUES];
    uint8_t done[ROWS] = {0};
    int rows = 0;
    if (lease_check(RESULTS, s->token, e) || parts_index(PARTS, 0, 1, &x, e)) return -1;
    for (size_t i = 0; i < x.records && !error_is_set(e); i++) {
        const struct part_record *r = &x.record[i];
        if (!parts_serve(r, ROWS, 1, VALUES) || done[r->key.row]) continue;
        parts_read(&x, r, values + VALUES * r->key.row, NULL, NULL, e);
        done[r->key.row] = 1;
        rows++;
    }
    parts_free(&x);
    if (error_is_set(e)) return -1;
    if (rows < ROWS) {
        if (!sim_dead() && !held_up) breaks("a run is over and rows are missing");
        return error_set(e, "rows are missing: the path was lost");
    }
    if (!sim_dead()) begun[s->study] = true;
    if (put_file(RESULTS, "results", s->study, ROWS, values, s->token, e)) return -1;
    if (!sim_dead()) say_final(s->study);
    if (lease_check(RESULTS, s->token, e)) return -1;
    return parts_remove(PARTS, e);
}

/* What stands at the path, as check_output() and check_complete() of the driver. 1: it is complete. */
static int check_output(const struct start *s, struct error *e)
{
    bool parts = os_kind(SKELETON) == OS_FILE;
    if (parts && !s->resume) return error_set(e, "holds the rows of a run under way");
    if (!parts && parts_remove(PARTS, e)) return -1;
    if (!s->resume || parts || os_kind(RESULTS) != OS_FILE) return 0;
    int study = file_study(RESULTS, "results", ROWS);
    if (study < 0 && !sim_dead()) breaks("the results are not whole");
    return study == s->study ? 1 : error_set(e, "is of another study");
}

static int enter_parts(const struct start *s, struct error *e)
{
    if (os_kind(SKELETON) != OS_FILE) {
        if (!sim_dead()) anew = true;
        return folder_create_for(SKELETON, e) || put_file(SKELETON, "skeleton", s->study, 0, NULL, NULL, e) ? -1 : 0;
    }
    int study = file_study(SKELETON, "skeleton", 0);
    if (study < 0 && !sim_dead()) breaks("the skeleton is not whole");
    return study == s->study ? 0 : error_set(e, "computes something else than the run under way");
}

static enum outcome run(struct start *s, struct error *e)
{
    char line[64];
    int complete = check_output(s, e);
    if (complete) return complete < 0 ? FAILED : FINISHED;
    if (find_done(s, e) || enter_parts(s, e)) return FAILED;
    snprintf(line, sizeof line, "begin %d: a start", s->generation);
    if (line_append(PARTS "/history", line, e)) return FAILED;
    int rc = work(s, e);
    if (!rc && !s->stops) rc = finish(s, e);
    if (!rc && !s->stops) return FINISHED;
    struct error ignored = {""};
    snprintf(line, sizeof line, "end %d: %s", s->generation, rc ? "failed" : "stopped");
    line_append(PARTS "/history", line, &ignored);
    return rc ? FAILED : STOPPED;
}

static void start_task(void *argument)
{
    struct start *s = argument;
    struct error e = {""};
    if (lease_take(RESULTS, s->token, &e)) s->outcome = REFUSED;
    else {
        if (!sim_dead()) s->holds = true;
        for (int i = 0; i < starts; i++)
            if (&start[i] != s && start[i].holds && !sim_process[start[i].process].dead && !sim_dead() && sim_stall == 0)
                breaks("two runs hold the path");
        if (!sim_dead()) sim_thread(s->process, sim_now, beat_task, s);
        s->outcome = run(s, &e);
        s->holds = false;
        lease_release(RESULTS, s->token, true);
    }
    s->ending = true;
    if (sim_dead()) s->outcome = UNKNOWN;
    sim_say("ends: outcome %d: %s", s->outcome, e.text);
}

/* ---- what must hold ---- */

static void check_task(void *unused)
{
    (void)unused;
    struct part_index x;
    struct error e = {""};
    double values[VALUES];
    uint8_t done[ROWS] = {0};
    int results = file_study(RESULTS, "results", ROWS), skeleton = file_study(SKELETON, "skeleton", 0);
    if (results < 0 || (results && !begun[results])) breaks("the results are not whole, or of another study");
    if (final && !results) breaks("finished results are gone");
    if (skeleton < 0) breaks("the skeleton is not whole");
    if (parts_index(PARTS, 0, 1, &x, &e)) breaks("the logs cannot be read: %s", e.text);
    for (size_t i = 0; i < x.records && skeleton > 0; i++) {
        const struct part_record *r = &x.record[i];
        if (!parts_serve(r, ROWS, 1, VALUES) || r->key.config || r->key.seed) breaks("a record is none of ours");
        else if (parts_read(&x, r, values, NULL, NULL, &e)) breaks("%s", e.text);
        else if (values[0] != value_of(skeleton, r->key.row, 0) || values[1] != value_of(skeleton, r->key.row, 1))
            breaks("row %d is not of study %d", r->key.row, skeleton);
        else done[r->key.row] = 1;
    }
    parts_free(&x);
    for (int row = 0; row < ROWS && final && !anew && skeleton > 0; row++)
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
    study_of_skeleton = file_study(SKELETON, "skeleton", 0);
}

/* ---- histories ---- */

static void alone(void (*task)(void *))
{
    sim_power = -1, sim_stall = 0, sim_full = 0;
    sim_spawn(0, sim_now, -1, task, NULL);
    if (sim_run()) breaks("a check does not end");
}

static void add_start(int study, bool resume, int kill_in, double at)
{
    struct start *s = &start[starts++];
    *s = (struct start){.study = study,
                        .resume = resume,
                        .ranks = 1 + sim_below(RANKS),
                        .stops = sim_below(6) == 0,
                        .interval = sim_below(2) ? 10 * sim_uniform() : 60};
    s->process = sim_spawn(sim_below(SIM_HOSTS), at, kill_in, start_task, s);
}

/* One or two runs until they are over or the power goes. */
static void play_faults(void)
{
    static const double apart[] = {0.02, 2, 60};
    int power = sim_below(3) == 0, both = 1 + (sim_below(5) < 2), study = 1 + (sim_below(5) == 0);
    starts = 0;
    sim_power = power ? sim_below(sim_below(4) ? 150 : 600) : -1;
    sim_stall = both == 2 && sim_below(3) == 0 ? 100 : 0;
    held_up |= sim_stall > 0;
    sim_full = sim_below(8) ? 0 : 1 + sim_below(100);
    for (int i = 0; i < both; i++)
        add_start(i ? 1 + sim_below(STUDIES) : study, sim_below(5) > 0,
                  sim_below(2) ? sim_below(sim_below(4) ? 150 : 600) : -1,
                  sim_now + i * apart[sim_below(3)] * sim_uniform());
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

static bool play(uint64_t s)
{
    size_t before = memory_held();
    seed = s;
    *broken = '\0';
    memset(kept, 0, sizeof kept);
    memset(begun, 0, sizeof begun);
    final = 0;
    held_up = anew = false;
    sim_reset(s);
    for (int epochs = 1 + sim_below(3); epochs > 0 && !*broken; epochs--) play_faults();
    if (!*broken) play_end();
    if (memory_held() != before && !*broken) breaks("%zd bytes of memory are left", (ssize_t)(memory_held() - before));
    return !*broken;
}

static void histories(void)
{
    const char *one = getenv("SEED"), *many = getenv("HISTORIES"), *from = getenv("SEED_FROM");
    uint64_t first = from ? strtoull(from, NULL, 10) : 1, n = many ? strtoull(many, NULL, 10) : HISTORIES, failed = 0;
    double operations = 0;
    log_set_speaker(false);
    if (one) {
        log_set_speaker(true);
        sim_traced = true;
        printf("\n");
        if (!play(strtoull(one, NULL, 10))) printf("SEED=%s: %s\n", one, broken);
        CU_ASSERT(!*broken);
        return;
    }
    for (uint64_t s = first; s < first + n && failed < 5; s++) {
        if (!play(s)) failed++, printf("\n    SEED=%llu shows: %s", (unsigned long long)s, broken);
        operations += (double)sim_operations;
    }
    printf("[%llu histories of %.0f operations] ", (unsigned long long)n, operations / (double)n);
    CU_ASSERT(failed == 0);
}

int main(void)
{
    static const struct check tests[] = {{"nothing is lost or mixed", histories}};
    return check_run("disk", tests, sizeof tests / sizeof *tests);
}
