/* libFuzzer: files of the program's own that HDF5 finds in order and that lie. A panel, finished results, a run under way and saved
 * parameters are made once; the input's first byte chooses one, the rest are changes of it, four bytes each: objects removed, made again with
 * another shape, type or place on the disk, values and attributes replaced, links turned. Then the program's reader reads all there is.
 * (Bytes of such files are not touched: what HDF5 makes of a damaged file is a matter for io/hdf_probe.h.)
 * Build and run: tests/fuzz/run.sh SECONDS hdf. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/durable_file.h"
#include "io/panel_file.h"
#include "io/parameters_file.h"
#include "models/networks.h"
#include "io/parts.h"
#include "io/results_read.h"
#include "io/results_write.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { A_PANEL, A_RESULT, A_RUN, A_NETWORK, KINDS };
enum { P = 4, S = 2, NZ = 3, D = 3, ASSETS = 2, VALUES = 1 + NZ + 1, OBJECTS = 64 };
static const int64_t dates[P] = {20200131, 20200229, 20200331, 20200430};
static char folder[64], file[KINDS][PARTS_PATH + 32]; /* that the readers open */
static struct template
{
    char *bytes;
    size_t n;
    int objects;
    char object[OBJECTS][128];
}
template[KINDS];
static struct network *network;

/* ---- the files as they should be ---- */

static void make_panel(const char *path, struct error *e)
{
    static char *names[D] = {"a", "b", "c"};
    static int64_t offsets[P + 1] = {0, 2, 4, 6, 8}, ids[P * ASSETS] = {1, 2, 1, 2, 1, 2, 1, 2};
    static const float x[P * ASSETS * D];
    static double returns[P * ASSETS];
    struct benchmark benchmark = {.name = "FF", .k = 1, .factor_names = names, .returns = returns};
    struct panel_meta m = {.T = P,
                           .D = D,
                           .periods_per_year = 12,
                           .frequency = "monthly",
                           .rows = P * ASSETS,
                           .dates = (int64_t *)(uintptr_t)dates,
                           .offsets = offsets,
                           .characteristic_names = names,
                           .M = 1,
                           .test_asset_names = names,
                           .test_assets = returns,
                           .assets = 2,
                           .asset_names = names,
                           .asset_name_ids = ids,
                           .benchmarks = 1,
                           .benchmark = &benchmark};
    struct panel_writer *w = panel_write_begin(path, NULL, &m, e);
    if (w) panel_write_rows(w, 0, P * ASSETS, x, returns, ids, NULL, NULL, e);
    if (w) panel_write_end(w, e);
}

