#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "io/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "io/parts.h"

/* What a lock file says, as text; the beat comes last, at a fixed width, and is rewritten in place. */
struct holder {
    char host[128], where[192], started[32], job[96], token[CLAIM_TOKEN];
    long pid;
    unsigned long long born, beat; /* born: start of the process in clock ticks since boot */
};

static struct {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool running, holder, ending;
    char path[4096], token[CLAIM_TOKEN];
    volatile long beats;
} watch = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static void lock_path(const char *results, char *out, size_t size)
{
    snprintf(out, size, "%s.lock", results);
}

/* Start time of a process in ticks since boot (field 22 of its stat); 0: no such process. */
static unsigned long long born(long pid)
{
    char path[64], line[1024];
    unsigned long long t = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    char *close_paren = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    char state = 'Z';
    if (!close_paren ||
        sscanf(close_paren + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state,
               &t) != 2 ||
        state == 'Z')
        t = 0;
    fclose(f);
    return t;
}

/* This host as far as a process number has a meaning: name, boot, process namespace. */
static void own_host(char *where, size_t size, char *host, size_t host_size)
{
    char boot[64] = "", space[64] = "";
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (f) {
        if (fscanf(f, "%63s", boot) != 1) boot[0] = '\0';
        fclose(f);
    }
    ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    space[n > 0 ? n : 0] = '\0';
    if (gethostname(host, host_size)) snprintf(host, host_size, "unknown");
    host[host_size - 1] = '\0';
    snprintf(where, size, "%.60s/%s/%s", host, boot, space);
}

static void own_holder(struct holder *h)
{
    *h = (struct holder){.pid = getpid(), .born = born(getpid())};
    own_host(h->where, sizeof h->where, h->host, sizeof h->host);
    time_t now = time(NULL);
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    strftime(h->started, sizeof h->started, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    const char *job = getenv("SLURM_JOB_ID");
    if (!job) job = getenv("PBS_JOBID");
    snprintf(h->job, sizeof h->job, "%s", job ? job : "none");
    uint64_t mix = 0xcbf29ce484222325u;
    for (const char *p = h->where; *p; p++) mix = (mix ^ (unsigned char)*p) * 0x100000001b3u;
    snprintf(h->token, sizeof h->token, "%016llx-%lx-%lx%lx", (unsigned long long)mix, h->pid, (long)t.tv_sec, t.tv_nsec);
}

enum { BEAT_WIDTH = 20 };
static int print_holder(const struct holder *h, char *out, size_t size)
{
    return snprintf(out, size, "host %s\npid %ld\njob %s\nstarted %s\nwhere %s\nborn %llu\ntoken %s\nbeat %0*llu\n", h->host,
                    h->pid, h->job, h->started, h->where, h->born, h->token, BEAT_WIDTH, h->beat);
}

/* 1 read, 0 there is no lock, -1 it cannot be read. A half-written lock (beat still missing) reads as its own, never beating. */
static int read_holder(const char *path, struct holder *h)
{
    char text[1024] = "", *save = NULL;
    *h = (struct holder){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT || errno == ESTALE ? 0 : -1;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n < 0) return errno == ESTALE ? 0 : -1;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *value = strchr(line, ' ');
        if (!value) continue;
        *value++ = '\0';
        if (!strcmp(line, "host")) snprintf(h->host, sizeof h->host, "%s", value);
        else if (!strcmp(line, "pid")) h->pid = atol(value);
        else if (!strcmp(line, "job")) snprintf(h->job, sizeof h->job, "%s", value);
        else if (!strcmp(line, "started")) snprintf(h->started, sizeof h->started, "%s", value);
        else if (!strcmp(line, "where")) snprintf(h->where, sizeof h->where, "%s", value);
        else if (!strcmp(line, "born")) h->born = strtoull(value, NULL, 10);
        else if (!strcmp(line, "token")) snprintf(h->token, sizeof h->token, "%s", value);
        else if (!strcmp(line, "beat")) h->beat = strtoull(value, NULL, 10);
    }
    return 1;
}

static int refuse(const char *path, const struct holder *h, struct error *e)
{
    return error_set(e,
                     "%s: another run holds this path: host %s, process %ld, job %s, since %s; needed: wait until "
                     "it ends, stop it, or choose another output (-o)",
                     path, h->host, h->pid, h->job, h->started);
}

/* The lock as a whole file beside its place, ready to be linked or renamed there. */
static int write_beside(const struct holder *h, const char *path, char *beside, size_t size, struct error *e)
{
    char text[1024];
    int n = print_holder(h, text, sizeof text);
    snprintf(beside, size, "%s.%s", path, h->token);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return error_set(e, "%s: cannot be created: %s", beside, strerror(errno));
    bool ok = write(fd, text, (size_t)n) == n && !fsync(fd);
    int why = errno;
    if (close(fd)) ok = false, why = errno;
    if (ok) return 0;
    unlink(beside);
    return error_set(e, "%s: cannot be written: %s", beside, strerror(why));
}

static void pause_seconds(double s)
{
    nanosleep(&(struct timespec){.tv_sec = (time_t)s, .tv_nsec = (long)((s - (double)(time_t)s) * 1e9)}, NULL);
}

/* Whether the holder is dead: known at once on its own host, else found by waiting for a beat. 0 dead, 1 lives, 2 gone. */
static int holder_lives(const char *path, const struct holder *mine, struct holder *h)
{
    if (*h->where && !strcmp(h->where, mine->where)) {
        unsigned long long b = born(h->pid);
        return b && b == h->born;
    }
    log_info("%s: held by host %s, process %ld, job %s, since %s; waiting up to %d s for a sign of life", path, h->host,
             h->pid, h->job, h->started, CLAIM_PATIENCE);
    double start = clock_seconds();
    while (clock_seconds() - start < CLAIM_PATIENCE) {
        struct holder now;
        pause_seconds(0.5);
        int there = read_holder(path, &now);
        if (!there) return 2;
        if (there == 1 && (now.beat != h->beat || strcmp(now.token, h->token))) return *h = now, 1;
    }
    return 0;
}

