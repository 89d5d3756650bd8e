/* The lease on a results path: see lease.h and README.md. */
#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "io/lease.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/os.h"
#include "io/durable_file.h"

/* What a lock file says, as text; the beat comes last, at a fixed width, and is rewritten in place. */
struct holder {
    struct os_process process;
    char started[32], job[96], token[LEASE_TOKEN];
    unsigned long long beat;
};

static struct {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool running, holder, ending;
    char results[4096], token[LEASE_TOKEN];
    volatile long beats;
} monitor = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static void lock_path(const char *results, char *out, size_t size)
{
    snprintf(out, size, "%s.lock", results);
}

static void own_holder(struct holder *h)
{
    uint64_t random[2];
    time_t now = (time_t)os_date();
    *h = (struct holder){0};
    os_self(&h->process);
    strftime(h->started, sizeof h->started, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    const char *job = getenv("SLURM_JOB_ID");
    if (!job) job = getenv("PBS_JOBID");
    snprintf(h->job, sizeof h->job, "%s", job ? job : "none");
    os_random(random, sizeof random);
    snprintf(h->token, sizeof h->token, "%016llx-%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
}

enum { BEAT_WIDTH = 20 };
static int print_holder(const struct holder *h, char *out, size_t size)
{
    return snprintf(out, size, "host %s\npid %ld\njob %s\nstarted %s\nwhere %s\nborn %llu\ntoken %s\nbeat %0*llu\n",
                    h->process.host, h->process.pid, h->job, h->started, h->process.where, h->process.born, h->token,
                    BEAT_WIDTH, h->beat);
}

static void copy(char *out, size_t size, const char *text)
{
    size_t n = strnlen(text, size - 1);
    memcpy(out, text, n);
    out[n] = '\0';
}

static void parse_holder(char *text, struct holder *h)
{
    char *save = NULL;
    *h = (struct holder){0};
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *value = strchr(line, ' ');
        if (!value) continue;
        *value++ = '\0';
        if (!strcmp(line, "host")) copy(h->process.host, sizeof h->process.host, value);
        else if (!strcmp(line, "pid")) h->process.pid = atol(value);
        else if (!strcmp(line, "job")) copy(h->job, sizeof h->job, value);
        else if (!strcmp(line, "started")) copy(h->started, sizeof h->started, value);
        else if (!strcmp(line, "where")) copy(h->process.where, sizeof h->process.where, value);
        else if (!strcmp(line, "born")) h->process.born = strtoull(value, NULL, 10);
        else if (!strcmp(line, "token")) copy(h->token, sizeof h->token, value);
        else if (!strcmp(line, "beat")) h->beat = strtoull(value, NULL, 10);
    }
}

/* 1 read, 0 there is no lock, -1 it cannot be read. A half-written lock (beat still missing) reads as its own, never beating. With *fd
 * the file stays open for a beat: what is written then goes to the lock that was read, whatever has its name by then. */
static int read_holder(const char *path, struct holder *h, int *fd)
{
    char text[1024] = "";
    int file = os_open(path, fd ? OS_EDIT : OS_READ);
    *h = (struct holder){0};
    if (file < 0) return errno == ENOENT || errno == ESTALE ? 0 : -1;
    ssize_t n = os_read_at(file, text, sizeof text - 1, 0);
    int why = errno;
    if (fd && n >= 0) *fd = file;
    else os_close(file);
    errno = why;
    if (n < 0) return why == ESTALE ? 0 : -1;
    parse_holder(text, h);
    return 1;
}

static int refuse(const char *path, const struct holder *h, struct error *e)
{
    return error_set(e,
                     "%s: another run holds this path: host %s, process %ld, job %s, since %s; needed: wait until "
                     "it ends, stop it, or choose another output (-o)",
                     path, h->process.host, h->process.pid, h->job, h->started);
}

/* The lock as a whole file beside its place, ready to be linked or renamed there. */
static int write_beside(const struct holder *h, const char *path, struct durable_file *f, struct error *e)
{
    char text[1024];
    int n = print_holder(h, text, sizeof text);
    if (durable_begin(f, path, e)) return -1;
    if (os_write_at(f->fd, text, (size_t)n, 0)) error_set(e, "%s: cannot be written: %s", path, strerror(errno));
    return durable_sync(f, e);
}

/* Whether the holder is dead: known at once on its own host, else found by waiting for a beat. 0 dead, 1 lives, 2 gone. */
static int holder_lives(const char *path, const struct holder *mine, struct holder *h)
{
    int known =
        *h->process.where && !strcmp(h->process.where, mine->process.where) ? os_lives(h->process.pid, h->process.born) : -1;
    if (known >= 0) return known;
    log_info("%s: held by host %s, process %ld, job %s, since %s; waiting up to %d s for a sign of life", path,
             h->process.host, h->process.pid, h->job, h->started, LEASE_PATIENCE);
    double start = os_clock();
    while (os_clock() - start < LEASE_PATIENCE) {
        struct holder now;
        os_sleep(0.5);
        int there = read_holder(path, &now, NULL);
        if (!there) return 2;
        if (there == 1 && (now.beat != h->beat || strcmp(now.token, h->token))) return *h = now, 1;
    }
    return 0;
}

/* Replace a dead holder's lock. Two contenders may both get here: the later rename stands, and the earlier finds out. One that was held up
 * while it waited for a beat has not seen those of that time: it looks once more. */
static int take_over(const char *path, const char *beside, const struct holder *mine, const struct holder *dead,
                     struct error *e)
{
    struct holder now;
    if (read_holder(path, &now, NULL) != 1 || strcmp(now.token, dead->token) || now.beat != dead->beat)
        return refuse(path, *now.process.host ? &now : dead, e);
    if (os_rename(beside, path)) return error_set(e, "%s: cannot be taken over: %s", path, strerror(errno));
    if (folder_sync(path, e)) return -1;
    os_sleep(1);
    if (read_holder(path, &now, NULL) != 1 || strcmp(now.token, mine->token)) return refuse(path, &now, e);
    log_warn("%s: taken over from a run that ended without a word: host %s, process %ld, job %s, since %s", path,
             dead->process.host, dead->process.pid, dead->job, dead->started);
    return 0;
}

int lease_take(const char *results, char *token, struct error *e)
{
    char path[4096];
    struct durable_file beside;
    struct holder mine, other;
    own_holder(&mine);
    lock_path(results, path, sizeof path);
    /* the results' folder may not be there yet */
    if (folder_create_for(path, e)) return -1;
    write_beside(&mine, path, &beside, e);
    for (int attempt = 0; !error_is_set(e); attempt++) {
        if (!os_link(beside.temporary, path)) {
            folder_sync(path, e);
            break;
        }
        if (errno != EEXIST) {
            error_set(e, "%s: cannot be made: %s", path, strerror(errno));
            break;
        }
        int there = read_holder(path, &other, NULL), lives = there == 1 ? holder_lives(path, &mine, &other) : 2;
        if (there < 0) error_set(e, "%s: cannot be read: %s", path, strerror(errno));
        else if (lives == 1 || attempt > 20) refuse(path, &other, e);
        else if (lives == 0) take_over(path, beside.temporary, &mine, &other, e);
        if (lives != 2) break;
    }
    durable_abandon(&beside);
    snprintf(token, LEASE_TOKEN, "%s", mine.token);
    return error_is_set(e) ? -1 : 0;
}

int lease_beat(const char *results, const char *token, bool holder, unsigned long long count)
{
    struct holder now;
    char path[4096], text[BEAT_WIDTH + 2];
    int fd = -1;
    lock_path(results, path, sizeof path);
    int there = read_holder(path, &now, holder ? &fd : NULL), state = 1;
    if (there <= 0) return there < 0 ? 0 : 1; /* removed by hand: nobody else's yet */
    if (strcmp(now.token, token)) state = -1;
    else if (holder) {
        int64_t end = os_size(fd);
        snprintf(text, sizeof text, "%0*llu\n", BEAT_WIDTH, count);
        state = end > BEAT_WIDTH && !os_write_at(fd, text, BEAT_WIDTH + 1, end - BEAT_WIDTH - 1);
    }
    if (fd >= 0 && os_close(fd) && state > 0) state = 0;
    return state;
}

static void *beat(void *unused)
{
    unsigned long long count = 0;
    pthread_mutex_lock(&monitor.mutex);
    while (!monitor.ending) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LEASE_BEAT;
        pthread_cond_clockwait(&monitor.wake, &monitor.mutex, CLOCK_MONOTONIC, &until);
        if (monitor.ending) break;
        pthread_mutex_unlock(&monitor.mutex);
        int state = lease_beat(monitor.results, monitor.token, monitor.holder, ++count);
        pthread_mutex_lock(&monitor.mutex);
        if (monitor.ending) break;
        if (state < 0) {
            struct error lost = {""};
            lease_check(monitor.results, monitor.token, &lost);
            if (error_is_set(&lost)) error_print(&lost);
            _exit(EXIT_INPUT);
        }
        monitor.beats += state;
    }
    pthread_mutex_unlock(&monitor.mutex);
    return unused;
}

