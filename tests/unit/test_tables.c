/* Tables of results built in memory: names of columns, what is in them, and every form they are written in. */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "io/table.h"
#include "io/text_file.h"
#include "measure/series.h"
#include "report/tables.h"

enum { P = 60, M = 4, NZ = 3, NH = 2 };
static struct table_options options = {.newey_west = -1, .bootstrap = 100, .seed = 1};

static double *normals(int stream, int n, double mean, double scale)
{
    struct random_stream s = random_open(21, (uint64_t)stream, 0, 0);
    double *x = memory_array(double, n, "returns");
    random_normals(&s, 0, (size_t)n, scale, x);
    for (int i = 0; i < n; i++) x[i] += mean;
    return x;
}

/* A field with its values, and the sizes of date or ridge or head, ridge, head. */
static double *field(struct result_model *m, const char *name, double *values, int rank, int size0, int size1, int size2)
{
    struct result_field *x = results_add(m, name);
    const int size[] = {size0, size1, size2};
    static const char *const of[] = {"date", "ridge", "head"};
    x->rank = rank;
    x->values = values;
    for (int d = 0; d < rank; d++) {
        strcpy(x->dim[d].name, rank > 1 || size0 == P ? of[d] : size0 == NZ ? "ridge" : "head");
        x->dim[d].size = size[d];
    }
    return values;
}

static void model(struct result_model *m, const char *universe, const char *name, int stream)
{
    *m = (struct result_model){.universe = memory_text(universe), .name = memory_text(name), .kind = memory_text("bsv")};
    m->seeds = 1;
    m->returns = field(m, "returns", normals(stream, P, 0.02, 0.05), 1, P, 0, 0);
    m->done = memory_array(uint8_t, P, "done");
    memset(m->done, 1, P);
}

/* all: bsv, linear (ridge, heads, symmetry); small: bsv; one model is missing its first ten rows. */
static void make(struct results *r)
{
    *r = (struct results){.path = memory_text("x.h5"),
                          .P = P,
                          .periods_per_year = 12,
                          .models = 3,
                          .M = M,
                          .rows_done = 3 * P,
                          .rows_total = 3 * P};
    r->dates = memory_array(int64_t, P, "dates");
    for (int p = 0; p < P; p++) r->dates[p] = 20000001 + 10000 * (p / 12) + 100 * (p % 12 + 1) + 27;
    r->test_assets = normals(1, P * M, 0.01, 0.05);
    r->truth = normals(2, P, 0.05, 0.05);
    r->model = memory_array(struct result_model, 3, "models");
    model(&r->model[0], "all", "bsv", 3);
    model(&r->model[1], "all", "linear_transformer", 4);
    model(&r->model[2], "small", "bsv", 5);
    for (int p = 0; p < 10; p++) r->model[0].field[0].values[p] = NAN, r->model[0].done[p] = 0;
    struct result_model *m = &r->model[1];
    double *ridge = field(m, "ridge", memory_array(double, NZ, "ridge"), 1, NZ, 0, 0),
           *heads = field(m, "heads", memory_array(double, NH, "heads"), 1, NH, 0, 0),
           *selected = field(m, "selected_ridge", memory_array(double, P, "selected"), 1, P, 0, 0),
           *antisymmetric = field(m, "antisymmetric_returns", memory_array(double, P, "antisymmetric"), 1, P, 0, 0);
    const double *symmetric = field(m, "symmetric_returns", normals(8, P, 0.01, 0.03), 1, P, 0, 0);
    field(m, "returns_by_ridge", normals(6, P * NZ, 0.01, 0.05), 2, P, NZ, 0);
    field(m, "returns_by_heads", normals(7, P * NZ * NH, 0.01, 0.05), 3, P, NZ, NH);
    for (int z = 0; z < NZ; z++) ridge[z] = pow(10, z - 2);
    for (int h = 0; h < NH; h++) heads[h] = h + 1;
    for (int p = 0; p < P; p++) {
        selected[p] = p == 0 ? NAN : ridge[p % 4 == 0 ? 2 : p == 1 ? 0 : 1];
        antisymmetric[p] = m->returns[p] - symmetric[p];
    }
}

