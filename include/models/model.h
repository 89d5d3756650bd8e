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
#include "nn/fit.h"
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
/* An option a line: key, default, range or words, meaning. */
#define INT_OPTION(k, first, least, most, text)                                                                             \
    {                                                                                                                       \
        .key = k, .type = OPTION_INT, .fallback = first, .low = least, .high = most, .help = text                           \
    }
#define INTS_OPTION(k, first, least, most, text)                                                                            \
    {                                                                                                                       \
        .key = k, .type = OPTION_INTS, .fallback = first, .low = least, .high = most, .help = text                          \
    }
#define REAL_OPTION(k, first, least, most, text)                                                                            \
    {                                                                                                                       \
        .key = k, .type = OPTION_REAL, .fallback = first, .low = least, .high = most, .help = text                          \
    }
#define BOOL_OPTION(k, first, text)                                                                                         \
    {                                                                                                                       \
        .key = k, .type = OPTION_BOOL, .fallback = first, .help = text                                                      \
    }
#define WORD_OPTION(k, first, allowed, text)                                                                                \
    {                                                                                                                       \
        .key = k, .type = OPTION_WORD, .fallback = first, .words = allowed, .help = text                                    \
    }
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
void values_set(struct values *v, const char *key, double number); /* of an option that is a number */

/* ---- what a model is made for ---- */
struct shape {
    int T, D;       /* window length (the longest, if it grows), characteristics */
    int shortest;   /* windows grow from this to T periods; 0 or T: they roll */
    int lookback;   /* L: steps of a history, by the option `lookback` of classes that need one; else 1 */
    int max_assets; /* largest n_t of the universe's panel */
    const struct panel_meta *panel;
    const struct benchmark *benchmark; /* NEED_BENCHMARK: the panel's, named like the model; else NULL */
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
    NEED_HISTORY = 16,  /* with NEED_ROWS: period.history over shape.lookback steps */
    NEED_GROUPS = 32,   /* with NEED_ROWS: period.group */
};

/* What the base assets of positions are. */
enum trade {
    TRADE_FACTORS,   /* the D scaled managed factors F_{t+1}; weights on assets are X_t theta */
    TRADE_ASSETS,    /* the n assets of now */
    TRADE_BENCHMARK, /* the k benchmark factors */
    TRADE_OWN,       /* portfolios the model defines itself: struct own_portfolios */
};

/* ---- what the results hold of a model: declared once here; io/results_schema.h writes it and reads it back ---- */
enum { FIELD_RANK = 3, LAYOUT_FIELDS = 16, LAYOUT_CONSTANTS = 8 };
struct dimension {
    const char *name; /* "ridge", "head", "epoch": of one size in a model; NULL: none */
    int size;
};
struct field { /* a number, or an array, for every fit; its dataset is [date, ...], or [date, seed, ...] */
    const char *name, *unit, *meaning;
    struct dimension dim[FIELD_RANK]; /* after date and seed; as many as have names */
    bool per_seed;                    /* every seed's own; otherwise the mean over the seeds is kept */
};
struct constant { /* what does not vary by date, e.g. ridge [ridge]; the first along a dimension gives its coordinates */
    const char *name, *unit, *meaning, *dimension;
    int n;
    const double *value; /* [n] owned by the layout */
};
struct layout {
    int fields;
    struct field field[LAYOUT_FIELDS]; /* field 0 is always `returns`, a scalar */
    int constants;
    struct constant constant[LAYOUT_CONSTANTS];
    int variants; /* V: portfolios per fit */
    int seeds;    /* S: independent fits averaged into `returns`; 1 for closed-form models */
};
int field_rank(const struct field *f);
size_t field_size(const struct field *f);     /* doubles of one fit */
size_t layout_record(const struct layout *l); /* doubles that one fit's record takes: the sizes of all fields, in order */
void layout_field(struct layout *l, struct field f);       /* append it */
void layout_constant(struct layout *l, struct constant c); /* append it; its values are copied */
void layout_free(struct layout *l);

