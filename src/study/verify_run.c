/* Verification inside a run: second fits beside the first, and what they found. */
#include "verify_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/os.h"
#include "fit_state.h"
#include "io/durable_file.h"
#include "parallel/stop.h"
#include "verify.h"

/* A unit to be computed once more, of which rows from `compare` on are looked at. */
struct item {
    struct task task;
    int compare, rank; /* who computes it */
};

/* Two computations of a row that differ. */
struct dispute {
    int config, seed, row, first; /* first: row that computing it must begin at */
    int file, generation, owner, verifier;
    uint64_t digest[2];
};
enum { DISPUTES = 8 }; /* that a rank reports, of different logs */
struct report {
    int64_t fits, differ;
    int n;
    struct dispute dispute[DISPUTES];
};

/* A round at work. */
struct round {
    struct verification *v;
    struct part_index names; /* of the logs; its records are those this rank has indexed */
    int *generation, *rank;  /* [files] */
    double **file;           /* [configs][P * seeds] 1 + number of the log that holds the record; 0: none of this round */
    int64_t *need[8];        /* [universe][2 ranks] */
    struct part_index *log;  /* [files] opened by this rank */
    struct team *alone;
    struct report report;
    char *outvoted; /* [files] logs to be removed */
    char *banned;   /* [ranks] of the world */
};

static size_t fits_of(const struct study *s, int c)
{
    return (size_t)s->P * (size_t)s->config[c].layout.seeds;
}

static void round_close(struct round *r)
{
    const struct study *s = r->v->job->study;
    for (int i = 0; i < r->names.files && r->log; i++) parts_free(&r->log[i]);
    for (int c = 0; c < s->configs && r->file; c++) memory_free(r->file[c]);
    for (int u = 0; u < 8; u++) memory_free(r->need[u]);
    void *const all[] = {r->generation, r->rank, r->file, r->log, r->outvoted, r->banned};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) memory_free(all[i]);
    parts_free(&r->names);
    team_close(r->alone);
}

/* Which log holds every record of this round: ranks share the reading, readers take the first of several. */
static int find_owners(struct round *r, struct error *e)
{
    struct verification *v = r->v;
    const struct study *s = v->job->study;
    parts_index(v->job->folder, team_rank(v->world), team_size(v->world), &r->names, e);
    if (team_agree(v->world, e)) return -1;
    int files = r->names.files;
    r->generation = memory_array(int, files, "part logs");
    r->rank = memory_array(int, files, "part logs");
    r->log = memory_array(struct part_index, files, "part logs");
    r->outvoted = memory_array(char, files, "part logs");
    r->banned = memory_array(char, team_size(v->world), "ranks at work");
    r->file = memory_array(double *, s->configs, "owners of records");
    r->alone = team_split(v->world, team_rank(v->world));
    for (int u = 0; u < v->pass->U; u++) r->need[u] = memory_array(int64_t, 2 * (size_t)team_size(v->world), "periods");
    for (int i = 0; i < files; i++) sscanf(r->names.file[i], "g%9d-r%9d.rows", &r->generation[i], &r->rank[i]);
    for (int c = 0; c < s->configs; c++) r->file[c] = memory_array(double, fits_of(s, c), "owners of records");
    for (size_t i = 0; i < r->names.records; i++) {
        const struct part_record *p = &r->names.record[i];
        if (p->key.config < 0 || p->key.config >= s->configs || r->generation[p->file] < v->checked) continue;
        const struct layout *l = &s->config[p->key.config].layout;
        if (!parts_serve(p, s->P, l->seeds, layout_record(l))) continue;
        double *at = &r->file[p->key.config][(size_t)p->key.row * (size_t)l->seeds + (size_t)p->key.seed];
        if (files - p->file > *at) *at = files - p->file;
    }
    for (int c = 0; c < s->configs; c++) {
        team_max_double(v->world, r->file[c], fits_of(s, c));
        for (size_t i = 0; i < fits_of(s, c); i++) r->file[c][i] = r->file[c][i] > 0 ? files - r->file[c][i] + 1 : 0;
    }
    return 0;
}