static double number(const struct table *t, int row, const char *column)
{
    int c = table_find(t, column);
    CU_ASSERT_FATAL(c >= 0 && row < t->rows);
    return table_at(t, row, c)->number;
}
static const char *text(const struct table *t, int row, const char *column)
{
    return table_at(t, row, table_find(t, column))->text;
}

static void has_columns(const struct table *t, const char *header)
{
    char *form = NULL;
    size_t size;
    CU_ASSERT_FATAL(t != NULL);
    FILE *f = open_memstream(&form, &size);
    table_csv(t, f);
    fclose(f);
    int same = !strncmp(form, header, strlen(header)) && form[strlen(header)] == '\n';
    if (!same) fprintf(stderr, "found %.200s\n", form);
    CU_ASSERT(same);
    free(form);
}

static void columns_of_formats(void)
{
    struct results r;
    struct tables t;
    struct error e = {""};
    make(&r);
    CU_ASSERT_FATAL(tables_build(&r, &options, &t, &e) == 0);
    has_columns(t.table[TABLES_PERFORMANCE],
                "universe,model,from,to,periods,sharpe,sharpe_se,hjd,hjd_scaled,test_assets,ridge_edge_share");
    has_columns(t.table[TABLES_ALPHAS],
                "universe,model,against,alpha_percent,t,alpha_percent_per_year,beta,periods,information_ratio");
    has_columns(t.table[TABLES_CORRELATIONS], "universe,model,with,correlation,periods");
    has_columns(t.table[TABLES_TANGENCY], "universe,model,weight,low,high");
    has_columns(t.table[TABLES_HEADS], "universe,model,ridge,heads,sharpe,hjd");
    has_columns(t.table[TABLES_RIDGE], "universe,model,ridge,selected_share,sharpe");
    CU_ASSERT(!strncmp(t.table[TABLES_SYMMETRY]->column[2].name, "part", 5));
    tables_free(&t);
    results_free(&r);
}

