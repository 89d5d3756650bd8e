/* The rolling engine in one process: nothing dated t or later reaches a portfolio held over t (a look-ahead is planted), parts survive
 * torn tails, schedules cut fairly, and studies that make no sense are refused with place, found and needed. */
#include "check.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "io/durable_file.h"
#include "io/panel_file.h"
#include "io/results_file.h"
#include "study/driver.h"
#include "study/schedule.h"

enum { T = 30, D = 4, N = 12, W = 10 };
static struct team *world;
static char folder[64];

static const char *path_of(const char *name)
{
    static char out[4][160];
    static int turn;
    snprintf(out[turn = (turn + 1) % 4], sizeof out[0], "%s/%s", folder, name);
    return out[turn];
}

/* A panel whose periods from `planted` on carry other returns, and from planted + 1 on other characteristics too. */
static void panel_make(const char *path, int planted)
{
    struct error e = {""};
    static char *names[D] = {"a", "b", "c", "d"};
    struct panel_meta m = {
        .T = T, .D = D, .periods_per_year = 12, .frequency = "monthly", .rows = T * N, .characteristic_names = names};
    int64_t dates[T], offsets[T + 1], ids[N];
    for (int t = 0; t < T; t++) dates[t] = (2000 + t / 12) * 10000 + (t % 12 + 1) * 100 + 28;
    for (int t = 0; t <= T; t++) offsets[t] = t * N;
    m.dates = dates;
    m.offsets = offsets;
    struct panel_writer *w = panel_write_begin(path, NULL, &m, &e);
    for (int t = 0; t < T; t++) {
        float x[N * D];
        double r[N];
        struct random_stream u = random_open(9, (uint64_t)t, t > planted, 0),
                             v = random_open(9, (uint64_t)t, 2 + (t >= planted), 0);
        for (int i = 0; i < N * D; i++) x[i] = (float)(random_uniform(&u, (uint64_t)i) - 0.5);
        for (int i = 0; i < N; i++) r[i] = 0.1 * random_normal(&v, (uint64_t)i) + 0.1 * x[i * D], ids[i] = i;
        panel_write_rows(w, t * N, N, x, r, ids, NULL, NULL, &e);
    }
    panel_write_end(w, &e);
    CU_ASSERT_STRING_EQUAL(e.text, "");
}

/* Months of 5 to N assets; returns times n^-power. */
static void panel_make_uneven(const char *path, double power)
{
    struct error e = {""};
    static char *names[D] = {"a", "b", "c", "d"};
    int64_t dates[T], offsets[T + 1] = {0}, ids[N];
    for (int t = 0; t < T; t++) {
        dates[t] = (2000 + t / 12) * 10000 + (t % 12 + 1) * 100 + 28;
        offsets[t + 1] = offsets[t] + N - (t * 5) % 8;
    }
    struct panel_meta m = {.T = T,
                           .D = D,
                           .periods_per_year = 12,
                           .frequency = "monthly",
                           .rows = offsets[T],
                           .characteristic_names = names,
                           .dates = dates,
                           .offsets = offsets};
    struct panel_writer *w = panel_write_begin(path, NULL, &m, &e);
    for (int t = 0; t < T; t++) {
        struct random_stream u = random_open(10, (uint64_t)t, 0, 0);
        int n = (int)(offsets[t + 1] - offsets[t]);
        float x[N * D];
        double r[N];
        for (int i = 0; i < n * D; i++) x[i] = (float)(random_uniform(&u, (uint64_t)i) - 0.5);
        for (int i = 0; i < n; i++)
            r[i] = pow(n, -power) * (0.1 * random_normal(&u, 900 + (uint64_t)i) + 0.1 * x[i * D]), ids[i] = i;
        panel_write_rows(w, offsets[t], n, x, r, ids, NULL, NULL, &e);
    }
    panel_write_end(w, &e);
    CU_ASSERT_STRING_EQUAL(e.text, "");
}

static int run_text(const char *text, const char *panel, const char *output, struct error *e)
{
    struct study s;
    struct run_options o = {.panel = panel, .output = output, .checkpoint_seconds = 30};
    if (study_parse("study.yaml", text, &s, e)) return EXIT_INPUT;
    int status = study_run(world, &s, &o, e);
    study_free(&s);
    return status;
}

