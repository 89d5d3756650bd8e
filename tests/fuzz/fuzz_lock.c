/* libFuzzer: lock files of any bytes. A contender takes the path, with a clock that does not wait; a holder beats, by the token that the file
 * names. Whoever is refused has changed nothing, who takes it over has left a lock of his own, and a beat changes the count alone. The first
 * byte chooses. Build and run: tests/fuzz/run.sh SECONDS lock. */
#define _GNU_SOURCE
#include "base/log.h"
#include "base/os.h"

static double seconds_passed;
static double fuzz_clock(void)
{
    return seconds_passed;
}
static void fuzz_sleep(double seconds)
{
    seconds_passed += seconds;
}
#define log_warn(...) ((void)0) /* of what is taken over */
#define os_clock      fuzz_clock
#define os_sleep      fuzz_sleep
#include "../../src/io/lease.c"

#include <fcntl.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char results[64], lock[80];

static void leave(void)
{
    unlink(lock);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    log_set_quiet(true);
    snprintf(results, sizeof results, "/dev/shm/aipm-fuzz-lock.%d", (int)getpid());
    lock_path(results, lock, sizeof lock);
    atexit(leave);
    return 0;
}

static void put(const uint8_t *data, size_t n)
{
    int fd = open(lock, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n) abort();
    close(fd);
}

static size_t get(uint8_t *data, size_t most)
{
    int fd = open(lock, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, data, most);
    if (n < 0) abort();
    close(fd);
    return (size_t)n;
}

enum { LONGEST = 8192 };
static uint8_t after[LONGEST + 64];

static void contend(const uint8_t *data, size_t n)
{
    char token[LEASE_TOKEN];
    struct error e = {""};
    int rc = lease_take(results, token, &e);
    size_t m = get(after, sizeof after);
    if (rc && (!error_is_set(&e) || m != n || memcmp(data, after, n))) abort();
    if (!rc && (error_is_set(&e) || lease_check(results, token, &e))) abort();
    if (!rc) lease_release(results, token, true);
    if (!rc && !access(lock, F_OK)) abort();
}

static void beat_once(const uint8_t *data, size_t n)
{
    struct holder h;
    if (read_holder(lock, &h, NULL) != 1) abort();
    if (memchr(h.token, 0, sizeof h.token) == NULL || memchr(h.process.host, 0, sizeof h.process.host) == NULL) abort();
    int state = lease_beat(results, h.token, true, 7);
    size_t m = get(after, sizeof after);
    if (state < 0 || m < n) abort();
    size_t differ = 0;
    for (size_t i = 0; i < n; i++) differ += after[i] != data[i];
    if (differ > BEAT_WIDTH + 1 || m > n + BEAT_WIDTH + 1) abort();
    if (lease_beat(results, "another's", true, 8) >= 0 && strcmp(h.token, "another's")) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1 || n > LONGEST) return 0;
    put(data + 1, n - 1);
    if (data[0] & 1) contend(data + 1, n - 1);
    else beat_once(data + 1, n - 1);
    return 0;
}