static void contents(void)
{
    struct results r;
    struct tables t;
    struct error e = {""};
    make(&r);
    CU_ASSERT_FATAL(tables_build(&r, &options, &t, &e) == 0);
    const struct table *p = t.table[TABLES_PERFORMANCE];
    CU_ASSERT_FATAL(p->rows == 4);
    CU_ASSERT(!strcmp(text(p, 3, "model"), "truth") && !strcmp(text(p, 3, "universe"), "all"));
    CHECK_CLOSE(number(p, 0, "periods"), P - 10, 0);
    CHECK_CLOSE(number(p, 0, "from"), (double)r.dates[10], 0);
    CHECK_CLOSE(number(p, 1, "to"), (double)r.dates[P - 1], 0);
    CHECK_CLOSE(number(p, 1, "sharpe"), sharpe_ratio(P, r.model[1].returns, 12), 1e-14);
    CHECK_CLOSE(number(p, 0, "sharpe"), sharpe_ratio(P - 10, r.model[0].returns + 10, 12), 1e-14);
    CHECK_CLOSE(number(p, 1, "test_assets"), M, 0);
    /* of rows 1 .. 59, every fourth chose the last of the grid and one the first: 15 of 59 */
    CHECK_CLOSE(number(p, 1, "ridge_edge_share"), 15.0 / 59, 1e-14);
    CU_ASSERT(isnan(number(p, 0, "ridge_edge_share")) && isnan(number(p, 3, "ridge_edge_share")));
    const struct table *a = t.table[TABLES_ALPHAS]; /* all: 2 pairs + 2 others; small has one model */
    CU_ASSERT(a->rows == 4);
    for (int i = 0; i < a->rows; i++) {
        CU_ASSERT(strcmp(text(a, i, "model"), "truth") && strcmp(text(a, i, "universe"), "small"));
        CHECK_CLOSE(number(a, i, "periods"), P - 10, 0);
        CHECK_CLOSE(number(a, i, "alpha_percent_per_year"), 12 * number(a, i, "alpha_percent"), 1e-13);
    }
    CHECK_CLOSE(number(a, 0, "t"), number(a, 1, "t"), 1e-12); /* one other model: the same regression */
    const struct table *c = t.table[TABLES_CORRELATIONS];
    CU_ASSERT(c->rows == 5);
    CHECK_CLOSE(number(c, 0, "correlation"), 1, 0);
    CHECK_CLOSE(number(c, 1, "correlation"), number(c, 2, "correlation"), 1e-15);
    CHECK_CLOSE(number(c, 1, "correlation"), number(a, 0, "beta"), 1e-12); /* equal volatilities */
    const struct table *w = t.table[TABLES_TANGENCY];
    CU_ASSERT(w->rows == 3);
    CHECK_CLOSE(number(w, 0, "weight") + number(w, 1, "weight"), 1, 1e-12);
    CHECK_CLOSE(number(w, 2, "weight"), 1, 1e-12);
    const struct table *z = t.table[TABLES_RIDGE];
    CU_ASSERT(z->rows == NZ);
    CHECK_CLOSE(number(z, 0, "selected_share") + number(z, 1, "selected_share") + number(z, 2, "selected_share"), 1, 1e-14);
    CHECK_CLOSE(number(z, 2, "selected_share"), 14.0 / 59, 1e-14);
    const struct table *h = t.table[TABLES_HEADS];
    CU_ASSERT(h->rows == (NZ + 1) * NH && isnan(number(h, 0, "ridge")));
    double series[P];
    for (int i = 0; i < P; i++)
        series[i] = results_values(&r.model[1], "returns_by_heads")[i * NZ * NH + 1 * NH + 1]; /* ridge 0.1, two heads */
    CHECK_CLOSE(number(h, NH + 1 * NH + 1, "sharpe"), sharpe_ratio(P, series, 12), 1e-13);
    CHECK_CLOSE(number(h, NH + 1 * NH + 1, "ridge"), 0.1, 1e-15);
    const struct table *s = t.table[TABLES_SYMMETRY];
    CU_ASSERT(s->rows == 3);
    CHECK_CLOSE(number(s, 1, "sharpe"), sharpe_ratio(P, results_values(&r.model[1], "symmetric_returns"), 12), 1e-14);
    CHECK_CLOSE(number(s, 0, "hjd"), number(p, 1, "hjd"), 1e-14);
    tables_free(&t);
    results_free(&r);
}

static void subsamples(void)
{
    struct results r;
    struct tables t;
    struct error e = {""};
    make(&r);
    struct table_options o = options;
    o.from = r.dates[20], o.to = r.dates[40];
    CU_ASSERT_FATAL(tables_build(&r, &o, &t, &e) == 0);
    CHECK_CLOSE(number(t.table[TABLES_PERFORMANCE], 1, "sharpe"), sharpe_ratio(21, r.model[1].returns + 20, 12), 1e-14);
    CHECK_CLOSE(number(t.table[TABLES_PERFORMANCE], 3, "periods"), 21, 0);
    tables_free(&t);
    o.to = r.dates[22]; /* 3 periods, 4 test assets: no HJD, said in a note; no regression either */
    CU_ASSERT_FATAL(tables_build(&r, &o, &t, &e) == 0);
    CU_ASSERT(isnan(number(t.table[TABLES_PERFORMANCE], 1, "hjd")));
    int said = 0;
    for (int i = 0; i < t.table[TABLES_PERFORMANCE]->notes; i++)
        said |= strstr(t.table[TABLES_PERFORMANCE]->note[i], "not more periods than test assets") != NULL;
    CU_ASSERT(said);
    tables_free(&t);
    o.from = 20300101, o.to = 0;
    CU_ASSERT(tables_build(&r, &o, &t, &e) == -1 && strstr(e.text, "no formation date lies in the range"));
    e = (struct error){""};
    o.from = 20030101, o.to = 20020101;
    CU_ASSERT(tables_build(&r, &o, &t, &e) == -1 && strstr(e.text, "ends before it begins"));
    results_free(&r);
}

