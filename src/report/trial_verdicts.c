/* Verdicts: what follows from a trial's numbers by rules that are written down in one place, here. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/trial_page.h"
#include "trial_report.h"

/* The thresholds that the rules below speak of. CHI2: what a chi-square of 3 degrees exceeds by chance in 5%. */
static const double EARNED_T = 3, BEYOND = 1.96, HALF = 0.5, CHI2 = 7.815, LEAK_ERRORS = 3;
_Static_assert(TRIAL_ERAS == 4, "CHI2 is that of one degree fewer than eras");

enum answer { NO, YES, UNKNOWN };

static bool is_earned(const struct trial_facts *f)
{
    return f->t >= EARNED_T;
}
static bool explained(struct remainder r)
{
    return r.share >= HALF || r.t < BEYOND;
}

static enum answer earned(const struct trial_facts *f)
{
    return is_earned(f) ? YES : NO;
}
static enum answer market(const struct trial_facts *f)
{
    return explained(f->market);
}
static enum answer reversal(const struct trial_facts *f)
{
    return explained(f->reversal);
}
static enum answer momentum(const struct trial_facts *f)
{
    return f->fixed.t >= BEYOND && f->momentum.share >= HALF;
}
static enum answer leak(const struct trial_facts *f)
{
    if (!f->draws) return UNKNOWN;
    double limit = fmax(1, LEAK_ERRORS / sqrt(f->draws));
    return f->placebo_t > limit && f->placebo_after_t > limit;
}
/* Noise is no test of this: in a panel of many assets it averages out, and portfolios of noisy characteristics earn what clean ones do. */
static enum answer noise(const struct trial_facts *f)
{
    if (!f->shuffles) return UNKNOWN;
    return f->shuffled >= HALF * f->sharpe;
}
static enum answer microcaps(const struct trial_facts *f)
{
    if (isnan(f->nonmicro)) return UNKNOWN;
    return f->nonmicro_t < BEYOND || f->nonmicro < HALF * f->sharpe;
}
static enum answer theme(const struct trial_facts *f)
{
    if (!f->theme) return UNKNOWN;
    return f->theme_sharpe < HALF * f->sharpe && f->theme_t < -BEYOND;
}
static enum answer eras(const struct trial_facts *f)
{
    if (!f->eras) return UNKNOWN;
    bool all = true;
    for (int k = 0; k < f->eras; k++) all = all && f->era_sharpe[k] > 0;
    return !all && f->era_chi2 > CHI2;
}
/* The median specification's Sharpe ratio in errors of both kinds, of a sample and of a choice, taken as independent. */
static double chosen_t(const struct trial_facts *f)
{
    return f->median / hypot(f->nonstandard, f->standard);
}
static enum answer specification(const struct trial_facts *f)
{
    if (f->specifications < 2) return UNKNOWN;
    return f->beyond < HALF || !(chosen_t(f) >= BEYOND);
}

/* ---- figures behind an answer ---------------------------------------------------------------------------------------------- */

typedef char figures[160];

/* Whole, and no -0. */
static double percent(double share)
{
    return round(100 * share) + 0.0;
}

