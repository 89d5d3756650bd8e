/* libFuzzer: a CSV file of returns and a cache of measured rates, of any bytes. The first byte says which, and what gaps mean. Build and
 * run: tests/fuzz/run.sh SECONDS returns. */
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/return_file.h"
#include "io/text_store.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char path[64];
static void leave(void)
{
    unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    log_set_quiet(true);
    snprintf(path, sizeof path, "/dev/shm/aipm-fuzz-returns.%d", (int)getpid());
    atexit(leave);
    return 0;
}

static void returns(enum return_gaps gaps)
{
    struct error e = {""};
    struct return_table t;
    if (return_table_read(path, gaps, &t, &e)) {
        if (!error_is_set(&e)) abort();
        return;
    }
    if (t.T < 1 || t.n < 1) abort();
    for (int i = 0; i < t.n; i++) {
        if (t.first[i] < 0 || t.first[i] > t.T || !t.name[i]) abort();
        for (int k = t.first[i]; k < t.T; k++)
            if (!isfinite(t.returns[(size_t)i * (size_t)t.T + (size_t)k])) abort();
    }
    for (int k = 0; k < t.T; k++)
        if (strlen(t.date[k]) >= RETURN_DATE) abort();
    return_table_free(&t);
}

static void rates(void)
{
    struct text_store s;
    double numbers[3] = {1, 2, 3};
    store_open(&s, path);
    store_get(&s, "rate", 3, numbers);
    store_put(&s, "rate", 3, numbers);
    if (!store_get(&s, "rate", 3, numbers)) abort();
    store_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1) return 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data + 1, n - 1) != (ssize_t)(n - 1)) abort();
    close(fd);
    if (data[0] % 4 == 3) rates();
    else returns((enum return_gaps)(data[0] % 4));
    if (memory_blocks()) abort();
    return 0;
}