static void incomplete_results(void)
{
    struct results r;
    struct tables t;
    struct error e = {""};
    make(&r);
    r.rows_done = 0, r.under_way = true;
    CU_ASSERT(tables_build(&r, &options, &t, &e) == -1 && strstr(e.text, "no row is finished"));
    e = (struct error){""};
    r.rows_done = 50;
    for (int p = 0; p < P; p++) r.model[0].field[0].values[p] = NAN;
    for (int p = 3; p < P; p++) r.model[2].field[0].values[p] = NAN;
    memory_free(r.test_assets);
    r.test_assets = NULL, r.M = 0;
    CU_ASSERT_FATAL(tables_build(&r, &options, &t, &e) == 0);
    const struct table *p = t.table[TABLES_PERFORMANCE];
    CHECK_CLOSE(number(p, 0, "periods"), 0, 0);
    CU_ASSERT(isnan(number(p, 0, "sharpe")) && isnan(number(p, 0, "from")) && isnan(number(p, 1, "hjd")) &&
              isnan(number(p, 1, "test_assets")));
    CU_ASSERT(isfinite(number(p, 1, "sharpe")) && isfinite(number(p, 2, "sharpe")));
    CU_ASSERT(strstr(p->note[0], "no return in the sample") && strstr(p->note[1], "Run under way: 50 of 180"));
    CU_ASSERT(t.table[TABLES_ALPHAS]->rows == 0 && t.table[TABLES_TANGENCY]->rows == 2);
    tables_free(&t);
    results_free(&r);
}

/* ---- the table itself ---- */
static struct table *sample_table(void)
{
    struct table *t = table_create("demo", "A & B_c");
    table_column(t, "name", NULL, TABLE_TEXT, 0);
    table_column(t, "from", "first date", TABLE_DATE, 0);
    table_column(t, "value", NULL, TABLE_REAL, 2);
    table_column(t, "ridge_z", NULL, TABLE_GENERAL, 3);
    table_row(t);
    table_put_text(t, "a,\"b\"\nc|_");
    table_put(t, 20010228);
    table_put(t, -1.0 / 3);
    table_put(t, 1e-10);
    table_row(t);
    table_put_text(t, "größe");
    table_put(t, 200102281530);
    table_put(t, -0.001);
    table_row(t);
    table_note(t, "50%% sure");
    table_note(t, "50%% sure");
    return t;
}

static char *form_of(void (*form)(const struct table *, FILE *), const struct table *t)
{
    char *text_out = NULL;
    size_t size;
    FILE *f = open_memstream(&text_out, &size);
    form(t, f);
    fclose(f);
    return text_out;
}

static void forms(void)
{
    struct table *t = sample_table();
    char *s = form_of(table_csv, t);
    CU_ASSERT(!strcmp(s, "name,from,value,ridge_z\n\"a,\"\"b\"\"\nc|_\",20010228,-0.3333333333333333,1e-10\ngröße,"
                         "200102281530,-0.001,\n,,,\n"));
    free(s);
    s = form_of(table_markdown, t);
    CU_ASSERT(strstr(s, "| a,\"b\" c\\|\\_ | 2001-02-28 | -0.33 | 1e-10 |") &&
              strstr(s, "| name | first date | value | ridge z |"));
    CU_ASSERT(strstr(s, "| größe | 2001-02-28 15:30 | 0.00 |  |") && strstr(s, "50% sure"));
    free(s);
    s = form_of(table_latex, t);
    CU_ASSERT(strstr(s, "\\caption{A \\& B\\_c}") && strstr(s, "\\toprule") && strstr(s, "\\bottomrule") &&
              strstr(s, "$-$0.33 & 1e-10 \\\\"));
    CU_ASSERT(strstr(s, "50\\% sure") && strstr(s, "-- & -- & -- & -- \\\\") && t->notes == 1);
    free(s);
    s = form_of(table_print, t);
    CU_ASSERT(strstr(s, "größe      2001-02-28 15:30   0.00") && strstr(s, "a,\"b\"?c|_        2001-02-28"));
    free(s);
    table_free(t);
}

