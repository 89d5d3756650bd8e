/* Tables in memory: columns, rows and cells, and their forms as CSV, Markdown, LaTeX and terminal text. */
#include "io/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/memory.h"

struct table *table_create(const char *name, const char *title)
{
    struct table *t = memory_array(struct table, 1, "table");
    t->title = memory_text(title);
    table_rename(t, name);
    return t;
}

void table_rename(struct table *t, const char *name)
{
    memory_free(t->name);
    t->name = memory_text(name);
    escape_file_name(t->name);
}

void table_free(struct table *t)
{
    if (!t) return;
    for (int i = 0; i < t->rows * t->columns; i++) memory_free(t->cell[i].text);
    for (int c = 0; c < t->columns; c++) memory_free(t->column[c].name), memory_free(t->column[c].title);
    for (int i = 0; i < t->notes; i++) memory_free(t->note[i]);
    memory_free_all(t->cell, t->column, t->note, t->name, t->title, t);
}

void table_column(struct table *t, const char *name, const char *title, enum table_kind kind, int decimals)
{
    require(t->rows == 0);
    t->column = memory_grow(t->column, (size_t)t->columns + 1, sizeof *t->column, "table columns");
    struct table_column *c = &t->column[t->columns++];
    *c = (struct table_column){
        .name = memory_text(name), .title = memory_text(title ? title : name), .kind = kind, .decimals = decimals};
    for (char *s = c->title; !title && *s; s++)
        if (*s == '_') *s = ' ';
}

void table_append(struct table *t, size_t n, const struct table_column *columns)
{
    for (size_t i = 0; i < n; i++) table_column(t, columns[i].name, columns[i].title, columns[i].kind, columns[i].decimals);
}

void table_qualify(struct table *t, const char *words)
{
    size_t n = strlen(t->title) + strlen(words) + 4;
    char *title = memory_array(char, n, "table title");
    snprintf(title, n, "%s (%s)", t->title, words);
    memory_free(t->title);
    t->title = title;
}

void table_row(struct table *t)
{
    t->cell = memory_grow(t->cell, ((size_t)t->rows + 1) * (size_t)t->columns, sizeof *t->cell, "table cells");
    for (int c = 0; c < t->columns; c++) t->cell[t->rows * t->columns + c] = (struct table_cell){NULL, NAN};
    t->rows++;
    t->next = 0;
}

static struct table_cell *next_cell(struct table *t, bool text)
{
    require(t->rows > 0 && t->next < t->columns && (t->column[t->next].kind == TABLE_TEXT) == text);
    return &t->cell[(t->rows - 1) * t->columns + t->next++];
}

static struct table_cell *named_cell(struct table *t, const char *name, bool text)
{
    int c = table_find(t, name);
    require(t->rows > 0 && c >= 0 && (t->column[c].kind == TABLE_TEXT) == text);
    return &t->cell[(t->rows - 1) * t->columns + c];
}

void table_set_text(struct table *t, const char *name, const char *text)
{
    named_cell(t, name, true)->text = text ? memory_text(text) : NULL;
}
void table_set(struct table *t, const char *name, double number)
{
    named_cell(t, name, false)->number = number;
}

void table_put_text(struct table *t, const char *text)
{
    next_cell(t, true)->text = text ? memory_text(text) : NULL;
}
void table_put(struct table *t, double number)
{
    next_cell(t, false)->number = number;
}

void table_note(struct table *t, const char *format, ...)
{
    char text[1024];
    va_list a;
    va_start(a, format);
    vsnprintf(text, sizeof text, format, a);
    va_end(a);
    for (int i = 0; i < t->notes; i++)
        if (!strcmp(t->note[i], text)) return;
    t->note = memory_grow(t->note, (size_t)t->notes + 1, sizeof *t->note, "table notes");
    t->note[t->notes++] = memory_text(text);
}

const struct table_cell *table_at(const struct table *t, int row, int column)
{
    return &t->cell[row * t->columns + column];
}

int table_find(const struct table *t, const char *name)
{
    for (int c = 0; c < t->columns; c++)
        if (!strcmp(t->column[c].name, name)) return c;
    return -1;
}

char *number_text(double x, char out[32])
{
    out[0] = '\0';
    for (int digits = 15; digits <= 17 && !isnan(x); digits++) {
        snprintf(out, 32, "%.*g", digits, x);
        if (strtod(out, NULL) == x) break;
    }
    return out;
}

