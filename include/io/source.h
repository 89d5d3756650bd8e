/* The bytes of a text file, plain or compressed (.gz by zlib, .zst by libzstd; told by the first bytes, not by the name). */
#ifndef IO_SOURCE_H
#define IO_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct source;

/* NULL and *e if the file cannot be opened or is no regular file. Every rank opens its own. */
struct source *source_open(const char *path, struct error *e);
void source_close(struct source *s);
const char *source_path(const struct source *s);

/* Bytes [at, at + n) of the text into out: returns how many there were (fewer only at the end of the text) or -1. Plain
 * files: any order. Compressed ones are streamed: `at` must not lie more than SOURCE_HISTORY bytes before the end of the last read
 * (what is skipped is decompressed and dropped). */
enum { SOURCE_HISTORY = 1 << 20 };
int64_t source_read(struct source *s, int64_t at, size_t n, char *out, struct error *e);

/* All of the text, followed by at least 64 readable bytes (CSV_SLACK), and its length *n (memory_free); NULL and *e where it cannot be read
 * or is larger than `largest` bytes, where `needed` says what the file should have been. */
char *source_text(const char *path, size_t largest, const char *needed, size_t *n, struct error *e);

/* Line (from 1) of byte `at` of the text, by counting newlines from the start; for messages. -1 if it cannot be read. */
int64_t source_line(const char *path, int64_t at);

#endif