static int file_of(const struct round *r, int c, int seed, int row)
{
    return (int)r->file[c][(size_t)row * (size_t)r->v->job->study->config[c].layout.seeds + (size_t)seed] - 1;
}

/* ---- what is verified ---- */

/* How many ranks, in the order of workers, computed the fits of a log. */
static int width_of(const struct round *r, int config)
{
    return config_cut(&r->v->job->study->config[config]) || r->v->job->team < 1 ? 1 : r->v->job->team;
}

/* The units verified, in one order on all ranks; item NULL: count only. Fits that ranks share on a grid depend on its shape: left out. */
static int64_t list_items(const struct round *r, struct item *item)
{
    const struct verification *v = r->v;
    const struct study *s = v->job->study;
    int64_t n = 0;
    for (int c = 0; c < s->configs; c++) {
        const struct config *config = &s->config[c];
        struct verify_stretch t = share_stretch(&v->of, c);
        int rows = t.rows;
        for (int row = config_first_row(s, config); row < s->P && rows && config_cut(config) < 2; row += rows)
            for (int seed = 0; seed < config->layout.seeds; seed++) {
                int end = row + rows < s->P ? row + rows : s->P, file = -1;
                if (share_chains(v->job, config)) end = row + (int)ceil(v->share * (end - row));
                else if (!share_chosen(&v->of, c, seed, (row - config_first_row(s, config)) / rows, &t)) continue;
                for (int k = row; k < end && file < 0; k++) file = file_of(r, c, seed, k);
                if (file < 0) continue;
                struct ballot b = {.votes = 1, .width = width_of(r, c), .rank = {r->rank[file]}};
                if (item) item[n] = (struct item){{c, seed, row, end - row}, row, verify_next(&b, v->worker, v->workers)};
                n++;
            }
    }
    return n;
}

/* Fetch the moments that the ranks' items reach over. Collective. */
static void fetch_moments(struct round *r, const struct item *item, int64_t n)
{
    struct verification *v = r->v;
    const struct study *s = v->job->study;
    for (int u = 0; u < v->pass->U; u++) memset(r->need[u], 0, 2 * sizeof(int64_t) * (size_t)team_size(v->world));
    for (int64_t i = 0; i < n; i++) {
        const struct config *c = &s->config[item[i].task.config];
        if (config_cut(c)) task_needs(s, &item[i].task, &r->need[config_universe(s, c)][2 * item[i].rank]);
    }
    moment_pass_fetch(v->world, v->pass, r->need, cuts_longest(s));
}

/* ---- comparing ---- */

/* A record as one run of bytes: code, values, ids and weights of the portfolio. memory_free. */
static char *image_of(int64_t code, size_t n, const double *values, size_t assets, const int64_t *ids, const float *weights,
                      size_t *bytes)
{
    size_t a = sizeof code, b = n * sizeof *values, c = assets * sizeof *ids, d = assets * sizeof *weights;
    char *out = memory_allocate(*bytes = a + b + c + d, 1, "a record");
    memcpy(out, &code, a);
    memcpy(out + a, values, b);
    if (assets) memcpy(out + a + b, ids, c), memcpy(out + a + b + c, weights, d);
    return out;
}

static char *image_computed(const struct fit_context *x, size_t *bytes)
{
    return image_of(x->code, layout_record(&x->config->layout), x->record, context_weighs(x) ? (size_t)x->now.n : 0,
                    x->now.ids, x->weights, bytes);
}