/* Replace a dead holder's lock. Two contenders may both get here: the later rename stands, and the earlier finds out. */
static int take_over(const char *path, const char *beside, const struct holder *mine, const struct holder *dead,
                     struct error *e)
{
    struct holder now;
    if (read_holder(path, &now) != 1 || strcmp(now.token, dead->token)) return refuse(path, *now.host ? &now : dead, e);
    if (rename(beside, path)) return error_set(e, "%s: cannot be taken over: %s", path, strerror(errno));
    pause_seconds(1);
    if (read_holder(path, &now) != 1 || strcmp(now.token, mine->token)) return refuse(path, &now, e);
    log_warn("%s: taken over from a run that ended without a word: host %s, process %ld, job %s, since %s", path, dead->host,
             dead->pid, dead->job, dead->started);
    return 0;
}

int claim_take(const char *results, char *token, struct error *e)
{
    char path[4096], beside[4200];
    struct holder mine, other;
    own_holder(&mine);
    lock_path(results, path, sizeof path);
    char *slash = strrchr(path, '/');
    if (slash && slash != path) { /* the results' folder may not be there yet */
        *slash = '\0';
        if (parts_create(path, e)) return -1;
        *slash = '/';
    }
    if (write_beside(&mine, path, beside, sizeof beside, e)) return -1;
    for (int attempt = 0;; attempt++) {
        if (!link(beside, path)) break;
        if (errno != EEXIST) {
            error_set(e, "%s: cannot be made: %s", path, strerror(errno));
            break;
        }
        int there = read_holder(path, &other), lives = there == 1 ? holder_lives(path, &mine, &other) : 2;
        if (there < 0) error_set(e, "%s: cannot be read: %s", path, strerror(errno));
        else if (lives == 1 || attempt > 20) refuse(path, &other, e);
        else if (lives == 0) take_over(path, beside, &mine, &other, e);
        if (lives != 2 || error_is_set(e)) break;
    }
    unlink(beside);
    snprintf(token, CLAIM_TOKEN, "%s", mine.token);
    return error_is_set(e) ? -1 : 0;
}

/* One beat or look. -1: the lock is another's; 0: the file system did not do it; 1 fine. */
static int beat_once(unsigned long long count)
{
    struct holder now;
    char text[BEAT_WIDTH + 2];
    int there = read_holder(watch.path, &now);
    if (there < 0) return 0;
    if (!there) return 1; /* removed by hand: nobody else's yet */
    if (strcmp(now.token, watch.token)) {
        if (!watch.ending)
            fprintf(stderr,
                    "aipm: %s: lost to another run (host %s, process %ld, job %s, since %s) while this one could not be "
                    "heard: it ends here\n",
                    watch.path, now.host, now.pid, now.job, now.started);
        return -1;
    }
    if (!watch.holder) return 1;
    int fd = open(watch.path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return 0;
    off_t end = lseek(fd, 0, SEEK_END);
    snprintf(text, sizeof text, "%0*llu\n", BEAT_WIDTH, count);
    bool ok = end > BEAT_WIDTH && pwrite(fd, text, BEAT_WIDTH + 1, end - BEAT_WIDTH - 1) == BEAT_WIDTH + 1;
    ok = !close(fd) && ok;
    return ok;
}

static void *beat(void *unused)
{
    unsigned long long count = 0;
    pthread_mutex_lock(&watch.mutex);
    while (!watch.ending) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += CLAIM_BEAT;
        pthread_cond_clockwait(&watch.wake, &watch.mutex, CLOCK_MONOTONIC, &until);
        if (watch.ending) break;
        pthread_mutex_unlock(&watch.mutex);
        int state = beat_once(++count);
        pthread_mutex_lock(&watch.mutex);
        if (watch.ending) break;
        if (state < 0) _exit(EXIT_INPUT);
        watch.beats += state;
    }
    pthread_mutex_unlock(&watch.mutex);
    return unused;
}

void claim_watch(const char *results, const char *token, bool holder)
{
    sigset_t every, before;
    lock_path(results, watch.path, sizeof watch.path);
    snprintf(watch.token, sizeof watch.token, "%s", token);
    watch.holder = holder;
    watch.ending = false;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    watch.running = !pthread_create(&watch.thread, NULL, beat, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!watch.running) log_warn("%s: will not beat: no thread", watch.path);
}

long claim_beats(void)
{
    return watch.beats;
}

int claim_check(const char *results, const char *token, struct error *e)
{
    char path[4096];
    struct holder now;
    lock_path(results, path, sizeof path);
    int there = read_holder(path, &now);
    if (!there || (there == 1 && !strcmp(now.token, token))) return 0;
    return error_set(
        e,
        "%s: lost to another run (host %s, process %ld, job %s, since %s) while this one could not be heard: it ends here",
        path, now.host, now.pid, now.job, now.started);
}

void claim_release(const char *results, const char *token, bool holder)
{
    struct error ignored = {""};
    if (watch.running) {
        pthread_mutex_lock(&watch.mutex);
        watch.ending = true;
        pthread_cond_signal(&watch.wake);
        pthread_mutex_unlock(&watch.mutex);
        pthread_join(watch.thread, NULL);
        watch.running = false;
    }
    if (!holder || claim_check(results, token, &ignored)) return;
    char path[4096];
    lock_path(results, path, sizeof path);
    unlink(path);
}
