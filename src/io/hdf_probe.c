/* The parent's side of trying a file: starts the child, waits for its verdict, remembers files that passed. */
#define _GNU_SOURCE
#include "io/hdf_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

extern char **environ;

static const char *program;
void hdf_probe_by(const char *name)
{
    program = name;
}

/* ---- files that passed: by what changes when a file does; the latest ones only ------------------------------------------- */

enum { REMEMBERED = 64 };
static struct passed {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec changed, written;
} passed[REMEMBERED];
static unsigned passed_count;

static struct passed key_of(const struct stat *s)
{
    struct passed k;
    memset(&k, 0, sizeof k);
    k.device = s->st_dev, k.inode = s->st_ino, k.bytes = s->st_size, k.changed = s->st_ctim, k.written = s->st_mtim;
    return k;
}

static bool has_passed(const struct passed *k)
{
    for (unsigned i = 0; i < passed_count && i < REMEMBERED; i++)
        if (!memcmp(&passed[i], k, sizeof *k)) return true;
    return false;
}

void hdf_probe_trust(const char *path)
{
    struct stat s;
    if (!program || stat(path, &s)) return;
    struct passed k = key_of(&s);
    if (!has_passed(&k)) passed[passed_count++ % REMEMBERED] = k;
}

/* ---- the child ------------------------------------------------------------------------------------------------------------ */

/* The environment without what would tie the child to this run's MPI, and with one thread for OpenBLAS, which it does not use. */
static char **clean_environment(void)
{
    static const char *const out[] = {
        "OMPI_", "PMIX_", "PMI_", "OPAL_", "PRTE_", "ORTE_", "OPENBLAS_NUM_THREADS=", "OMP_NUM_THREADS="};
    size_t n = 0, kept = 0;
    while (environ[n]) n++;
    char **clean = memory_array(char *, n + 2, "environment");
    for (size_t i = 0; i < n; i++) {
        bool keep = true;
        for (size_t k = 0; k < sizeof out / sizeof *out; k++) keep = keep && strncmp(environ[i], out[k], strlen(out[k]));
        if (keep) clean[kept++] = environ[i];
    }
    clean[kept] = (char *)(uintptr_t) "OPENBLAS_NUM_THREADS=1";
    return clean;
}

/* posix_spawn does not copy this process, so memory that MPI has registered with a network card stays whole. Requests to stop are
 * this process's to answer: the child, which ends within seconds, does not hear them. *said: the end of its stdout to read. */
static int start(const char *path, pid_t *child, int *said)
{
    int out[2], rc;
    if (pipe2(out, O_CLOEXEC)) return errno;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t deaf;
    char *argv[] = {(char *)(uintptr_t) "aipm", (char *)(uintptr_t)PROBE_COMMAND, (char *)(uintptr_t)path, NULL};
    char **clean = clean_environment();
    sigemptyset(&deaf);
    sigaddset(&deaf, SIGTERM), sigaddset(&deaf, SIGUSR1), sigaddset(&deaf, SIGINT);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&how);
    posix_spawnattr_setsigmask(&how, &deaf);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    rc = posix_spawn(child, program, &files, &how, argv, clean);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    memory_free(clean);
    close(out[1]);
    *said = out[0];
    if (rc) close(out[0]);
    return rc;
}

static void hear(int from, char *text, size_t size)
{
    size_t n = 0;
    ssize_t k;
    while (n + 1 < size && ((k = read(from, text + n, size - 1 - n)) > 0 || (k < 0 && errno == EINTR)))
        if (k > 0) n += (size_t)k;
    text[n] = '\0';
    close(from);
}

static int verdict(const char *path, int status, const char *said, struct error *e)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE) return 0;
    if (WIFEXITED(status) && *said) {
        if (!strncmp(said, "aipm: ", 6)) said += 6; /* die() speaks as the program does */
        return error_set(e, "%.*s", (int)strcspn(said, "\n"), said);
    }
    int s = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (s == SIGXCPU || s == SIGALRM || s == SIGKILL)
        return error_set(e,
                         "%s: is damaged: HDF5 does not come to an end with it (tried in a child process for %d s); copy or "
                         "make it again",
                         path, PROBE_SECONDS);
    return error_set(
        e,
        "%s: is damaged: HDF5 breaks down on it (tried in a child process, which ended with %s %d); copy or make it again",
        path, s ? "signal" : "status", s ? s : WEXITSTATUS(status));
}

int hdf_probe(const char *path, struct error *e)
{
    struct stat s;
    if (!program || stat(path, &s)) return 0; /* opening says what is wrong with the path */
    struct passed k = key_of(&s);
    if (has_passed(&k)) return 0;
    pid_t child;
    int from = -1, status, rc = start(path, &child, &from);
    char said[sizeof e->text];
    if (rc) return error_set(e, "%s: cannot be tried before it is read: no child process: %s", path, strerror(rc));
    hear(from, said, sizeof said);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return error_set(e, "%s: cannot be tried before it is read: %s", path, strerror(errno));
    if (verdict(path, status, said, e)) return -1;
    passed[passed_count++ % REMEMBERED] = k;
    return 0;
}