static struct layout layout;
static struct results_config config;
static struct results_plan plan;
static void make_plan(void)
{
    static const double ridge[NZ] = {0.1, 1, 10}, market[P] = {0.01, 0.02, 0.03, 0.04};
    static char *names[1] = {"market"};
    layout = (struct layout){.variants = 1, .seeds = S};
    layout_field(&layout, (struct field){.name = "returns", .unit = "1", .meaning = "return"});
    layout_field(&layout, (struct field){
                              .name = "returns_by_ridge", .unit = "1", .meaning = "of each ridge", .dim = {{"ridge", NZ}}});
    layout_field(&layout,
                 (struct field){.name = "returns_by_seed", .unit = "1", .meaning = "of each seed", .per_seed = true});
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

static void make_results(const char *path, const char *parts, struct error *e)
{
    struct part_index x;
    char run[PARTS_PATH];
    if (results_skeleton(parts, &plan, run, e)) return;
    snprintf(file[A_RUN], sizeof *file, "%s/" PARTS_SKELETON, run);
    struct part_writer *w = part_create(run, 1, 0, 30);
    for (int i = 0; i < P * S; i++) {
        double value[VALUES] = {i, i, i, i, i};
        part_append(w, &(struct part_key){.row = i / S, .seed = i % S}, VALUES, value, ASSETS, (int64_t[]){1, 2},
                    (float[]){.5f, -.5f}, e);
    }
    if (part_close(w, e) || parts_index(run, 0, 1, &x, e)) return;
    results_finish(path, &plan, &x, "", e);
    parts_free(&x);
}

static herr_t note_object(hid_t at, const char *name, const H5O_info_t *info, void *to)
{
    struct template *t = to;
    (void)at, (void)info;
    if (t->objects < OBJECTS) snprintf(t->object[t->objects++], sizeof *t->object, "%s", name);
    return 0;
}

static void remember(int kind)
{
    struct template *t = &template[kind];
    FILE *f = fopen(file[kind], "rb");
    hid_t h = H5Fopen(file[kind], H5F_ACC_RDONLY, H5P_DEFAULT);
    if (!f || h < 0 || H5Ovisit(h, H5_INDEX_NAME, H5_ITER_INC, note_object, t) < 0) abort();
    H5Fclose(h);
    t->bytes = malloc(1 << 20);
    t->n = fread(t->bytes, 1, 1 << 20, f);
    fclose(f);
}

static void leave(void)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command)) return;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error e = {""};
    char parts[100];
    (void)argc, (void)argv;
    log_set_quiet(true);
    log_set_speaker(false);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    snprintf(folder, sizeof folder, "/dev/shm/aipm-fuzz-hdf.%d", (int)getpid());
    snprintf(parts, sizeof parts, "%s/run.h5.parts", folder);
    snprintf(file[A_PANEL], sizeof *file, "%s/panel.h5", folder);
    snprintf(file[A_RESULT], sizeof *file, "%s/whole.h5", folder);
    snprintf(file[A_NETWORK], sizeof *file, "%s/20200131.h5", folder);
    if (folder_create(folder, &e)) abort();
    atexit(leave);
    make_panel(file[A_PANEL], &e);
    make_plan();
    make_results(file[A_RESULT], parts, &e);
    network = network_make(mlp_network(D, ASSETS, 1, 1, (int[]){2}));
    parameters_save(folder, 20200131, network, &e);
    if (error_is_set(&e)) fprintf(stderr, "%s\n", e.text), abort();
    for (int kind = 0; kind < KINDS; kind++) remember(kind);
    return 0;
}

/* ---- the changes ---- */

static const double odd_value[] = {NAN,   INFINITY,     -INFINITY,     0,   -1, 1, 2, 3, 5, 20200131, 1e300, 9e18,
                                   -9e18, 2147483648.0, -2147483649.0, 0.75};
static const hsize_t odd_size[] = {0, 1,  2,    3,       4,          5,          7,          8,
                                   9, 64, 1000, 1 << 20, 1ULL << 31, 1ULL << 32, 1ULL << 40, 1ULL << 62};

static const int64_t odd_number[16] = {0,  1,  -1, 2,       3,         4,         5,         12,
                                       16, 17, 64, 1000000, 1LL << 31, 1LL << 40, INT64_MAX, INT64_MIN};

static hid_t odd_type(int which)
{
    hid_t type;
    switch (which % 10) {
    case 0: return H5Tcopy(H5T_STD_I8LE);
    case 1: return H5Tcopy(H5T_STD_I64LE);
    case 2: return H5Tcopy(H5T_STD_U64BE);
    case 3: return H5Tcopy(H5T_IEEE_F32LE);
    case 4: return H5Tcopy(H5T_IEEE_F64BE);
    case 5:
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, 1 + (size_t)which % 7);
        return type;
    case 6:
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, H5T_VARIABLE);
        return type;
    case 7:
        type = H5Tcreate(H5T_COMPOUND, 16);
        H5Tinsert(type, "x", 0, H5T_NATIVE_DOUBLE);
        return type;
    case 8:
        type = H5Tcreate(H5T_OPAQUE, 3);
        H5Tset_tag(type, "odd");
        return type;
    default: return H5Tarray_create2(H5T_NATIVE_INT, 1, (hsize_t[]){3});
    }
}

