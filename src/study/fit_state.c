/* Checkpoints of a fit, parameters of a chain of windows, and saved parameters, by the paths they have on disk. */
#include "fit_state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "fits.h"
#include "io/parameters_file.h"
#include "nn/network.h"
#include "parallel/stop.h"

/* ---- a fit under way ---- */

struct checkpoint {
    struct fit_job *job;
    char path[4096];
    double saved_at;
    struct error error;
};

static enum fit_poll poll(void *context)
{
    struct checkpoint *k = context;
    fits_idle(k->job);
    if (stop_requested() || error_is_set(&k->error)) return FIT_STOP;
    if (clock_seconds() - k->saved_at < k->job->checkpoint_seconds) return FIT_CONTINUE;
    k->saved_at = clock_seconds();
    return FIT_CHECKPOINT;
}

static void save(void *context, const void *state, size_t bytes)
{
    struct checkpoint *k = context;
    state_write(k->path, state, bytes, &k->error);
}

static int config_number(const struct fit_context *x)
{
    return (int)(x->config - x->job->study->config);
}

static void checkpoint_path(const struct fit_context *x, int row, char *path, size_t size)
{
    snprintf(path, size, "%s/fit-%d-%d-%d.state", x->job->folder, config_number(x), x->seed, row);
}

void state_fit(struct fit_context *x, int row, struct fit_note *note, struct error *e)
{
    const struct model_class *class = x->config->class;
    struct checkpoint checkpoint = {.job = x->job, .saved_at = clock_seconds()};
    struct fit_monitor monitor = {.context = &checkpoint, .poll = poll, .save = save};
    checkpoint_path(x, row, checkpoint.path, sizeof checkpoint.path);
    void *state = team_rank(x->team) == 0 ? state_read(checkpoint.path, &monitor.state_bytes) : NULL;
    monitor.state = state;
    class->trainable->monitor(x->model, &monitor);
    class->fit(x->model, &x->source.window, x->team, note);
    class->trainable->monitor(x->model, NULL);
    memory_free(state);
    if (error_is_set(&checkpoint.error) && !error_is_set(e)) *e = checkpoint.error;
}

void state_remove(const struct fit_context *x, int row)
{
    char path[4096];
    checkpoint_path(x, row, path, sizeof path);
    unlink(path);
}

/* ---- the parameters that a chain of windows goes on from ---- */

struct link {
    int64_t row, code; /* of the last fit */
};

static void link_path(const struct fit_context *x, char *path, size_t size)
{
    snprintf(path, size, "%s/chain-%d-%d.state", x->job->folder, config_number(x), x->seed);
}

static struct network *network_of(struct fit_context *x)
{
    return x->config->class->trainable->network(x->model);
}

int state_save_chain(struct fit_context *x, int row, struct error *e)
{
    char path[4096];
    const struct network *n = network_of(x);
    size_t bytes = sizeof(struct link) + n->size * sizeof(float);
    char *data = memory_allocate(bytes, 1, "a saved state");
    struct link head = {.row = row, .code = x->fit_code};
    memcpy(data, &head, sizeof head);
    memcpy(data + sizeof head, n->parameter, n->size * sizeof(float));
    link_path(x, path, sizeof path);
    int rc = state_write(path, data, bytes, e);
    memory_free(data);
    return rc;
}

int state_load_chain(struct fit_context *x)
{
    char path[4096];
    struct network *n = network_of(x);
    size_t bytes = 0, needed = sizeof(struct link) + n->size * sizeof(float);
    struct link head = {.row = -1};
    link_path(x, path, sizeof path);
    char *data = team_rank(x->team) == 0 ? state_read(path, &bytes) : NULL;
    if (data && bytes == needed) {
        memcpy(&head, data, sizeof head);
        memcpy(n->parameter, data + sizeof head, n->size * sizeof(float));
    }
    memory_free(data);
    team_broadcast(x->team, &head, sizeof head, 0);
    if (head.row >= 0) team_broadcast(x->team, n->parameter, n->size * sizeof(float), 0);
    x->config->class->trainable->warm(x->model, head.row >= 0 && !head.code);
    x->fit_code = (int)head.code;
    return (int)head.row;
}

/* ---- saved for good ---- */

static char *folder_of(const struct fit_context *x, const char *folder)
{
    return parameters_folder(folder, x->config->universe->name, x->config->name, x->seed);
}

int state_save(struct fit_context *x, struct error *e)
{
    char *folder = folder_of(x, x->job->parameters);
    int rc = parameters_save(folder, x->now.date, network_of(x), e);
    memory_free(folder);
    return rc;
}

int state_load(struct fit_context *x, const char *from, struct error *e)
{
    int64_t found;
    char *folder = folder_of(x, from);
    const struct window *w = &x->source.window;
    int rc = parameters_load(folder, w->period[w->T].date, network_of(x), &found, e);
    memory_free(folder);
    return rc;
}
