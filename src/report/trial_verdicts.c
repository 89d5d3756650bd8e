/* Verdicts: what follows from a trial's numbers by rules that are written down in one place, here. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/trial_page.h"
#include "trial_report.h"

/* The thresholds that the rules below speak of. */
static const double EARNED_T = 3, BEYOND = 1.96, HALF = 0.5;

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
    return f->fixed.t >= BEYOND && explained(f->momentum);
}
static enum answer leak(const struct trial_facts *f)
{
    if (!f->draws) return UNKNOWN;
    return f->placebo_t > BEYOND && f->placebo_after_t > BEYOND;
}
/* Noise of twice the spread leaves a fifth of the signal in a characteristic. */
static enum answer noise(const struct trial_facts *f)
{
    if (!f->noises) return UNKNOWN;
    return f->noise_sharpe[f->noises - 1] >= HALF * f->sharpe;
}
static enum answer microcaps(const struct trial_facts *f)
{
    if (isnan(f->nonmicro)) return UNKNOWN;
    return f->nonmicro_t < BEYOND || f->nonmicro < HALF * f->sharpe;
}
static enum answer theme(const struct trial_facts *f)
{
    if (!f->theme) return UNKNOWN;
    return f->theme_sharpe < HALF * f->sharpe;
}
static enum answer eras(const struct trial_facts *f)
{
    if (!f->eras) return UNKNOWN;
    for (int k = 0; k < f->eras; k++)
        if (!(f->era_sharpe[k] > 0)) return YES;
    return NO;
}
static enum answer specification(const struct trial_facts *f)
{
    if (f->specifications < 2) return UNKNOWN;
    return f->beyond < HALF || f->nonstandard > f->standard;
}

/* ---- figures behind an answer ---------------------------------------------------------------------------------------------- */

typedef char figures[160];

static void say_earned(const struct trial_facts *f, figures out)
{
    snprintf(out, sizeof(figures), "Sharpe %.2f a year, t of the mean %.1f, %d periods", f->sharpe, f->t, f->n);
}
static void say_remainder(struct remainder r, figures out)
{
    snprintf(out, sizeof(figures), "explains %.0f%% of the mean, t of the rest %.1f", 100 * r.share, r.t);
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
             100 - 100 * f->fixed.share, f->fixed.t, 100 * f->momentum.share, f->momentum.t);
}
static void say_leak(const struct trial_facts *f, figures out)
{
    snprintf(out, sizeof(figures), "mean t of %d draws %.2f, against the market %.2f", f->draws, f->placebo_t,
             f->placebo_after_t);
}
static void say_noise(const struct trial_facts *f, figures out)
{
    size_t n = 0;
    out[0] = '\0';
    for (int k = 0; k < f->noises && n < sizeof(figures); k++)
        n += (size_t)snprintf(out + n, sizeof(figures) - n, "%snoise %g: Sharpe %.2f", k ? "; " : "", f->noise[k],
                              f->noise_sharpe[k]);
}
static void say_microcaps(const struct trial_facts *f, figures out)
{
    snprintf(out, sizeof(figures), "without: Sharpe %.2f, t %.1f", f->nonmicro, f->nonmicro_t);
}
static void say_theme(const struct trial_facts *f, figures out)
{
    snprintf(out, sizeof(figures), "%s: Sharpe %.2f", f->theme ? f->theme : "", f->theme_sharpe);
}
static void say_eras(const struct trial_facts *f, figures out)
{
    size_t n = 0;
    out[0] = '\0';
    for (int k = 0; k < f->eras && n < sizeof(figures); k++)
        n += (size_t)snprintf(out + n, sizeof(figures) - n, "%s%.2f", k ? ", " : "Sharpe ", f->era_sharpe[k]);
}
static void say_specification(const struct trial_facts *f, figures out)
{
    snprintf(out, sizeof(figures), "%d: median %.2f, %.0f%% with t > 1.96; non-standard error %.2f, standard %.2f",
             f->specifications, f->median, 100 * f->beyond, f->nonstandard, f->standard);
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
    enum answer decides_on;
    const char *text; /* the rule */
} rules[] = {
    {"Is anything earned?", earned, say_earned, "yes", "nothing is found", "nothing", NO,
     "yes if the mean return has a Newey-West t of 3 or more (Harvey, Liu and Zhu 2016); if not, the verdict is `nothing`"},
    {"Is it the market?", market, say_market, "yes: a net-long position explains it", "no", "market", YES,
     "yes if the equally weighted market explains half of the mean or more, or leaves a t below 1.96"},
    {"Is it short-term reversal?", reversal, say_reversal, "yes: last period's losers explain it", "no", "reversal", YES,
     "the same of a portfolio long the last period's losers, short its winners"},
    {"Is it volatility-timed momentum?", momentum, say_momentum, "yes: momentum of the factors explains it", "no",
     "momentum", YES,
     "yes if factors with fixed weights leave a t of 1.96 or more, and their momentum timed by volatility (over a year, and "
     "over the study's window) explains half of what they leave or leaves a t below 1.96"},
    {"Do placebos find as much?", leak, say_leak, "yes: something leaks", "no", "leak", YES,
     "yes if the mean t of the placebos that keep nothing (returns shuffled, signs flipped, iid returns) is above 1.96, and "
     "so against the market"},
    {"Does it outlive its characteristics?", noise, say_noise, "yes: they do not carry it", "no", "noise", YES,
     "yes if half of the Sharpe ratio or more is left under the most noise"},
    {"Do microcaps carry it?", microcaps, say_microcaps, "yes", "no", NULL, YES,
     "yes if without micro and nano caps less than half of the Sharpe ratio is left, or a t below 1.96"},
    {"Does one theme carry it?", theme, say_theme, "yes", "no", NULL, YES,
     "yes if less than half of the Sharpe ratio is left without one theme of characteristics"},
    {"Is it of some eras only?", eras, say_eras, "yes", "no", NULL, YES,
     "yes if the Sharpe ratio is not above 0 in each of four parts of the sample"},
    {"Does it hang on choices?", specification, say_specification, "yes", "no", NULL, YES,
     "yes if fewer than half of the specifications have a t above 1.96, or their non-standard error is above the standard "
     "error"},
};
enum { RULES = sizeof rules / sizeof *rules };