/* One value of a dataset, seen as a line of doubles. */
static void change_value(hid_t f, const char *name, int which, double value)
{
    hid_t d = H5Dopen2(f, name, H5P_DEFAULT), space = d < 0 ? -1 : H5Dget_space(d);
    hssize_t n = space < 0 ? 0 : H5Sget_simple_extent_npoints(space);
    hid_t type = d < 0 ? -1 : H5Dget_type(d);
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    if (n > 0 && n < 1000 && (class == H5T_INTEGER || class == H5T_FLOAT)) {
        double x[1000] = {0};
        H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
        x[which % n] = value;
        H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    }
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    if (d >= 0) H5Dclose(d);
}

/* The dataset again with other sizes, type or storage; what is small enough is written. */
static void change_shape(hid_t f, const char *name, int which, int how)
{
    static const double zeros[4096];
    int rank = how % 4;
    hsize_t size[3], n = 1, chunk[3] = {4, 4, 4};
    for (int i = 0; i < rank; i++) size[i] = odd_size[(which >> 2 * i) % 16], n = n > 4096 ? n : n * size[i];
    hid_t space = rank ? H5Screate_simple(rank, size, NULL) : H5Screate(H5S_SCALAR), list = H5Pcreate(H5P_DATASET_CREATE);
    hid_t type = odd_type(how >> 2 & 32 ? which : 4 - (how >> 2 & 3));
    if (rank && how & 64) H5Pset_chunk(list, rank, chunk), H5Pset_deflate(list, 1);
    H5Ldelete(f, name, H5P_DEFAULT);
    hid_t d = H5Dcreate2(f, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    H5T_class_t class = H5Tget_class(type);
    if (d >= 0 && n > 0 && n <= 4096 && how & 128 && (class == H5T_INTEGER || class == H5T_FLOAT))
        H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros);
    if (d >= 0) H5Dclose(d);
    H5Tclose(type), H5Sclose(space), H5Pclose(list);
}

static void change_attribute(hid_t f, const char *name, int which, int how)
{
    static const char *const known[] = {
        "aipm_format", "format_version", "periods_per_year", "frequency", "fields",       "first_row", "seeds",   "order",
        "kind",        "window",         "factor_names",     "study",     "panel_digest", "source",    "options", "labels"};
    static const char *const words[] = {"", "panel", "results", "returns", "nowhere", "\xff\xfe", "a/b", "x\ny"};
    const char *attribute = known[which % 16];
    H5Adelete_by_name(f, name, attribute, H5P_DEFAULT);
    if (how % 4 == 0) return;
    hsize_t n = how % 4 == 1 ? 1 : (hsize_t)(how >> 2) % 20;
    hid_t space = how & 64 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL), text = odd_type(6);
    if (how & 64) n = 1;
    const char *value[20];
    int64_t number[20];
    for (int i = 0; i < 20; i++) value[i] = words[((which >> 4) + i * (how & 1)) % 8], number[i] = odd_number[which >> 4];
    hid_t a = H5Acreate_by_name(f, name, attribute, how & 128 ? text : H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT,
                                H5P_DEFAULT);
    if (a >= 0 && n)
        H5Awrite(a, how & 128 ? text : H5T_NATIVE_INT64, how & 128 ? (const void *)value : (const void *)number);
    if (a >= 0) H5Aclose(a);
    H5Sclose(space), H5Tclose(text);
}

static void change_link(hid_t f, const char *name, const char *other, int how)
{
    char wide[300];
    memset(wide, 'w', sizeof wide - 1), wide[sizeof wide - 1] = '\0';
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    switch (how % 6) {
    case 0: H5Ldelete(f, name, H5P_DEFAULT); break;
    case 1: H5Lmove(f, name, f, other, links, H5P_DEFAULT); break;
    case 2: H5Ldelete(f, name, H5P_DEFAULT), H5Lcreate_soft(other, f, name, links, H5P_DEFAULT); break;
    case 3: H5Ldelete(f, name, H5P_DEFAULT), H5Lcreate_hard(f, other, f, name, links, H5P_DEFAULT); break;
    case 4: H5Lmove(f, name, f, wide, links, H5P_DEFAULT); break;
    default: H5Ldelete(f, name, H5P_DEFAULT), H5Gclose(H5Gcreate2(f, name, links, H5P_DEFAULT, H5P_DEFAULT)); break;
    }
    H5Pclose(links);
}

