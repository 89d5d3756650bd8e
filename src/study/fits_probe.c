/* What rows of a configuration cost on this machine. */
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "fits.h"

enum { ROWS = 6, SERVED = 60, PERIODS = 8 };

/* The configuration with a fit for every row; where `seconds`, what one takes by the model's own figure, is not 0, made small enough to
 * be fitted in about half of one. */
static struct config shrink(const struct config *c, double seconds)
{
    struct config small = *c;
    small.values.value = memory_array(struct value, c->values.n, "option values");
    memcpy(small.values.value, c->values.value, sizeof(struct value) * (size_t)c->values.n);
    small.policy.refit_every = 1;
    if (c->class->trainable) c->class->trainable->shorten(seconds, &small.shape, &small.values);
    else if (seconds > 0 && !config_cut(c) && small.shape.T > PERIODS) small.shape.T = PERIODS;
    small.layout = (struct layout){0};
    c->class->layout(&small.shape, &small.values, &small.layout);
    c->class->cost(&small.shape, &small.values, &small.cost);
    return small;
}

static void shrunk_free(struct config *c)
{
    layout_free(&c->layout);
    memory_free(c->values.value);
}

static int check_memory(const struct fit_job *j, const struct config *c, const struct config *small, struct error *e)
{
    const char *limit;
    char needed[32], found[32];
    double bytes = context_bytes(j, small), room = (double)memory_room(1, &limit);
    if (room <= 0 || bytes <= room) return 0;
    return error_set(e, "model '%s' does not fit: needs %s, found %s (%s); needed: a smaller model, or more memory", c->name,
                     format_bytes(bytes, needed), format_bytes(room, found), limit);
}

/* Processor seconds of a row, split into the fit and the rest of it, reading included. served: by the fit in hand. */
static int time_row(struct fit_context *x, int row, bool served, double seconds[2], struct error *e)
{
    const struct model_class *class = x->config->class;
    const struct study *s = x->job->study;
    struct fit_note note = {0};
    double start = clock_thread(), fit, end;
    const struct window *w = &x->source.window;
    if (windows_take(&x->source, study_period(s, row), served ? 0 : config_window(s, x->config, row), e)) return -1;
    fit = clock_thread();
    if (class->trades != TRADE_BENCHMARK && w->period[w->T].n == 0) note.code = CODE_NO_ASSETS;
    else if (served) class->trainable->apply(x->model, w, x->team, &note);
    else class->fit(x->model, w, x->team, &note);
    end = clock_thread();
    if (context_settle(x, row, note.code, e)) return -1;
    seconds[0] = end - fit;
    seconds[1] = clock_thread() - end + fit - start;
    return 0;
}

static double median(double *x, int n)
{
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && x[k - 1] > x[k]; k--) {
            double t = x[k];
            x[k] = x[k - 1];
            x[k - 1] = t;
        }
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

static int measure(struct fit_context *x, int row, const double scale[2], bool serves, struct fit_rates *rates,
                   struct error *e)
{
    double fit[ROWS] = {0}, rest[SERVED] = {0}, spent = 0, pair[2];
    int n = 0, left = x->job->study->P - row;
    require(left > 0);
    for (; n < ROWS && n < left && spent < (n < 2 ? 3 : 1); n++, spent += pair[0] + pair[1]) {
        if (time_row(x, row + n, false, pair, e)) return -1;
        fit[n] = pair[0], rest[n] = pair[1];
    }
    double first = fit[0], then = median(fit + (n > 1), n - (n > 1)), around = median(rest + (n > 1), n - (n > 1));
    *rates = (struct fit_rates){.fit = then * scale[0] + around, .first = first > then ? (first - then) * scale[1] : 0};
    rates->served = rates->fit;
    if (!serves) return 0;
    int served = 0;
    for (spent = 0; served < SERVED && spent < 0.2;
         spent += rest[served++]) { /* rows that lie behind the window are read from the file, as in a run */
        if (time_row(x, row + (n + served) % left, true, pair, e)) return -1;
        rest[served] = pair[0] + pair[1];
    }
    rates->served = median(rest, served);
    return 0;
}

int fits_probe(struct fit_job *j, const struct config *c, int row, struct fit_rates *rates, struct error *e)
{
    struct config full = shrink(c, 0), small = shrink(c, full.cost.seconds);
    double scale[2] = {small.cost.seconds > 0 ? full.cost.seconds / small.cost.seconds : 1,
                       small.cost.first_seconds > 0 ? full.cost.first_seconds / small.cost.first_seconds : 0};
    struct fit_context x = {.job = j, .team = team_split(j->world, team_rank(j->world))};
    if (!check_memory(j, c, &small, e) && !context_take(&x, &small, 0, e))
        measure(&x, row, scale, c->policy.refit_every > 1, rates, e);
    context_leave(&x);
    shrunk_free(&full);
    shrunk_free(&small);
    team_close(x.team);
    return error_is_set(e) ? -1 : 0;
}
