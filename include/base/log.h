/* What the program says while it works. Messages go to stderr, tables to stdout. Only the speaking rank prints
 * (rank 0, set by parallel/team.c); every rank may call. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

void log_set_speaker(bool speaks);
bool log_speaks(void);
void log_set_quiet(bool quiet); /* --quiet: warnings and errors only */

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

double clock_seconds(void); /* monotonic */
double clock_thread(void);  /* processor time of this thread: what a rate costs on a machine shared with others */

/* "1.9 GB", "3 h 12 min": into the caller's buffer of at least 32 bytes, which is returned. */
char *format_bytes(double bytes, char *out);
char *format_duration(double seconds, char *out);

/* Progress of a long step: a line that rewrites itself on a terminal, one line a minute otherwise.
 * done and total in rows; eta from the rate since the start (rows found done on resume do not count). */
struct progress {
    const char *what;
    double start, last;
    long total, done_at_start;
    bool terminal, shown;
};
void progress_begin(struct progress *p, const char *what, long total, long done_at_start);
void progress_show(struct progress *p, long done, const char *extra); /* cheap: returns at once if it is not time yet */
void progress_end(struct progress *p, long done);

#endif