void lease_monitor(const char *results, const char *token, bool holder)
{
    sigset_t every, before;
    snprintf(monitor.results, sizeof monitor.results, "%s", results);
    snprintf(monitor.token, sizeof monitor.token, "%s", token);
    monitor.holder = holder;
    monitor.ending = false;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    monitor.running = !pthread_create(&monitor.thread, NULL, beat, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!monitor.running) log_warn("%s: will not beat: no thread", results);
}

long lease_beats(void)
{
    return monitor.beats;
}

int lease_check(const char *results, const char *token, struct error *e)
{
    char path[4096];
    struct holder now;
    lock_path(results, path, sizeof path);
    int there = read_holder(path, &now, NULL);
    if (!there || (there == 1 && !strcmp(now.token, token))) return 0;
    return error_set(
        e,
        "%s: lost to another run (host %s, process %ld, job %s, since %s) while this one could not be heard: it ends here",
        path, now.process.host, now.process.pid, now.job, now.started);
}

void lease_release(const char *results, const char *token, bool holder)
{
    struct error ignored = {""};
    if (monitor.running) {
        pthread_mutex_lock(&monitor.mutex);
        monitor.ending = true;
        pthread_cond_signal(&monitor.wake);
        pthread_mutex_unlock(&monitor.mutex);
        pthread_join(monitor.thread, NULL);
        monitor.running = false;
    }
    if (!holder || lease_check(results, token, &ignored)) return;
    char path[4096];
    lock_path(results, path, sizeof path);
    if (!os_unlink(path)) folder_sync(path, &ignored);
}
