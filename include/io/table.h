/* One table, four forms: CSV (full precision: what is read back has the same bits), Markdown, LaTeX (booktabs) and the
 * terminal. Filled row by row, cell by cell, in column order. */
#ifndef IO_TABLE_H
#define IO_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

enum table_kind {
    TABLE_TEXT,
    TABLE_COUNT,   /* integers */
    TABLE_DATE,    /* YYYYMMDD or YYYYMMDDhhmm; people see 2001-02-28 */
    TABLE_REAL,    /* `decimals` places where people read it; with 3 and more, what would print as zeros shows 2 digits */
    TABLE_GENERAL, /* significant digits (ridge penalties): `decimals` of them */
};
struct table_column {
    char *name;  /* the CSV's header */
    char *title; /* what people read */
    enum table_kind kind;
    int decimals;
};
struct table_cell {
    char *text;    /* TABLE_TEXT; NULL: missing */
    double number; /* other kinds; NaN: missing */
};
struct table {
    char *name;  /* file name without suffix, label in LaTeX, id in HTML: letters, digits, - _ = and . only */
    char *title; /* caption */
    int columns, rows, next;
    struct table_column *column;
    struct table_cell *cell; /* [rows, columns] */
    int notes;
    char **note;
};

/* `name` may hold anything: escape_file_name. */
struct table *table_create(const char *name, const char *title);
void table_rename(struct table *t, const char *name);
void table_free(struct table *t);
/* Before the first row. title NULL: the name, underscores as spaces. */
void table_column(struct table *t, const char *name, const char *title, enum table_kind kind, int decimals);
/* Several, {name, title, kind, decimals} each. */
#define table_columns(t, ...)                                                                                               \
    table_append(t, sizeof((struct table_column[]){__VA_ARGS__}) / sizeof(struct table_column),                             \
                 (const struct table_column[]){__VA_ARGS__})
void table_append(struct table *t, size_t n, const struct table_column *columns);
/* Says `words` in parentheses after the title, wherever the table is seen. */
void table_qualify(struct table *t, const char *words);
/* A new row, all missing. Cells of the last row are set by their column's name; the column must be there and of the kind. */
void table_row(struct table *t);
void table_set_text(struct table *t, const char *name, const char *text); /* NULL: missing */
void table_set(struct table *t, const char *name, double number);         /* counts and dates, too; NaN: missing */
/* Where columns are named by data (assets, models), names may repeat: these fill the row from the left instead. */
void table_put_text(struct table *t, const char *text); /* NULL: missing */
void table_put(struct table *t, double number);         /* NaN: missing */
/* A line under the table; the same line twice is kept once. */
void table_note(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

const struct table_cell *table_at(const struct table *t, int row, int column);
int table_find(const struct table *t, const char *name); /* column index; -1: none */
/* The cell as people read it, into out, which is returned; missing: "". */
enum { TABLE_CELL = 512 };
char *table_format(const struct table *t, int row, int column, char out[TABLE_CELL]);

/* DIR/NAME.csv, .md and .tex, each whole or not there. */
int table_write(const struct table *t, const char *folder, struct error *e);
/* Aligned for a terminal; widths count characters, not bytes. */
void table_print(const struct table *t, FILE *out);

/* The forms alone. */
void table_csv(const struct table *t, FILE *out);
void table_markdown(const struct table *t, FILE *out);
void table_latex(const struct table *t, FILE *out);
/* Shortest decimal text that reads back to the same bits; NaN: "". */
char *number_text(double number, char out[32]);

#endif
