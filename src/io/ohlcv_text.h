/* The two kinds of text behind io/ohlcv_file.h. Private to io. text [n] is followed by CSV_SLACK readable bytes. */
#ifndef IO_OHLCV_TEXT_H
#define IO_OHLCV_TEXT_H

#include <stddef.h>

#include "io/ohlcv_file.h"

int ohlcv_csv(const char *path, const char *text, size_t n, struct ohlcv_file *f, struct error *e);
int ohlcv_json(const char *path, const char *text, size_t n, struct ohlcv_file *f, struct error *e);

/* Takes a row over, or counts it as one with bad prices. */
void ohlcv_file_add(struct ohlcv_file *f, const struct ohlcv_bar *b);
/* Seconds since 1970 of a number of seconds, milli- or microseconds, told by its size. False: out of the calendar. */
bool ohlcv_epoch(int64_t number, int64_t *seconds);

#endif