char *table_format(const struct table *t, int row, int column, char out[TABLE_CELL])
{
    const struct table_cell *cell = table_at(t, row, column);
    const struct table_column *c = &t->column[column];
    long long date = isfinite(cell->number) ? (long long)cell->number : 0;
    out[0] = '\0';
    if (c->kind == TABLE_TEXT) {
        if (cell->text) snprintf(out, TABLE_CELL, "%s", cell->text);
    } else if (isnan(cell->number)) return out;
    else if (c->kind == TABLE_COUNT) snprintf(out, TABLE_CELL, "%.0f", cell->number);
    else if (c->kind == TABLE_GENERAL) snprintf(out, TABLE_CELL, "%.*g", c->decimals, cell->number);
    else if (c->kind == TABLE_REAL) {
        /* figures of three places and more are small by nature: one that would print as zeros shows its digits; huge ones do, too */
        bool zero = fabs(cell->number) < 0.5 * pow(10, -c->decimals);
        if (fabs(cell->number) >= 1e6 || (zero && cell->number != 0 && c->decimals >= 3))
            snprintf(out, TABLE_CELL, "%.2g", cell->number);
        else snprintf(out, TABLE_CELL, "%.*f", c->decimals, zero ? 0 : cell->number);
    } else if (date >= 100000000)
        snprintf(out, TABLE_CELL, "%lld-%02lld-%02lld %02lld:%02lld", date / 100000000, date / 1000000 % 100,
                 date / 10000 % 100, date / 100 % 100, date % 100);
    else snprintf(out, TABLE_CELL, "%lld-%02lld-%02lld", date / 10000, date / 100 % 100, date % 100);
    return out;
}

/* ---- CSV ---- */
void table_csv(const struct table *t, FILE *out)
{
    char number[32];
    for (int c = 0; c < t->columns; c++) {
        if (c) fputc(',', out);
        escape_csv(out, t->column[c].name);
    }
    fputc('\n', out);
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++) {
            const struct table_cell *cell = table_at(t, r, c);
            if (t->column[c].kind == TABLE_TEXT) escape_csv(out, cell->text ? cell->text : "");
            else fputs(number_text(cell->number, number), out);
            fputc(c + 1 < t->columns ? ',' : '\n', out);
        }
}

/* ---- Markdown and LaTeX ---- */

static void markdown_cell(const struct table *t, int r, int c, FILE *out)
{
    char text[TABLE_CELL];
    table_format(t, r, c, text);
    if (t->column[c].kind == TABLE_TEXT) escape_markdown(out, text);
    else fputs(text, out);
}

void table_markdown(const struct table *t, FILE *out)
{
    fprintf(out, "**");
    escape_markdown(out, t->title);
    fprintf(out, "**\n\n|");
    for (int c = 0; c < t->columns; c++) {
        fputc(' ', out);
        escape_markdown(out, t->column[c].title);
        fputs(" |", out);
    }
    fputs("\n|", out);
    for (int c = 0; c < t->columns; c++) fputs(t->column[c].kind == TABLE_TEXT ? " --- |" : " ---: |", out);
    fputc('\n', out);
    for (int r = 0; r < t->rows; r++) {
        fputc('|', out);
        for (int c = 0; c < t->columns; c++) {
            fputc(' ', out);
            markdown_cell(t, r, c, out);
            fputs(" |", out);
        }
        fputc('\n', out);
    }
    for (int i = 0; i < t->notes; i++) {
        fputs(i ? "  \n" : "\n", out);
        escape_markdown(out, t->note[i]);
    }
    if (t->notes) fputc('\n', out);
}

/* A minus sign, not a hyphen, in front of numbers. */
static void latex_cell(const struct table *t, int r, int c, FILE *out)
{
    char text[TABLE_CELL];
    table_format(t, r, c, text);
    if (!*text) fputs("--", out);
    else if (t->column[c].kind != TABLE_TEXT && *text == '-') fprintf(out, "$-$%s", text + 1);
    else escape_latex(out, text);
}

void table_latex(const struct table *t, FILE *out)
{
    fprintf(out, "%% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n\\caption{");
    escape_latex(out, t->title);
    fprintf(out, "}\n\\label{tab:%s}\n\\begin{tabular}{", t->name);
    for (int c = 0; c < t->columns; c++) fputc(t->column[c].kind == TABLE_TEXT ? 'l' : 'r', out);
    fputs("}\n\\toprule\n", out);
    for (int c = 0; c < t->columns; c++) {
        escape_latex(out, t->column[c].title);
        fputs(c + 1 < t->columns ? " & " : " \\\\\n\\midrule\n", out);
    }
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++) {
            latex_cell(t, r, c, out);
            fputs(c + 1 < t->columns ? " & " : " \\\\\n", out);
        }
    fputs("\\bottomrule\n\\end{tabular}\n", out);
    for (int i = 0; i < t->notes; i++) {
        fputs("\\par\\footnotesize ", out);
        escape_latex(out, t->note[i]);
        fputc('\n', out);
    }
    fputs("\\end{table}\n", out);
}
