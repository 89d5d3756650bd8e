/* Who does what. Units of work are (configuration, row) in the order config * P + row; every rank takes a contiguous run of the
 * pending ones, so that consecutive windows stay together and a universe's moments are needed for few periods. The cut minimises the
 * longest rank's expected time, start-up costs of every run included. All ranks compute the same schedule. */
#ifndef STUDY_SCHEDULE_H
#define STUDY_SCHEDULE_H

#include <stdint.h>

struct schedule_work {
    int configs, P;
    const double *seconds;       /* [configs] of one row */
    const double *share;         /* [configs * P] of these seconds that a unit takes; NULL: all 1 */
    const double *first_seconds; /* [configs] extra at the start of a run */
    const int *first_row;        /* [configs] rows before it do not exist */
    const uint8_t *done;         /* [configs * P] */
};

/* first [ranks + 1]: rank r works the pending units of first[r] .. first[r+1]-1. Returns the longest rank's seconds; *total (may be
 * NULL) the sum over all. */
double schedule_cut(const struct schedule_work *w, int ranks, int64_t *first, double *total);

static inline int schedule_pending(const struct schedule_work *w, int64_t unit)
{
    return !w->done[unit] && (int)(unit % w->P) >= w->first_row[unit / w->P];
}

#endif
