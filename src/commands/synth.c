/* aipm synth: every rank makes and writes a contiguous block of periods. */
#include <argp.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"
#include "commands/commands.h"
#include "io/jkp_csv.h"
#include "io/panel_file.h"
#include "panel/planted.h"
#include "panel/synthetic.h"

struct request {
    struct synthetic_options o;
    struct planted_options p; /* instead of o, if planted */
    bool planted;
    uint64_t given; /* bit k: option OPT_START + k */
    const char *output;
    const char *csv; /* stock-months as text instead of a panel */
    int columns;
};

enum {
    OPT_START = 1000,
    OPT_SHARPE,
    OPT_FACTOR,
    OPT_OWN,
    OPT_CROSS,
    OPT_VOLATILITY,
    OPT_CSV,
    OPT_COLUMNS,
    OPT_PLANTED,
    OPT_STRENGTH,
    OPT_LEAD,
    OPT_SECTORS,
    OPT_ABSENT,
    OPT_FREQUENCY,
    OPT_PER_YEAR
};

static const struct argp_option options[] = {
    {"output", 'o', "PANEL", 0, "The panel file to write (HDF5); needed", 0},
    {"assets", 'N', "N", 0, "Stocks in a period, at most; they enter and leave (500; planted: 20, fixed)", 1},
    {"characteristics", 'D', "D", 0, "Characteristics, 4 or more (12; planted: 1 or more, 4)", 1},
    {"periods", 'T', "T", 0, "Months (300); planted: periods (1000)", 1},
    {"start", OPT_START, "DATE", 0, "First month, YYYYMM (199501); planted: first day, YYYYMMDD (20000103)", 1},
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
    {"volatility", OPT_VOLATILITY, "X", 0, "Idiosyncratic volatility a month, decimal (0.1; planted: a period, 0.02)", 2},
    {"planted", OPT_PLANTED, "KIND", 0,
     "Instead of stocks: one planted link between assets. lead_lag: asset 0 moves the others --lead periods later. sectors: "
     "what the "
     "members of sector 0 show on average moves the other sectors. momentum: premia of managed factors that last two years. "
     "reversal: an asset's last return turns. noise: characteristics mean nothing, the market has a premium",
     3},
    {"strength", OPT_STRENGTH, "X", 0, "Correlation that the link makes (0.5); 0: the control, a panel with nothing to find",
     3},
    {"lead", OPT_LEAD, "K", 0, "lead_lag: periods by which asset 0 leads (2)", 3},
    {"sectors", OPT_SECTORS, "S", 0, "sectors: how many (4)", 3},
    {"absent", OPT_ABSENT, "X", 0, "Share of asset-periods that are missing, never asset 0's (0)", 3},
    {"frequency", OPT_FREQUENCY, "TEXT", 0, "daily (weekdays), hourly or monthly (daily)", 3},
    {"periods-per-year", OPT_PER_YEAR, "N", 0, "By which the panel is annualised (252, 8760, 12)", 3},
    {"csv", OPT_CSV, "FILE", 0,
     "Instead of a panel: a CSV file shaped like JKP's (names, quoting, missing values) of --assets, --periods, --start and "
     "--seed, to try ingest with; its numbers mean nothing",
     4},
    {"csv-columns", OPT_COLUMNS, "N", 0, "Its columns, 190 or more (440)", 4},
    {"quiet", 'q', NULL, 0, "Warnings and errors only", 4},
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
    "Planted panels try models of sequences. r_i(t) is the return over t-1 to t, e are independent N(0, 1), s is "
    "--strength. lead_lag: r_0(t) = sigma e_0(t), r_i(t) = b r_0(t - lead) + sigma e_i(t), b = s / sqrt(1 - s^2); "
    "characteristic 0 is r_i(t) through its distribution function less 0.5. A row of date t has the return r_i(t+1): "
    "of what is known at t only asset 0's characteristic 0 at lag lead - 1 says something of it (lag 0 is t itself). "
    "sectors: asset i is in sector i mod S, the mean m(t) of characteristic 0 over sector 0 moves the others, "
    "r_i(t+1) = b m(t) + sigma e_i(t+1), corr = s; the group columns sector and market go with it. In both "
    "characteristic 1, size, marks who leads: 0.25, always, and below 0 for the others; the rest is noise. Worlds that aipm "
    "trial must tell apart: momentum, r_i(t+1) = sum_d p_d(t) x_id(t) + sigma e_i(t+1) with premia p that last 24 periods; "
    "reversal, r_i(t+1) = sigma (e_i(t+1) - b e_i(t)); noise, r_i(t+1) = f(t+1) + sigma e_i(t+1), f of Sharpe ratio b a "
    "period "
    "and characteristics without a meaning.\n\n"
    "The same options give the same file for any number of ranks.\n\n"
    "Examples:\n"
    "  aipm synth -o data/demo.h5\n"
    "  aipm synth -o data/no-cross.h5 --cross-share 0 --seed 7\n"
    "  aipm synth -o data/lead.h5 --planted lead_lag --lead 2 --strength 0.3\n"
    "  mpirun -n 4 aipm synth -o data/large.h5 --assets 5000 --characteristics 132 --periods 719 --start 196301\n";

/* Options that only some panels have. */
enum { STOCKS = 1, LEAD_LAG = 2, SECTORS = 4, PLANTED = ~STOCKS };
static const struct {
    int key, panels;
} only[] = {
    {OPT_SHARPE, STOCKS},     {OPT_FACTOR, STOCKS},    {OPT_OWN, STOCKS},       {OPT_CROSS, STOCKS},
    {OPT_CSV, STOCKS},        {OPT_COLUMNS, STOCKS},   {OPT_STRENGTH, PLANTED}, {OPT_ABSENT, PLANTED},
    {OPT_FREQUENCY, PLANTED}, {OPT_PER_YEAR, PLANTED}, {OPT_LEAD, LEAD_LAG},    {OPT_SECTORS, SECTORS},
};

static const char *option_name(int key)
{
    const struct argp_option *o = options;
    while (o->key != key) o++;
    return o->name;
}

/* All options are known: do they belong together, and are their values good? */
static int finish(struct argp_state *state, struct request *r)
{
    struct error e = {0};
    int panel = !r->planted ? STOCKS : LEAD_LAG << r->p.kind;
    for (size_t k = 0; k < sizeof only / sizeof *only; k++) {
        if (!(r->given >> (only[k].key - OPT_START) & 1) || only[k].panels & panel) continue;
        if (panel == STOCKS) return arguments_fail(state, "--%s: needed: --planted", option_name(only[k].key));
        return arguments_fail(state, "--%s makes no sense with --planted %s", option_name(only[k].key),
                              planted_name(r->p.kind));
    }
    if (!r->output == !r->csv) return arguments_fail(state, "which file to write? One of -o PANEL and --csv FILE is needed");
    if (r->planted ? planted_check(&r->p, &e) : synthetic_check(&r->o, &e)) return arguments_fail(state, "%s", e.text);
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct request *r = state->input;
    long long v = 0;
    int rc = 0;
    if (key >= OPT_START && key <= OPT_PER_YEAR) r->given |= UINT64_C(1) << (key - OPT_START);
    switch (key) {
    case 'o': r->output = arg; break;
    case 'N':
        rc = arguments_whole(state, "assets", "a whole number", arg, 1, INT32_MAX, &v), r->o.N = r->p.N = (int)v;
        break;
    case 'D':
        rc = arguments_whole(state, "characteristics", "a whole number", arg, 1, INT32_MAX, &v), r->o.D = r->p.D = (int)v;
        break;
    case 'T':
        rc = arguments_whole(state, "periods", "a whole number", arg, 1, INT32_MAX, &v), r->o.T = r->p.T = (int)v;
        break;
    case OPT_START:
        rc = arguments_whole(state, "start", "a whole number", arg, 0, 99999999, &v), r->p.start = r->o.start = (int)v;
        break;
    case 's':
        rc = arguments_whole(state, "seed", "a whole number", arg, 0, INT64_MAX, &v), r->o.seed = r->p.seed = (uint64_t)v;
        break;
    case OPT_SHARPE: rc = arguments_real(state, "sharpe", "a number", arg, -DBL_MAX, DBL_MAX, &r->o.sharpe); break;
    case OPT_FACTOR:
        rc = arguments_real(state, "factor-share", "a number", arg, -DBL_MAX, DBL_MAX, &r->o.factor_share);
        break;
    case OPT_OWN: rc = arguments_real(state, "own-share", "a number", arg, -DBL_MAX, DBL_MAX, &r->o.own_share); break;
    case OPT_CROSS: rc = arguments_real(state, "cross-share", "a number", arg, -DBL_MAX, DBL_MAX, &r->o.cross_share); break;
    case OPT_VOLATILITY:
        rc = arguments_real(state, "volatility", "a number", arg, -DBL_MAX, DBL_MAX, &r->o.volatility),
        r->p.volatility = r->o.volatility;
        break;
    case OPT_PLANTED:
        r->planted = true;
        if (planted_find(arg, &r->p.kind))
            return arguments_fail(state, "--planted '%s': lead_lag, sectors, momentum, reversal or noise is needed", arg);
        break;
    case OPT_STRENGTH: rc = arguments_real(state, "strength", "a number", arg, -DBL_MAX, DBL_MAX, &r->p.strength); break;
    case OPT_LEAD: rc = arguments_whole(state, "lead", "a whole number", arg, 1, INT32_MAX, &v), r->p.lead = (int)v; break;
    case OPT_SECTORS:
        rc = arguments_whole(state, "sectors", "a whole number", arg, 1, INT32_MAX, &v), r->p.sectors = (int)v;
        break;
    case OPT_ABSENT: rc = arguments_real(state, "absent", "a number", arg, -DBL_MAX, DBL_MAX, &r->p.absent); break;
    case OPT_FREQUENCY: r->p.frequency = arg; break;
    case OPT_PER_YEAR:
        rc = arguments_whole(state, "periods-per-year", "a whole number", arg, 1, INT32_MAX, &v),
        r->p.periods_per_year = (int)v;
        break;
    case OPT_CSV: r->csv = arg; break;
    case OPT_COLUMNS:
        rc = arguments_whole(state, "csv-columns", "a whole number", arg, JKP_CSV_COLUMNS, 4000, &v), r->columns = (int)v;
        break;
    case 'q': log_set_quiet(true); break;
    case ARGP_KEY_ARG: return arguments_fail(state, "'%s': synth takes options only, as -o PANEL", arg);
    case ARGP_KEY_END: return finish(state, r);
    default: return ARGP_ERR_UNKNOWN;
    }
    return rc;
}

static int write_options(struct panel_writer *w, const struct request *r, double ceiling, struct error *e)
{
    const struct synthetic_options *o = &r->o;
    const struct {
        const char *name;
        double value;
    } reals[] = {
        {"synth_sharpe", o->sharpe},           {"synth_factor_share", o->factor_share}, {"synth_own_share", o->own_share},
        {"synth_cross_share", o->cross_share}, {"synth_volatility", o->volatility},     {"synth_ceiling", ceiling},
    };
    int rc = panel_write_text(w, "made_by", version_text(), e);
    if (!rc) rc = panel_write_int(w, "synth_assets", o->N, e);
    if (!rc) rc = panel_write_int(w, "synth_seed", (int64_t)o->seed, e);
    for (size_t i = 0; i < sizeof reals / sizeof *reals && !rc; i++)
        rc = panel_write_real(w, reals[i].name, reals[i].value, e);
    return rc;
}

static int write_planted_options(struct panel_writer *w, const struct planted *p, const struct planted_options *o,
                                 struct error *e)
{
    const char *number = o->kind == PLANTED_LEAD_LAG ? "synth_lead" : o->kind == PLANTED_SECTORS ? "synth_sectors" : NULL;
    int rc = panel_write_text(w, "made_by", version_text(), e);
    if (!rc) rc = panel_write_text(w, "synth_planted", planted_name(o->kind), e);
    if (!rc) rc = panel_write_int(w, "synth_seed", (int64_t)o->seed, e);
    if (!rc && number) rc = panel_write_int(w, number, o->kind == PLANTED_SECTORS ? o->sectors : o->lead, e);
    if (!rc) rc = panel_write_real(w, "synth_strength", o->strength, e);
    if (!rc) rc = panel_write_real(w, "synth_absent", o->absent, e);
    if (!rc) rc = panel_write_real(w, "synth_volatility", o->volatility, e);
    if (!rc) rc = panel_write_real(w, "synth_slope", planted_slope(p), e);
    if (!rc) rc = panel_write_real(w, "synth_ceiling", planted_ceiling(p), e);
    return rc;
}

/* One of the two kinds of panel. */
struct maker {
    struct synthetic *stocks;
    struct planted *planted;
};

static int make_period(const struct maker *k, int t, struct row_buffer *b, double *sdf)
{
    if (k->planted) return planted_period(k->planted, t, b->characteristics, b->returns, b->ids, b->group, sdf);
    return synthetic_period(k->stocks, t, b->characteristics, b->returns, b->ids, b->size_groups, sdf);
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
static void write_block(struct panel_writer *w, const struct maker *k, const struct panel_meta *m, const struct team *world,
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
        int n = make_period(k, t, &b, &sdf);
        require(n == m->offsets[t + 1] - m->offsets[t]);
        if (!panel_write_rows(w, m->offsets[t], n, b.characteristics, b.returns, b.ids, b.size_groups, b.group, e))
            panel_write_truth(w, t, sdf, e);
        progress_show(&p, m->offsets[t + 1] - m->offsets[first], NULL);
    }
    if (!error_is_set(e)) progress_end(&p, m->offsets[last] - m->offsets[first]);
    row_buffer_free(&b);
}

static void write_panel(const struct request *r, struct team *world, struct error *e)
{
    struct maker k = {r->planted ? NULL : synthetic_create(&r->o), r->planted ? planted_create(&r->p) : NULL};
    struct panel_meta m;
    char size[32], took[32];
    double start = clock_seconds();
    if (k.planted) planted_describe(k.planted, &m);
    else synthetic_describe(k.stocks, &m);
    double ceiling = k.planted ? planted_ceiling(k.planted) : synthetic_ceiling(k.stocks);
    log_info("%s: %lld rows of %d characteristics over %d %s, %s; true Sharpe ratio %.2f a year", r->output,
             (long long)m.rows, m.D, m.T, k.planted ? "periods" : "months", format_bytes(panel_row_bytes(&m), size),
             ceiling);
    struct panel_writer *w = panel_write_begin(r->output, world, &m, e);
    if (w) {
        if (!panel_make_truth(w, e) &&
            !(k.planted ? write_planted_options(w, k.planted, &r->p, e) : write_options(w, r, ceiling, e)))
            write_block(w, &k, &m, world, e);
        if (!panel_write_end(w, e))
            log_info("%s: written in %s (%.0f MB/s)", r->output, format_duration(clock_seconds() - start, took),
                     panel_row_bytes(&m) / 1e6 / fmax(clock_seconds() - start, 1e-9));
    }
    panel_meta_free(&m);
    synthetic_destroy(k.stocks);
    planted_destroy(k.planted);
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
    struct request r = {.o = synthetic_default, .p = planted_default, .columns = 440};
    struct error e = {0};
    int status = arguments_parse(&argp, argc, argv, &r);
    if (status >= 0) return status;
    if (r.csv) write_csv(&r, world, &e);
    else write_panel(&r, world, &e);
    if (!error_is_set(&e)) return EXIT_DONE;
    if (log_speaks()) fprintf(stderr, "aipm synth: %s\n", e.text);
    return EXIT_INPUT;
}
