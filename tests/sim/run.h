/* Runs of the program over the simulated system: they go the way of study/driver.c without MPI and HDF5, the lease, part logs, history,
 * checkpoints and schedule as they are. The results and the skeleton are files of plain bytes here. What a run knows to be on disk,
 * and what it should have known of its lease, is noted as it goes. */
#ifndef TESTS_SIM_RUN_H
#define TESTS_SIM_RUN_H

#include "base/log.h"
#include "base/memory.h"
#include "io/durable_file.h"
#include "io/lease.h"
#include "io/parameters_file.h"
#include "io/parts.h"
#include "sim/system.h"
#include "study/schedule.h"

#include "../../src/study/run_lock.h"

#define RESULTS "/d/r.h5"
#define PARTS   "/d/r.h5.parts"
enum { ROWS = 5, STUDIES = 2, VALUES = 2, RANKS = 2, STARTS = 4, RECORD = 40, NAME = 64 };
enum outcome { UNKNOWN, FINISHED, STOPPED, FAILED, REFUSED };

struct start {
    int study, ranks, process, generation, left;
    bool resume, holds, ending, stops, slow,
        over;              /* left: ranks that still work; over: of its folder the results are there */
    double interval, took; /* took: the lease, at that time */
    enum outcome outcome;
    char token[LEASE_TOKEN], folder[PARTS_PATH];
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
static char final_folder[PARTS_PATH];
static bool begun[STUDIES + 1]; /* of which studies results may be there */
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

/* ---- where things are ---- */

struct path {
    char text[PARTS_PATH + NAME];
};
static struct path in_folder(const char *folder, const char *name)
{
    struct path p;
    snprintf(p.text, sizeof p.text, "%s/%s", folder, name);
    return p;
}

static int file_study(const char *path, const char *word, int rows);
static int skeleton_study(const char *folder)
{
    return file_study(in_folder(folder, PARTS_SKELETON).text, "skeleton", 0);
}

/* ---- the lease ---- */

/* Who else has the lock, read off the disk: no event of the history. NULL: nobody. */
static const struct start *other_holder(const struct start *me)
{
    int e = sim_find(RESULTS ".lock"), file = e < 0 ? -1 : disk.entry[e].file;
    for (int i = 0; i < starts && file >= 0; i++)
        if (&start[i] != me && start[i].took > 0 &&
            memmem(disk.file[file].now, (size_t)disk.file[file].size, start[i].token, strlen(start[i].token)))
            return &start[i];
    return NULL;
}

/* A run that has lost the path finds out, by a beat at the latest, once it can. */
static void check_lost(const struct start *s)
{
    const struct start *other = sim_dead() ? NULL : other_holder(s);
    double since = other ? other->took : 0, woke = sim_self()->woke;
    if (other && sim_now - (since > woke ? since : woke) > 3 * LEASE_BEAT)
        breaks("a run goes on long after it lost the path");
}

static void check_lease(const struct start *s, struct error *e)
{
    double before = sim_now;
    if (!lease_check(RESULTS, s->token, e) && !sim_dead() && other_holder(s) && sim_now - before < 0.9)
        breaks("results take their place on another's path");
}

/* A run that was never held up holds the path; its beats may have met a full disk. */
static bool is_well(const struct start *s)
{
    const struct sim_process *p = &sim_process[s->process];
    return s->holds && !p->dead && !p->woke && !sim_raced && !sim_full;
}

static void check_loss(const char *path)
{
    for (int i = 0; i < starts && !strcmp(path, RESULTS ".lock"); i++)
        if (start[i].process != sim_task[sim_me].process && is_well(&start[i]))
            breaks("the lock of a run that is well is taken");
}

static void take_note(struct start *s)
{
    if (sim_dead()) return;
    s->holds = true;
    s->took = sim_now;
    for (int i = 0; i < starts; i++)
        if (&start[i] != s && is_well(&start[i]) && !sim_self()->woke) breaks("two runs hold the path");
}

static void beat_task(void *argument)
{
    struct start *s = argument;
    unsigned long long count = 0;
    while (!s->ending && !sim_dead()) {
        os_sleep(LEASE_BEAT);
        if (s->ending || sim_dead()) break;
        if (lease_beat(RESULTS, s->token, true, ++count) >= 0 || sim_dead() || s->ending) continue;
        sim_say("lost the path");
        if (is_well(s)) breaks("a run that is well loses its path");
        sim_kill(s->process);
    }
}

/* ---- results and skeletons ---- */

/* A file of a study, written as HDF5's are: by the temporary's name. Results ask for the lease before they take their place. */
static int put_file(const char *path, const char *word, const struct start *s, int rows, const double *values,
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
        else snprintf(text, sizeof text, "%-12s%-12d%14d\n", word, s->study, i < 0);
        if (os_write_at(fd, text, strlen(text), (i + 1) * (RECORD - 1))) error_set(e, "%s: %s", path, strerror(errno));
    }
    if (fd >= 0) os_close(fd);
    if (rows) check_lease(s, e);
    return durable_commit(&f, e);
}