static const char *const small_study = "window: 10\nridge: {from: -4, to: 1}\nmodels:\n  - {name: bsv, kind: bsv}\n"
                                       "  - {name: linear, kind: linear_transformer, heads: [1, 2, 4]}\n";

/* Networks, over sequences too: a portfolio at the planted date is what it was; what it earns is not. */
static void no_look_ahead_of_networks(void)
{
    enum { PLANTED = 20 };
    static const char *const text =
        "window: 10\nlookback: 4\nsave_weights: true\nmodels:\n"
        "  - {name: mlp, kind: mlp, hidden: [5], epochs: 2, learning_rate: 1.0e-2, early_stopping: 2}\n"
        "  - {name: cross, kind: cross_attention, cross: [none, full, lagged], max_lag: 2, d_model: 8, heads: 2, layers: 2, "
        "feedforward: 6, epochs: 2, learning_rate: 1.0e-2, refit_every: [1, 4], position: tanh, rollout: 3}\n"
        "  - {name: alpha, kind: alpha_portfolio, d_model: 8, heads: 2, layers: 1, feedforward: 6, winners: 4, epochs: 2, "
        "learning_rate: 1.0e-2, rollout: 5}\n";
    struct error e = {""};
    struct results a, b;
    panel_make(path_of("a.h5"), T);
    panel_make(path_of("b.h5"), PLANTED);
    CU_ASSERT_EQUAL(run_text(text, path_of("a.h5"), path_of("na.h5"), &e), 0);
    CU_ASSERT_EQUAL(run_text(text, path_of("b.h5"), path_of("nb.h5"), &e), 0);
    CU_ASSERT_STRING_EQUAL(e.text, "");
    CU_ASSERT_FATAL(!results_load(path_of("na.h5"), &a, &e) && !results_load(path_of("nb.h5"), &b, &e));
    struct hdf *fa = hdf_open(path_of("na.h5"), NULL, &e), *fb = hdf_open(path_of("nb.h5"), NULL, &e);
    CU_ASSERT_FATAL(fa && fb && a.models == 8);
    for (int i = 0; i < a.models; i++) {
        const struct result_model *x = &a.model[i], *y = &b.model[i];
        int at = PLANTED - W;
        char path[128];
        static float w[2][(T - W) * N];
        snprintf(path, sizeof path, "models/all/%s/weights", x->name);
        CU_ASSERT_FATAL(!hdf_read(fa, path, HDF_FLOAT32, w[0], &e) && !hdf_read(fb, path, HDF_FLOAT32, w[1], &e));
        CU_ASSERT(!memcmp(x->returns, y->returns, sizeof(double) * (size_t)at));
        CU_ASSERT(!memcmp(w[0], w[1], sizeof(float) * (size_t)((at + 1) * N)));
        CU_ASSERT(x->returns[at] != y->returns[at]);
        CU_ASSERT(memcmp(w[0] + (at + 1) * N, w[1] + (at + 1) * N, sizeof(float) * N) != 0); /* one row later it is seen */
    }
    hdf_close(fa, &e);
    hdf_close(fb, &e);
    results_free(&a);
    results_free(&b);
}

