/* Taking the lease of a results path, watching it from every host, and the history of starts and ends. */
#include "run_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/os.h"
#include "hosts.h"
#include "io/durable_file.h"
#include "io/hdf.h"
#include "linalg/eigen.h"
#include "parallel/watchdog.h"

enum { NAME = 64 };

static char *gather_hosts(struct team *world)
{
    int ranks = team_size(world), rank = team_rank(world);
    char mine[NAME] = "", *all = rank == 0 ? memory_array(char, (size_t)ranks *NAME, "host names") : NULL, *text = NULL;
    size_t *bytes = memory_array(size_t, ranks, "sizes");
    if (gethostname(mine, sizeof mine - 1)) strcpy(mine, "unknown");
    for (int r = 0; r < ranks; r++) bytes[r] = NAME;
    team_gather_bytes(world, mine, bytes, all, 0);
    if (rank == 0) text = hosts_compact(all, NAME, ranks);
    memory_free(bytes);
    memory_free(all);
    return text;
}

int run_lock_enter(struct run_lock *g, struct team *world, const char *output, const char *folder, double watchdog_seconds,
                   struct error *e)
{
    *g = (struct run_lock){
        .world = world, .output = output, .folder = folder, .started_at = time(NULL), .started = clock_seconds()};
    g->hosts = gather_hosts(world);
    if (team_rank(world) == 0) g->held = !lease_take(output, g->token, e);
    if (team_agree(world, e)) return -1;
    team_broadcast(world, g->token, sizeof g->token, 0);
    g->looks = watchdog_leads_host(world);
    if (g->looks) lease_monitor(output, g->token, g->held);
    watchdog_open(world, &(struct watchdog_options){.seconds = watchdog_seconds, .beats = lease_beats, .what = output});
    return 0;
}

void run_lock_leave(struct run_lock *g)
{
    if (!g->world) return;
    watchdog_close(g->world);
    if (g->looks && !g->held) lease_release(g->output, g->token, false);
    team_barrier(g->world); /* from here on no rank looks at the lock */
    if (g->held) lease_release(g->output, g->token, true);
    memory_free(g->hosts);
    *g = (struct run_lock){0};
}

/* ---- history: what each start of a run was, one line as it begins and one as it ends ---- */

static const char *job_id(void)
{
    const char *job = getenv("SLURM_JOB_ID");
    return job ? job : getenv("PBS_JOBID");
}

static void utc(time_t t, char out[32])
{
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
}

/* One line of the history as people read it: what, when, where. */
static void start_text(const struct run_lock *g, int generation, char *out, size_t size)
{
    char when[32];
    const char *job = job_id(), *requeues = getenv("SLURM_RESTART_COUNT");
    utc(g->started_at, when);
    snprintf(out, size, "%d: %s, %d rank%s on %s%s%s%s%s", generation, when, team_size(g->world),
             team_size(g->world) == 1 ? "" : "s", g->hosts, job ? ", job " : "", job ? job : "",
             requeues ? ", requeue " : "", requeues ? requeues : "");
}

static int append(const struct run_lock *g, const char *line, struct error *e)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/history", g->folder);
    return line_append(path, line, e);
}

/* The whole of it (memory_free); "" where there is none. Zeros, which a power cut leaves where bytes were to come, end a line. */
static char *history_read(const struct run_lock *g)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/history", g->folder);
    int fd = os_open(path, OS_READ);
    int64_t size = fd < 0 ? 0 : os_size(fd);
    if (size < 0) size = 0;
    char *text = memory_array(char, size + 1, "history");
    ssize_t n = fd < 0 ? 0 : os_read_at(fd, text, (size_t)size, 0);
    if (fd >= 0) os_close(fd);
    for (ssize_t i = 0; i < n; i++)
        if (!text[i]) text[i] = '\n';
    text[n > 0 ? n : 0] = '\0';
    return text;
}

int history_last(const struct run_lock *g)
{
    char *text = history_read(g);
    int last = 0, n;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (sscanf(line, "begin %9d:", &n) == 1 && n > last) last = n;
    memory_free(text);
    return last;
}

int history_begin(const struct run_lock *g, int generation, struct error *e)
{
    char text[3072], line[3200];
    start_text(g, generation, text, sizeof text);
    snprintf(line, sizeof line, "begin %s", text);
    return append(g, line, e);
}

int history_note(const struct run_lock *g, int generation, const char *text, struct error *e)
{
    char line[512];
    snprintf(line, sizeof line, "note %d: %s", generation, text);
    return append(g, line, e);
}

void history_end(const struct run_lock *g, int generation, const char *how, long rows)
{
    char line[256];
    struct error ignored = {""}; /* a full disk may be why it ended */
    snprintf(line, sizeof line, "end %d: %s after %ld rows", generation, how, rows);
    append(g, line, &ignored);
}

/* "1: WHEN, WHERE: stopped on request after 40 rows; 2: ...: broken off; ..." from the file; the start in hand is not in it as ended. */
static char *history_text(const struct run_lock *g, const char *how)
{
    char *text = history_read(g), *save = NULL;
    size_t room = 2 * strlen(text) + strlen(how) + 64, at = 0;
    char *out = memory_array(char, room, "history");
    bool open = false;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (!strncmp(line, "begin ", 6)) {
            at += (size_t)snprintf(out + at, room - at, "%s%s%s", open ? ": broken off" : "", at ? "; " : "", line + 6);
            open = true;
        } else if (!strncmp(line, "note ", 5) && open) {
            char *what = strstr(line, ": ");
            at += (size_t)snprintf(out + at, room - at, "%s", what ? what : "");
        } else if (!strncmp(line, "end ", 4) && open) {
            char *what = strstr(line, ": ");
            at += (size_t)snprintf(out + at, room - at, "%s", what ? what : "");
            open = false;
        }
    }
    memory_free(text);
    snprintf(out + at, room - at, ": %s", how);
    return out;
}

char *record_text(const struct run_lock *g, int generation, long rows, long failed, const double *peaks)
{
    char from[32], to[32], how[64];
    const char *job = job_id(), *requeues = getenv("SLURM_RESTART_COUNT");
    utc(g->started_at, from);
    utc(time(NULL), to);
    snprintf(how, sizeof how, "finished with %ld rows", rows);
    char *history = history_text(g, how);
    size_t size = strlen(history) + strlen(g->hosts) + 2048;
    char *text = memory_array(char, size, "record");
    snprintf(text, size,
             "libraries=%s; "
             "%s\nblas=%s\nranks=%d\nhosts=%s\nstarted=%s\nfinished=%s\nstarts=%d\nhistory=%s\njob=%s\nrequeues=%s\nseconds="
             "%.1f\nfits_failed=%ld\n"
             "memory_per_rank=planned %.0f MB beside %.0f MB of the program and its libraries, resident at most %.0f MB\n",
             team_library(), hdf_library(), blas_text(), team_size(g->world), g->hosts, from, to, generation, history,
             job ? job : "none", requeues ? requeues : "0", clock_seconds() - g->started, failed, peaks[0] / 1e6,
             peaks[1] / 1e6, peaks[2] / 1e6);
    memory_free(history);
    return text;
}
