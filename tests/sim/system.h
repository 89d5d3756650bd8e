/* A simulated operating system in the place of base/os.c: a disk that forgets and tears what was not forced to it, hosts with clocks of
 * their own, and processes that are interrupted, stopped and killed between any two operations. One history is a function of its seed.
 *
 * The disk, after the model of Pillai et al. (OSDI 2014). Files and folders are what processes see now and what a power cut would leave.
 * Between two syncs of a file its writes are independent: each block of each is on the disk or not, and the size may
 * have grown before the bytes arrive. Between two syncs of a folder its entries are independent: each creation, link, removal and
 * rename (one step) is on the disk or not. Syncing a file does not sync its name.
 *
 * Processes are coroutines. Each operation takes its time by a draw, seldom half a second; in some histories a thread or a whole
 * process is held up for minutes. Whoever's time is least goes on. A killed process goes on with every operation failing and changing nothing, until it has returned its memory. */
#ifndef TESTS_SIM_SYSTEM_H
#define TESTS_SIM_SYSTEM_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "base/os.h"

enum {
    SIM_FILES = 256,
    SIM_BYTES = 4096,
    SIM_BLOCK = 16,
    SIM_OPEN = 1024,
    SIM_TASKS = 16,
    SIM_STACK = 1 << 17,
    SIM_HOSTS = 2
};
enum { SIM_PENDING = 2048, SIM_ENTRIES = 512, SIM_NAME = 112, SIM_JOURNAL = 1 << 18 };

/* ---- the draw ---- */

