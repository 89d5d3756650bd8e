/* The rules of aipm trial: facts on either side of every threshold, the order in which rules decide, and what doubts add up to. The
 * thresholds stand here a second time, as `aipm trial --rules` states them. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "report/trial_page.h"
#include "report/trial_report.h"

/* Facts that no rule objects to, and none is far from. */
static struct trial_facts sound(void)
{
    return (struct trial_facts){
        .model = "m",
        .n = 120,
        .years = 10,
        .sharpe = 1,
        .t = 3,
        .market = {0.49, 1.97, 0.1},
        .reversal = {0.49, 1.97, 0.1},
        .fixed = {0.5, 1.97, 0.1},
        .momentum = {0.49, 1, NAN},
        .draws = 9, /* the mean t may reach 1 */
        .placebo_t = 5,
        .placebo_after_t = 0.99,
        .shuffles = 3,
        .shuffled = 0.49,
        .nonmicro = 0.51,
        .nonmicro_t = 1.97,
        .theme = "without value",
        .theme_sharpe = 0.2,
        .theme_t = -1.95,
        .eras = TRIAL_ERAS,
        .era_sharpe = {1, 1, 1, -1},
        .era_chi2 = 7.81,
        .specifications = 18,
        .beyond = 0.5,
        .median = 1,
        .nonstandard = 0.3, /* with .standard: 0.5, so a t of 2 */
        .standard = 0.4,
    };
}

static void verdict_of(const struct trial_facts *f, const char *verdict, const char *reason)
{
    char found[TRIAL_REASON];
    trial_reason(f, found);
    if (strcmp(trial_verdict(f), verdict) || !strstr(found, reason))
        fprintf(stderr, "found %s (%s), not %s (%s)\n", trial_verdict(f), found, verdict, reason);
    CU_ASSERT_STRING_EQUAL(trial_verdict(f), verdict);
    CU_ASSERT(strstr(found, reason) != NULL);
}

static void thresholds(void)
{
    struct trial_facts f = sound();
    verdict_of(&f, "stands", "no doubts");
    f.t = 2.99, verdict_of(&f, "nothing", "Is anything earned? No");
    f = sound(), f.market.share = 0.5, verdict_of(&f, "market", "Is it the market? Yes");
    f = sound(), f.market.t = 1.95, verdict_of(&f, "market", "Is it the market? Yes");
    f = sound(), f.reversal.share = 0.5, verdict_of(&f, "reversal", "reversal? Yes");
    f = sound(), f.reversal.t = 1.95, verdict_of(&f, "reversal", "reversal? Yes");
    f = sound(), f.momentum.share = 0.5, verdict_of(&f, "momentum", "momentum? Yes");
    f.fixed.t = 1.95, verdict_of(&f, "stands", "no doubts"); /* nothing is left that momentum could explain */
    f = sound(), f.placebo_after_t = 1.01, verdict_of(&f, "leak", "placebos find");
    f.placebo_t = 0.99, verdict_of(&f, "stands", "no doubts");
    f = sound(), f.placebo_after_t = 1.49, f.draws = 4, verdict_of(&f, "stands", "no doubts"); /* four draws: 3 / 2 */
    f.placebo_after_t = 1.51, verdict_of(&f, "leak", "placebos find");
    f.placebo_after_t = 0.99, f.draws = 100, verdict_of(&f, "stands", "no doubts");
    f = sound(), f.shuffled = 0.5, verdict_of(&f, "noise", "outlive its characteristics? Yes");
}

/* Each doubt by itself stands, any two are fragile. */
static void doubts(void)
{
    enum { DOUBTS = 7 };
    static const char *const name[DOUBTS] = {"microcaps", "microcaps", "one theme", "eras", "choices", "choices", "choices"};
    for (int i = 0; i < DOUBTS; i++)
        for (int j = i; j < DOUBTS; j++) {
            struct trial_facts f = sound();
            for (int k = i; k <= j; k += j > i ? j - i : 1) {
                if (k == 0) f.nonmicro = 0.49;
                if (k == 1) f.nonmicro_t = 1.95;
                if (k == 2) f.theme_t = -1.97;
                if (k == 3) f.era_chi2 = 7.82;
                if (k == 4) f.beyond = 0.49;
                if (k == 5) f.median = 0.97;
                if (k == 6) f.nonstandard = 0.32;
            }
            bool two = strcmp(name[i], name[j]) != 0;
            verdict_of(&f, two ? "fragile" : "stands", name[i]);
            verdict_of(&f, two ? "fragile" : "stands", name[j]);
        }
    struct trial_facts f = sound();
    f.theme_sharpe = 0.51, f.theme_t = -9, f.era_chi2 = 99, f.era_sharpe[3] = 0.01;
    verdict_of(&f, "stands", "no doubts");
}

/* Earlier rules speak for later ones; what was not run is not asked; where nothing is earned only placebos are heard after that. */
static void order(void)
{
    struct trial_facts f = sound();
    f.shuffled = 1, f.nonmicro = 0, f.beyond = 0, verdict_of(&f, "noise", "characteristics");
    f.placebo_after_t = 2, verdict_of(&f, "leak", "placebos");
    f.momentum.share = 1, verdict_of(&f, "momentum", "momentum");
    f.reversal.share = 1, verdict_of(&f, "reversal", "reversal");
    f.market.share = 1, verdict_of(&f, "market", "market");
    f.t = 0, verdict_of(&f, "nothing", "earned");
    f = sound(), f.draws = f.shuffles = 0, f.placebo_after_t = 9, f.shuffled = NAN, verdict_of(&f, "stands", "no doubts");
    f.nonmicro = f.nonmicro_t = NAN, f.theme = NULL, f.eras = 0, f.specifications = 1, f.beyond = 0;
    verdict_of(&f, "stands", "no doubts");
}

static int lines;
static void count(FILE *out, const char *line)
{
    (void)out;
    lines += strlen(line) > 40 && line[strlen(line) - 1] == '.';
}
static void rules_are_told(void)
{
    trial_explain(count, NULL);
    CU_ASSERT_EQUAL(lines, 11); /* ten questions and how they make a verdict */
}

int main(void)
{
    static const struct check tests[] = {
        {"thresholds", thresholds}, {"doubts", doubts}, {"order", order}, {"rules are told", rules_are_told}};
    return check_run("trial", tests, sizeof tests / sizeof *tests);
}
