/* Reading every period once, by the rank that owns it, and fetching the moments that a rank's windows need. */
#include "study/moment_pass.h"

#include <cblas.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "parallel/stop.h"

/* Contiguous blocks of periods with about equally many rows each. */
static void own_periods(const struct panel_meta *m, int ranks, int64_t *first)
{
    int t = 0;
    for (int r = 0; r <= ranks; r++) {
        double target = (double)m->rows * r / ranks;
        while (t < m->T && r && (double)m->offsets[t + 1] <= target + 0.5) t++;
        first[r] = r == ranks ? m->T : t;
    }
}

double moment_pass_bytes(const struct study *s, const struct panel_meta *m, int ranks)
{
    int universes = s->universes + 1;
    double periods = (double)m->T / ranks + 1;
    return (double)row_buffer_bytes(m, panel_max_assets(m)) + 8.0 * (double)moments_workspace(m->D) +
           periods * universes * 8.0 * (double)moments_size(m->D);
}

/* Universes to take moments of: the study's, and `all` if its managed factors serve as test assets. */
static void choose_universes(const struct study *s, const struct panel_meta *m, struct moment_pass *v)
{
    int has_all = 0;
    for (int u = 0; u < s->universes; u++) {
        v->universe[v->U++] = s->universe[u];
        has_all |= s->universe[u] == universe_find("all");
    }
    if (!has_all && m->M == 0) v->universe[v->U++] = universe_find("all");
}

/* Read the periods first .. first+periods-1, as they are stored for their digests crc [periods], then through the placebo for their
 * moments, of universe u into into[u] [periods], and numbers of assets. Returns 1 if asked to stop, -1 on an error. */
static int read_periods(struct panel_file *f, const struct panel_meta *m, int first, int periods, struct moment_pass *v,
                        double *const *into, uint32_t *crc, struct error *e)
{
    struct row_buffer buffer;
    struct rows rows;
    struct progress p;
    int stopped = 0;
    row_buffer_create(&buffer, m, panel_max_assets(m));
    double *workspace = memory_array(double, moments_workspace(m->D), "moments workspace");
    int *index = memory_array(int, panel_max_assets(m), "rows of a universe");
    progress_begin(&p, "reading the panel (rank 0's periods)", periods, 0);
    for (int i = 0; i < periods && !(stopped = stop_requested()); i++) {
        if (panel_read_stored(f, first + i, &buffer, &rows, e)) break;
        crc[i] = rows_digest(&rows, m->D);
        if (panel_apply_placebo(f, first + i, &buffer, e)) break;
        for (int u = 0; u < v->U; u++) {
            int n = v->n[(size_t)u * m->T + first + i] = universe_select(v->universe[u], &rows, index);
            moments_of(m->D, &rows, index, n, workspace, into[u] + (size_t)i * moments_size(m->D));
        }
        progress_show(&p, i + 1, "");
    }
    row_buffer_free(&buffer);
    memory_free(workspace);
    memory_free(index);
    return error_is_set(e) ? -1 : stopped;
}

static int read_owned(struct team *world, const struct panel_meta *m, const char *panel, struct moment_pass *v,
                      uint32_t *crc, struct error *e)
{
    int first = (int)v->own_first[team_rank(world)], end = (int)v->own_first[team_rank(world) + 1], stopped = 0;
    struct panel_file *f = panel_open(panel, team_size(world) > 1 ? world : NULL, m, e);
    struct error closing = {""};
    if (!team_agree(world, e)) stopped = read_periods(f, m, first, end - first, v, v->own, crc + first, e);
    if (f && panel_close(f, &closing) && !error_is_set(e)) *e = closing;
    team_agree(world, e);
    return stopped > 0;
}

/* F of the whole universe for every period, at rank 0. */
static void gather_factors(struct team *world, struct moment_pass *v)
{
    int me = team_rank(world), ranks = team_size(world), all = 0;
    while (v->universe[all] != universe_find("all")) all++;
    int64_t mine = v->own_first[me + 1] - v->own_first[me];
    double *part = memory_array(double, mine * v->D, "managed factors");
    size_t *bytes = memory_array(size_t, ranks, "sizes");
    for (int64_t i = 0; i < mine; i++)
        memcpy(part + i * v->D, moments_factors(v->own[all] + (size_t)i * moments_size(v->D)),
               sizeof(double) * (size_t)v->D);
    for (int r = 0; r < ranks; r++)
        bytes[r] = sizeof(double) * (size_t)(v->own_first[r + 1] - v->own_first[r]) * (size_t)v->D;
    if (me == 0) v->factors = memory_array(double, (size_t)v->T * v->D, "managed factors");
    team_gather_bytes(world, part, bytes, v->factors, 0);
    memory_free(part);
    memory_free(bytes);
}

void moment_pass_begin(const struct team *world, const struct study *s, const struct panel_meta *m, struct moment_pass *v)
{
    *v = (struct moment_pass){.D = m->D, .T = m->T};
    v->own_first = memory_array(int64_t, team_size(world) + 1, "owned periods");
    own_periods(m, team_size(world), v->own_first);
    choose_universes(s, m, v);
}

