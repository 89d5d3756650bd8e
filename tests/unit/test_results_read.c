/* Results files, skeletons and part logs that lie about themselves: every count, index and size is checked against the file before
 * anything is read by it, and of two records of one fit the first valid one is the fit's, for its numbers and its weights alike. */
#include "check.h"

#include <hdf5.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/durable_file.h"
#include "io/results_file.h"
#include "io/results_write.h"
#include "io/results_read.h"

enum { P = 4, NZ = 3, S = 2, STATES = 2, VALUES = 1 + NZ + 1 + STATES, ASSETS = 2 };
static char folder[64], run[PARTS_PATH]; /* run: of the run under way at r.h5 */
static struct error e;

static const char *at(const char *name)
{
    static char path[4][160];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof *path, "%s/%s", folder, name);
    return path[turn];
}

static const char *skeleton(void)
{
    static char path[PARTS_PATH + 32];
    snprintf(path, sizeof path, "%s/" PARTS_SKELETON, run);
    return path;
}

/* The last error says this; it is cleared for the next. */
static void says(const char *text)
{
    if (!strstr(e.text, text)) fprintf(stderr, "'%s' does not say '%s'\n", e.text, text);
    CU_ASSERT(strstr(e.text, text) != NULL);
    e = (struct error){0};
}

static const int64_t dates[P] = {20200131, 20200229, 20200331, 20200430};
static struct layout layout;
static struct results_config config;
static struct results_plan plan;

static void plan_make(void)
{
    static const double ridge[NZ] = {0.1, 1, 10};
    static char *names[1] = {"market"};
    static const double market[P] = {0.01, 0.02, 0.03, 0.04};
    layout = (struct layout){.variants = 1, .seeds = S};
    layout_field(&layout, (struct field){.name = "returns", .unit = "1", .meaning = "return"});
    layout_field(
        &layout,
        (struct field){.name = "returns_by_ridge", .unit = "1", .meaning = "return of each ridge", .dim = {{"ridge", NZ}}});
    layout_field(&layout,
                 (struct field){.name = "returns_by_seed", .unit = "1", .meaning = "return of each seed", .per_seed = true});
    layout_field(&layout, (struct field){.name = "states", /* a name that no reader knows */
                                         .unit = "1",
                                         .meaning = "of each seed",
                                         .dim = {{"state", STATES}},
                                         .per_seed = true});
    layout_constant(&layout,
                    (struct constant){
                        .name = "ridge", .unit = "1", .meaning = "penalty", .dimension = "ridge", .n = NZ, .value = ridge});
    config = (struct results_config){
        .universe = "all", .name = "m", .kind = "mlp", .options = "", .layout = &layout, .window = 2, .first_row = 1};
    plan = (struct results_plan){.study_text = "models: []",
                                 .study_name = "s",
                                 .panel = "p.h5",
                                 .panel_digest = "0",
                                 .fingerprint = "f",
                                 .periods_per_year = 12,
                                 .P = P,
                                 .dates = dates,
                                 .configs = 1,
                                 .config = &config,
                                 .M = 1,
                                 .test_asset_names = names,
                                 .test_assets = market,
                                 .save_weights = true};
}

/* A fit's record: every value and weight is `x`, but `assets` tells how many weights and `values` how many values there are. */
static void append(struct part_writer *w, int row, int seed, double x, size_t values, size_t assets)
{
    struct part_key key = {.row = row, .seed = seed};
    double value[VALUES + 1];
    int64_t ids[ASSETS + 1] = {1, 2, 3};
    float weights[ASSETS + 1];
    for (int i = 0; i <= VALUES; i++) value[i] = x;
    for (int i = 0; i <= ASSETS; i++) weights[i] = (float)x;
    CU_ASSERT(part_append(w, &key, values, value, assets, ids, weights, &e) == 0);
}