/* What such a file holds when it is whole: a word, the study, its rows, and the word again. */
static const char *text_of(const char *word, int study, int rows)
{
    static char text[2][STUDIES + 1][(ROWS + 3) * RECORD];
    char *p = text[*word == 'r'][study], *first = p;
    if (*p) return p;
    p += sprintf(p, "%-12s%-12d%14d\n", word, study, 1);
    for (int i = 0; i < rows; i++)
        p += sprintf(p, "%-12d%13d%13d\n", i, (int)value_of(study, i, 0), (int)value_of(study, i, 1));
    sprintf(p, "%-12s%-12d%14d\n", word, study, 0);
    return first;
}

/* The study of a file: 0 it is not there, -1 it is not whole. */
static int file_study(const char *path, const char *word, int rows)
{
    char text[(ROWS + 3) * RECORD];
    int fd = os_open(path, OS_READ);
    if (fd < 0) return errno == ENOENT ? 0 : -1;
    ssize_t n = os_read_at(fd, text, sizeof text - 1, 0);
    os_close(fd);
    text[n < 0 ? 0 : n] = '\0';
    for (int study = 1; study <= STUDIES; study++)
        if (!strcmp(text, text_of(word, study, rows))) return study;
    return -1;
}

/* ---- a run ---- */

static void count_record(const struct part_record *r, uint8_t done[ROWS])
{
    if (r->key.config == 0 && parts_serve(r, ROWS, 1, VALUES)) done[r->key.row] = 1;
}

static int find_done(struct start *s, struct error *e)
{
    int generation = *s->folder ? history_last(&(struct run_lock){.folder = s->folder}) : 0;
    for (int r = 0; r < s->ranks && *s->folder; r++) {
        struct part_index x;
        if (parts_index(s->folder, r, s->ranks, &x, e)) return -1;
        for (size_t i = 0; i < x.records; i++) count_record(&x.record[i], s->done);
        if (x.generation > generation) generation = x.generation;
        parts_free(&x);
    }
    s->generation = generation + 1;
    return error_is_set(e) ? -1 : 0;
}

static int state_of(const struct start *s, int row, char out[NAME])
{
    return snprintf(out, NAME, "the state of a fit of study %d, row %d", s->study, row);
}

/* A checkpoint is what was saved last, or nothing. */
static void check_state(const struct start *s, const char *path, int row)
{
    size_t bytes;
    char expected[NAME], *state = state_read(path, &bytes);
    int n = state_of(s, row, expected);
    if (state && !sim_dead() && ((int)bytes != n || memcmp(state, expected, bytes)))
        breaks("%s is not what was saved", path);
    memory_free(state);
}

static int work_row(struct start *s, struct part_writer *w, int row, struct error *e)
{
    char name[NAME], state[NAME];
    struct part_key key = {.row = row};
    double values[VALUES];
    int64_t ids[2] = {row, 7};
    float weights[2] = {(float)s->study, 0.5f};
    for (int k = 0; k < VALUES; k++) values[k] = value_of(s->study, row, k);
    os_sleep(sim_below(3) && !s->slow ? sim_uniform() : 15 * sim_uniform());
    check_lost(s);
    snprintf(name, sizeof name, "fit-0-0-%d.state", row);
    struct path path = in_folder(s->folder, name);
    if (sim_below(4) == 0) {
        check_state(s, path.text, row);
        int n = state_of(s, row, state);
        if (state_write(path.text, state, (size_t)n, e)) return -1;
        check_state(s, path.text, row);
    }
    if (part_append(w, &key, VALUES, values, sim_below(2) ? 2 : 0, ids, weights, e)) return -1;
    os_unlink(path.text);
    return 0;
}

/* The results of a study are on disk: from here on they are these until another study's are begun. Whoever still works in the folder,
 * held up, computes what is there. */
static void say_final(const struct start *by)
{
    final = by->study;
    strcpy(final_folder, by->folder);
    memcpy(removable, kept[final], sizeof removable);
    memset(kept[final], 0, sizeof *kept);
    memset(begun, held_up, sizeof begun);
    begun[final] = true;
    for (int i = 0; i < starts; i++) start[i].over |= !strcmp(start[i].folder, by->folder);
}