/* The record kept of a fit, from its log; NULL: error. */
static char *image_kept(struct round *r, int file, int c, int seed, int row, size_t *bytes, struct error *e)
{
    struct part_index *x = &r->log[file];
    size_t n;
    if (!x->folder && parts_index(r->v->job->folder, file, r->names.files, x, e)) return NULL;
    const struct part_record *p = parts_of(x, c, &n);
    while (n && (p->key.row != row || p->key.seed != seed)) p++, n--;
    if (!n) return error_set(e, "%s/%s: a record vanished while it was verified", x->folder, r->names.file[file]), NULL;
    double *values = memory_array(double, p->n, "a record");
    int64_t *ids = memory_array(int64_t, p->assets, "a record");
    float *weights = memory_array(float, p->assets, "a record");
    char *out = parts_read(x, p, values, ids, weights, e)
                    ? NULL
                    : image_of(p->key.code, p->n, values, p->assets, ids, weights, bytes);
    memory_free(values);
    memory_free(ids);
    memory_free(weights);
    return out;
}

static void differs(struct round *r, const struct dispute *d)
{
    struct report *p = &r->report;
    p->differ++;
    for (int i = 0; i < p->n; i++)
        if (p->dispute[i].file == d->file) return;
    if (p->n < DISPUTES) p->dispute[p->n++] = *d;
}

/* The row in hand against the record kept. */
static int compare(struct round *r, const struct fit_context *x, const struct task *t, int row, struct error *e)
{
    int file = file_of(r, t->config, t->seed, row);
    size_t n, m;
    if (file < 0) return 0;
    char *kept = image_kept(r, file, t->config, t->seed, row, &n, e), *again = image_computed(x, &m);
    if (kept && (n != m || memcmp(kept, again, n)))
        differs(r, &(struct dispute){.config = t->config,
                                     .seed = t->seed,
                                     .row = row,
                                     .first = t->row,
                                     .file = file,
                                     .generation = r->generation[file],
                                     .owner = r->rank[file],
                                     .verifier = team_rank(r->v->world),
                                     .digest = {verify_digest(0, kept, n), verify_digest(0, again, m)}});
    r->report.fits++;
    memory_free(kept);
    memory_free(again);
    return kept ? 0 : -1;
}

/* Compute a unit. digest NULL: compare its rows with what is kept; else that of its last row. 0 done, 1 stopped, -1 error (not agreed). */
static int compute(struct round *r, struct fit_context *x, const struct item *item, uint64_t *digest, struct error *e)
{
    const struct task *t = &item->task;
    x->last = -1; /* a chain is begun at its first row */
    if (context_take(x, &r->v->job->study->config[t->config], t->seed, e)) return -1;
    for (int row = t->row; row < t->row + t->rows; row++) {
        int rc = stop_requested() ? 1 : context_compute(x, row, e);
        if (rc) return rc;
        if (x->trained && x->config->class->trainable) state_remove(x, x->fitted);
        if (!digest && compare(r, x, t, row, e)) return -1;
    }
    size_t n;
    char *image = digest ? image_computed(x, &n) : NULL;
    if (digest) *digest = verify_digest(0, image, n);
    memory_free(image);
    return 0;
}

/* Every rank its items. Collective; 0, 1 stopped, -1 error (agreed). */
static int compute_items(struct round *r, const struct item *item, int64_t n, uint64_t *digest, struct error *e)
{
    struct fit_context x = {.job = r->v->job, .team = r->alone};
    int rc = 0, me = team_rank(r->v->world);
    fetch_moments(r, item, n);
    for (int64_t i = 0; i < n && !rc; i++)
        if (item[i].rank == me) { rc = compute(r, &x, &item[i], digest, e); }
    context_leave(&x);
    if (error_is_set(e)) stop_raise();
    rc = team_wait_max(r->v->world, rc != 0, fits_idle, r->v->job);
    return team_agree(r->v->world, e) ? -1 : rc;
}

/* ---- whom to believe ---- */

struct asking {
    struct round *round;
    const struct dispute *dispute;
    struct error *error;
};

static int ask(void *context, int rank, uint64_t *digest)
{
    struct asking *a = context;
    const struct dispute *d = a->dispute;
    const struct fit_job *j = a->round->v->job;
    int first = share_chains(j, &j->study->config[d->config]) ? d->first : d->row;
    struct item item = {{d->config, d->seed, first, d->row - first + 1}, d->row, rank};
    int rc = compute_items(a->round, &item, 1, digest, a->error);
    if (!rc) team_broadcast(a->round->v->world, digest, sizeof *digest, rank);
    return rc;
}