static void change(int kind, const uint8_t *data, size_t n)
{
    const struct template *t = &template[kind];
    FILE *out = fopen(file[kind], "wb");
    if (!out || fwrite(t->bytes, 1, t->n, out) != t->n || fclose(out)) abort();
    hid_t f = H5Fopen(file[kind], H5F_ACC_RDWR, H5P_DEFAULT);
    if (f < 0) abort();
    for (size_t i = 0; i + 4 <= n && i < 32; i += 4) {
        const char *name = t->object[data[i + 1] % t->objects], *other = t->object[data[i + 2] % t->objects];
        switch (data[i] % 4) {
        case 0: change_value(f, name, data[i + 2], odd_value[data[i + 3] % 16]); break;
        case 1:
            if (strcmp(name, ".")) change_shape(f, name, data[i + 2], data[i + 3]);
            break;
        case 2: change_attribute(f, name, data[i + 2], data[i + 3]); break;
        default:
            if (strcmp(name, ".") && strcmp(other, ".")) change_link(f, name, other, data[i + 3]);
            break;
        }
    }
    H5Fclose(f);
}

/* ---- the readers ---- */

static void read_panel(struct error *e)
{
    struct panel_meta m;
    struct row_buffer b;
    struct rows r;
    if (panel_load_meta(file[A_PANEL], NULL, &m, e)) return;
    if (m.T < 1 || m.offsets[m.T] != m.rows) abort();
    panel_meta_digest(&m);
    struct panel_file *f = panel_open(file[A_PANEL], NULL, &m, e);
    if (f) {
        row_buffer_create(&b, &m, panel_max_assets(&m));
        for (int t = 0; t < m.T && !panel_read_period(f, t, &b, &r, e); t++)
            for (int64_t i = 0; i < (int64_t)r.n * m.D; i++)
                if (!(fabsf(r.characteristics[i]) < 0.6f)) abort();
        row_buffer_free(&b);
        panel_close(f, e);
    }
    panel_meta_free(&m);
}

static void read_results(const char *path, struct error *e)
{
    struct results r;
    struct weights w;
    volatile double sum = 0;
    if (results_load(path, &r, e)) return;
    struct results_reader *f = results_reader_open(&r, e);
    for (int i = 0; i < r.models && f && !error_is_set(e); i++) {
        const struct result_model *m = &r.model[i];
        for (int p = 0; p < r.P; p++) sum += m->returns[p] + m->done[p];
        for (int k = 0; k < m->fields; k++) {
            const struct result_field *x = &m->field[k];
            double *row = memory_array(double, result_field_row(x), "row");
            size_t all = 1;
            for (int d = 0; d < x->rank; d++) all *= (size_t)x->dim[d].size;
            for (size_t j = 0; j < all && x->values; j++) sum += x->values[j];
            for (int p = 0; p < r.P && !x->values && !error_is_set(e); p++) results_row(f, m, x, p, row, e);
            memory_free(row);
        }
        if (weights_open(&w, f, m, e))
            for (int p = 0; p < r.P && !weights_step(&w, f, p, e); p++)
                for (int64_t a = 0; a < w.now.n; a++) sum += w.now.w[a] + (double)w.now.ids[a];
        weights_close(&w);
    }
    if (f) results_reader_close(f, e);
    results_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error e = {""};
    char run[128];
    int64_t found;
    long held = memory_blocks();
    if (n < 1) return 0;
    int kind = data[0] % KINDS;
    change(kind, data + 1, n - 1);
    snprintf(run, sizeof run, "%s/run.h5", folder);
    if (kind == A_PANEL) read_panel(&e);
    else if (kind == A_NETWORK) parameters_load(folder, 20200131, network, &found, &e);
    else read_results(kind == A_RESULT ? file[A_RESULT] : run, &e);
    if (memory_blocks() != held) fprintf(stderr, "%ld blocks not freed; %s\n", memory_blocks() - held, e.text), abort();
    return 0;
}
