/* aipm info: what a panel or results file holds. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/memory.h"
#include "commands/commands.h"
#include "io/hdf.h"
#include "io/panel_file.h"
#include "io/parts.h"
#include "io/results_file.h"

static int finish(void *into, struct argp_state *state)
{
    return *(const char **)into ? 0 : arguments_fail(state, "needed: a panel or results file");
}

/* Names on lines of about 100 characters. */
static void print_names(const char *title, int n, char *const *names)
{
    int column = printf("%-16s", title);
    for (int i = 0; i < n; i++) {
        if (column + strlen(names[i]) > 100) column = printf("\n%-16s", "") - 1;
        column += printf("%s%s", escape_shown(names[i]), i + 1 < n ? ", " : "");
    }
    putchar('\n');
}

static int info_panel(const char *path, struct error *e)
{
    struct panel_meta m;
    char bytes[32];
    if (panel_load_meta(path, NULL, &m, e)) return -1;
    int smallest = m.T ? panel_max_assets(&m) : 0;
    for (int t = 0; t < m.T; t++) {
        int n = (int)(m.offsets[t + 1] - m.offsets[t]);
        if (n < smallest) smallest = n;
    }
    printf("panel           %s\n", escape_shown(path));
    printf("periods         %d, %s (%.10g a year)", m.T, escape_shown(m.frequency), m.periods_per_year);
    if (m.T) printf(", formation dates %lld to %lld", (long long)m.dates[0], (long long)m.dates[m.T - 1]);
    printf("\nrows            %lld assets and periods, %d to %d assets a period, %s\n", (long long)m.rows, smallest,
           panel_max_assets(&m), format_bytes(panel_row_bytes(&m), bytes));
    printf("size groups     %s\n", m.has_size_groups ? "yes" : "no");
    if (m.assets)
        printf("asset names     %d, %s to %s\n", m.assets, escape_shown(m.asset_names[0]),
               escape_shown(m.asset_names[m.assets - 1]));
    for (int g = 0; g < m.G; g++) {
        printf("group column    %s: %d label%s\n", escape_shown(m.group_names[g]), m.labels[g], m.labels[g] == 1 ? "" : "s");
        print_names("", m.labels[g], m.label_names[g]);
    }
    printf("characteristics %d\n", m.D);
    print_names("", m.D, m.characteristic_names);
    if (m.M) printf("test assets     %d\n", m.M);
    else printf("test assets     none of its own: the managed factors of all assets serve\n");
    for (int b = 0; b < m.benchmarks; b++) {
        int from = m.T, to = -1, k = m.benchmark[b].k;
        for (int t = 0; t < m.T; t++) {
            bool all = true;
            for (int j = 0; j < k; j++) all = all && isfinite(m.benchmark[b].returns[(size_t)t * (size_t)k + (size_t)j]);
            if (all && from == m.T) from = t;
            if (all) to = t;
        }
        printf("benchmark       %s: %d factors, ", escape_shown(m.benchmark[b].name), k);
        if (to < 0) printf("nowhere complete\n");
        else printf("%lld to %lld\n", (long long)m.dates[from], (long long)m.dates[to]);
        print_names("", k, m.benchmark[b].factor_names);
    }
    printf("true SDF        %s\n", m.truth ? "known (synthetic panel)" : "unknown");
    panel_meta_free(&m);
    return 0;
}

static int info_results(const char *path, struct error *e)
{
    struct results r;
    if (results_load(path, &r, e)) return -1;
    printf("results         %s%s\n", escape_shown(path), r.under_way ? " (run under way)" : "");
    printf("study           %s\n", escape_shown(r.study_name));
    char words[PLACEBO_TEXT];
    if (r.placebo.kind) printf("placebo         %s\n", placebo_words(&r.placebo, words));
    printf("rows            %ld of %ld finished\n", r.rows_done, r.rows_total);
    printf("periods         %d out of sample (%.10g a year)", r.P, r.periods_per_year);
    if (r.P) printf(", formation dates %lld to %lld", (long long)r.dates[0], (long long)r.dates[r.P - 1]);
    if (r.M) printf("\ntest assets     %d%s\n", r.M, r.test_assets_are_factors ? ", the managed factors of all assets" : "");
    else printf("\ntest assets     none\n");
    printf("true SDF        %s\n", r.truth ? "known (synthetic panel)" : "unknown");
    for (int i = 0; i < r.models; i++) {
        const struct result_model *m = &r.model[i];
        int done = 0, missing = 0;
        for (int p = 0; p < r.P; p++) done += m->done[p] != 0, missing += m->done[p] && isnan(m->returns[p]);
        printf("model           %s/%s (%s): %d of %d rows", escape_shown(m->universe), escape_shown(m->name),
               escape_shown(m->kind), done, r.P);
        if (missing) printf(", %d of them without a return", missing);
        const double *ridge = results_values(m, "ridge"), *heads = results_values(m, "heads");
        int nz = results_size(m, "ridge"), nh = results_size(m, "head"), E = results_size(m, "epoch");
        if (ridge && nz) printf(", %d ridges %g to %g", nz, ridge[0], ridge[nz - 1]);
        if (heads && nh) printf(", %d head counts up to %g", nh, heads[nh - 1]);
        if (results_size(m, "seed")) printf(", %d seed%s", m->seeds, m->seeds == 1 ? "" : "s");
        if (E) printf(", %d epochs", E);
        putchar('\n');
    }
    printf("\nhow it was made\n");
    for (int i = 0; i < r.attributes; i++) {
        printf("  %-20s ", escape_shown(r.attribute_name[i]));
        escape_message(stdout, r.attribute_text[i]);
        putchar('\n');
    }
    printf("\nstudy file\n");
    char *text = memory_text(r.study ? r.study : ""), *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) && (rest || *line);) {
        fputs("  ", stdout);
        escape_message(stdout, line);
        putchar('\n');
    }
    memory_free(text);
    results_free(&r);
    return 0;
}

int command_info(int argc, char **argv, struct team *world)
{
    (void)world;
    static const struct command_line line = {
        .what = "file",
        .finish = finish,
        .files = "FILE",
        .doc = "Say what a panel or results file holds, and how it was made. Results of a run under way are read as far as "
               "they are."};
    const char *path = NULL;
    int status = arguments_read(&line, argc, argv, &path);
    if (status >= 0) return status;
    struct error e = {""};
    char parts[4096], folder[PARTS_PATH], *format = NULL;
    snprintf(parts, sizeof parts, "%s.parts", path);
    if (access(path, F_OK) && parts_find(parts, folder)) info_results(path, &e);
    else {
        format = hdf_format(path, &e);
        if (format && !strcmp(format, "panel")) info_panel(path, &e);
        else if (format && !strcmp(format, "results")) info_results(path, &e);
        else if (format) error_set(&e, "%s: aipm_format: found '%s'; needed: panel or results", path, format);
        memory_free(format);
    }
    return command_end(&e);
}
