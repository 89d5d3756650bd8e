/* aipm synth: every rank makes and writes a contiguous block of periods. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"
#include "commands/commands.h"
#include "io/hdf.h"
#include "io/jkp_csv.h"
#include "io/panel_file.h"
#include "panel/synthetic.h"

struct request {
    struct synthetic_options o;
    const char *output;
    const char *csv; /* stock-months as text instead of a panel */
    int columns;
};

enum { OPT_START = 1000, OPT_SHARPE, OPT_FACTOR, OPT_OWN, OPT_CROSS, OPT_VOLATILITY, OPT_CSV, OPT_COLUMNS };

static const struct argp_option options[] = {
    {"output", 'o', "PANEL", 0, "The panel file to write (HDF5); needed", 0},
    {"assets", 'N', "N", 0, "Stocks in a period, at most; they enter and leave (500)", 1},
    {"characteristics", 'D', "D", 0, "Characteristics, 4 or more (12)", 1},
    {"periods", 'T', "T", 0, "Months (300)", 1},
    {"start", OPT_START, "YYYYMM", 0, "First month (199501)", 1},
    {"seed", 's', "S", 0, "Another seed, another panel; the same seed, the same bytes (1)", 1},
    {"sharpe", OPT_SHARPE, "X", 0,
     "Annual Sharpe ratio of the true SDF portfolio when the shares sum to 1: no model can do better (4)", 2},
    {"factor-share", OPT_FACTOR, "X", 0,
     "Share of its square that comes from factors on which stocks load by their characteristics (0.3)", 2},
    {"own-share", OPT_OWN, "X", 0, "Share from products and squares of a stock's own characteristics (0.3)", 2},
    {"cross-share", OPT_CROSS, "X", 0,
     "Share from the other stocks' characteristics: a premium that follows their co-moments and changes its "
     "sign (0.4)",
     2},
    {"volatility", OPT_VOLATILITY, "X", 0, "Idiosyncratic volatility a month, decimal (0.1)", 2},
    {"csv", OPT_CSV, "FILE", 0,
     "Instead of a panel: a CSV file shaped like JKP's (names, quoting, missing values) of --assets, --periods, --start and "
     "--seed, to try ingest with; its numbers mean nothing",
     3},
    {"csv-columns", OPT_COLUMNS, "N", 0, "Its columns, 190 or more (440)", 3},
    {"quiet", 'q', NULL, 0, "Warnings and errors only", 3},
    {0},
};

static const char teaching[] =
    "Make a synthetic panel of stocks with a known stochastic discount factor.\v"
    "The panel looks like JKP's: stocks enter and leave, characteristics are persistent, correlated within themes and "
    "ranked to "
    "[-0.5, 0.5] every month, size groups go from micro to mega. Excess returns have a factor part, an own-asset nonlinear "
    "part and a "
    "cross-asset part; a share of 0 switches a part off. BSV sees the first only, the linear transformer the first and the "
    "last. "
    "truth/sdf_returns holds the return of the true conditional SDF portfolio, the ceiling for every model.\n\n"
    "The same options give the same file for any number of ranks.\n\n"
    "Examples:\n"
    "  aipm synth -o data/demo.h5\n"
    "  aipm synth -o data/no-cross.h5 --cross-share 0 --seed 7\n"
    "  mpirun -n 4 aipm synth -o data/large.h5 --assets 5000 --characteristics 132 --periods 719 --start 196301\n";

static int read_integer(struct argp_state *state, const char *what, const char *text, long long low, long long high,
                        long long *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (end == text || *end || errno || *out < low || *out > high)
        return arguments_fail(state, "--%s '%s': an integer from %lld to %lld is needed", what, text, low, high);
    return 0;
}