struct model;   /* each class embeds what it needs */
struct network; /* nn/network.h */

/* ---- what only some classes do: a part each; NULL: the class does not ---- */

/* Classes whose fits leave parameters, which are saved, loaded, and go on serving at later dates. */
struct trainable {
    struct fit_policy (*policy)(const struct values *);
    /* Polled during the fits to come; NULL: nobody. */
    void (*monitor)(struct model *, struct fit_monitor *);
    /* Whether the next fit may begin at the parameters in hand. */
    void (*warm)(struct model *, bool may);
    /* In place of a fit: the portfolio of now by the parameters in hand, no training. Of the window only period[T], now, is looked at, so
     * that T may be 0. Collective on team. 0 ok, else note->code. */
    int (*apply)(struct model *, const struct window *, struct team *, struct fit_note *);
    /* What holds the parameters that the last fit left. */
    struct network *(*network)(struct model *);
    /* Let every row take a fit, and where one takes `seconds`, more than half of one, let it have fewer epochs, then a shorter window,
     * until it takes about that: what a plan measures. */
    void (*shorten)(double seconds, struct shape *, struct values *);
};

/* Classes that trade portfolios they define themselves, from what they see of a period (TRADE_OWN). */
struct own_portfolios {
    int (*assets)(const struct shape *, const struct values *); /* how many */
    /* Their returns over a period whose assets' returns are known by now, out [assets]. */
    void (*returns)(struct model *, const struct period *realised, double *out);
    /* The weights on assets of a portfolio theta [assets] of them in period now, out [n]. */
    void (*weights)(struct model *, const struct period *now, const double *theta, float *out);
};

/* Classes of which several ranks may solve one fit: a fixed number, since the answer's bits may depend on it. Not for classes that want
 * rows. */
struct shared_fit {
    int (*ranks)(const struct values *);
};

/* Classes that can say whom assets attend to: recorded by the run itself, or computed from a network's saved parameters. */
struct explanation {
    const char *recorded_by; /* what a study says to have it recorded, "save_attention: mean or heads"; NULL: it is not */
    /* NULL, all three: not from parameters. Blocks and heads of a network; attention of one block (from 0) over a period, mean over heads
     * (head < 0) or of one: rows first .. first + count - 1 (at most TILE) of the softmax, out [count, n]. After a forward pass of that
     * period by a team of one; scratch [TILE, n]. */
    int (*blocks)(const struct network *);
    int (*heads)(const struct network *);
    void (*attention)(struct network *, const struct period *, int block, int head, int first, int count, float *out,
                      float *scratch);
};

struct model_class {
    /* ---- what every class has ---- */
    const char *name, *summary;
    const struct model_option *options; /* ends with key NULL */
    unsigned needs;                     /* enum need, or-ed */
    enum trade trades;
    bool grows; /* takes windows of any length up to shape.T, so those that grow */
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
    /* The realised return of each variant is known: fill the record (layout order). Returns the variant whose return record[0], the
     * model's, is: save_weights stores that one's portfolio. */
    int (*record)(struct model *, const double *variant_returns, double *record);

    /* ---- what some have; NULL: the class does not ---- */
    /* The class that serves these options, where another does (with the same table of options), or NULL for this one. */
    const struct model_class *(*serving)(const struct values *);
    /* Refuse what makes no sense for this panel (heads beyond D, no such benchmark): fill e with what was found and needed. */
    int (*check)(const struct shape *, const struct values *, struct error *e);
    /* What the class chose where its options leave it a choice, "road=iterative": logged, and kept with the options. */
    void (*choice)(const struct shape *, const struct values *, char *out, size_t size);
    const struct trainable *trainable;
    const struct own_portfolios *own;
    const struct shared_fit *shared;
    const struct explanation *explain;
};

/* The registry (models.def): NULL-terminated. */
const struct model_class *const *model_classes(void);
const struct model_class *model_class_find(const char *kind); /* NULL: none */

#endif