/* Where nothing is earned there is nothing to explain: only placebos may still say something. */
static enum answer ask(int k, const struct trial_facts *f)
{
    return is_earned(f) || rules[k].answer == earned || rules[k].answer == leak ? rules[k].answer(f) : UNKNOWN;
}

static int doubts(const struct trial_facts *f)
{
    int n = 0;
    for (int k = 0; k < RULES; k++) n += !rules[k].verdict && ask(k, f) == rules[k].decides_on;
    return n;
}

const char *trial_verdict(const struct trial_facts *f)
{
    for (int k = 0; k < RULES; k++)
        if (rules[k].verdict && ask(k, f) == rules[k].decides_on) return rules[k].verdict;
    return doubts(f) > 1 ? "fragile" : "stands";
}

void trial_verdicts(struct trial_report *s)
{
    struct table *t = s->table[TRIAL_VERDICTS] = table_create("verdicts", "Verdicts");
    static const char *const columns[] = {"model", "question", "answer", "figures"};
    for (int k = 0; k < 4; k++) table_column(t, columns[k], NULL, TABLE_TEXT, 0);
    for (int i = 0; i < s->t->models; i++) {
        const struct trial_facts *f = &s->facts[i];
        figures said;
        table_row(t);
        table_put_text(t, f->model);
        table_put_text(t, "Verdict");
        table_put_text(t, trial_verdict(f));
        say_earned(f, said);
        table_put_text(t, said);
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

void trial_explain(void (*print)(const char *line))
{
    char line[600];
    for (int k = 0; k < RULES; k++) {
        snprintf(line, sizeof line, "%s %s.", rules[k].question, rules[k].text);
        print(line);
    }
    print(
        "The verdict is the first of nothing, market, reversal, momentum, leak (placebos find as much), noise (it outlives "
        "its characteristics) that applies; else `fragile` with two or more of the last four questions answered yes; else "
        "`stands`. A question that was not asked decides nothing.");
}
