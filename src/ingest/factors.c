/* The source of factors: published benchmarks and test assets, monthly, on the panel's dates. Month m's return belongs to the row of
 * m - 1, when the factor is held. */
#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/factor_file.h"
#include "panel/calendar.h"
#include "panel_builder.h"

static int read_table(const struct ingest_options *o, const char *file, const char *flag, bool percent, struct team *team,
                      struct factor_table *f, struct error *e)
{
    if (factor_table_read(file, percent, team, f, e)) return -1;
    return o->any_volatility ? 0 : factor_table_check_unit(f, file, flag, percent, e);
}

/* Without stocks: every month from the first to the last in which a benchmark (or else a test asset) is held. */
static void dates_of_tables(const struct factor_table *table, int n, struct panel_meta *m)
{
    int first = INT32_MAX, last = 0;
    for (int k = 0; k < n; k++) {
        if (table[k].first < first) first = table[k].first;
        if (table[k].first + table[k].months > last) last = table[k].first + table[k].months;
    }
    m->T = last - first;
    m->frequency = memory_text("monthly");
    m->dates = memory_array(int64_t, m->T, "panel dates");
    m->offsets = memory_array(int64_t, m->T + 1, "panel offsets");
    m->characteristic_names = memory_array(char *, 0, "names of characteristics");
    for (int t = 0; t < m->T; t++) m->dates[t] = month_end(first - 1 + t);
}

/* The table on the panel's dates, [T, k]; NaN elsewhere. */
static double *align(const struct factor_table *f, const struct panel_meta *m, const char *file)
{
    double *out = memory_array(double, (size_t)m->T * f->k, "factor returns");
    int used = 0;
    for (int t = 0; t < m->T; t++) {
        int row = (int)(m->dates[t] / 10000 * 12 + m->dates[t] / 100 % 100 - 1) + 1 - f->first;
        bool there = row >= 0 && row < f->months;
        for (int k = 0; k < f->k; k++) out[(size_t)t * f->k + k] = there ? f->returns[(size_t)row * f->k + k] : NAN;
        used += there;
    }
    log_info("%s: %d factors, months %lld to %lld, %d of them on the panel's %d dates", file, f->k,
             (long long)(month_end(f->first) / 100), (long long)(month_end(f->first + f->months - 1) / 100), used, m->T);
    return out;
}

static char **names_of(const struct factor_table *f)
{
    char **names = memory_array(char *, f->k, "names of factors");
    for (int k = 0; k < f->k; k++) names[k] = memory_text(f->names[k]);
    return names;
}

static int read_factors(const struct ingest_options *o, struct panel_builder *b, struct error *e)
{
    struct panel_meta *m = &b->meta;
    struct team *team = b->team;
    struct factor_table table[INGEST_FACTORS + 1] = {{0}};
    int n = o->factors, rc = 0;
    char flag[600];
    for (int k = 0; k < n && !rc; k++) {
        snprintf(flag, sizeof flag, "--factors %s=%s", o->factor[k].name, o->factor[k].file);
        rc = read_table(o, o->factor[k].file, flag, o->factor[k].percent, team, &table[k], e);
    }
    if (o->test_assets && !rc) {
        snprintf(flag, sizeof flag, "--test-assets %s", o->test_assets);
        rc = read_table(o, o->test_assets, flag, o->test_assets_percent, team, &table[n], e);
        if (!rc && o->themes) rc = factor_table_themes(&table[n], o->test_assets, e);
    }
    if (!rc && !m->T) dates_of_tables(n ? table : &table[n], n ? n : 1, m);
    if (!rc) {
        m->benchmark = memory_array(struct benchmark, n, "benchmarks");
        for (int k = 0; k < n; k++)
            m->benchmark[m->benchmarks++] = (struct benchmark){memory_text(o->factor[k].name), table[k].k,
                                                               names_of(&table[k]), align(&table[k], m, o->factor[k].file)};
        if (o->test_assets) {
            m->M = table[n].k;
            m->test_asset_names = names_of(&table[n]);
            m->test_assets = align(&table[n], m, o->test_assets);
        }
    }
    for (int k = 0; k <= n; k++) factor_table_free(&table[k]);
    for (int k = 0; k < n; k++)
        builder_describe(b, "%sfactors %s=%s%s", *b->description ? " " : "", o->factor[k].name, o->factor[k].file,
                         o->factor[k].percent ? ",percent" : "");
    return rc;
}

static bool given(const struct ingest_options *o)
{
    return o->factors || o->test_assets;
}

static int check(const struct ingest_options *o, struct error *e)
{
    return o->themes && !o->test_assets ? error_set(e, "--themes: needed: --test-assets FILE, JKP's factors") : 0;
}

#define AT(member) offsetof(struct ingest_options, member)
static const struct argument options[] = {
    {"factors", "NAME=FILE[,percent]", ARGUMENT_OWN, AT(factor),
     .help =
         "monthly factor returns, decimal unless said, to benchmarks/NAME (may be repeated): wide, or JKP's name,date,ret; "
         "month m's return goes to the row of month m - 1; risk-free rates are left out; -99.99 and -999 are missing"},
    {"test-assets", "FILE[,percent]", ARGUMENT_OWN, AT(test_assets),
     .help = "monthly returns of test assets, in the same shapes", .unit = AT(test_assets_percent)},
    {"themes", NULL, ARGUMENT_FLAG, AT(themes),
     .help = "test assets: the means over JKP's 13 themes of the factors in that file"},
    {0},
};

const struct source_class factors_source = {.name = "factors",
                                            .summary = "monthly returns of published factors and test assets",
                                            .flag = "factors",
                                            .options = options,
                                            .given = given,
                                            .check = check,
                                            .read = read_factors};
