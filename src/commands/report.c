/* aipm report: tables, figures and a page of one or several studies. */
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "commands/commands.h"
#include "commands/results_arguments.h"
#include "io/results_file.h"
#include "report/report.h"

enum { FILES = 64 };
struct report_arguments {
    int n;
    const char *results[FILES], *folder;
    struct report_options report;
};

#define AT(member) offsetof(struct report_arguments, member)
static const struct argument arguments[] = {
    {"output", "DIR", ARGUMENT_TEXT, AT(folder), .help = "Folder for the report [RESULTS without .h5, .report]"},
    {"since", "DATE|none", ARGUMENT_OWN, 0,
     .help = "Beginning of the second sample, where results cover two years on both sides of it [20030101]"},
    {"attention", "DATE", ARGUMENT_DATE, AT(report.attention),
     .help = "Heat maps of whom the leaders' followers attend to at this formation date, from RESULTS.parameters "
             "(transformers run "
             "with save_parameters: true) and the study's panel",
     .what = "a formation date as YYYYMMDD"},
    {"attention-date", "DATE", ARGUMENT_DATE, AT(report.attention_date),
     .help =
         "What sequence models (run with save_attention: mean or heads) attended to at this formation date, beside its mean",
     .what = "a formation date as YYYYMMDD"},
    {0},
};

static int since(void *into, const struct argument *of, char *value, struct argp_state *state)
{
    struct report_arguments *a = into;
    if (!strcmp(value, "none")) a->report.since = 0;
    else if (arguments_date(value, &a->report.since))
        return arguments_fail(state, "--%s: found '%s'; needed: a date as YYYYMMDD, or none", of->name, value);
    return 0;
}

static int file(void *into, char *text, struct argp_state *state)
{
    struct report_arguments *a = into;
    if (a->n == FILES) return arguments_fail(state, "found more than %d results files; needed: at most that many", FILES);
    a->results[a->n++] = text;
    return 0;
}

static int finish(void *into, struct argp_state *state)
{
    const struct report_arguments *a = into;
    return a->n ? 0 : arguments_fail(state, "needed: a results file");
}

int command_report(int argc, char **argv, struct team *world)
{
    static const struct command_line line = {
        .group = {{.list = arguments}, {.list = table_arguments, .at = AT(report.table)}},
        .argument = file,
        .own = since,
        .finish = finish,
        .files = "RESULTS...",
        .doc = "Write the tables and figures that a study's models allow, in the order and form of the paper, and one page, "
               "DIR/index.html, that needs nothing beside it. Several results files are compared. Figures are drawn by "
               "gnuplot; data and scripts stay beside them."};
    struct report_arguments a = {.report = {.table = TABLE_OPTIONS_DEFAULT, .since = 20030101}};
    int status = arguments_read(&line, argc, argv, &a), loaded = 0;
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
    return command_end(&e);
}
