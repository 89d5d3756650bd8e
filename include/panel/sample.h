/* Which characteristics and stocks make a sample (section 3.1 of the paper), as arithmetic on counts and arrays. */
#ifndef PANEL_SAMPLE_H
#define PANEL_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "panel/panel.h"

struct sample_rules {
    double characteristic_missing; /* a characteristic missing in more than this share of rows is dropped: 0.30 */
    double row_missing;            /* a row missing more than this share of the kept ones is dropped: 1/3 */
    bool past_only;                /* the first rule at each date by the rows dated up to it, not by the whole sample */
    bool keep_nano;
};

/* rows [T], missing [T, C]: counts of rows and of missing values by period. use [T, C] becomes 1 where characteristic c is in
 * use at t: its share of missing values, over all periods or (past_only) over periods 0 .. t, is at most the limit.
 * Returns how many characteristics are in use at any date. */
int sample_characteristics(const struct sample_rules *r, int T, int C, const int64_t *rows, const int64_t *missing,
                           uint8_t *use);

/* More than `share` of `of`, exact where share * of is whole up to rounding. */
static inline bool sample_exceeds(int64_t count, double share, int64_t of)
{
    return (double)count > share * (double)of * (1 + 1e-12);
}

/* NYSE breakpoints of market equity: percentiles 1, 20, 50 and 80 of the n values given (reordered; no NaN), as SAS's default
 * defines them: the mean of two neighbours where n p is whole, else the next value up. False: n = 0. */
bool size_breakpoints(int n, double *me, double breaks[4]);
enum size_group size_group_of(double me, const double breaks[4]); /* NaN: unknown */
/* "nano", "micro", "small", "large", "mega"; anything else unknown. */
enum size_group size_group_named(const char *text, size_t n);

#endif
