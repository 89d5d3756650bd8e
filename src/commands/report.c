/* aipm report: tables, figures and a page of one or several studies. */
#include <argp.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "commands/commands.h"
#include "commands/results_arguments.h"
#include "io/results_file.h"
#include "report/report.h"

enum { FILES = 64, SINCE = 2000, ATTENTION, ATTENTION_DATE };
struct report_arguments {
    int n;
    const char *results[FILES], *folder;
    struct report_options report;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct report_arguments *a = state->input;
    switch (key) {
    case 'o': a->folder = value; return 0;
    case SINCE:
        if (!strcmp(value, "none")) a->report.since = 0;
        else if (table_argument_date(value, &a->report.since))
            return arguments_fail(state, "--since: found '%s'; needed: a date as YYYYMMDD, or none", value);
        return 0;
    case ATTENTION:
        if (table_argument_date(value, &a->report.attention))
            return arguments_fail(state, "--attention: found '%s'; needed: a formation date as YYYYMMDD", value);
        return 0;
    case ATTENTION_DATE:
        if (table_argument_date(value, &a->report.attention_date))
            return arguments_fail(state, "--attention-date: found '%s'; needed: a formation date as YYYYMMDD", value);
        return 0;
    case ARGP_KEY_ARG:
        if (a->n == FILES)
            return arguments_fail(state, "found more than %d results files; needed: at most that many", FILES);
        a->results[a->n++] = value;
        return 0;
    case ARGP_KEY_END: return a->n ? 0 : arguments_fail(state, "needed: a results file");
    default: return table_argument(key, value, state, &a->report.table);
    }
}

int command_report(int argc, char **argv, struct team *world)
{
    struct argp_option options[TABLE_ARGUMENTS + 5] = {
        {"output", 'o', "DIR", 0, "Folder for the report [RESULTS without .h5, .report]", 0},
        {"since", SINCE, "DATE|none", 0,
         "Beginning of the second sample, where results cover two years on both sides of it [20030101]", 0},
        {"attention", ATTENTION, "DATE", 0,
         "Heat maps of whom the leaders' followers attend to at this formation date, from RESULTS.parameters (transformers "
         "run "
         "with save_parameters: true) and the study's panel",
         0},
        {"attention-date", ATTENTION_DATE, "DATE", 0,
         "What sequence models (run with save_attention: mean or heads) attended to at this formation date, beside its mean",
         0}};
    table_argument_options(options + 4);
    struct argp argp = {options,
                        parse,
                        "RESULTS...",
                        "Write the tables and figures that a study's models allow, in the order and form of the paper, and "
                        "one page, DIR/index.html, that "
                        "needs nothing beside it. Several results files are compared. Figures are drawn by gnuplot; data "
                        "and scripts stay beside them.",
                        NULL,
                        NULL,
                        NULL};
    struct report_arguments a = {.report = {.table = TABLE_OPTIONS_DEFAULT, .since = 20030101}};
    int status = arguments_parse(&argp, argc, argv, &a), loaded = 0;
    if (status >= 0) return status;

    struct error e = {""};
    if (a.report.attention) a.report.alone = world = world_open(&argc, &argv); /* networks work in teams */
    char folder[4096];
    struct results *r = memory_array(struct results, a.n, "results");
    if (!table_arguments_check(&a.report.table, &e))
        while (loaded < a.n && !results_load(a.results[loaded], &r[loaded], &e)) loaded++;
    if (!error_is_set(&e)) {
        results_folder(a.results[0], ".report", a.folder, folder, sizeof folder);
        for (int i = 0; i < a.n; i++)
            if (r[i].under_way)
                log_info("%s: run under way, %ld of %ld rows finished", a.results[i], r[i].rows_done, r[i].rows_total);
        if (!report_write(a.n, r, &a.report, folder, &e)) log_info("report: %s/index.html", folder);
    }
    for (int i = 0; i < loaded; i++) results_free(&r[i]);
    memory_free(r);
    if (world) world_close(world);
    if (!error_is_set(&e)) return EXIT_DONE;
    error_print(&e);
    return EXIT_INPUT;
}
