/* What the corpus of a fuzzer taught, again and in seconds, without libFuzzer: every file of tests/fuzz/NAME through the fuzzer's entry, and
 * after it a fixed number of small changes of it, the same on every run. A fuzzer aborts where a reader breaks a promise. Include after
 * the fuzzer's own source, in a program of tests/unit. */
#ifndef TESTS_FUZZ_REPLAY_H
#define TESTS_FUZZ_REPLAY_H

#include <dirent.h>
#include <stdint.h>

#include "base/random.h"
#include "check.h"

static struct {
    const char *corpus;
    long files, runs, changes;
} replay;

/* One of six small changes, by random numbers that `turn` keys; returns the new length. */
static size_t replay_change(uint8_t *data, size_t n, size_t most, uint64_t turn)
{
    struct random_stream s = random_open(1, turn, n, 0);
    double u[4];
    for (uint64_t i = 0; i < 4; i++) u[i] = random_uniform(&s, i);
    size_t at = n ? (size_t)(u[0] * (double)n) : 0, length = 1 + (size_t)(u[1] * 8);
    if (at + length > n) length = n - at;
    switch (n ? (int)(u[2] * 6) : 5) {
    case 0: data[at] ^= (uint8_t)(1 << (int)(u[3] * 8)); return n;
    case 1: data[at] = (uint8_t)(u[3] * 256); return n;
    case 2: memmove(data + at, data + at + length, n - at - length); return n - length;
    case 3:
        if (n + length > most) return n;
        memmove(data + at + length, data + at, n - at);
        return n + length;
    case 4: return at;
    default: return n < most ? data[n] = (uint8_t)(u[3] * 256), n + 1 : n;
    }
}

static void replay_file(const char *input, uint64_t number)
{
    enum { MOST = 1 << 16 };
    static uint8_t data[MOST], changed[MOST];
    FILE *f = fopen(input, "rb");
    if (!f) return;
    size_t n = fread(data, 1, MOST / 2, f);
    fclose(f);
    replay.files++;
    CU_ASSERT_EQUAL(LLVMFuzzerTestOneInput(data, n), 0);
    for (long i = 0; i < replay.changes; i++, replay.runs++) {
        size_t m = n;
        memcpy(changed, data, n);
        for (uint64_t k = 0; k <= (uint64_t)i % 4; k++)
            m = replay_change(changed, m, MOST, (number << 32) + ((uint64_t)i << 2) + k);
        CU_ASSERT_EQUAL(LLVMFuzzerTestOneInput(changed, m), 0);
    }
}

static int replay_name(const struct dirent *entry)
{
    return *entry->d_name != '.';
}

static void replay_corpus(void)
{
    struct dirent **entry;
    char entry_path[512], place[256];
    snprintf(place, sizeof place, "tests/fuzz/%s", replay.corpus);
    int n = scandir(place, &entry, replay_name, alphasort);
    CU_ASSERT_FATAL(n > 0);
    for (int i = 0; i < n; i++) {
        snprintf(entry_path, sizeof entry_path, "%s/%s", place, entry[i]->d_name);
        replay_file(entry_path, (uint64_t)i);
        free(entry[i]);
    }
    free(entry);
    printf("[%ld files, %ld changes of them] ", replay.files, replay.runs);
    CU_ASSERT(replay.files == n);
}

/* A test program's whole main: `changes` of every file of `corpus`. */
static inline int replay_main(int argc, char **argv, const char *corpus, long changes)
{
    static const struct check test = {"corpus", replay_corpus};
    replay.corpus = corpus;
    replay.changes = changes;
    LLVMFuzzerInitialize(&argc, &argv);
    return check_run(corpus, &test, 1);
}

#endif
