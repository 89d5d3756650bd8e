/* libFuzzer: checkpoints of any bytes. The input is a file as it stands (first byte even), or what a file holds, with a right head and
 * checksum (odd): a fit takes it up, of a small network with early stopping and of one without. Whatever it holds, the fit ends as a fit
 * may. Build and run: tests/fuzz/run.sh SECONDS state. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/parameters_file.h"
#include "models/model.h"
#include "models/networks.h"
#include "nn/trainer.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { T = 3, D = 2, N = 2 };
static char path[64];
static struct team *world;

static void leave(void)
{
    unlink(path);
    world_close(world);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    int none = 0;
    char **nothing = NULL;
    (void)argc, (void)argv;
    world = world_open(&none, &nothing);
    log_set_quiet(true);
    snprintf(path, sizeof path, "/dev/shm/aipm-fuzz-state.%d", (int)getpid());
    atexit(leave);
    return 0;
}

/* The length of a state and the number it begins with, the network's size, asked of the trainer itself. */
static uint64_t begins_with;
static void measure(void *context, const void *state, size_t bytes)
{
    memcpy(&begins_with, state, sizeof begins_with);
    *(size_t *)context = bytes;
}
static enum fit_poll at_once(void *context)
{
    (void)context;
    return FIT_STOP;
}

/* A fit that takes up `state`; its own state's length where there is none. */
static size_t fit(const void *state, size_t bytes, int hold_out)
{
    static const float x[(T + 1) * N * D] = {.1f, -.2f, .3f, -.4f, .5f, -.1f, .2f, -.3f,
                                             .4f, -.5f, .1f, .2f,  .3f, .4f,  .5f, -.1f};
    static const double r[T * N] = {.1, -.1, .05, .02, -.03, .01};
    static const int64_t ids[N] = {1, 2};
    struct training how = {.seeds = 1,
                           .epochs = 2,
                           .rate = 1e-2,
                           .rollout = 1,
                           .factor = 0.5,
                           .policy.refit_every = 1,
                           .hold_out = hold_out,
                           .patience = 1,
                           .schedule = hold_out ? RATE_PLATEAU : RATE_COSINE,
                           .plateau = 1};
    struct shape shape = {.T = T, .D = D, .max_assets = N, .shards = 1, .memory = 1 << 20};
    struct trainer *t = trainer_create(mlp_network(D, N, 1, 1, (int[]){2}), &how, shape.T, shape.memory, 1);
    struct period p[T + 1];
    for (int i = 0; i <= T; i++)
        p[i] = (struct period){.index = i,
                               .date = 20000131 + i,
                               .n = N,
                               .scale = 1,
                               .characteristics = x + i * N * D,
                               .returns = i < T ? r + i * N : NULL,
                               .ids = ids};
    struct window w = {.T = T, .D = D, .period = p};
    struct fit_note note = {0};
    size_t needed = 0;
    struct fit_monitor monitor = {
        .context = &needed, .poll = state ? NULL : at_once, .save = measure, .state = state, .state_bytes = bytes};
    t->monitor = &monitor;
    int rc = trainer_fit(t, &w, world, &note);
    if (state && rc < 0) abort(); /* nobody asked it to stop */
    for (int i = 0; i < N && state && rc == 0; i++)
        if (!isfinite(t->weights[i])) abort();
    trainer_destroy(t);
    return needed;
}

static void take_up(const uint8_t *data, size_t n, int hold_out)
{
    static size_t needed[2];
    if (!needed[hold_out]) needed[hold_out] = fit(NULL, 0, hold_out);
    /* a state of the right length and beginning: the input, then zeros */
    uint8_t *state = memory_allocate(needed[hold_out], 1, "state");
    memcpy(state, data, n < needed[hold_out] ? n : needed[hold_out]);
    memcpy(state, &begins_with, sizeof begins_with);
    fit(state, needed[hold_out], hold_out);
    memory_free(state);
    state = memory_allocate(n, 1, "state");
    memcpy(state, data, n);
    fit(state, n, hold_out);
    memory_free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error e = {""};
    size_t bytes = 0, held = (size_t)memory_blocks();
    if (n < 1) return 0;
    if (data[0] & 1) {
        take_up(data + 1, n - 1, data[0] >> 1 & 1);
        if (data[0] & 4) {
            if (state_write(path, data + 1, n - 1, &e)) abort();
            void *back = state_read(path, &bytes);
            if (!back || bytes != n - 1 || memcmp(back, data + 1, bytes)) abort();
            memory_free(back);
        }
    } else {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, data + 1, n - 1) != (ssize_t)(n - 1)) abort();
        close(fd);
        void *state = state_read(path, &bytes);
        if (!state != !bytes && bytes) abort();
        memory_free(state);
    }
    if ((size_t)memory_blocks() != held) abort();
    return 0;
}
