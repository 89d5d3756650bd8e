/* A study: what to train, over which windows, of which universes. Parsed from YAML (FORMATS in README), sweeps expanded, checked against
 * the panel; every mistake is reported with its line, what was found and what is needed. */
#ifndef STUDY_STUDY_H
#define STUDY_STUDY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/results_write.h"
#include "models/model.h"
#include "panel/panel.h"

struct yaml_node;

/* One model with every swept value fixed, in one universe. */
struct config {
    const struct model_class *class;
    const struct universe *universe;
    char *name;  /* "transformer.blocks=10" */
    char *model; /* the name without sweep, "transformer" */
    struct values values;
    struct fit_policy policy; /* of classes without parameters: every row is fitted */
    bool grows;               /* every window begins with the panel; the first has shape.shortest periods */
    struct shape shape;
    struct layout layout;
    struct cost cost;
    char *options; /* "kind=bsv window=60", every option with its value */
    int line;
};

struct study {
    char *file, *text; /* the YAML as read */
    char *name, *panel, *output;
    int windows,
        *window; /* default window lengths, below 0: growing from so many; several: every model is swept over them */
    int universes;
    const struct universe *universe[8];
    int nz;
    double *ridge; /* [nz] ascending */
    enum factor_scale factor_scale;
    uint64_t seed;
    int shards;
    int ranks_per_fit; /* ranks that share one network's fit; 0: as many as there are ranks without a task */
    bool save_weights;
    struct placebo placebo;           /* asked for when the study is run, not by its file; keyed by its seed */
    double memory;                    /* bytes of workspace a model should stay under where it has a choice */
    const struct yaml_node *lookback; /* while it is parsed: the root's, for all models that look back */
    int configs;
    struct config *config; /* universe-major, then models in file order, last swept key fastest */
    int min_window, P;     /* out-of-sample periods: panel periods min_window .. T-1; set by study_bind */
};

/* From text (copied). Everything that can be checked without a panel is. study_free on success. */
int study_parse(const char *file, const char *text, struct study *s, struct error *e);
/* The same of a file that the first rank reads. Collective; the error is the same everywhere. */
int study_load(struct team *team, const char *file, struct study *s, struct error *e);
/* Fit to a panel: windows, universes, benchmarks, each class's own check; fills shapes, layouts, costs, P. meta must outlive s. */
int study_bind(struct study *s, const struct panel_meta *meta, struct error *e);
void study_free(struct study *s);

/* What the study computes, a line each, in a canonical form: equal for two files that differ in comments, order of keys or
 * paths. memory_free. digest: the panel's. */
char *study_fingerprint(const struct study *s, const char *panel_digest);
/* How `now` differs from `before`, for a refusal: up to a few lines into out. Returns 0 if they are equal. */
int fingerprint_compare(const char *before, const char *now, char *out, size_t size);

/* Row p of a config trains on panel periods t-T .. t-1 (growing: 0 .. t-1) and trades at t = min_window + p. */
static inline int study_period(const struct study *s, int row)
{
    return s->min_window + row;
}
static inline int config_first_row(const struct study *s, const struct config *c)
{
    return c->shape.shortest - s->min_window;
}
static inline int config_window(const struct study *s, const struct config *c, int row)
{
    return c->grows ? study_period(s, row) : c->shape.T;
}

/* The number of its universe. */
static inline int config_universe(const struct study *s, const struct config *c)
{
    int u = 0;
    while (s->universe[u] != c->universe) u++;
    return u;
}
/* Periods of the longest window of any configuration. */
int study_longest_window(const struct study *s);
/* How many fits a seed of its takes. */
static inline int64_t config_fits(const struct study *s, const struct config *c)
{
    return (s->P - config_first_row(s, c) + c->policy.refit_every - 1) / c->policy.refit_every;
}
/* Ranks that share a fit of this configuration (struct shared_fit). */
int config_ranks(const struct config *c);
/* What this row's fit takes, as a share of the one over the longest window (1 where windows roll). */
double config_share(const struct study *s, const struct config *c, int row);

/* The keys of a study file and of every model kind, for `aipm run --help`. */
void study_explain(void (*print)(const char *line));

#endif
