/* What stands at a run's place before it, and how its parts become a results file. */
#include "run_output.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"
#include "io/parts.h"

char *path_joined(const char *a, const char *b)
{
    char *s = memory_array(char, strlen(a) + strlen(b) + 1, "path");
    strcpy(s, a);
    return strcat(s, b);
}

int run_check_place(const struct run *r, struct error *e)
{
    struct stat output, panel;
    if (!*r->output) return error_set(e, "%s: output: found an empty name; needed: a file", r->study->file);
    if (stat(r->output, &output)) return 0;
    if (S_ISDIR(output.st_mode)) return error_set(e, "%s: is a folder; a file name is needed", r->output);
    if (!stat(r->panel, &panel) && panel.st_dev == output.st_dev && panel.st_ino == output.st_ino)
        return error_set(e, "%s: is the panel; needed: another file for the results", r->output);
    char *before, *program; /* a fresh run replaces results, nothing else */
    struct error ignored = {""};
    if (results_origin(r->output, &before, &program, &ignored))
        error_set(e, "%s: stands in the results' place and is no results file (%s); needed: another output, or its removal",
                  r->output, ignored.text);
    memory_free(before);
    memory_free(program);
    return error_is_set(e) ? -1 : 0;
}

/* A complete file at the output's place: of this study? The panel's rows are not read for it, its dates and names count. */
static int check_complete(const struct run *r, struct error *e)
{
    char *before, *program, digest[32], differences[1024];
    if (!results_origin(r->output, &before, &program, e)) {
        const char *old = !strncmp(before, "panel ", 6) ? before + 6 : "";
        snprintf(digest, sizeof digest, "%08x%.8s", panel_meta_digest(&r->meta), strcspn(old, "\n") == 16 ? old + 8 : "");
        char *now = study_fingerprint(r->study, digest);
        if (fingerprint_compare(before, now, differences, sizeof differences))
            error_set(e, "%s: is complete, but of another study or panel:%s", r->output, differences);
        memory_free(now);
    }
    memory_free(before);
    memory_free(program);
    return error_is_set(e) ? -1 : 0;
}

int run_check_output(struct run *r, bool *complete, struct error *e)
{
    int finished = 0;
    if (team_rank(r->world) == 0) {
        bool parts = parts_find(r->parts, r->folder);
        if (parts && !r->options->resume)
            error_set(e,
                      "%s: holds the finished rows of a run under way; needed: --resume to go on with it, or remove the "
                      "folder to start anew",
                      r->parts);
        else if (!parts)
            parts_clear(r->parts, e); /* left by a kill while a finished run cleaned up: rows of who knows which study */
        finished = r->options->resume && !parts && access(r->output, F_OK) == 0;
        if (finished && !error_is_set(e)) check_complete(r, e);
        if (r->options->resume && !parts && !finished) log_info("nothing to resume at %s: starting", r->output);
    }
    if (team_agree(r->world, e)) return -1;
    team_broadcast(r->world, &finished, sizeof finished, 0);
    team_broadcast(r->world, r->folder, sizeof r->folder, 0);
    *complete = finished;
    return 0;
}

void run_plan_results(struct run *r, double *test_assets)
{
    const struct study *s = r->study;
    const struct panel_meta *m = &r->meta;
    struct results_config *c = memory_array(struct results_config, s->configs, "results");
    for (int i = 0; i < s->configs; i++)
        c[i] = (struct results_config){.universe = s->config[i].universe->name,
                                       .name = s->config[i].name,
                                       .kind = s->config[i].class->name,
                                       .options = s->config[i].options,
                                       .layout = &s->config[i].layout,
                                       .window = s->config[i].shape.shortest,
                                       .first_row = config_first_row(s, &s->config[i])};
    int M = m->M ? m->M : m->D;
    const double *from = m->M ? m->test_assets : r->pass.factors;
    if (from) memcpy(test_assets, from + (size_t)s->min_window * M, sizeof(double) * (size_t)s->P * M);
    r->plan = (struct results_plan){.study_text = s->text,
                                    .study_name = s->name,
                                    .panel = r->panel,
                                    .panel_digest = r->pass.digest,
                                    .fingerprint = study_fingerprint(s, r->pass.digest),
                                    .periods_per_year = m->periods_per_year,
                                    .P = s->P,
                                    .dates = m->dates + s->min_window,
                                    .configs = s->configs,
                                    .config = c,
                                    .M = M,
                                    .test_asset_names = m->M ? m->test_asset_names : m->characteristic_names,
                                    .test_assets = test_assets,
                                    .test_assets_are_factors = m->M == 0,
                                    .assets = m->assets,
                                    .asset_name_ids = m->asset_name_ids,
                                    .asset_names = m->asset_names,
                                    .truth = m->truth && !s->placebo.kind ? m->truth + s->min_window : NULL,
                                    .save_weights = s->save_weights,
                                    .placebo = s->placebo};
}

void run_check_parts(struct run *r, struct error *e)
{
    char *skeleton = path_joined(r->folder, "/" PARTS_SKELETON), *before, *program, differences[1024];
    folder_sync(r->parts, e); /* whoever put it there may have ended before its name was on disk */
    if (!results_origin(skeleton, &before, &program, e)) {
        if (fingerprint_compare(before, r->plan.fingerprint, differences, sizeof differences))
            error_set(e, "%s: cannot be resumed: the study or its panel computes something else than the run under way:%s",
                      r->parts, differences);
        else if (strcmp(program, version_text()))
            log_warn("resuming a run of another program (%s): bits may differ", program);
        memory_free(before);
        memory_free(program);
    }
    memory_free(skeleton);
}

int run_finish(struct run *r, struct error *e)
{
    double peaks[3] = {r->planned, (double)r->base, (double)memory_resident_peak()};
    team_max_double(r->world, peaks, 3);
    if (team_rank(r->world) == 0) {
        struct part_index x;
        long failures = 0;
        if (!parts_index(r->folder, 0, 1, &x, e)) {
            for (size_t i = 0; i < x.records; i++)
                failures += x.record[i].key.code > 0 && x.record[i].key.code < FIT_NO_DATA;
            r->plan.lease = r->lock.token;
            char *record = record_text(&r->lock, r->generation, r->total, failures, peaks);
            results_finish(r->output, &r->plan, &x, record, e);
            memory_free(record);
            parts_free(&x);
        }
        if (!error_is_set(e)) parts_remove(r->parts, r->folder, e);
        char took[32];
        if (!error_is_set(e)) {
            log_info("%s: %ld rows in %s%s; resident memory at most %.0f MB a rank", r->output, r->total,
                     format_duration(clock_seconds() - r->lock.started, took), r->done_before ? " (this start)" : "",
                     peaks[2] / 1e6);
            if (failures) log_warn("%ld fits failed numerically: see fit_code in the results", failures);
        }
    }
    return team_agree(r->world, e);
}
