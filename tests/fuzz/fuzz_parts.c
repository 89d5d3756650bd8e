/* libFuzzer: part logs of any bytes. The first byte chooses how: whether checksums are put right (or nothing gets past them), and
 * where the rest is cut into two logs. Read as a run that resumes and one that finishes read them: indexed, first records found,
 * values and weights read, rows assembled. Build and run: tests/fuzz/run.sh SECONDS parts. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/os.h"
#include "io/parts.h"
#include "io/results_rows.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char folder[64];

static void leave(void)
{
    os_remove_all(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    log_set_quiet(true);
    snprintf(folder, sizeof folder, "/dev/shm/aipm-fuzz-parts.%d", (int)getpid());
    if (mkdir(folder, 0700)) abort();
    atexit(leave);
    return 0;
}

/* The frame of io/parts.c: magic, checksum, key of four numbers, count of values, count of assets. */
enum { FRAME = 32, AT_MAGIC = 0, AT_SUM = 4, AT_KEY = 8, AT_VALUES = 24, AT_ASSETS = 28, MAGIC = 0x31504941 };

static uint32_t number(const uint8_t *at)
{
    uint32_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

/* The records one after the other get their magic and checksum, counts that do not fit are made small. */
static void put_right(uint8_t *p, size_t n)
{
    for (size_t at = 0; at + FRAME <= n;) {
        uint32_t magic = MAGIC, values = number(p + at + AT_VALUES), assets = number(p + at + AT_ASSETS);
        if (FRAME + 8 * (size_t)values + 12 * (size_t)assets > n - at) {
            values %= 8, assets %= 4;
            memcpy(p + at + AT_VALUES, &values, 4), memcpy(p + at + AT_ASSETS, &assets, 4);
        }
        size_t all = FRAME + 8 * (size_t)values + 12 * (size_t)assets;
        if (all > n - at) return;
        uint32_t sum = (uint32_t)crc32(0, p + at + AT_KEY, (uInt)(all - AT_KEY));
        memcpy(p + at + AT_MAGIC, &magic, 4), memcpy(p + at + AT_SUM, &sum, 4);
        at += all;
    }
}

static void write_log(const char *name, const uint8_t *data, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n) abort();
    close(fd);
}

/* Every record can be read, whole and in parts, into exactly the room it declares. */
static void read_all(const struct part_index *x)
{
    struct error e = {""};
    for (size_t i = 0; i < x->records; i++) {
        const struct part_record *r = &x->record[i];
        double *values = memory_array(double, r->n, "values");
        int64_t *ids = memory_array(int64_t, r->assets, "ids");
        float *weights = memory_array(float, r->assets, "weights");
        if (parts_read(x, r, values, ids, weights, &e) || parts_read(x, r, values, NULL, NULL, &e)) abort();
        memory_free(values), memory_free(ids), memory_free(weights);
    }
}

static void assemble(const struct part_index *x, int S)
{
    enum { P = 3 };
    struct error e = {""};
    struct row_set r = {.P = P, .S = S, .fields = 2};
    r.field[0] = (struct row_field){.name = "returns", .size = 1};
    r.field[1] = (struct row_field){.name = "by_seed", .size = 1, .per_seed = S > 1};
    if (rows_assemble(&r, x, 0, 1, &e)) abort();
    for (int p = 1; p < P; p++)
        if (!r.done[p] && !isnan(r.field[0].data[p])) abort();
    rows_free(&r);
    const struct part_record **first = rows_records(x, 0, P, S, 2);
    for (int i = 0; i < P * S; i++)
        if (first[i] && (first[i]->n != 2 || first[i]->key.row != i / S || first[i]->key.seed != i % S)) abort();
    memory_free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error e = {""};
    struct part_index x;
    if (n < 1) return 0;
    uint8_t how = data[0], *copy = malloc(n);
    size_t left = n - 1, cut = left * (how >> 1) / 127;
    memcpy(copy, data + 1, left);
    if (how & 1) put_right(copy, cut), put_right(copy + cut, left - cut);
    write_log("g0001-r000000.rows", copy, cut);
    write_log("g0002-r000001.rows", copy + cut, left - cut);
    free(copy);
    if (parts_index(folder, 0, 1, &x, &e)) abort();
    if (x.generation != 2 || x.files != 2) abort();
    for (size_t i = 1; i < x.records; i++) {
        const struct part_key *a = &x.record[i - 1].key, *b = &x.record[i].key;
        if (a->config > b->config || (a->config == b->config && a->row > b->row)) abort();
    }
    read_all(&x);
    assemble(&x, 1);
    assemble(&x, 2);
    parts_free(&x);
    if (memory_blocks()) abort();
    return 0;
}