static void say_earned(const struct trial_facts *f, figures out)
{
    snprintf(out, sizeof(figures),
             "Sharpe %.2f a year, t of the mean %.1f, %d periods, in which a t of 3 takes a Sharpe of about %.2f", f->sharpe,
             f->t, f->n, EARNED_T / sqrt(f->years));
}
static void say_remainder(struct remainder r, figures out)
{
    snprintf(out, sizeof(figures), "explains %.0f%% of the mean, t of the rest %.1f", percent(r.share), r.t);
}
static void say_market(const struct trial_facts *f, figures out)
{
    say_remainder(f->market, out);
}
static void say_reversal(const struct trial_facts *f, figures out)
{
    say_remainder(f->reversal, out);
}
static void say_momentum(const struct trial_facts *f, figures out)
{
    snprintf(out, sizeof(figures), "fixed weights leave %.0f%%, t %.1f; of it momentum explains %.0f%%, t of the rest %.1f",
             percent(1 - f->fixed.share), f->fixed.t, percent(f->momentum.share), f->momentum.t);
}
static void say_leak(const struct trial_facts *f, figures out)
{
    snprintf(out, sizeof(figures), "mean t of %d draws %.2f, against the market %.2f", f->draws, f->placebo_t,
             f->placebo_after_t);
}
static void say_noise(const struct trial_facts *f, figures out)
{
    int n = snprintf(out, sizeof(figures), "shuffled: mean Sharpe %.2f in %d draw%s", f->shuffled, f->shuffles,
                     f->shuffles == 1 ? "" : "s");
    for (int k = 0; k < f->noises && (size_t)n < sizeof(figures); k++)
        n += snprintf(out + n, sizeof(figures) - (size_t)n, "%s of %g: %.2f", k ? "," : "; noise", f->noise[k],
                      f->noise_sharpe[k]);
}
static void say_microcaps(const struct trial_facts *f, figures out)
{
    snprintf(out, sizeof(figures), "without: Sharpe %.2f, t %.1f", f->nonmicro, f->nonmicro_t);
}
static void say_theme(const struct trial_facts *f, figures out)
{
    snprintf(out, sizeof(figures), "%s: Sharpe %.2f, t of the difference %.1f", f->theme ? f->theme : "", f->theme_sharpe,
             f->theme_t);
}
static void say_eras(const struct trial_facts *f, figures out)
{
    size_t n = 0;
    out[0] = '\0';
    for (int k = 0; k < f->eras && n < sizeof(figures); k++)
        n += (size_t)snprintf(out + n, sizeof(figures) - n, "%s%.2f", k ? ", " : "Sharpe ", f->era_sharpe[k]);
    if (n < sizeof(figures))
        snprintf(out + n, sizeof(figures) - n, "; chi-square of equality %.1f (3 degrees)", f->era_chi2);
}
static void say_specification(const struct trial_facts *f, figures out)
{
    snprintf(out, sizeof(figures),
             "%d: median Sharpe %.2f, %.0f%% with t > 1.96; non-standard error %.2f, standard %.2f; t by both %.1f",
             f->specifications, f->median, 100 * f->beyond, f->nonstandard, f->standard, chosen_t(f));
}

/* ---- the rules ------------------------------------------------------------------------------------------------------------- */

/* In this order: the first that decides gives the verdict. A rule decides where its answer is `decides_on`; doubts decide nothing, they
 * are counted. */
static const struct rule {
    const char *question;
    enum answer (*answer)(const struct trial_facts *);
    void (*say)(const struct trial_facts *, figures);
    const char *yes, *no;
    const char *verdict; /* one word; NULL: a doubt */
    const char *doubt;   /* in a word; NULL: none, a verdict */
    enum answer decides_on;
    const char *text; /* the rule */
} rules[] = {
    {"Is anything earned?", earned, say_earned, "yes", "nothing is found", "nothing", NULL, NO,
     "yes if the mean return has a Newey-West t of 3 or more (Harvey, Liu and Zhu 2016), by which chance passes one model "
     "in "
     "740, so that a study may try 37 models before it passes any in 5% of cases; if not, the verdict is `nothing`"},
    {"Is it the market?", market, say_market, "yes: a net-long position explains it", "no", "market", NULL, YES,
     "yes if the equally weighted market explains half of the mean or more, or leaves a t below 1.96"},
    {"Is it short-term reversal?", reversal, say_reversal, "yes: last period's losers explain it", "no", "reversal", NULL,
     YES, "the same of a portfolio long the last period's losers, short its winners"},
    {"Is it volatility-timed momentum?", momentum, say_momentum, "yes: momentum of the factors explains it", "no",
     "momentum", NULL, YES,
     "yes if factors with fixed weights leave a t of 1.96 or more, and their momentum timed by volatility (over a year, and "
     "over the study's window) explains half of what they leave or more"},
    {"Do placebos find anything?", leak, say_leak, "yes: something leaks", "no", "leak", NULL, YES,
     "yes if the mean t over all draws of the placebos that keep nothing (returns shuffled, signs flipped, iid returns) is "
     "above 1 and above 3 of its standard errors (3 by the root of the number of draws), and so against the market"},
    {"Does it outlive its characteristics?", noise, say_noise, "yes: they do not carry it", "no", "noise", NULL, YES,
     "yes if half of the Sharpe ratio or more is left, on average over draws, when each period's returns are shuffled among "
     "its "
     "assets: characteristics say nothing there"},
    {"Do microcaps carry it?", microcaps, say_microcaps, "yes", "no", NULL, "microcaps", YES,
     "yes if without micro and nano caps less than half of the Sharpe ratio is left, or a t below 1.96"},
    {"Does one theme carry it?", theme, say_theme, "yes", "no", NULL, "one theme", YES,
     "yes if less than half of the Sharpe ratio is left without one theme of characteristics, and the t of the difference "
     "is "
     "below -1.96"},
    {"Is it of some eras only?", eras, say_eras, "yes", "no", NULL, "eras", YES,
     "yes if the Sharpe ratio is not above 0 in each of four parts of the sample, and the four differ by more than chance: "
     "a "
     "chi-square above 7.8, its 5% point, by standard errors of iid returns (Lo 2002)"},
    {"Does it hang on choices?", specification, say_specification, "yes", "no", NULL, "choices", YES,
     "yes if fewer than half of the specifications have a t above 1.96, or the median Sharpe ratio is below 1.96 errors of "
     "both kinds together, the root of the sum of squares of the standard and the non-standard error"},
};
enum { RULES = sizeof rules / sizeof *rules };

