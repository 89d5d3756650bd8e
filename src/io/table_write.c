/* A table to its files and to the terminal. */
#include "base/escape.h"
#include "base/memory.h"
#include "io/table.h"
#include "io/text_file.h"

int table_write(const struct table *t, const char *folder, struct error *e)
{
    static const struct {
        const char *suffix;
        void (*form)(const struct table *, FILE *);
    } forms[] = {{"csv", table_csv}, {"md", table_markdown}, {"tex", table_latex}};
    if (folder_create(folder, e)) return -1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.%s", folder, t->name, forms[i].suffix);
        FILE *f = text_file_begin(path, e);
        if (!f) return -1;
        forms[i].form(t, f);
        if (text_file_end(f, path, e)) return -1;
    }
    return 0;
}

static void terminal_cell(const char *text, int width, bool left, bool last, FILE *out)
{
    int pad = width - escape_terminal(NULL, text);
    if (!left) fprintf(out, "%*s", pad, "");
    escape_terminal(out, text);
    if (left && !last) fprintf(out, "%*s", pad, "");
    fputs(last ? "\n" : "  ", out);
}

void table_print(const struct table *t, FILE *out)
{
    char text[TABLE_CELL];
    int *width = memory_array(int, t->columns, "column widths"), total = -2;
    for (int c = 0; c < t->columns; c++) {
        width[c] = escape_terminal(NULL, t->column[c].title);
        for (int r = 0; r < t->rows; r++) {
            int w = escape_terminal(NULL, table_format(t, r, c, text));
            if (w > width[c]) width[c] = w;
        }
        total += width[c] + 2;
    }
    escape_terminal(out, t->title);
    fputc('\n', out);
    for (int c = 0; c < t->columns; c++)
        terminal_cell(t->column[c].title, width[c], t->column[c].kind == TABLE_TEXT, c + 1 == t->columns, out);
    for (int i = 0; i < total; i++) fputs("─", out);
    fputc('\n', out);
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++)
            terminal_cell(table_format(t, r, c, text), width[c], t->column[c].kind == TABLE_TEXT, c + 1 == t->columns, out);
    for (int i = 0; i < t->notes; i++) {
        escape_terminal(out, t->note[i]);
        fputc('\n', out);
    }
    memory_free(width);
}