static uint64_t sim_state;
static uint64_t sim_draw(void) /* splitmix64 */
{
    uint64_t z = sim_state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static int sim_below(int n)
{
    return (int)(sim_draw() >> 33) % n;
}
static double sim_uniform(void)
{
    return (double)(sim_draw() >> 11) * 0x1p-53;
}

/* ---- the disk ---- */

struct sim_file {
    bool folder;
    int size, kept_size; /* now; on the disk */
    char now[SIM_BYTES], kept[SIM_BYTES];
};
/* A change of a file's bytes that no sync has followed. */
struct sim_write {
    int file, at, n, from; /* bytes at `from` of the journal */
};
/* A name in a folder: now, and on the disk. */
struct sim_entry {
    int folder, file, kept; /* -1: not there */
    size_t length;
    char name[SIM_NAME];
};
/* A change of a folder's entries that no sync has followed; a rename changes two at once. */
struct sim_change {
    int folder, entry, file, gone;
};

static struct {
    struct sim_file file[SIM_FILES];
    struct sim_write write[SIM_PENDING];
    struct sim_entry entry[SIM_ENTRIES];
    uint32_t key[SIM_ENTRIES]; /* of an entry's folder and name, to find it by */
    struct sim_change change[SIM_PENDING];
    int files, writes, entries, changes, journal_end;
    char journal[SIM_JOURNAL];
    int open[SIM_OPEN], opened[SIM_OPEN]; /* file of a descriptor, -1 closed; the process that holds it */
    enum os_opening how[SIM_OPEN];
    int descriptors;
} disk;

/* The key of the name at the beginning of a path, and its length. */
static uint32_t sim_key(int folder, const char *path, size_t *n)
{
    uint32_t h = 2166136261u + (uint32_t)folder;
    for (*n = 0; path[*n] && path[*n] != '/'; ++*n) h = (h ^ (unsigned char)path[*n]) * 16777619u; /* FNV-1a */
    return h;
}

/* ---- processes ---- */

struct sim_task {
    ucontext_t context; /* where it begins */
    jmp_buf at;         /* and where it goes on: this leaves the signal mask alone, as swapcontext does not */
    bool begun;
    char *stack;
    void (*run)(void *);
    void *argument;
    double ready; /* true time at which it goes on */
    int process;
    bool used, over;
};
struct sim_process {
    int host, boot;
    long pid;
    bool dead;   /* killed: its operations fail */
    int kill_in; /* it is killed before that many more operations; < 0: not */
    int hold_in; /* all its threads are held up before that many more; < 0: not */
    double hold_for;
    double woke; /* until when it, or a thread of it, was held up last; 0: never */
    int tasks;   /* of it that are not over */
};
static struct sim_task sim_task[SIM_TASKS];
static struct sim_process sim_process[SIM_TASKS];
static int sim_tasks, sim_processes, sim_me = -1;
static jmp_buf sim_scheduler;
static double sim_now, sim_stall; /* stall: the longest that a thread is held up */
static double sim_paused;         /* by the last operation */
static bool sim_raced;            /* a process was held up between its last look at a lock and what it did to it */
static struct {
    int boot;
    double rate, offset;
    int64_t date;
} sim_host[SIM_HOSTS];
static int sim_power; /* operations until the power goes; < 0: it stays */
static int sim_full;  /* per mille of writes that meet a full disk */
static long sim_pid, sim_operations;
static bool sim_traced;

static void (*sim_before_loss)(const char *path); /* called before a name loses its file, by unlink or rename */

static void sim_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void sim_say(const char *format, ...)
{
    if (!sim_traced) return;
    va_list a;
    va_start(a, format);
    printf("%10.3f ", sim_now);
    if (sim_me >= 0) printf("process %ld.%d: ", sim_process[sim_task[sim_me].process].pid, sim_me);
    vprintf(format, a);
    va_end(a);
    putchar('\n');
}

static struct sim_process *sim_self(void)
{
    return &sim_process[sim_task[sim_me].process];
}
/* Whether the process in hand was killed: what it still does is no event of the history. */
static bool sim_dead(void)
{
    return sim_self()->dead;
}

static void sim_kill(int process)
{
    if (sim_process[process].dead || !sim_process[process].tasks) return;
    sim_process[process].dead = true;
    for (int i = 0; i < sim_tasks; i++)
        if (sim_task[i].process == process) sim_task[i].ready = 0; /* to its end, at once */
    sim_say("process %ld is killed", sim_process[process].pid);
}

static void sim_switch(void)
{
    if (!_setjmp(sim_task[sim_me].at)) _longjmp(sim_scheduler, 1);
}

static void sim_go_on(struct sim_task *t)
{
    if (_setjmp(sim_scheduler)) return;
    if (t->begun) _longjmp(t->at, 1);
    t->begun = true;
    setcontext(&t->context);
}

/* Let others come first who are earlier. */
static void sim_wait(double until)
{
    struct sim_task *me = &sim_task[sim_me];
    me->ready = sim_dead() ? 0 : until;
    for (int i = 0; i < sim_tasks; i++)
        if (i != sim_me && sim_task[i].used && !sim_task[i].over && sim_task[i].ready < me->ready) {
            sim_switch();
            return;
        }
    if (me->ready > sim_now) sim_now = me->ready;
}

/* The other threads of a process do nothing until then; some wake later. */
static void sim_hold_others(struct sim_process *p, double until)
{
    for (int i = 0; i < sim_tasks; i++) {
        double at = until + (sim_below(2) ? 10 * sim_uniform() : 0);
        if (i == sim_me || sim_task[i].over || sim_task[i].process != p - sim_process) continue;
        if (sim_task[i].ready < at) sim_task[i].ready = at;
        if (p->woke < at) p->woke = at;
    }
}

/* How long the next operation of the process in hand takes. */
static double sim_pause(struct sim_process *p)
{
    double pause = sim_below(64) ? 0.002 * sim_uniform() : 0.5 * sim_uniform();
    if (sim_stall > 0 && sim_below(128) == 0) pause = sim_stall * sim_uniform();
    if (p->hold_in >= 0 && p->hold_in-- == 0) {
        pause = p->hold_for;
        sim_hold_others(p, sim_now + pause);
    }
    if (pause > 1) {
        sim_say("held up for %.0f s", pause);
        if (sim_now + pause > p->woke) p->woke = sim_now + pause;
    }
    return pause;
}

/* Before each operation: time passes, and the process or the power may end. False: it has no effect and fails. */
static bool sim_step(void)
{
    struct sim_process *p = sim_self();
    if (p->dead) {
        errno = EIO;
        return false;
    }
    sim_operations++;
    double pause = sim_pause(p);
    sim_wait(sim_now + pause);
    sim_paused = pause;
    if (sim_power == 0) {
        sim_say("the power goes");
        for (int i = 0; i < sim_processes; i++) sim_kill(i);
    }
    if (sim_power >= 0) sim_power--;
    if (p->kill_in == 0) sim_kill((int)(p - sim_process));
    if (p->kill_in >= 0) p->kill_in--;
    if (p->dead) errno = EIO;
    return !p->dead;
}

static void sim_begin_task(unsigned i)
{
    sim_task[i].run(sim_task[i].argument);
    sim_task[i].over = true;
    sim_process[sim_task[i].process].tasks--;
    sim_switch();
}

/* A thread of a process, from `at` on. */
static void sim_thread(int process, double at, void (*run)(void *), void *argument)
{
    int i = 0;
    while (i < sim_tasks && !sim_task[i].over) i++;
    if (i == sim_tasks) sim_tasks++;
    if (i >= SIM_TASKS) abort();
    struct sim_task *t = &sim_task[i];
    t->run = run, t->argument = argument, t->ready = at, t->process = process, t->used = true, t->over = t->begun = false;
    sim_process[process].tasks++;
    if (!t->stack) t->stack = malloc(SIM_STACK);
    getcontext(&t->context);
    t->context.uc_stack.ss_sp = t->stack;
    t->context.uc_stack.ss_size = SIM_STACK;
    t->context.uc_link = NULL;
    makecontext(&t->context, (void (*)(void))sim_begin_task, 1, (unsigned)i);
}

/* A process on a host; its first thread begins at `at`. */
static int sim_spawn(int host, double at, int kill_in, void (*run)(void *), void *argument)
{
    int p = sim_processes++;
    if (p >= SIM_TASKS) abort();
    sim_process[p] = (struct sim_process){
        .host = host, .boot = sim_host[host].boot, .pid = sim_pid += 1 + sim_below(3), .kill_in = kill_in, .hold_in = -1};
    sim_thread(p, at, run, argument);
    return p;
}

/* Run all until they are over. -1: they did not come to an end. */
static int sim_run(void)
{
    for (long turns = 0; turns < 100000; turns++) {
        int next = -1;
        for (int i = 0; i < sim_tasks; i++)
            if (!sim_task[i].over && (next < 0 || sim_task[i].ready < sim_task[next].ready)) next = i;
        if (next < 0) {
            sim_tasks = sim_processes = 0;
            return 0;
        }
        if (sim_task[next].ready > sim_now) sim_now = sim_task[next].ready;
        sim_me = next;
        sim_go_on(&sim_task[next]);
        sim_me = -1;
    }
    return -1;
}

/* ---- what a power cut leaves ---- */

static void sim_apply_write(struct sim_file *f, const struct sim_write *w, int fate)
{
    for (int done = 0; done < w->n;) {
        int at = w->at + done, n = SIM_BLOCK - at % SIM_BLOCK;
        if (n > w->n - done) n = w->n - done;
        bool whole = fate < 2 || sim_below(2), grown = whole || sim_below(2);
        if (grown && at + n > f->kept_size) {
            memset(f->kept + f->kept_size, sim_below(2) ? 0 : 0xa5, (size_t)(at + n - f->kept_size));
            f->kept_size = at + n;
        }
        if (whole) memcpy(f->kept + at, disk.journal + w->from + done, (size_t)n);
        done += n;
    }
}

/* Every file and folder loses what the disk did not get, by a draw: all of it, nothing, or any part. */
static void sim_power_cut(void)
{
    for (int i = 0; i < disk.files; i++) {
        int fate = sim_below(4); /* 0 everything is lost, 1 nothing, 2 and 3 any part */
        struct sim_file *f = &disk.file[i];
        for (int w = 0; w < disk.writes; w++)
            if (disk.write[w].file == i && fate) sim_apply_write(f, &disk.write[w], fate);
        f->size = f->kept_size;
        memcpy(f->now, f->kept, (size_t)f->size);
        for (int c = 0; c < disk.changes; c++) {
            const struct sim_change *x = &disk.change[c];
            if (x->folder != i || !fate || (fate > 1 && sim_below(2))) continue;
            disk.entry[x->entry].kept = x->file;
            if (x->gone >= 0) disk.entry[x->gone].kept = -1;
        }
    }
    for (int i = 0; i < disk.entries; i++) disk.entry[i].file = disk.entry[i].kept;
    disk.writes = disk.changes = disk.journal_end = 0;
}

/* A new history: an empty disk with the folder "/d" in its root. */
static void sim_reset(uint64_t seed)
{
    sim_state = seed * 0x2545f4914f6cdd1du + 1;
    disk.files = 2, disk.entries = 1, disk.writes = disk.changes = disk.journal_end = disk.descriptors = 0;
    for (int i = 0; i < disk.files; i++) disk.file[i].folder = true, disk.file[i].size = disk.file[i].kept_size = 0;
    disk.entry[0] = (struct sim_entry){.folder = 0, .file = 1, .kept = 1, .name = "d"};
    disk.key[0] = sim_key(0, "d", &disk.entry[0].length);
    sim_now = 1000, sim_stall = 0, sim_power = -1, sim_raced = false, sim_full = 0, sim_operations = 0;
    sim_pid = 100 + (long)(seed % 100000) * 100;
    for (int h = 0; h < SIM_HOSTS; h++) {
        sim_host[h].boot = 1;
        sim_host[h].rate = 0.98 + 0.04 * sim_uniform();
        sim_host[h].offset = 1e6 * sim_uniform();
        sim_host[h].date = 1700000000 + sim_below(10000000);
    }
}

#include "sim/calls.h"

#endif
