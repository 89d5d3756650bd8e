/* libFuzzer: a stocks file (first byte even) or a factor file (odd) of any bytes, read by the readers that ingest uses. The first bytes also
 * choose the range size, so that files are cut anywhere. Build and run: tests/fuzz/run.sh SECONDS csv. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/csv.h"
#include "io/factor_file.h"
#include "ingest/panel_builder.h"

extern const struct source_class stocks_csv_source;
static struct team *world;
static char path[64], panel[64];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void leave(void)
{
    unlink(path);
    world_close(world);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    int none = 0;
    char **nothing = NULL;
    world = world_open(&none, &nothing);
    log_set_quiet(true);
    log_set_speaker(false);
    snprintf(path, sizeof path, "/dev/shm/aipm-fuzz.%d", (int)getpid());
    snprintf(panel, sizeof panel, "/dev/shm/aipm-fuzz.%d.h5", (int)getpid());
    atexit(leave);
    return 0;
}

static void factors(const uint8_t *data, size_t n, bool percent)
{
    char *text = memory_array(char, n + CSV_SLACK, "text");
    struct factor_table f;
    struct error e = {""};
    if (n) memcpy(text, data, n);
    if (!factor_table_parse("fuzz", text, n, percent, &f, &e)) {
        if (f.months < 1 || f.months > 4800 || f.k < 1) abort();
        factor_table_check_unit(&f, "fuzz", "flag", percent, &e);
        factor_table_free(&f);
    } else if (!error_is_set(&e)) abort();
    memory_free(text);
}

static void stocks(const uint8_t *data, size_t n, unsigned how)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n) abort();
    close(fd);
    struct ingest_options o = {.output = panel,
                               .stocks = path,
                               .country = "USA",
                               .rules = {.characteristic_missing = 0.3, .row_missing = 1.0 / 3},
                               .range_bytes = how & 1 ? 64 : 300,
                               .memory = 1000,
                               .any_volatility = how & 8,
                               .bad_rows = how & 2 ? "skip" : "stop",
                               .frequency = how & 4 ? "daily" : "monthly"};
    struct error e = {""};
    struct panel_builder b;
    builder_open(&b, &o, world);
    if (stocks_csv_source.read(&o, &b, &e) == 0) {
        if (b.meta.rows < 1 || b.meta.D < 1) abort();
    } else if (!error_is_set(&e)) abort();
    builder_close(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1) return 0;
    if (data[0] & 1) factors(data + 1, n - 1, data[0] & 2);
    else stocks(data + 1, n - 1, data[0] >> 1);
    if (memory_blocks() != 1) abort(); /* the world */
    return 0;
}