static void no_look_ahead(void)
{
    enum { PLANTED = 20 };
    struct error e = {""};
    struct results a, b;
    panel_make(path_of("a.h5"), T);
    panel_make(path_of("b.h5"), PLANTED);
    CU_ASSERT_EQUAL(run_text(small_study, path_of("a.h5"), path_of("ra.h5"), &e), 0);
    CU_ASSERT_EQUAL(run_text(small_study, path_of("b.h5"), path_of("rb.h5"), &e), 0);
    CU_ASSERT_FATAL(!results_load(path_of("ra.h5"), &a, &e) && !results_load(path_of("rb.h5"), &b, &e));
    CU_ASSERT_EQUAL(a.P, T - W);
    for (int i = 0; i < a.models; i++) {
        const struct result_model *x = &a.model[i], *y = &b.model[i];
        int at = PLANTED - W; /* the row that trades at the planted date: its own return differs, its fit must not */
        size_t rows = (size_t)at, fits = (size_t)(at + 1), nz = (size_t)results_size(x, "ridge");
        const double *loo[] = {results_values(x, "loo_loss"), results_values(y, "loo_loss")};
        CU_ASSERT(!memcmp(x->returns, y->returns, sizeof(double) * rows));
        CU_ASSERT_FATAL(x->fields > 4 && nz && x->fields == y->fields && loo[0] && loo[1]);
        for (int k = 0; k < x->fields; k++) { /* the outcome differs in the planted row, what the fit chose one row later */
            const struct result_field *a_field = &x->field[k], *b_field = &y->field[k];
            bool fitted = !strcmp(a_field->name, "loo_loss") || !strcmp(a_field->name, "selected_ridge");
            size_t n = result_field_row(a_field) * (strcmp(a_field->dim[0].name, "date") ? 1 : fitted ? fits : rows);
            CU_ASSERT(!memcmp(a_field->values, b_field->values, sizeof(double) * n));
        }
        CU_ASSERT(x->returns[at] != y->returns[at]);
        CU_ASSERT(loo[0][fits * nz] != loo[1][fits * nz]); /* and the plant is seen one row later */
    }
    results_free(&a);
    results_free(&b);
}

/* w'R from the saved portfolios is the return. */
static void weights_earn_the_return(void)
{
    struct error e = {""};
    char text[512];
    snprintf(text, sizeof text, "save_weights: true\nfactor_scale: root\n%s", small_study);
    panel_make(path_of("a.h5"), T);
    CU_ASSERT_EQUAL(run_text(text, path_of("a.h5"), path_of("rw.h5"), &e), 0);
    struct hdf *f = hdf_open(path_of("rw.h5"), NULL, &e);
    struct panel_meta m;
    CU_ASSERT_FATAL(f && !panel_load_meta(path_of("a.h5"), NULL, &m, &e));
    double returns[T - W];
    int64_t offset[T - W + 1];
    float weight[(T - W) * N];
    hdf_read(f, "models/all/linear/returns", HDF_FLOAT64, returns, &e);
    hdf_read(f, "models/all/linear/weight_offsets", HDF_INT64, offset, &e);
    hdf_read(f, "models/all/linear/weights", HDF_FLOAT32, weight, &e);
    CU_ASSERT_EQUAL(offset[T - W], (T - W) * N);
    struct panel_file *p = panel_open(path_of("a.h5"), NULL, &m, &e);
    struct row_buffer buffer;
    struct rows r;
    row_buffer_create(&buffer, &m, N);
    for (int row = 0; row < T - W; row++) {
        panel_read_period(p, W + row, &buffer, &r, &e);
        double sum = 0;
        for (int i = 0; i < N; i++) sum += weight[row * N + i] * r.returns[i];
        CHECK_CLOSE(sum, returns[row], 1e-5);
    }
    CU_ASSERT_STRING_EQUAL(e.text, "");
    row_buffer_free(&buffer);
    panel_close(p, &e);
    panel_meta_free(&m);
    hdf_close(f, &e);
}

/* Factors of scale root and mean over months of many sizes are the sums of returns that were scaled so beforehand: returns, losses and
 * choices of every model are the same. */
static void factor_scales(void)
{
    static const char *const scale[] = {"root", "mean"};
    struct error e = {""};
    char text[600];
    for (int k = 0; k < 2; k++) {
        struct results a, b;
        panel_make_uneven(path_of("u.h5"), 0);
        panel_make_uneven(path_of("v.h5"), k ? 1 : 0.5);
        snprintf(text, sizeof text, "factor_scale: %s\n%s  - {name: dkkm, kind: dkkm, features: 20}\n", scale[k],
                 small_study);
        CU_ASSERT_EQUAL(run_text(text, path_of("u.h5"), path_of("ru.h5"), &e), 0);
        CU_ASSERT_EQUAL(run_text(strchr(text, '\n') + 1, path_of("v.h5"), path_of("rv.h5"), &e), 0);
        CU_ASSERT_FATAL(!results_load(path_of("ru.h5"), &a, &e) && !results_load(path_of("rv.h5"), &b, &e));
        CU_ASSERT_EQUAL_FATAL(a.models, 3);
        for (int i = 0; i < a.models; i++)
            for (int p = 0; p < a.P; p++)
                CHECK_CLOSE(a.model[i].returns[p] / b.model[i].returns[p], 1, i < 2 ? 1e-8 : 1e-3); /* dkkm: floats */
        results_free(&a);
        results_free(&b);
    }
}