/* A run under way, r.h5.parts: all rows are there but the last, of whose seeds one is. */
static void run_make(void)
{
    CU_ASSERT(!*run || parts_remove(at("r.h5.parts"), run, &e) == 0);
    CU_ASSERT(results_skeleton(at("r.h5.parts"), &plan, run, &e) == 0);
    struct part_writer *w = part_create(run, 1, 0, 30);
    for (int row = 1; row < P; row++)
        for (int s = 0; s < (row < P - 1 ? S : 1); s++) append(w, row, s, row + 0.25 * s, VALUES, ASSETS);
    CU_ASSERT(part_close(w, &e) == 0);
}

static void run_under_way(void)
{
    struct results r;
    run_make();
    CU_ASSERT_FATAL(results_load(at("r.h5"), &r, &e) == 0);
    const struct result_model *m = &r.model[0];
    const double *by_ridge = results_values(m, "returns_by_ridge"), *by_seed = results_values(m, "returns_by_seed"),
                 *states = results_values(m, "states");
    CU_ASSERT(r.under_way && r.models == 1 && r.P == P && m->seeds == S);
    CU_ASSERT(results_size(m, "ridge") == NZ && results_size(m, "seed") == S && results_size(m, "state") == STATES);
    CU_ASSERT_FATAL(by_ridge && by_seed && states && results_field(m, "states")->per_seed);
    CU_ASSERT(isnan(m->returns[0]) && m->returns[1] == 1.125 && by_ridge[2 * NZ] == 2.125 && !m->done[P - 1]);
    CU_ASSERT(by_seed[(P - 1) * S] == P - 1 && isnan(by_seed[(P - 1) * S + 1]));
    CU_ASSERT(states[(1 * S + 1) * STATES + 1] == 1.25 && isnan(states[((P - 1) * S + 1) * STATES]));
    CU_ASSERT(results_values(m, "ridge")[2] == 10 && results_field(m, "heads") == NULL);
    results_free(&r);
}

/* The skeleton with one attribute changed. */
static void lie_in_number(const char *attribute, int64_t value, const char *text)
{
    struct results r;
    run_make();
    struct hdf *f = hdf_edit(skeleton(), &e);
    CU_ASSERT_FATAL(f != NULL);
    hdf_put_int(f, "models/all/m", attribute, value, &e);
    CU_ASSERT(hdf_close(f, &e) == 0);
    CU_ASSERT(results_load(at("r.h5"), &r, &e) == -1);
    says(text);
}

static void lie_in_fields(int n, const char *const *names, const char *text)
{
    struct results r;
    run_make();
    struct hdf *f = hdf_edit(skeleton(), &e);
    CU_ASSERT_FATAL(f != NULL);
    hdf_put_texts(f, "models/all/m", "fields", n, (char *const *)names, &e);
    CU_ASSERT(hdf_close(f, &e) == 0);
    CU_ASSERT(results_load(at("r.h5"), &r, &e) == -1);
    says(text);
}

