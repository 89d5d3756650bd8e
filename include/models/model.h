/* A pricing model as the rolling driver sees it: it turns what is known at t into a portfolio held over t -> t+1. The
 * driver owns windows, returns and results; a model owns its parameters and workspace, nothing else.
 *   T periods in the window   n assets in a period   D characteristics   nz ridge penalties   V variants
 * A model states positions in base assets whose returns it never sees before they are earned: the driver multiplies.
 * One fit may yield many portfolios at once (every ridge, every head count): its variants. */
#ifndef MODELS_MODEL_H
#define MODELS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "panel/moments.h"
#include "panel/panel.h"
#include "panel/window.h"

struct team;

/* ---- options: one table drives the study parser, --help and the results' attributes ---- */
enum option_type { OPTION_INT, OPTION_REAL, OPTION_BOOL, OPTION_WORD, OPTION_INTS };
struct model_option {
    const char *key;
    enum option_type type;
    const char *fallback; /* default, as it would be written in a study file; NULL: must be given */
    const char *words;    /* OPTION_WORD: the allowed ones, "msrr|ols"; NULL: any text */
    double low, high;     /* numbers: allowed range, inclusive */
    const char *help;     /* one line: meaning and unit */
};
struct value {
    double number; /* OPTION_INT, REAL, BOOL (0 or 1) */
    char *word;    /* OPTION_WORD */
    int n;         /* OPTION_INTS: how many */
    int *list;
};
struct values { /* one value per entry of the class's option table, in its order */
    const struct model_option *options;
    struct value *value;
    int n;
};
long values_int(const struct values *v, const char *key);
double values_real(const struct values *v, const char *key);
bool values_bool(const struct values *v, const char *key);
const char *values_word(const struct values *v, const char *key);
const int *values_list(const struct values *v, const char *key, int *n);

/* ---- what a model is made for ---- */
struct shape {
    int T, D;       /* window length (the longest, if it grows), characteristics */
    int shortest;   /* windows grow from this to T periods; 0 or T: they roll */
    int lookback;   /* L: steps of a history, by the option `lookback` of classes that need one; else 1 */
    int max_assets; /* largest n_t of the universe's panel */
    const struct panel_meta *panel;
    int nz;
    const double *ridge; /* [nz] ascending: z, not z T */
    enum factor_scale factor_scale;
    int shards;       /* row blocks a period is cut into (neural models) */
    size_t memory;    /* bytes of workspace a model should stay under where it has a choice; same on all ranks and runs */
    const char *name; /* the model's name in the study, for messages */
};

struct cost {
    double flops;         /* of one fit in steady state */
    double seconds;       /* of one fit, expected from measured rates; schedules use this */
    double first_seconds; /* extra for the first of a run of consecutive windows (start-up) */
    double bytes;         /* all the memory create() takes */
};

/* What the fit wants in the window. */
enum need {
    NEED_FACTORS = 1,   /* period.factors, window.factor_gram */
    NEED_TIMING = 2,    /* period.timing, window.timing_gram */
    NEED_ROWS = 4,      /* period.characteristics, returns, ids */
    NEED_BENCHMARK = 8, /* period.benchmark: of the panel's benchmark named like the model */
    NEED_HISTORY = 16,  /* with NEED_ROWS: period.history over shape.lookback steps, and period.group */
};

/* What the base assets of positions are. */
enum trade {
    TRADE_FACTORS,   /* the D scaled managed factors F_{t+1}; weights on assets are X_t theta */
    TRADE_ASSETS,    /* the n assets of now */
    TRADE_BENCHMARK, /* the k benchmark factors */
    TRADE_OWN,       /* portfolios the model defines itself: own_assets, own_returns, own_weights */
};

/* ---- what a row of the results holds: declared once, stored by a generic writer ---- */
struct field {
    const char *name, *unit, *meaning;
    int rank;      /* dimensions after [P] (and [S] if per_seed) */
    int size[3];   /* their sizes */
    bool per_seed; /* neural models: every seed is its own fit; the dataset is [P, S, ...] */
};
struct constant { /* a dataset that does not vary by row, e.g. ridge [nz], heads [nh] */
    const char *name, *unit, *meaning;
    int n;
    const double *value; /* owned by the layout */
};
struct layout {
    int fields;
    struct field field[16]; /* field 0 is always `returns`, a scalar */
    int constants;
    struct constant constant[8];
    int variants; /* V: portfolios per fit */
    int seeds;    /* S: independent fits averaged into `returns`; 1 for closed-form models */
};
size_t layout_record(const struct layout *l); /* doubles that one fit's record takes: the sizes of all fields, in order */
/* Helpers for layout(): append a field / a constant (copies the values). */
void layout_field(struct layout *l, const char *name, int rank, int size0, int size1, bool per_seed, const char *unit,
                  const char *meaning);