/* A learning rate at which some seeds of a row diverge and others do not: the row's return is the mean of those that did not, and a row
 * all of whose seeds failed has none. */
static void seeds_that_failed_are_left_out(void)
{
    enum { SEEDS = 6 };
    static const char *const text = "window: 10\nmodels:\n  - {name: mlp, kind: mlp, hidden: [6,6,6,6,6,6,6,6,6,6,6,6], "
                                    "epochs: 1, learning_rate: 300, seeds: 6}\n";
    struct error e = {""};
    struct results r;
    int mixed = 0, none = 0;
    panel_make(path_of("a.h5"), T);
    CU_ASSERT_EQUAL(run_text(text, path_of("a.h5"), path_of("seeds.h5"), &e), 0);
    CU_ASSERT_FATAL(!results_load(path_of("seeds.h5"), &r, &e));
    CU_ASSERT_EQUAL_FATAL(r.model[0].seeds, SEEDS);
    for (int p = 0; p < r.P; p++) {
        double sum = 0;
        int fine = 0;
        for (int s = 0; s < SEEDS; s++) {
            double x = results_values(&r.model[0], "returns_by_seed")[p * SEEDS + s];
            if (isfinite(x)) sum += x, fine++;
        }
        mixed += fine > 0 && fine < SEEDS;
        none += fine == 0;
        if (fine) CHECK_CLOSE(r.model[0].returns[p] * fine / sum, 1, 1e-12);
        else CU_ASSERT(isnan(r.model[0].returns[p]));
    }
    CU_ASSERT(mixed >= 3 && none >= 1); /* or the rule was not put to the test */
    results_free(&r);
}

static void parts_survive_torn_tails(void)
{
    struct error e = {""};
    struct part_index x;
    const char *whole = path_of("torn.parts");
    char parts[PARTS_PATH], file[PARTS_PATH + 32];
    double value[3] = {1, 2, 3}, back[3];
    snprintf(parts, sizeof parts, "%s/0123456789abcdef", whole);
    CU_ASSERT_EQUAL(folder_create(parts, &e), 0);
    struct part_writer *w = part_create(parts, 1, 0, 30);
    for (int row = 0; row < 5; row++) {
        struct part_key key = {.config = 1, .row = row};
        value[0] = row;
        CU_ASSERT_EQUAL(part_append(w, &key, 3, value, 0, NULL, NULL, &e), 0);
    }
    CU_ASSERT_EQUAL(part_close(w, &e), 0);
    snprintf(file, sizeof file, "%s/g0001-r000000.rows", parts);
    struct stat s;
    CU_ASSERT_EQUAL(stat(file, &s), 0);
    for (off_t cut = s.st_size; cut > s.st_size - 56;
         cut -= 5) { /* every cut inside the last record loses that record alone */
        CU_ASSERT_EQUAL(truncate(file, cut), 0);
        CU_ASSERT_FATAL(!parts_index(parts, 0, 1, &x, &e));
        CU_ASSERT_EQUAL(x.records, cut == s.st_size ? 5 : 4);
        CU_ASSERT_EQUAL(parts_read(&x, &x.record[3], back, NULL, NULL, &e), 0);
        CU_ASSERT(back[0] == 3 && back[2] == 3 && x.record[3].key.row == 3 && x.generation == 1);
        parts_free(&x);
    }
    /* a frame that claims more than the file has is no record, and takes no memory */
    int fd = open(file, O_WRONLY | O_APPEND);
    uint32_t head[8] = {0x31504941, 0, 0, 0, 0, 0, 1 << 24, 0};
    CU_ASSERT_EQUAL(ftruncate(fd, 4 * 56), 0);
    CU_ASSERT_EQUAL(write(fd, head, sizeof head), sizeof head);
    close(fd);
    size_t before = memory_peak();
    CU_ASSERT_FATAL(!parts_index(parts, 0, 1, &x, &e));
    CU_ASSERT(x.records == 4 && memory_peak() < before + 1000000);
    parts_free(&x);
    fd = open(file, O_WRONLY); /* a flipped byte in the second record ends what is believed */
    CU_ASSERT_EQUAL(pwrite(fd, "x", 1, 56 + 40), 1);
    close(fd);
    CU_ASSERT_FATAL(!parts_index(parts, 0, 1, &x, &e));
    CU_ASSERT_EQUAL(x.records, 1);
    parts_free(&x);
    CU_ASSERT_EQUAL(parts_remove(whole, parts, &e), 0);
    CU_ASSERT(access(whole, F_OK) != 0);
}