/* A dataset of the skeleton is made again with another shape. */
static void lie_in_shape(const char *name, int rank, const hsize_t *size, const char *text)
{
    struct results r;
    run_make();
    hid_t f = H5Fopen(skeleton(), H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(rank, size, NULL);
    CU_ASSERT(H5Ldelete(f, name, H5P_DEFAULT) >= 0);
    hid_t d = H5Dcreate2(f, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT(d >= 0);
    H5Dclose(d);
    H5Sclose(space);
    H5Fclose(f);
    CU_ASSERT(results_load(at("r.h5"), &r, &e) == -1);
    says(text);
}

static void skeletons_that_lie(void)
{
    static const char *const twice[] = {"returns", "returns"}, *const other[] = {"returns_by_ridge", "returns"},
                             *const missing[] = {"returns", "nowhere"};
    const char *many[17];
    for (int i = 0; i < 17; i++) many[i] = "returns";
    lie_in_number("first_row", P + 1, "attribute first_row of models/all/m: found 5; needed: 0 to 4");
    lie_in_number("first_row", -1, "found -1; needed: 0 to 4");
    lie_in_number("first_row", INT64_MAX, "needed: 0 to 4");
    lie_in_number("seeds", 0, "attribute seeds of models/all/m: found 0; needed: 1 to 1000000");
    lie_in_number("seeds", -1, "found -1; needed: 1 to 1000000");
    lie_in_number("seeds", 1LL << 40, "needed: 1 to 1000000");
    lie_in_number("order", 1, "found order 1");
    lie_in_fields(17, many, "found 17 names; needed: 1 to 16");
    lie_in_fields(2, twice, "found 'returns' twice");
    lie_in_fields(2, other, "'returns' first");
    lie_in_fields(2, missing, "nowhere is missing");
    lie_in_shape("models/all/m/returns_by_ridge", 2, (hsize_t[]){0, 1}, "found 1 entries along ridge; needed: 3");
    lie_in_shape("models/all/m/returns_by_ridge", 3, (hsize_t[]){0, 1 << 30, 1 << 30}, "3 dimensions; 2 are needed");
    lie_in_shape("models/all/m/states", 3, (hsize_t[]){0, 1 << 30, 1 << 30}, "declares rows of more than");
    lie_in_shape("models/all/m/returns", 2, (hsize_t[]){0, 7}, "2 dimensions; 1 are needed");
    lie_in_shape("models/all/m/returns_by_seed", 2, (hsize_t[]){0, 7}, "found 7 entries along seed; needed: 2");
    lie_in_shape("models/all/m/ridge", 1, (hsize_t[]){1 << 30}, "declares 8589934592 bytes");
}

/* The skeleton where a dataset has other names of its dimensions. */
static void lie_in_names(const char *name, int n, const char *const *names, const char *text)
{
    struct results r;
    run_make();
    struct hdf *f = hdf_edit(skeleton(), &e);
    CU_ASSERT_FATAL(f != NULL);
    if (n) hdf_put_texts(f, name, HDF_DIMENSION_NAMES, n, (char *const *)(uintptr_t)names, &e);
    else hdf_put_int(f, name, HDF_DIMENSION_NAMES, 7, &e);
    CU_ASSERT(hdf_close(f, &e) == 0);
    CU_ASSERT(results_load(at("r.h5"), &r, &e) == -1);
    says(text);
}

/* A dataset that is no constant, or one along dates, among the constants of a file. */
static void lie_in_constants(const char *file, int64_t size, const char *name, const char *text)
{
    struct results r;
    struct hdf *f = hdf_edit(file, &e);
    const char *const names[] = {name}, *const along[] = {"date"};
    const double zeros[1000] = {0};
    CU_ASSERT_FATAL(f != NULL);
    hdf_write(f, "models/all/m/penalties", HDF_FLOAT64, 1, &size, zeros, &e);
    hdf_put_texts(f, "models/all/m/penalties", HDF_DIMENSION_NAMES, 1, (char *const *)(uintptr_t)along, &e);
    hdf_put_texts(f, "models/all/m", "constants", 1, (char *const *)(uintptr_t)names, &e);
    CU_ASSERT(hdf_close(f, &e) == 0);
    CU_ASSERT(results_load(strstr(file, "skeleton") ? at("r.h5") : file, &r, &e) == -1);
    says(text);
}

static void names_that_lie(void)
{
    static const char by_ridge[] = "models/all/m/returns_by_ridge", states[] = "models/all/m/states";
    lie_in_names(by_ridge, 2, (const char *const[]){"date", "head"}, "found 'head' as dimension 1; needed: ridge");
    lie_in_names(by_ridge, 2, (const char *const[]){"ridge", "date"}, "found 'ridge' as dimension 0; needed: date");
    lie_in_names(by_ridge, 3, (const char *const[]){"date", "ridge", "head"}, "has 2 dimensions; 3 are named");
    lie_in_names(by_ridge, 0, NULL, "does not hold text");
    lie_in_names(states, 3, (const char *const[]){"seed", "seed", "state"}, "found 'seed' as dimension 0; needed: date");
    lie_in_names(states, 3, (const char *const[]){"date", "seed", "ridge"}, "found 2 entries along ridge; needed: 3");
    lie_in_names(states, 3, (const char *const[]){"date", "state", "seed"}, "'seed' as dimension 2; needed: a name");
    lie_in_names(states, 3, (const char *const[]){"date", "seed", "a name of dimensions that is too long"},
                 "needed: a name shorter");
    lie_in_names("models/all/m/ridge", 1, (const char *const[]){"date"}, "found 'date' as dimension 0; needed: ridge");
    run_make();
    lie_in_constants(skeleton(), 1000, "states", "3 dimensions; 1 is needed");
    run_make();
    lie_in_constants(skeleton(), 1000, "penalties", "found 'date' as dimension 0; needed: a name");
}

/* A file from before dimensions had names, and one that lists neither fields nor constants: FORMATS.md's names are enough. */
static void files_without_names(void)
{
    static const char *const datasets[] = {"returns", "returns_by_ridge", "returns_by_seed", "states", "ridge"};
    struct results r;
    struct part_index x;
    run_make();
    struct part_writer *w = part_create(run, 2, 0, 30);
    append(w, P - 1, 1, 5, VALUES, ASSETS);
    CU_ASSERT(part_close(w, &e) == 0);
    CU_ASSERT_FATAL(parts_index(run, 0, 1, &x, &e) == 0);
    CU_ASSERT_FATAL(results_finish(at("old.h5"), &plan, &x, "", &e) == 0);
    parts_free(&x);
    for (int lists = 1; lists >= 0; lists--) {
        hid_t f = H5Fopen(at("old.h5"), H5F_ACC_RDWR, H5P_DEFAULT), m = H5Gopen2(f, "models/all/m", H5P_DEFAULT);
        for (size_t i = 0; i < sizeof datasets / sizeof *datasets && lists; i++)
            CU_ASSERT(H5Adelete_by_name(m, datasets[i], HDF_DIMENSION_NAMES, H5P_DEFAULT) >= 0);
        if (!lists) CU_ASSERT(H5Adelete(m, "fields") >= 0 && H5Adelete(m, "constants") >= 0 && H5Adelete(m, "seeds") >= 0);
        H5Gclose(m);
        H5Fclose(f);
        CU_ASSERT_FATAL(results_load(at("old.h5"), &r, &e) == 0);
        const struct result_model *k = &r.model[0];
        const struct result_field *states = results_field(k, "states");
        CU_ASSERT(k->seeds == S && results_size(k, "ridge") == NZ && results_values(k, "ridge")[1] == 1);
        CU_ASSERT(k->returns[1] == 1.125 && results_values(k, "returns_by_ridge")[1 * NZ] == 1.125);
        CU_ASSERT(results_field(k, "returns_by_seed")->per_seed && results_values(k, "returns_by_seed")[P * S - 1] == 5);
        CU_ASSERT(lists ? states && states->rank == 3 && states->values[(1 * S + 1) * STATES] == 1.25 : !states);
        results_free(&r);
    }
    lie_in_constants(at("old.h5"), P, "penalties", "found 'date' as dimension 0; needed: a name");
}

/* Rows of many seeds and epochs that the machine has no room for: nothing is allocated for them. */
static void skeletons_beyond_memory(void)
{
    static const char *const names[] = {"returns", "training_loss"};
    struct results r;
    run_make();
    hsize_t size[3] = {0, 1000000, 2000000000};
    hid_t f = H5Fopen(skeleton(), H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(3, size, NULL);
    H5Dclose(H5Dcreate2(f, "models/all/m/training_loss", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    H5Fclose(f);
    struct hdf *h = hdf_edit(skeleton(), &e);
    CU_ASSERT_FATAL(h != NULL);
    hdf_put_int(h, "models/all/m", "seeds", 1000000, &e);
    hdf_put_texts(h, "models/all/m", "fields", 2, (char *const *)names, &e);
    CU_ASSERT(hdf_close(h, &e) == 0);
    size_t before = memory_peak();
    CU_ASSERT(results_load(at("r.h5"), &r, &e) == -1);
    CU_ASSERT(memory_peak() - before < 1000000);
    says("declares 4 rows of 1000000 seeds");
}

/* Of two records of a fit, in two logs or in one, the first counts; one of another length does not. */
static void first_record_counts(void)
{
    struct results r;
    struct part_index x;
    struct weights held;
    run_make();
    struct part_writer *w = part_create(run, 2, 0, 30);
    for (int row = 1; row < P; row++)
        for (int s = 0; s < S; s++) append(w, row, s, 100 + row, VALUES, ASSETS), append(w, row, s, 200, VALUES, ASSETS);
    CU_ASSERT(part_close(w, &e) == 0);
    w = part_create(run, 0, 0, 30); /* sorted before all, and of another study */
    append(w, 1, 0, 300, VALUES + 1, ASSETS), append(w, P, 0, 300, VALUES, ASSETS), append(w, 1, S, 300, VALUES, ASSETS);
    CU_ASSERT(part_close(w, &e) == 0);
    CU_ASSERT_FATAL(parts_index(run, 0, 1, &x, &e) == 0);
    CU_ASSERT_FATAL(results_finish(at("whole.h5"), &plan, &x, "", &e) == 0);
    parts_free(&x);
    CU_ASSERT_FATAL(results_load(at("whole.h5"), &r, &e) == 0);
    struct results_reader *f = results_reader_open(&r, &e);
    CU_ASSERT_FATAL(f && weights_open(&held, f, &r.model[0], &e));
    const double *by_seed = results_values(&r.model[0], "returns_by_seed");
    for (int row = 1; row < P; row++) {
        double first = row < P - 1 ? row : P - 1, second = row < P - 1 ? row + 0.25 : 100 + P - 1;
        CU_ASSERT(by_seed[row * S] == first && by_seed[row * S + 1] == second);
        CU_ASSERT(weights_step(&held, f, row, &e) == 0 && held.now.n == ASSETS);
        CHECK_CLOSE(held.now.w[1], (first + second) / 2, 1e-6);
        CHECK_CLOSE(held.now.w[1], r.model[0].returns[row], 1e-6); /* the fits that earned the return hold the weights */
    }
    weights_close(&held);
    results_reader_close(f, &e);
    results_free(&r);
}

/* Seeds of a row hold the same assets, or the mean of their weights means nothing (and would not fit). */
static void seeds_hold_the_same_assets(void)
{
    struct part_index x;
    run_make();
    struct part_writer *w = part_create(run, 2, 0, 30);
    append(w, P - 1, 1, 1, VALUES, ASSETS + 1);
    CU_ASSERT(part_close(w, &e) == 0);
    CU_ASSERT_FATAL(parts_index(run, 0, 1, &x, &e) == 0);
    CU_ASSERT(results_finish(at("mixed.h5"), &plan, &x, "", &e) == -1);
    says("found weights of 2 assets of seed 0 and of 3 of seed 1");
    CU_ASSERT(access(at("mixed.h5"), F_OK) != 0);
    parts_free(&x);
}

/* Saved weights whose offsets lead out of the file. */
static void offsets_of_weights(int64_t entry, int64_t value)
{
    struct results r;
    struct weights held;
    CU_ASSERT_FATAL(results_load(at("whole.h5"), &r, &e) == 0);
    struct hdf *f = hdf_edit(at("whole.h5"), &e);
    int64_t keep;
    hdf_read_part(f, "models/all/m/weight_offsets", HDF_INT64, entry, 1, &keep, &e);
    hdf_write_part(f, "models/all/m/weight_offsets", HDF_INT64, entry, 1, &value, &e);
    hdf_close(f, &e);
    struct results_reader *reader = results_reader_open(&r, &e);
    CU_ASSERT(reader && !weights_open(&held, reader, &r.model[0], &e));
    says("needed: offsets in order, 0 to 6");
    weights_close(&held);
    results_reader_close(reader, &e);
    f = hdf_edit(at("whole.h5"), &e);
    hdf_write_part(f, "models/all/m/weight_offsets", HDF_INT64, entry, 1, &keep, &e);
    hdf_close(f, &e);
    results_free(&r);
}

static void weights_that_lie(void)
{
    first_record_counts();
    offsets_of_weights(P, 7);
    offsets_of_weights(P, INT64_MAX);
    offsets_of_weights(0, -1);
    offsets_of_weights(0, INT64_MIN);
    offsets_of_weights(3, 1);
}

/* A dataset that declares more than the file holds: refused before room is made for it. */
static void declared(const char *name, int rank, const hsize_t *size, hsize_t chunk, const char *text)
{
    int found;
    int64_t shape[HDF_DIMENSIONS];
    char **texts;
    hsize_t chunks[HDF_DIMENSIONS] = {chunk, chunk, chunk, chunk, chunk};
    hid_t f = H5Fcreate(at("big.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(rank, size, NULL);
    if (chunk) H5Pset_chunk(list, rank, chunks), H5Pset_deflate(list, 4);
    bool is_text = !strcmp(name, "names");
    hid_t type = H5Tcopy(is_text ? H5T_C_S1 : H5T_NATIVE_DOUBLE);
    if (is_text) H5Tset_size(type, 8);
    hid_t d = H5Dcreate2(f, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    CU_ASSERT_FATAL(d >= 0);
    if (chunk && rank == 1) { /* one chunk is there; HDF5 itself crashes on writing to the absurd ones */
        double one = 1;
        hsize_t first[HDF_DIMENSIONS] = {0}, count[HDF_DIMENSIONS] = {1, 1, 1, 1, 1}, n = 1;
        hid_t memory = H5Screate_simple(1, &n, NULL);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, count, NULL);
        CU_ASSERT(H5Dwrite(d, type, memory, space, H5P_DEFAULT, &one) >= 0);
        H5Sclose(memory);
    }
    H5Dclose(d), H5Tclose(type), H5Sclose(space), H5Pclose(list), H5Fclose(f);
    struct hdf *h = hdf_open(at("big.h5"), NULL, &e);
    CU_ASSERT_FATAL(h != NULL);
    int status = is_text ? hdf_read_texts(h, name, &found, &texts, &e) : hdf_shape(h, name, HDF_FLOAT64, &found, shape, &e);
    CU_ASSERT_EQUAL(status, -1);
    says(text);
    hdf_close(h, &e);
}

static void sizes_beyond_the_file(void)
{
    declared("x", 1, (hsize_t[]){1 << 20}, 0, "declares 8388608 bytes; the file of");
    declared("x", 1, (hsize_t[]){1LL << 40}, 0, "declares 8796093022208 bytes");
    declared("x", 3, (hsize_t[]){1 << 30, 1 << 30, 1 << 30}, 8, "declares a size that no file has");
    declared("x", 2, (hsize_t[]){1LL << 31, 1LL << 29}, 64, "declares a size that no file has");
    declared("x", 1, (hsize_t[]){1LL << 32}, 64, "declares 34359738368 bytes; the file of");
    declared("x", 1, (hsize_t[]){200}, 64, "has 1 of its 4 chunks; all are needed");
    declared("names", 1, (hsize_t[]){1 << 28}, 0, "dataset names declares 2147483648 bytes");
}

int main(void)
{
    static const struct check tests[] = {
        {"a run under way", run_under_way},
        {"skeletons that lie", skeletons_that_lie},
        {"names that lie", names_that_lie},
        {"files without names", files_without_names},
        {"skeletons beyond memory", skeletons_beyond_memory},
        {"the first valid record of a fit counts", first_record_counts},
        {"seeds of a row hold the same assets", seeds_hold_the_same_assets},
        {"weights whose offsets lie", weights_that_lie},
        {"sizes beyond the file", sizes_beyond_the_file},
    };
    char command[160];
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    snprintf(folder, sizeof folder, "/tmp/aipm-results-read-%d", (int)getpid());
    snprintf(command, sizeof command, "rm -rf %s && mkdir %s", folder, folder);
    if (system(command)) return 2;
    plan_make();
    int status = check_run("results that lie", tests, sizeof tests / sizeof *tests);
    layout_free(&layout);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (memory_blocks()) fprintf(stderr, "%ld blocks not freed\n", memory_blocks()), status = 1;
    return system(command) || status;
}
