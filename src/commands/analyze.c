/* aipm analyze: out-of-sample measures of a study's results, as tables. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "commands/commands.h"
#include "commands/results_arguments.h"
#include "io/results_file.h"
#include "report/tables.h"

struct analyze_arguments {
    const char *results, *folder;
    struct table_options table;
};

#define AT(member) offsetof(struct analyze_arguments, member)
static const struct argument arguments[] = {
    {"output", "DIR", ARGUMENT_TEXT, AT(folder), .help = "Folder for the tables [RESULTS without .h5, .tables]"}, {0}};

static int file(void *into, char *text, struct argp_state *state)
{
    struct analyze_arguments *a = into;
    if (a->results)
        return arguments_fail(state, "found two results files, '%s' and '%s'; needed: one (aipm report compares several)",
                              a->results, text);
    a->results = text;
    return 0;
}

static int finish(void *into, struct argp_state *state)
{
    const struct analyze_arguments *a = into;
    return a->results ? 0 : arguments_fail(state, "needed: a results file");
}

/* A table that this study does not have may lie there from an earlier one. */
static void remove_stale(const char *folder, int which)
{
    static const char *const name[TABLES] = {
        [TABLES_HEADS] = "heads", [TABLES_RIDGE] = "ridge", [TABLES_SYMMETRY] = "symmetry"};
    static const char *const suffix[] = {"csv", "md", "tex"};
    char path[4200];
    for (size_t i = 0; i < 3 && name[which]; i++) {
        snprintf(path, sizeof path, "%s/%s.%s", folder, name[which], suffix[i]);
        unlink(path);
    }
}

int command_analyze(int argc, char **argv, struct team *world)
{
    (void)world;
    static const struct command_line line = {
        .group = {{.list = arguments}, {.list = table_arguments, .at = AT(table)}},
        .argument = file,
        .finish = finish,
        .files = "RESULTS",
        .doc =
            "Measure a study's out-of-sample SDF returns: Sharpe ratios, pricing errors (HJD), alphas, correlations and "
            "tangency weights, per universe. The main table goes to the terminal, all of them to DIR as CSV, Markdown and "
            "LaTeX. RESULTS of a run under way are read as far as they are."};
    struct analyze_arguments a = {.table = TABLE_OPTIONS_DEFAULT};
    int status = arguments_read(&line, argc, argv, &a);
    if (status >= 0) return status;

    struct error e = {""};
    struct results r;
    struct tables t;
    char folder[4096];
    if (!table_arguments_check(&a.table, &e) && !results_load(a.results, &r, &e)) {
        results_folder(a.results, ".tables", a.folder, folder, sizeof folder);
        if (r.under_way) log_info("%s: run under way, %ld of %ld rows finished", a.results, r.rows_done, r.rows_total);
        if (!tables_build(&r, &a.table, &t, &e)) {
            for (int i = 0; i < TABLES && !error_is_set(&e); i++) {
                if (t.table[i]) table_write(t.table[i], folder, &e);
                else remove_stale(folder, i);
            }
            if (!error_is_set(&e)) {
                table_print(t.table[TABLES_PERFORMANCE], stdout);
                if (fflush(stdout)) error_set(&e, "standard output: %s", strerror(errno));
                log_info("tables: %s/", folder);
            }
            tables_free(&t);
        }
        results_free(&r);
    }
    return command_end(&e);
}
