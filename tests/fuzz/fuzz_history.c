/* libFuzzer: histories of any bytes, as a start reads them that numbers itself and a run that finishes, for the record in its results. Whatever
 * the file holds, the record has its lines and no more, so that no damage of the history can forge another attribute. Build and run:
 * tests/fuzz/run.sh SECONDS history. */
#include "../../src/study/run_lock.c"

#include <fcntl.h>
#include <sys/stat.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char folder[64], path[80];
static struct team *world;
static char host[] = "h:1";

static void leave(void)
{
    unlink(path);
    rmdir(folder);
    world_close(world);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    int none = 0;
    char **nothing = NULL;
    (void)argc, (void)argv;
    world = world_open(&none, &nothing);
    log_set_quiet(true);
    snprintf(folder, sizeof folder, "/dev/shm/aipm-fuzz-history.%d", (int)getpid());
    snprintf(path, sizeof path, "%s/history", folder);
    if (mkdir(folder, 0700)) abort();
    atexit(leave);
    return 0;
}

static int lines(const char *text)
{
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static int expected;
    size_t held = (size_t)memory_blocks();
    double peaks[3] = {1, 2, 3};
    struct run_lock g = {.world = world, .folder = folder, .hosts = host};
    unlink(path);
    char *record = record_text(&g, 1, 1, 0, peaks);
    if (!expected) expected = lines(record);
    memory_free(record);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n) abort();
    close(fd);
    int last = history_last(&g);
    if (last < 0) abort();
    record = record_text(&g, last, 1, 0, peaks);
    if (lines(record) != expected) abort();
    memory_free(record);
    if ((size_t)memory_blocks() != held) abort();
    return 0;
}
