/* The runs of a trial: what they will take, and doing them one after the other. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/parts.h"
#include "io/text_file.h"
#include "parallel/stop.h"
#include "study/driver.h"
#include "study/plan.h"
#include "study/trial.h"

/* Seconds of one variant: the measured rates of the base study's configurations, scaled by operation counts. Configurations stand in the
 * same order in every variant. */
static double variant_seconds(const struct trial *t, const struct study *base, const struct calibration *c,
                              const struct variant *v, int ranks, struct error *e)
{
    struct study s;
    struct forecast f = {0};
    if (study_parse(t->file, v->text, &s, e)) return NAN;
    if (!study_bind(&s, &t->meta, e)) {
        struct calibration scaled = *c;
        scaled.row = memory_array(double, s.configs, "rates");
        scaled.first = memory_array(double, s.configs, "rates");
        for (int i = 0; i < s.configs && i < base->configs; i++) {
            double share = base->config[i].cost.seconds > 0 ? s.config[i].cost.seconds / base->config[i].cost.seconds : 1;
            scaled.row[i] = share * c->row[i];
            scaled.first[i] = share * c->first[i];
        }
        forecast_best(&s, &t->meta, &scaled, ranks, &f);
        memory_free(scaled.row);
        memory_free(scaled.first);
    }
    study_free(&s);
    return f.seconds;
}

int trial_forecast(struct team *world, const struct trial *t, double *seconds, struct error *e)
{
    struct study base;
    struct calibration c;
    char *cache = calibration_cache();
    if (!study_parse(t->file, t->base, &base, e)) {
        if (!study_bind(&base, &t->meta, e) && !calibrate(world, &base, &t->meta, t->panel, cache, &c, e)) {
            for (int i = 0; i < t->n && !error_is_set(e); i++)
                seconds[i] = variant_seconds(t, &base, &c, &t->variant[i], team_size(world), e);
            calibration_free(&c);
        }
        study_free(&base);
    }
    memory_free(cache);
    return team_agree(world, e);
}

void trial_path(const struct variant *v, const char *folder, char *out, size_t size)
{
    snprintf(out, size, "%s/runs/%s.h5", folder, v->name);
}

static int run_one(struct team *world, const struct trial *t, const struct variant *v, const char *output,
                   double checkpoint_seconds, double watchdog_seconds, struct error *e)
{
    struct study s;
    struct run_options o = {.panel = t->panel,
                            .output = output,
                            .placebo = v->placebo,
                            .resume = true,
                            .checkpoint_seconds = checkpoint_seconds,
                            .watchdog_seconds = watchdog_seconds};
    if (study_parse(t->file, v->text, &s, e)) return EXIT_INPUT;
    int status = study_run(world, &s, &o, e);
    study_free(&s);
    return status;
}

/* A folder for the runs; rank 0 makes it. */
static int make_folder(struct team *world, const char *folder, struct error *e)
{
    char path[4200];
    snprintf(path, sizeof path, "%.4096s/runs", folder);
    if (team_rank(world) == 0) folder_create(path, e);
    return team_agree(world, e);
}

int trial_run(struct team *world, const struct trial *t, const char *folder, const double *seconds, bool quiet,
              double checkpoint_seconds, double watchdog_seconds, struct error *e)
{
    int status = EXIT_DONE;
    double spent = 0, forecast = 0, left = 0;
    if (make_folder(world, folder, e)) return EXIT_INPUT;
    for (int i = 0; i < t->n; i++) left += seconds[i];
    stop_install(world);
    for (int i = 0; i < t->n && status == EXIT_DONE; i++) {
        char path[4200], eta[32];
        trial_path(&t->variant[i], folder, path, sizeof path);
        double rate = forecast > 0 ? spent / forecast : 1; /* what a forecast second has taken so far */
        log_info("trial: run %d of %d, %s; about %s left", i + 1, t->n, t->variant[i].name,
                 format_duration(rate * left, eta));
        log_set_quiet(true); /* the driver's own lines would say the same of every run */
        double start = clock_seconds();
        status = run_one(world, t, &t->variant[i], path, checkpoint_seconds, watchdog_seconds, e);
        double took = clock_seconds() - start;
        log_set_quiet(quiet);
        left -= seconds[i];
        if (took > 0.1 * seconds[i]) spent += took, forecast += seconds[i]; /* else it was there already */
    }
    stop_close();
    if (status == EXIT_STOPPED)
        log_info("trial: stopped on request; everything finished is in %s/runs: run the same command again", folder);
    return status;
}