static void schedule_is_fair(void)
{
    enum { C = 3, P = 200 };
    double seconds[C] = {1, 0.01, 0.2}, first[C] = {0.5, 0, 0.1}, total;
    int first_row[C] = {0, 50, 0};
    uint8_t done[C * P] = {0};
    for (int i = 0; i < 70; i++) done[3 * i] = 1;
    struct schedule_work w = {
        .configs = C, .P = P, .seconds = seconds, .first_seconds = first, .first_row = first_row, .done = done};
    for (int ranks = 1; ranks <= 700; ranks = ranks * 3 + 1) {
        int64_t *cut = memory_array(int64_t, ranks + 1, "cut");
        double longest = schedule_cut(&w, ranks, cut, &total), ideal = total / ranks;
        CU_ASSERT(cut[0] == 0 && cut[ranks] == C * P);
        long pending = 0, taken = 0;
        for (int64_t u = 0; u < C * P; u++) pending += schedule_pending(&w, u);
        for (int r = 0; r < ranks; r++) {
            CU_ASSERT(cut[r] <= cut[r + 1]);
            double mine = 0;
            for (int64_t u = cut[r]; u < cut[r + 1]; u++)
                if (schedule_pending(&w, u)) mine += seconds[u / P], taken++;
            CU_ASSERT(mine <= longest + 1e-9);
        }
        CU_ASSERT_EQUAL(pending, taken);
        CU_ASSERT(longest <= fmax(1.75 * ideal, 1.5) + 40); /* start-up of the gaps left by done rows included */
        if (ranks == 1) CU_ASSERT(longest >= total);
        memory_free(cut);
    }
}

static void refused(const char *text, const char *says)
{
    struct error e = {""};
    int status = run_text(text, path_of("a.h5"), path_of("bad.h5"), &e);
    if (status != EXIT_INPUT || !strstr(e.text, says)) fprintf(stderr, "for:\n%ssaid: %s\nneeded: %s\n", text, e.text, says);
    CU_ASSERT_EQUAL(status, EXIT_INPUT);
    CU_ASSERT(strstr(e.text, says) != NULL);
    CU_ASSERT(access(path_of("bad.h5"), F_OK) != 0 && access(path_of("bad.h5.parts"), F_OK) != 0);
}