/* A rank of this start is not believed: nothing of what it computed is kept, and it computes no more. */
static void ban(struct round *r, int rank)
{
    r->banned[rank] = 1;
    for (int i = 0; i < r->names.files; i++)
        if (r->generation[i] >= r->v->start && r->rank[i] == rank) r->outvoted[i] = 1;
}

/* The owner of a log, with all ranks of its team. */
static void ban_owner(struct round *r, const struct dispute *d)
{
    const struct verification *v = r->v;
    int at = 0;
    r->outvoted[d->file] = 1;
    if (d->generation < v->start) return; /* who it was is not known now */
    while (at < v->workers && v->worker[at] != d->owner) at++;
    for (int i = 0; i < width_of(r, d->config) && at + i < v->workers; i++) ban(r, v->worker[at + i]);
}

static int settle(struct round *r, const struct dispute *d, struct error *e)
{
    const struct verification *v = r->v;
    int believed;
    if (r->outvoted[d->file] || r->banned[d->verifier]) return 0;
    struct ballot b = {.votes = 2,
                       .width = width_of(r, d->config),
                       .rank = {d->owner, d->verifier},
                       .digest = {d->digest[0], d->digest[1]}};
    struct asking a = {r, d, e};
    int rc = verify_decide(&b, v->worker, v->workers, ask, &a, &believed);
    if (error_is_set(e)) return -1;
    if (rc == 1) return 1;
    if (rc)
        return error_set(e, "%s: row %d of '%s' was computed %d times, no two alike; needed: other hosts",
                         v->job->study->file, d->row, v->job->study->config[d->config].name, b.votes);
    if (b.digest[0] != b.digest[believed]) ban_owner(r, d);
    for (int k = 1; k < b.votes; k++)
        if (b.digest[k] != b.digest[believed]) ban(r, b.rank[k]);
    return 0;
}

/* ---- what follows ---- */

/* Say who was outvoted, in the history before its logs go. Rank 0. */
static void tell(const struct round *r, struct error *e)
{
    const struct verification *v = r->v;
    char text[256];
    for (int rank = 0; rank < team_size(v->world); rank++) {
        if (!r->banned[rank]) continue;
        snprintf(text, sizeof text, "rank %d on %s computed other bits than others: its fits are computed again%s", rank,
                 v->host[rank], team_size(v->world) > 1 ? " elsewhere" : "");
        log_warn("%s", text);
        history_note(v->lock, v->start, text, e);
    }
    for (int i = 0; i < r->names.files; i++) {
        if (!r->outvoted[i] || r->generation[i] >= v->start) continue;
        snprintf(text, sizeof text, "rank %d of start %d computed other bits than others: its fits are computed again",
                 r->rank[i], r->generation[i]);
        log_warn("%s", text);
        history_note(v->lock, v->start, text, e);
    }
}

/* Rank 0: the logs of those outvoted go, so that their rows are pending. */
static void remove_logs(const struct round *r, struct error *e)
{
    char path[4096];
    for (int i = 0; i < r->names.files && !error_is_set(e); i++) {
        if (!r->outvoted[i]) continue;
        snprintf(path, sizeof path, "%s/%s", r->v->job->folder, r->names.file[i]);
        if (os_unlink(path)) error_set(e, "%s: cannot be removed, and its rows are not to be trusted", path);
        else folder_sync(path, e);
    }
}