static int read_real(struct argp_state *state, const char *what, const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    if (end == text || *end || !isfinite(*out)) return arguments_fail(state, "--%s '%s': a number is needed", what, text);
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct request *r = state->input;
    struct error e = {0};
    long long v = 0;
    int rc = 0;
    switch (key) {
    case 'o': r->output = arg; break;
    case 'N': rc = read_integer(state, "assets", arg, 1, INT32_MAX, &v), r->o.N = (int)v; break;
    case 'D': rc = read_integer(state, "characteristics", arg, 1, INT32_MAX, &v), r->o.D = (int)v; break;
    case 'T': rc = read_integer(state, "periods", arg, 1, INT32_MAX, &v), r->o.T = (int)v; break;
    case OPT_START: rc = read_integer(state, "start", arg, 0, 999999, &v), r->o.start = (int)v; break;
    case 's': rc = read_integer(state, "seed", arg, 0, INT64_MAX, &v), r->o.seed = (uint64_t)v; break;
    case OPT_SHARPE: rc = read_real(state, "sharpe", arg, &r->o.sharpe); break;
    case OPT_FACTOR: rc = read_real(state, "factor-share", arg, &r->o.factor_share); break;
    case OPT_OWN: rc = read_real(state, "own-share", arg, &r->o.own_share); break;
    case OPT_CROSS: rc = read_real(state, "cross-share", arg, &r->o.cross_share); break;
    case OPT_VOLATILITY: rc = read_real(state, "volatility", arg, &r->o.volatility); break;
    case OPT_CSV: r->csv = arg; break;
    case OPT_COLUMNS: rc = read_integer(state, "csv-columns", arg, JKP_CSV_COLUMNS, 4000, &v), r->columns = (int)v; break;
    case 'q': log_set_quiet(true); break;
    case ARGP_KEY_ARG: return arguments_fail(state, "'%s': synth takes options only, as -o PANEL", arg);
    case ARGP_KEY_END:
        if (!r->output == !r->csv)
            return arguments_fail(state, "which file to write? One of -o PANEL and --csv FILE is needed");
        if (synthetic_check(&r->o, &e)) return arguments_fail(state, "%s", e.text);
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return rc;
}

static int write_options(struct hdf *f, const struct request *r, double ceiling, struct error *e)
{
    const struct synthetic_options *o = &r->o;
    const struct {
        const char *name;
        double value;
    } reals[] = {
        {"synth_sharpe", o->sharpe},           {"synth_factor_share", o->factor_share}, {"synth_own_share", o->own_share},
        {"synth_cross_share", o->cross_share}, {"synth_volatility", o->volatility},     {"synth_ceiling", ceiling},
    };
    int rc = hdf_put_text(f, "/", "made_by", version_text(), e);
    if (!rc) rc = hdf_put_int(f, "/", "synth_assets", o->N, e);
    if (!rc) rc = hdf_put_int(f, "/", "synth_seed", (int64_t)o->seed, e);
    for (size_t i = 0; i < sizeof reals / sizeof *reals && !rc; i++)
        rc = hdf_put_real(f, "/", reals[i].name, reals[i].value, e);
    return rc;
}

/* The first period of rank r's block: blocks hold about the same number of rows. */
static int block_start(const struct panel_meta *m, int r, int ranks)
{
    int64_t row = (int64_t)((double)m->rows * r / ranks);
    int t = 0;
    while (t < m->T && m->offsets[t] < row) t++;
    return r == ranks ? m->T : t;
}

/* My block of periods, one at a time. Not collective. */
static void write_block(struct panel_writer *w, struct synthetic *s, const struct panel_meta *m, const struct team *world,
                        struct error *e)
{
    int me = team_rank(world), ranks = team_size(world), first = block_start(m, me, ranks),
        last = block_start(m, me + 1, ranks);
    struct row_buffer b;
    struct progress p;
    row_buffer_create(&b, m, panel_max_assets(m));
    progress_begin(&p, "synth (this rank)", m->offsets[last] - m->offsets[first], 0);
    for (int t = first; t < last && !error_is_set(e); t++) {
        double sdf;
        int n = synthetic_period(s, t, b.characteristics, b.returns, b.ids, b.size_groups, &sdf);
        require(n == m->offsets[t + 1] - m->offsets[t]);
        if (!panel_write_rows(w, m->offsets[t], n, b.characteristics, b.returns, b.ids, b.size_groups, b.group, e))
            hdf_write_part(panel_writer_file(w), "truth/sdf_returns", HDF_FLOAT64, t, 1, &sdf, e);
        progress_show(&p, m->offsets[t + 1] - m->offsets[first], NULL);
    }
    if (!error_is_set(e)) progress_end(&p, m->offsets[last] - m->offsets[first]);
    row_buffer_free(&b);
}

static void write_panel(const struct request *r, struct team *world, struct error *e)
{
    struct synthetic *s = synthetic_create(&r->o);
    struct panel_meta m;
    char size[32], took[32];
    double start = clock_seconds();
    synthetic_describe(s, &m);
    log_info("%s: %lld rows of %d characteristics over %d months, %s; true Sharpe ratio %.2f a year", r->output,
             (long long)m.rows, m.D, m.T, format_bytes(panel_row_bytes(&m), size), synthetic_ceiling(s));
    struct panel_writer *w = panel_write_begin(r->output, world, &m, e);
    if (w) {
        int64_t T = m.T;
        if (!hdf_dataset(panel_writer_file(w), "truth/sdf_returns", HDF_FLOAT64, 1, &T, 0, NULL, e) &&
            !write_options(panel_writer_file(w), r, synthetic_ceiling(s), e))
            write_block(w, s, &m, world, e);
        if (!panel_write_end(w, e))
            log_info("%s: written in %s (%.0f MB/s)", r->output, format_duration(clock_seconds() - start, took),
                     panel_row_bytes(&m) / 1e6 / fmax(clock_seconds() - start, 1e-9));
    }
    panel_meta_free(&m);
    synthetic_destroy(s);
}

static void write_csv(const struct request *r, struct team *world, struct error *e)
{
    struct jkp_csv_options o = {r->o.N, r->o.T, r->o.start / 100 * 12 + r->o.start % 100 - 1, r->columns, r->o.seed};
    int64_t rows = 0, bytes = 0;
    char size[32], took[32];
    double start = clock_seconds();
    if (!jkp_csv_write(r->csv, &o, world, &rows, &bytes, e))
        log_info("%s: %lld stock-months of %d columns, %s, written in %s", r->csv, (long long)rows, r->columns,
                 format_bytes((double)bytes, size), format_duration(clock_seconds() - start, took));
}

int command_synth(int argc, char **argv, struct team *world)
{
    static const struct argp argp = {.options = options, .parser = parse, .args_doc = "-o PANEL", .doc = teaching};
    struct request r = {.o = synthetic_default, .columns = 440};
    struct error e = {0};
    int status = arguments_parse(&argp, argc, argv, &r);
    if (status >= 0) return status;
    if (r.csv) write_csv(&r, world, &e);
    else write_panel(&r, world, &e);
    if (!error_is_set(&e)) return EXIT_DONE;
    if (log_speaks()) fprintf(stderr, "aipm synth: %s\n", e.text);
    return EXIT_INPUT;
}