int moment_pass_read(struct team *world, const struct panel_meta *m, const char *panel, struct moment_pass *v,
                     struct error *e)
{
    int me = team_rank(world);
    v->n = memory_array(int, (size_t)v->U * m->T, "assets per period");
    size_t mine = (size_t)(v->own_first[me + 1] - v->own_first[me]);
    for (int u = 0; u < v->U; u++) v->own[u] = memory_array(double, mine *moments_size(m->D), "moments");
    uint32_t *crc = memory_array(uint32_t, m->T, "digests");
    int stopped = read_owned(world, m, panel, v, crc, e);
    if (!error_is_set(e)) {
        /* every entry is zero on all ranks but its owner, so the bitwise or of all is the whole array */
        team_or_bytes(world, (uint8_t *)crc, sizeof(uint32_t) * (size_t)m->T);
        team_or_bytes(world, (uint8_t *)v->n, sizeof(int) * (size_t)v->U * (size_t)m->T);
        panel_digest_text(m, crc, v->digest);
        stopped = team_wait_max(world, stopped, NULL, NULL);
        if (m->M == 0) gather_factors(world, v);
    }
    memory_free(crc);
    return error_is_set(e) ? -1 : stopped;
}

double store_bytes(int D, int64_t periods, int band)
{
    return 8.0 * (double)periods * ((double)moments_size(D) + 2.0 * (band + 1));
}

/* One dot product an entry: its bits depend on the two periods alone. */
static void form_gram(struct moment_store *s, int D, int band)
{
    size_t width = (size_t)band + 1;
    s->band = band;
    s->factor_gram = memory_array(double, (size_t)s->periods *width, "banded Gram matrix");
    s->timing_gram = memory_array(double, (size_t)s->periods *width, "banded Gram matrix");
    for (int i = 0; i < s->periods; i++)
        for (int k = 0; k <= band && k <= i; k++) {
            const double *a = s->record + (size_t)i * moments_size(D), *b = s->record + (size_t)(i - k) * moments_size(D);
            s->factor_gram[(size_t)i * width + (size_t)k] = cblas_ddot(D, moments_factors(a), 1, moments_factors(b), 1);
            s->timing_gram[(size_t)i * width + (size_t)k] =
                cblas_ddot((int)packed_size(D), moments_timing(a, D), 1, moments_timing(b, D), 1);
        }
}

static void free_store(struct moment_store *s)
{
    memory_free_all(s->record, s->factor_gram, s->timing_gram);
}

void moment_pass_fetch(struct team *world, struct moment_pass *v, int64_t *const *need, int band)
{
    int me = team_rank(world);
    for (int u = 0; u < v->U; u++) {
        struct moment_store *s = &v->store[u];
        free_store(s);
        s->first = (int)need[u][2 * me];
        s->periods = (int)(need[u][2 * me + 1] - need[u][2 * me]);
        s->record = memory_array(double, (size_t)s->periods *moments_size(v->D), "moments of this rank's windows");
        team_fetch_rows(world, sizeof(double) * moments_size(v->D), v->own_first, v->own[u], need[u], s->record);
        if (!v->keep) {
            memory_free(v->own[u]);
            v->own[u] = NULL;
        }
        form_gram(s, v->D, band);
    }
}

int moment_pass_probe(const struct study *s, const struct panel_meta *m, const char *panel, int first, int periods, int band,
                      struct moment_pass *v, struct moment_pass_cost *cost, struct error *e)
{
    double *into[8];
    *v = (struct moment_pass){.D = m->D, .T = m->T};
    *cost = (struct moment_pass_cost){.rows = (double)(m->offsets[first + periods] - m->offsets[first])};
    choose_universes(s, m, v);
    struct panel_file *f = panel_open(panel, NULL, m, e);
    if (!f) return moment_pass_free(v), -1;
    uint32_t *crc = memory_array(uint32_t, periods, "digests");
    v->n = memory_array(int, (size_t)v->U * m->T, "assets per period");
    for (int u = 0; u < v->U; u++) {
        into[u] = memory_array(double, (size_t)periods *moments_size(m->D), "moments");
        v->store[u] = (struct moment_store){.first = first, .periods = periods, .record = into[u]};
    }
    double start = clock_seconds();
    read_periods(f, m, first, periods, v, into, crc, e);
    cost->read_seconds = clock_seconds() - start;
    start = clock_thread();
    for (int u = 0; u < v->U && !error_is_set(e); u++) form_gram(&v->store[u], m->D, band);
    cost->gram_seconds = clock_thread() - start;
    memory_free(crc);
    struct error closing = {""};
    panel_close(f, &closing);
    return error_is_set(e) ? moment_pass_free(v), -1 : 0;
}

void moment_pass_free(struct moment_pass *v)
{
    for (int u = 0; u < v->U; u++) {
        memory_free(v->own[u]);
        free_store(&v->store[u]);
    }
    memory_free_all(v->own_first, v->n, v->factors);
    *v = (struct moment_pass){0};
}