/* Numbers as people read them: zero by itself, what would print as zeros by its digits, huge ones short. */
static void cells(void)
{
    static const struct {
        double x;
        int decimals;
        const char *text;
    } said[] = {{0, 3, "0.000"},         {-0.0, 3, "0.000"}, {0.0004, 3, "0.0004"},   {-0.0004, 3, "-0.0004"},
                {0.0005, 3, "0.001"},    {0.004, 2, "0.00"}, {-0.004, 2, "0.00"},     {-1.5, 0, "-2"},
                {999999, 1, "999999.0"}, {1e6, 1, "1e+06"},  {-3.21e7, 2, "-3.2e+07"}};
    char text[TABLE_CELL];
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct table *t = table_create("cells", "Cells");
        table_column(t, "x", NULL, TABLE_REAL, said[i].decimals);
        table_row(t);
        table_put(t, said[i].x);
        CU_ASSERT_STRING_EQUAL(table_format(t, 0, 0, text), said[i].text);
        if (strcmp(text, said[i].text)) fprintf(stderr, "%g: '%s' for '%s'\n", said[i].x, text, said[i].text);
        table_free(t);
    }
}

static void round_trip(void)
{
    struct random_stream s = random_open(1, 2, 3, 4);
    char out[32];
    for (int i = 0; i < 20000; i++) {
        union {
            uint64_t bits;
            double x;
        } u = {.bits = (uint64_t)random_word(&s, 2 * (uint64_t)i) << 32 | random_word(&s, 2 * (uint64_t)i + 1)};
        if (!isfinite(u.x)) continue;
        double back = strtod(number_text(u.x, out), NULL);
        if (memcmp(&back, &u.x, sizeof back)) {
            CU_FAIL("not the same bits");
            return;
        }
    }
    CU_ASSERT(!strcmp(number_text(0.1, out), "0.1") && !strcmp(number_text(NAN, out), ""));
}

static int files_in(const char *folder)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *f; d && (f = readdir(d));) n += f->d_name[0] != '.';
    if (d) closedir(d);
    return n;
}

static void whole_files(void)
{
    char folder[] = "/tmp/aipm-tables.XXXXXX", inner[64], path[128];
    struct error e = {""};
    CU_ASSERT_FATAL(mkdtemp(folder) != NULL);
    snprintf(inner, sizeof inner, "%s/a/b", folder);
    struct table *t = sample_table();
    CU_ASSERT(table_write(t, inner, &e) == 0 && files_in(inner) == 3);
    CU_ASSERT(table_write(t, inner, &e) == 0 && files_in(inner) == 3);
    snprintf(path, sizeof path, "%s/demo.csv", inner); /* a folder of another program's in the way */
    CU_ASSERT(table_write(t, path, &e) == -1 && strstr(e.text, "needed: a folder"));
    table_free(t);
    e = (struct error){""};
    FILE *f = text_file_begin("/dev/full/x", &e);
    CU_ASSERT(f == NULL && error_is_set(&e));
    snprintf(path, sizeof path, "%s/given-up", inner);
    e = (struct error){""};
    f = text_file_begin(path, &e);
    CU_ASSERT_FATAL(f != NULL);
    fputs("half", f);
    error_set(&e, "something went wrong elsewhere");
    CU_ASSERT(text_file_end(f, path, &e) == -1 && access(path, F_OK) != 0 && files_in(inner) == 3);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/demo.%s", inner, (const char *[]){"csv", "md", "tex"}[i]);
        unlink(path);
    }
    rmdir(inner);
    inner[strlen(inner) - 2] = '\0';
    rmdir(inner);
    rmdir(folder);
}

int main(void)
{
    static const struct check tests[] = {
        {"columns are those of the format", columns_of_formats},
        {"contents", contents},
        {"subsamples by date", subsamples},
        {"incomplete results", incomplete_results},
        {"CSV, Markdown, LaTeX, terminal", forms},
        {"numbers as people read them", cells},
        {"numbers read back to the same bits", round_trip},
        {"files are whole or not there", whole_files},
    };
    int status = check_run("tables", tests, sizeof tests / sizeof *tests);
    return status || memory_blocks() != 0;
}
