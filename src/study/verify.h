/* Whom to believe when fits are computed twice (`aipm run --verify SHARE`): which fits, by which rank, and who is outvoted. Pure: no files,
 * no messages; a record is known here by a digest of its bytes.
 *
 * A unit of work is a run of rows that only make sense together (struct task). A share of the units, drawn by the study's seed, is computed
 * once more by another rank than the one whose record is kept. Where the two differ, more ranks are asked until two of them agree; the
 * ranks that computed something else are outvoted. */
#ifndef STUDY_VERIFY_H
#define STUDY_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a configuration's unit, numbered in order of rows, is verified: one drawn at random of every 1/share that follow one
 * another, so that the cost is the share to within one unit. The same on any ranks. */
bool verify_chosen(uint64_t study_seed, double share, int config, int unit);

/* How much of a configuration is verified where windows share work, so that one by itself costs more than one that follows another: in
 * stretches of `rows` rows, this share of which is drawn; several and as long as they go for `share` of the processor time `work` that the
 * configuration's `total` rows (seeds included, `most` of a seed) took. row: seconds of a row that follows another; first: more for one that
 * begins a stretch. rows 0: not even one row can be verified for so little. */
struct verify_stretch {
    int rows;
    double share;
};
struct verify_stretch verify_stretch(double share, double work, double first, double row, int most, int64_t total);

/* Digest of a record's bytes; start at 0, or go on from the digest of the bytes before. */
uint64_t verify_digest(uint64_t before, const void *data, size_t bytes);

/* Computations of one fit. The first is that of the record kept, by `width` ranks from rank[0] on in the order of workers. */
enum { VERIFY_VOTES = 16 };
struct ballot {
    int votes, width;
    int rank[VERIFY_VOTES];
    uint64_t digest[VERIFY_VOTES];
};

/* Who of worker [workers], ascending, is to compute a ballot's fit next: the next one after the owner that has not done so; when all
 * have, the one that has done so least often, of equals the latest. The owner need not be a worker. */
int verify_next(const struct ballot *b, const int *worker, int workers);
/* The first vote that one of another rank agrees with (of the same where there is but one worker): a rank that repeats itself proves
 * nothing. -1: there is none. */
int verify_believed(const struct ballot *b, int workers);
/* Let workers compute the fit until a vote is believed. ask: let `rank` compute it; anything but 0 ends the vote and is returned. Returns 0
 * with the vote believed in *believed, -1 if none is. */
int verify_decide(struct ballot *b, const int *worker, int workers, int (*ask)(void *context, int rank, uint64_t *digest),
                  void *context, int *believed);

#endif
