/* Resampling of dates. Draws are pure functions of (seed, draw): the same on any machine and for any split of the work. */
#ifndef MEASURE_BOOTSTRAP_H
#define MEASURE_BOOTSTRAP_H

#include <stdint.h>

/* How often each of n dates is in resample `draw`: count [n], sum n. block 1: dates drawn alone; > 1: circular blocks of that
 * many consecutive dates (Politis and Romano 1992), which keep autocorrelation. Random words only: no rounding. */
void bootstrap_counts(uint64_t seed, int draw, int n, int block, int *count);
/* n^(1/3) rounded up: the block length's usual order. */
int bootstrap_block(int n);

/* The level's central interval of B draws, NaN among them left out; value is sorted in place. NaN if fewer than 9 in 10 remain. */
void bootstrap_interval(int B, double *value, double level, double *low, double *high);

#endif
