/* Comma-separated text (RFC 4180: fields may be quoted, quotes doubled inside, newlines allowed in quotes; \n or \r\n). A row
 * ends at a newline before which the number of quotes is even: a rule that needs no more than a parity to start in mid-file. */
#ifndef IO_CSV_H
#define IO_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

/* Texts handed to these functions are followed by CSV_SLACK readable bytes of any content. */
enum { CSV_SLACK = 64, CSV_LONGEST_ROW = (1 << 20) - 1 };

size_t csv_quotes(const char *text, size_t n);
/* Just behind the first row end in text [n]; `quoted`: the text starts inside quotes. n if there is none. */
size_t csv_row_end(const char *text, size_t n, bool quoted);

/* Bytes of a byte-order mark at the start of a text: 3 or 0. */
static inline size_t csv_mark(const char *text, size_t n)
{
    return n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
}

/* Reads a text row by row, 64 bytes at a time. */
struct csv_cursor {
    const char *text;
    size_t n, row, block;  /* where the next row and the block in hand start */
    uint64_t ends, quotes; /* of the block: separators not yet taken; quotes */
    uint64_t inside;       /* all ones: the next block starts inside quotes */
    size_t quotes_before;  /* quotes in the blocks before the one in hand */
};
struct csv_row {
    const char *text;    /* its first byte */
    size_t at;           /* which is text + at of the cursor */
    size_t length;       /* without the line end */
    bool ended;          /* by a newline; false: the text ended first */
    bool quoted;         /* has a quote somewhere */
    int fields;          /* all, also those beyond `room` */
    const uint32_t *end; /* [min(fields, room)] end of each field, from text */
};
/* text [n] starts at a row start. */
void csv_begin(struct csv_cursor *c, const char *text, size_t n);
/* The next row; `end` [room] holds its field ends. False: no byte is left. A blank line is a row with one empty field. */
bool csv_next(struct csv_cursor *c, uint32_t *end, int room, struct csv_row *row);

/* The same, counting lines: *line becomes the one (from 1) on which the row begins; quoted ends of line within the row before, which is
 * what *row holds, count, too. Begin with a zeroed row and *line 0. */
bool csv_next_line(struct csv_cursor *c, uint32_t *end, int room, struct csv_row *row, int *line);

/* Field k of a row (k < min(fields, room)) without surrounding quotes; doubled quotes inside stay doubled. */
static inline const char *csv_field(const struct csv_row *r, int k, size_t *n)
{
    size_t from = k ? r->end[k - 1] + 1 : 0, to = r->end[k];
    if (to - from >= 2 && r->text[from] == '"' && r->text[to - 1] == '"') from++, to--;
    *n = to - from;
    return r->text + from;
}
/* Copy with doubled quotes made single; out holds n + 1 bytes. Returns the length. */
size_t csv_unquote(const char *field, size_t n, char *out);

/* Whether quotes stand only where they may; otherwise the field (from 0) at fault, or -1 if all is well. */
int csv_bad_quotes(const struct csv_row *r, int room);

/* The names in a header row: trimmed and unquoted. memory_free of *names frees all. Empty names are
 * allowed. NUL bytes, duplicates of names other than the empty one, and semicolon or tab separated headers are errors. */
int csv_header(const char *file, const struct csv_row *r, char ***names, struct error *e);

#endif