static void bad_studies(void)
{
    panel_make(path_of("a.h5"), T);
    refused("", "is empty");
    refused("just words\n", "no 'key: value' lines");
    refused("models: [\n", "not YAML");
    refused("a: &x 1\nb: *x\n", "aliases");
    refused("window: 10\nwindw: 3\nmodels: [{name: b, kind: bsv}]\n", "line 2: found the unknown key 'windw'");
    refused("models: [{name: b, kind: bsv, heads: [1]}]\n", "unknown key 'heads'");
    refused("models:\n  - {name: b, kind: bsv}\n  - {name: b, kind: bsv}\n", "the model name 'b' twice");
    refused("window: 10\nwindow: 11\nmodels: [{name: b, kind: bsv}]\n", "the key 'window' twice");
    refused("models: [{name: b, kind: bsv, window: [12, 13, 12]}]\n", "found b.window=12 twice");
    refused("models: []\n", "models: found none");
    refused("window: 10\n", "models: found none");
    refused("models: [{name: b, kind: xyz}]\n", "found xyz; needed: one of bsv");
    refused("models: [{kind: bsv}]\n", "'name' is missing");
    refused("models: [{name: b}]\n", "'kind' is missing");
    refused("models: [{name: a/b, kind: bsv}]\n", "found 'a/b'");
    refused("window: 30\nmodels: [{name: b, kind: bsv}]\n",
            "found a window of 30 periods; needed: fewer than the panel's 30");
    refused("window: 1\nmodels: [{name: b, kind: bsv}]\n", "window: found 1");
    refused("window: 10.5\nmodels: [{name: b, kind: bsv}]\n", "found 10.5; needed: a whole number");
    refused("window: []\nmodels: [{name: b, kind: bsv}]\n", "empty list");
    refused("window: 10\nmodels: [{name: l, kind: linear_transformer, heads: [1, 5]}]\n", "found 5; needed: at most D = 4");
    refused("window: 10\nmodels: [{name: l, kind: linear_transformer, heads: [2, 2]}]\n", "found 2 after 2");
    refused("window: 10\nmodels: [{name: l, kind: linear_transformer, heads: 3}]\n", "heads: found 3");
    refused("window: 10\nmodels: [{name: m, kind: mlp, hidden: []}]\n",
            "found 0 hidden layers; needed: hidden with the units");
    refused("window: 10\nmodels: [{name: m, kind: mlp, hidden: [[5], []]}]\n", "found 0 hidden layers");
    refused("window: 10\nmodels: [{name: m, kind: mlp, hidden: [5, 0]}]\n",
            "hidden: found a list with something else in it");
    refused("window: 10\nmodels: [{name: m, kind: mlp, hidden: [-5]}]\n", "needed: whole numbers from 1 to 65536");
    refused("window: 10\nmodels: [{name: m, kind: mlp, hidden: [[]]}]\n", "hidden: found a list with something else in it");
    refused("window: 10\nmodels: [{name: l, kind: linear_transformer, heads: [0]}]\n", "needed: whole numbers from 1 to");
    refused("universes: [all, tiny]\nmodels: [{name: b, kind: bsv}]\n", "found tiny; needed: one of all, micro");
    refused("window: 10\nuniverses: [mega]\nmodels: [{name: b, kind: bsv}]\n", "no size_groups");
    refused("ridge: {from: 3, to: 1}\nmodels: [{name: b, kind: bsv}]\n", "from <= to");
    refused("ridge: 5\nmodels: [{name: b, kind: bsv}]\n", "ridge: needed");
    refused("factor_scale: big\nmodels: [{name: b, kind: bsv}]\n", "found big; needed: one of sum|root|mean");
    refused("seed: x\nmodels: [{name: b, kind: bsv}]\n", "seed: found x");
}

static void sweeps_are_named(void)
{
    struct error e = {""};
    struct study s;
    CU_ASSERT_FATAL(!study_parse("s",
                                 "window: [12, 24]\nmodels:\n  - {name: b, kind: bsv}\n  - {name: l, kind: "
                                 "linear_transformer, window: 36, heads: [[1], [1, 2]]}\n",
                                 &s, &e));
    CU_ASSERT_EQUAL_FATAL(s.configs, 4);
    CU_ASSERT_STRING_EQUAL(s.config[0].name, "b.window=12");
    CU_ASSERT_STRING_EQUAL(s.config[1].name, "b.window=24");
    CU_ASSERT_STRING_EQUAL(s.config[2].name, "l.heads=1");
    CU_ASSERT_STRING_EQUAL(s.config[3].name, "l.heads=1-2");
    CU_ASSERT_EQUAL(s.config[3].shape.T, 36);
    study_free(&s);
}

int main(int argc, char **argv)
{
    static const struct check tests[] = {
        {"no look-ahead", no_look_ahead},
        {"no look-ahead: networks", no_look_ahead_of_networks},
        {"saved weights earn the return", weights_earn_the_return},
        {"factor scales", factor_scales},
        {"the mean over seeds leaves failed ones out", seeds_that_failed_are_left_out},
        {"parts survive torn tails", parts_survive_torn_tails},
        {"schedules are fair", schedule_is_fair},
        {"bad studies are refused", bad_studies},
        {"sweeps are named", sweeps_are_named},
    };
    snprintf(folder, sizeof folder, "/tmp/aipm-engine-XXXXXX");
    if (!mkdtemp(folder)) return 2;
    world = world_open(&argc, &argv);
    log_set_quiet(true);
    int status = check_run("rolling engine", tests, sizeof tests / sizeof *tests);
    world_close(world);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (memory_blocks()) fprintf(stderr, "%ld blocks not freed\n", memory_blocks()), status = 1;
    return system(command) ? 2 : status;
}