/* Those left to work. A single rank gets a second chance: its fault may have passed. */
static int choose_workers(struct round *r, struct error *e)
{
    struct verification *v = r->v;
    int n = 0, first = v->worker[0];
    for (int i = 0; i < v->workers; i++)
        if (!r->banned[v->worker[i]]) v->worker[n++] = v->worker[i];
    if (!n && team_size(v->world) == 1 && !v->checked) v->worker[n++] = first;
    v->workers = n;
    if (!n)
        return error_set(
            e, "%s: every rank computes other bits than before; its rows are removed; needed: other hosts, and --resume",
            v->job->folder);
    for (int c = 0; c < v->job->study->configs; c++)
        if (config_ranks(&v->job->study->config[c]) > n)
            return error_set(e, "%s: %d ranks are left that agree, '%s' needs %d; needed: --resume on other hosts",
                             v->job->folder, n, v->job->study->config[c].name, config_ranks(&v->job->study->config[c]));
    return 0;
}

/* Settle what the ranks report. 0 nothing differs, 1 stopped, 2 logs are gone, -1 error (agreed). */
static int settle_reports(struct round *r, struct error *e)
{
    struct verification *v = r->v;
    int ranks = team_size(v->world), rc = 0, files = 0;
    int64_t differ = 0;
    struct report *all = memory_array(struct report, ranks, "verification");
    team_all_gather(v->world, &r->report, sizeof r->report, all);
    for (int i = 0; i < ranks; i++) v->fits += all[i].fits, differ += all[i].differ;
    if (differ) log_warn("%ld fits computed again have other bits than their records", (long)differ);
    for (int i = 0; i < ranks && !rc; i++)
        for (int k = 0; k < all[i].n && !rc; k++) rc = settle(r, &all[i].dispute[k], e);
    memory_free(all);
    for (int i = 0; i < r->names.files; i++) files += r->outvoted[i];
    for (int i = 0; i < ranks; i++) files += r->banned[i];
    if (rc || !files) return rc;
    if (team_rank(v->world) == 0) {
        tell(r, e);
        if (!error_is_set(e)) remove_logs(r, e);
    }
    if (team_agree(v->world, e) || choose_workers(r, e)) return -1;
    v->checked = ++v->newest;
    return 2;
}

/* What the logs from v->checked on hold. 0 no difference; 1 stopped; 2 ranks were outvoted, their logs are gone and v->worker are those left; -1
 * error (agreed). */
static int verify_round(struct verification *v, struct error *e)
{
    struct round r = {.v = v};
    if (find_owners(&r, e)) return round_close(&r), -1;
    int64_t n = list_items(&r, NULL);
    struct item *item = memory_array(struct item, n, "fits to verify");
    list_items(&r, item);
    int rc = compute_items(&r, item, n, NULL, e);
    memory_free(item);
    if (!rc) rc = settle_reports(&r, e);
    round_close(&r);
    return rc;
}

static void name_ranks(struct verification *v)
{
    char mine[sizeof *v->host] = "";
    v->workers = team_size(v->world);
    v->worker = memory_array(int, v->workers, "ranks at work");
    for (int r = 0; r < v->workers; r++) v->worker[r] = r;
    v->host = memory_allocate((size_t)v->workers, sizeof *v->host, "host names");
    if (gethostname(mine, sizeof mine - 1)) strcpy(mine, "unknown");
    team_all_gather(v->world, mine, sizeof mine, v->host);
}

int verification_run(struct verification *v, struct error *e)
{
    char text[256];
    int rc;
    v->newest = v->start;
    v->checked = 0;
    v->job->quiet = true;
    name_ranks(v);
    share_rates(&v->of, v->job, v->share);
    share_name_unverified(&v->of);
    while ((rc = verify_round(v, e)) == 2 && !(rc = v->again(v->context, v, e))) continue;
    snprintf(text, sizeof text, "%lld fits of %ld were verified%s", (long long)v->fits, v->job->total,
             team_size(v->world) == 1 ? " on the same rank: only faults that pass are seen" : "");
    if (!rc && !v->fits && v->job->total) log_warn("no fit was verified: the share is too small for this study");
    else if (!rc) log_info("%s%s", text, v->checked ? "" : ": no bit differs");
    if (!rc && team_rank(v->world) == 0) history_note(v->lock, v->start, text, e);
    memory_free(v->of.rate);
    memory_free(v->worker);
    memory_free(v->host);
    return team_agree(v->world, e) ? -1 : rc;
}
