/* The rates that a forecast needs, measured on this machine or taken from the cache of earlier measurements. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"
#include "fits.h"
#include "io/text_store.h"
#include "linalg/eigen.h"
#include "study/moment_pass.h"
#include "study/plan.h"

enum { PROBE_ROWS = 6, NAME = 768 };

/* ---- what has been measured before: lines "KEY\tSECONDS\tSECONDS" ---- */

static void processor(char *out, size_t size)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(out, size, "unknown processor");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "model name", 10) && strchr(line, ':')) {
            snprintf(out, size, "%s", strchr(line, ':') + 2);
            out[strcspn(out, "\n")] = '\0';
            break;
        }
    if (f) fclose(f);
}

/* All that a row's time depends on. Fits over rows depend on the size of the cross-section, so on the universe and the panel's rows. */
static void key_of(const struct study *s, const struct config *c, const struct panel_meta *m, int ranks, char *out)
{
    char chip[128];
    processor(chip, sizeof chip);
    snprintf(out, NAME, "%s|%s|%s|%d busy|%s|D %d nz %d T %d|%.6g %.6g %.6g|%s %lld%s", version_text(), chip, blas_text(),
             ranks, c->class->name, c->shape.D, c->shape.nz, c->shape.T, c->cost.flops, c->cost.seconds, c->cost.bytes,
             config_cut(c) ? "" : c->universe->name, config_cut(c) ? 0 : (long long)m->rows,
             s->save_weights ? " weights" : "");
}

char *calibration_cache(void)
{
    char path[4096];
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache) snprintf(path, sizeof path, "%s/aipm/calibration", cache);
    else if (home && *home) snprintf(path, sizeof path, "%s/.cache/aipm/calibration", home);
    else return NULL;
    return memory_text(path);
}

/* ---- measuring ---- */

/* Assets of the period that row is about, as a share of an average row's: fits over rows cost so much more or less. */
static double share_of(const struct study *s, const struct panel_meta *m, const struct config *c, int row)
{
    int t = study_period(s, row);
    int64_t here = m->offsets[t] - m->offsets[t - c->shape.T], n = 0;
    for (int p = config_first_row(s, c); p < s->P; p++)
        n += m->offsets[study_period(s, p)] - m->offsets[study_period(s, p) - c->shape.T];
    return (double)here / ((double)n / (s->P - config_first_row(s, c)));
}

/* Seconds of a row, on average over those that take a fit and those that one serves, and more for the first of a stretch. */
static int measure(struct fit_job *j, const struct config *c, int row, double *seconds, struct error *e)
{
    struct fit_rates rates;
    double rows = j->study->P - config_first_row(j->study, c), fits = (double)config_fits(j->study, c);
    if (config_cut(c) > 1) return seconds[0] = c->cost.seconds, seconds[1] = 0, 0; /* one rank cannot measure a team's */
    if (fits_probe(j, c, row, &rates, e)) return -1;
    seconds[0] = (fits * rates.fit + (rows - fits) * rates.served) / rows;
    seconds[1] = rates.first;
    if (!config_cut(c)) seconds[0] /= share_of(j->study, j->meta, c, row);
    return 0;
}

/* Seconds [2] of each configuration: from the cache, from one like it, or measured. */
static int measure_all(struct team *world, struct fit_job *j, struct text_store *store, int row, struct calibration *out,
                       struct error *e)
{
    const struct study *s = j->study;
    char(*key)[NAME] = memory_allocate((size_t)s->configs, NAME, "keys");
    for (int i = 0; i < s->configs && !error_is_set(e); i++) {
        double pair[2] = {0};
        key_of(s, &s->config[i], j->meta, team_size(world), key[i]);
        int known = 0;
        if (team_rank(world) == 0) known = store_get(store, key[i], 2, pair);
        team_broadcast(world, &known, sizeof known, 0);
        if (known) {
            team_broadcast(world, pair, sizeof pair, 0);
            out->cached++;
        } else {
            team_barrier(world);
            measure(j, &s->config[i], row, pair, e);
            if (team_agree(world, e)) break;
            team_max_double(world, pair, 2);
            store_put(store, key[i], 2, pair);
            out->measured++;
        }
        out->row[i] = pair[0];
        out->first[i] = pair[1];
    }
    memory_free(key);
    return error_is_set(e) ? -1 : 0;
}

int calibrate(struct team *world, const struct study *s, const struct panel_meta *m, const char *panel, const char *cache,
              struct calibration *c, struct error *e)
{
    double start = clock_seconds();
    struct moment_pass v = {0};
    struct moment_pass_cost cost = {0};
    struct text_store store;
    int T = study_longest_window(s), band = cuts_longest(s), row = (s->P + T - s->min_window) / 2;
    if (row > s->P - 3) row = s->P - 3;
    if (row < T - s->min_window) row = T - s->min_window;
    int now = study_period(s, row), periods = band + (now + PROBE_ROWS > m->T ? m->T - now : PROBE_ROWS);
    *c = (struct calibration){.row = memory_array(double, s->configs, "rates"),
                              .first = memory_array(double, s->configs, "rates")};
    store_open(&store, team_rank(world) == 0 ? cache : NULL);
    moment_pass_probe(s, m, panel, now - band, periods, band, &v, &cost, e);
    if (!team_agree(world, e)) {
        struct fit_job j = {.world = world, .study = s, .meta = m, .panel = panel, .pass = &v};
        double rates[2] = {cost.rows > 0 ? cost.read_seconds / cost.rows : 0, periods ? cost.gram_seconds / periods : 0};
        team_max_double(world, rates, 2);
        c->read_row = rates[0];
        c->gram_period = rates[1];
        measure_all(world, &j, &store, row, c, e);
    }
    moment_pass_free(&v);
    store_close(&store);
    c->seconds = clock_seconds() - start;
    if (error_is_set(e)) calibration_free(c);
    return error_is_set(e) ? -1 : 0;
}

void calibration_free(struct calibration *c)
{
    memory_free(c->row);
    memory_free(c->first);
    *c = (struct calibration){0};
}