/* Where nothing is earned there is nothing to explain: only placebos may still say something. */
static enum answer ask(int k, const struct trial_facts *f)
{
    return is_earned(f) || rules[k].answer == earned || rules[k].answer == leak ? rules[k].answer(f) : UNKNOWN;
}

static bool applies(int k, const struct trial_facts *f)
{
    return ask(k, f) == rules[k].decides_on;
}

/* The rule that gives the verdict; NULL: none does. */
static const struct rule *deciding(const struct trial_facts *f)
{
    for (int k = 0; k < RULES; k++)
        if (rules[k].verdict && applies(k, f)) return &rules[k];
    return NULL;
}

static int doubts(const struct trial_facts *f)
{
    int n = 0;
    for (int k = 0; k < RULES; k++) n += !rules[k].verdict && applies(k, f);
    return n;
}

const char *trial_verdict(const struct trial_facts *f)
{
    const struct rule *r = deciding(f);
    return r ? r->verdict : doubts(f) > 1 ? "fragile" : "stands";
}

void trial_reason(const struct trial_facts *f, char out[TRIAL_REASON])
{
    const struct rule *r = deciding(f);
    if (r) {
        snprintf(out, TRIAL_REASON, "%s %c%s", r->question, r->decides_on == YES ? 'Y' : 'N',
                 r->decides_on == YES ? "es" : "o");
        return;
    }
    size_t n =
        (size_t)snprintf(out, TRIAL_REASON, doubts(f) ? "nothing explains it; doubts:" : "nothing explains it, no doubts");
    for (int k = 0, said = 0; k < RULES; k++)
        if (!rules[k].verdict && applies(k, f) && n < TRIAL_REASON)
            n += (size_t)snprintf(out + n, TRIAL_REASON - n, "%s %s", said++ ? "," : "", rules[k].doubt);
}

void trial_verdicts(struct trial_report *s)
{
    struct table *t = s->table[TRIAL_VERDICTS] = table_create("verdicts", "Verdicts");
    static const char *const columns[] = {"model", "question", "answer", "figures"};
    for (int k = 0; k < 4; k++) table_column(t, columns[k], NULL, TABLE_TEXT, 0);
    for (int i = 0; i < s->t->models; i++) {
        const struct trial_facts *f = &s->facts[i];
        figures said;
        char reason[TRIAL_REASON];
        table_row(t);
        table_put_text(t, f->model);
        table_put_text(t, "Verdict");
        table_put_text(t, trial_verdict(f));
        trial_reason(f, reason);
        table_put_text(t, reason);
        for (int k = 0; k < RULES; k++) {
            enum answer a = ask(k, f);
            rules[k].say(f, said);
            table_row(t);
            table_put_text(t, f->model);
            table_put_text(t, rules[k].question);
            table_put_text(t, a == UNKNOWN ? "not asked" : a == YES ? rules[k].yes : rules[k].no);
            table_put_text(t, a == UNKNOWN ? NULL : said);
        }
    }
}

void trial_explain(void (*print)(FILE *out, const char *line), FILE *out)
{
    char line[600];
    for (int k = 0; k < RULES; k++) {
        snprintf(line, sizeof line, "%s %s.", rules[k].question, rules[k].text);
        print(out, line);
    }
    print(out,
          "The verdict is the first of nothing, market, reversal, momentum, leak (placebos find something), noise (it "
          "outlives "
          "its characteristics) that applies; else `fragile` with two or more of the last four questions answered yes; else "
          "`stands`. A question that was not asked decides nothing.");
}