void layout_cube(struct layout *l, const char *name, int size0, int size1, int size2, bool per_seed, const char *unit,
                 const char *meaning); /* of rank 3 */
void layout_constant(struct layout *l, const char *name, int n, const double *value, const char *unit, const char *meaning);
void layout_free(struct layout *l);

/* A fit's numerical outcome. Codes from FIT_NO_DATA on are no failures: at that date there is nothing to fit or to trade. */
enum { FIT_NO_DATA = 1000 };
struct fit_note {
    int code; /* 0 fine; > 0: the model's own code, kept in the results; its return is NaN */
    char text[160];
};

/* A long fit (a network's) and its driver: between two steps the fit asks the team's leader whether to go on. */
enum fit_wish { FIT_GO, FIT_SAVE, FIT_STOP };
struct fit_watch {
    void *context;
    enum fit_wish (*wish)(void *context);                         /* called on the team's rank 0; stop: save first */
    void (*save)(void *context, const void *state, size_t bytes); /* rank 0 again: what `state` will be on resume */
    const void *state; /* rank 0: resume from here with the same bits; NULL: from the start */
    size_t state_bytes;
    bool apply; /* no training: the parameters in hand are to be used as they are */
};

struct model;   /* each class embeds what it needs */
struct network; /* models/network.h */

struct model_class {
    const char *name, *summary;
    const struct model_option *options; /* ends with key NULL */
    unsigned needs;                     /* enum need, or-ed */
    enum trade trades;
    bool grows; /* takes windows of any length up to shape.T, so those that grow */

    /* The class that serves these options, where another does (with the same table of options); NULL: this one. May be NULL. */
    const struct model_class *(*serving)(const struct values *);
    /* Refuse what makes no sense for this panel (heads beyond D, no such benchmark): fill e with what was found and needed. */
    int (*check)(const struct shape *, const struct values *, struct error *e);
    /* Ranks that share one fit, a fixed number since the answer's bits may depend on it; NULL: 1. Not for classes that want rows. */
    int (*ranks)(const struct values *);
    /* What the class chose where its options leave it a choice, "road=iterative": logged, and kept with the options. May be NULL. */
    void (*choice)(const struct shape *, const struct values *, char *out, size_t size);
    void (*cost)(const struct shape *, const struct values *, struct cost *);
    void (*layout)(const struct shape *, const struct values *, struct layout *); /* caller: layout_free */
    /* All memory the model ever needs; `seed` keys its random numbers. */
    struct model *(*create)(const struct shape *, uint64_t seed, const struct values *);
    void (*destroy)(struct model *);
    /* Train on window->period[0..T-1]. Collective on team. Consecutive windows may reuse what the last one computed, but
     * the answer must not depend on which windows came before. 0 ok, else note->code. */
    int (*fit)(struct model *, const struct window *, struct team *, struct fit_note *);
    /* out [V, base assets]: the positions of every variant for period[T] (now). */
    void (*positions)(struct model *, const struct window *, double *out);
    /* The realised return of each variant is known: fill the record (layout order); record[0] is the model's return. */
    void (*record)(struct model *, const double *variant_returns, double *record);
    /* TRADE_OWN only: how many base assets; their returns over a period whose own returns are known by now (out [own_assets]);
     * the weights on assets of one portfolio theta [own_assets] of them in period now (out [n]). */
    int (*own_assets)(const struct shape *, const struct values *);
    void (*own_returns)(struct model *, const struct period *realised, double *out);
    void (*own_weights)(struct model *, const struct period *now, const double *theta, float *out);
    /* Networks only (NULL elsewhere): the watch of the fits to come, NULL for none; the network itself, whose parameters the
     * last fit left, for saving and loading them. A warm start goes on from what it holds: `warm` says whether it may. */
    void (*watch)(struct model *, struct fit_watch *);
    struct network *(*network)(struct model *);
    void (*warm)(struct model *, bool may);
    /* Which variant record() reported as `returns` (save_weights stores that one's weights). */
    int (*chosen)(const struct model *);
};

/* The registry (models.def): NULL-terminated. */
const struct model_class *const *model_classes(void);
const struct model_class *model_class_find(const char *kind); /* NULL: none */

#endif
