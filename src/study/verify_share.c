/* Rates measured as a run goes, and the stretches of rows that its share of verification goes to. */
#include "verify_share.h"

#include <math.h>

#include "base/log.h"
#include "base/memory.h"
#include "parallel/team.h"

void share_rates(struct verify_share *v, const struct fit_job *j, double share)
{
    *v = (struct verify_share){.job = j, .share = share};
    const struct study *s = j->study;
    v->rate = memory_array(struct rate, s->configs, "rates");
    for (int c = 0; c < s->configs; c++) {
        const struct config *config = &s->config[c];
        const struct fit_pace *p = &j->pace[c];
        int64_t sum[] = {(int64_t)(1e9 * p->begun), (int64_t)(1e9 * p->followed), p->begins, p->follows};
        team_sum_long(j->world, sum, 4);
        struct rate *r = &v->rate[c];
        int64_t rows = (int64_t)(s->P - config_first_row(s, config)) * config->layout.seeds;
        *r = (struct rate){.row = config->cost.seconds, .first = config->cost.first_seconds};
        if (sum[1] > 0 && sum[2] > 0) {
            r->row = 1e-9 * (double)sum[1] / (double)sum[3];
            r->first = fmax(0, 1e-9 * (double)sum[0] / (double)sum[2] - r->row);
        }
        r->work = r->row * (double)rows + r->first * (double)(sum[2] ? sum[2] : 1);
    }
}

bool share_chains(const struct fit_job *j, const struct config *c)
{
    return c->policy.warm_start && !(j->apply && c->class->trainable);
}

/* Whether a window by itself costs more than one that follows another. */
static bool shares_work(const struct config *c)
{
    return c->cost.first_seconds > 0;
}

struct verify_stretch share_stretch(const struct verify_share *v, int c)
{
    const struct study *s = v->job->study;
    const struct config *config = &s->config[c];
    int rows = s->P - config_first_row(s, config), refit = config->policy.refit_every;
    if (share_chains(v->job, config)) return (struct verify_stretch){s->P, v->share};
    if (refit > 1 && !(v->job->apply && config->class->trainable))
        return (struct verify_stretch){refit < s->P ? refit : s->P, v->share};
    if (!shares_work(config)) return (struct verify_stretch){1, v->share};
    const struct rate *r = &v->rate[c];
    return verify_stretch(v->share, r->work, r->first, r->row, rows, (int64_t)rows * config->layout.seeds);
}

bool share_chosen(const struct verify_share *v, int c, int seed, int k, const struct verify_stretch *t)
{
    const struct study *s = v->job->study;
    const struct config *config = &s->config[c];
    if (!shares_work(config))
        return verify_chosen(s->seed, t->share, c, k); /* of all seeds, for which the window is read once */
    int units = (s->P - config_first_row(s, config) + t->rows - 1) / t->rows;
    return verify_chosen(s->seed, t->share, c, seed * units + k);
}

void share_name_unverified(const struct verify_share *v)
{
    const struct study *s = v->job->study;
    for (int c = 0; c < s->configs; c++) {
        const struct rate *r = &v->rate[c];
        if (config_cut(&s->config[c]) > 1) log_warn("%s: not verified: several ranks share a fit", s->config[c].name);
        else if (!share_stretch(v, c).rows)
            log_warn("%s: not verified: one fit by itself takes more than this share of the time; needed: --verify %.2g",
                     s->config[c].name, fmin(1, 1.01 * (r->first + r->row) / r->work));
    }
}