/* The history has a line of this start: no other of its folder has its number, unless one of them was held up. */
static void say_begun(const struct start *by)
{
    static char in[PARTS_PATH];
    static int last;
    if (sim_dead()) return;
    if (!strcmp(in, by->folder) && by->generation <= last && !held_up)
        breaks("two starts have one number: %d after %d", by->generation, last);
    strcpy(in, by->folder);
    last = by->generation;
}

static void say_kept(const struct start *by, const bool mine[ROWS])
{
    for (int i = 0; i < ROWS && !sim_dead() && !by->over; i++) kept[by->study][i] |= mine[i];
}

static void rank_task(void *argument)
{
    struct rank *r = argument;
    struct start *s = r->start;
    struct error *e = &r->error;
    bool mine[ROWS] = {false};
    struct part_writer *w = part_create(s->folder, s->generation, r->number, s->interval);
    for (int row = (int)s->first[r->number]; row < s->first[r->number + 1] && !error_is_set(e); row++) {
        if (s->done[row]) continue;
        if (s->stops && sim_below(3) == 0) break;
        if (work_row(s, w, row, e)) break;
        mine[row] = true;
        if (sim_below(3)) continue;
        if (part_sync(w, e)) break;
        say_kept(s, mine);
    }
    bool failed = error_is_set(e);
    if (!part_close(w, e) && !failed) say_kept(s, mine);
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

static int finish(struct start *s, struct error *e)
{
    struct part_index x;
    double values[ROWS * VALUES];
    uint8_t done[ROWS] = {0};
    int rows = 0;
    if (parts_index(s->folder, 0, 1, &x, e)) return -1;
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
    if (put_file(RESULTS, "results", s, ROWS, values, e)) return -1;
    if (!sim_dead()) say_final(s);
    return parts_remove(PARTS, s->folder, e);
}

/* What stands at the path, as check_output() and check_complete() of the driver. 1: it is complete. */
static int check_output(struct start *s, struct error *e)
{
    bool parts = parts_find(PARTS, s->folder);
    if (parts && !s->resume) return error_set(e, "holds the rows of a run under way");
    if (!parts && parts_clear(PARTS, e)) return -1;
    if (!s->resume || parts || os_kind(RESULTS) != OS_FILE) return 0;
    int study = file_study(RESULTS, "results", ROWS);
    if (study < 0 && !sim_dead()) breaks("the results are not whole");
    return study == s->study ? 1 : error_set(e, "is of another study");
}

static int begin_parts(struct start *s, struct error *e)
{
    struct durable_file beside;
    if (parts_begin(PARTS, &beside, s->folder, e)) return -1;
    if (!folder_create(s->folder, e)) put_file(in_folder(s->folder, PARTS_SKELETON).text, "skeleton", s, 0, NULL, e);
    parts_commit(PARTS, &beside, s->folder, e);
    return error_is_set(e) ? -1 : 0;
}

static int check_parts(const struct start *s, struct error *e)
{
    if (folder_sync(PARTS, e)) return -1;
    int study = skeleton_study(s->folder);
    if (study < 0 && !sim_dead()) breaks("the skeleton is not whole");
    return study == s->study ? 0 : error_set(e, "computes something else than the run under way");
}

static enum outcome run(struct start *s, struct error *e)
{
    char line[NAME];
    int complete = check_output(s, e);
    if (complete) return complete < 0 ? FAILED : FINISHED;
    if (find_done(s, e) || (*s->folder ? check_parts(s, e) : begin_parts(s, e))) return FAILED;
    snprintf(line, sizeof line, "begin %d: a start", s->generation);
    struct path history = in_folder(s->folder, "history");
    if (line_append(history.text, line, e)) return FAILED;
    say_begun(s);
    int rc = work(s, e);
    if (!rc && !s->stops) rc = finish(s, e);
    if (!rc && !s->stops) return FINISHED;
    struct error ignored = {""};
    snprintf(line, sizeof line, "end %d: %s", s->generation, rc ? "failed" : "stopped");
    line_append(history.text, line, &ignored);
    return rc ? FAILED : STOPPED;
}

static void start_task(void *argument)
{
    struct start *s = argument;
    struct error e = {""};
    if (lease_take(RESULTS, s->token, &e)) s->outcome = REFUSED;
    else {
        take_note(s);
        if (!sim_dead()) sim_thread(s->process, sim_now, beat_task, s);
        s->outcome = run(s, &e);
        s->holds = false;
        s->ending = true;
        lease_release(RESULTS, s->token, true);
    }
    s->ending = true;
    if (sim_dead()) s->outcome = UNKNOWN;
    sim_say("ends: outcome %d: %s", s->outcome, e.text);
}

#endif
