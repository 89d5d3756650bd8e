/* A table to its files and to the terminal. */
#include <stdint.h>
#include <string.h>

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

/* One character of UTF-8 from s: its bytes (at least 1) and the columns it takes on a terminal; 0 bytes wide means it is no
 * character that can be printed. */
static int character(const char *s, int *width)
{
    const unsigned char *u = (const unsigned char *)s;
    int bytes = u[0] < 0x80                   ? 1
                : u[0] >= 0xC2 && u[0] < 0xE0 ? 2
                : (u[0] & 0xF0) == 0xE0       ? 3
                : u[0] >= 0xF0 && u[0] < 0xF5 ? 4
                                              : 0;
    uint32_t code = bytes == 1 ? u[0] : bytes == 2 ? u[0] & 0x1Fu : bytes == 3 ? u[0] & 0xFu : u[0] & 7u;
    for (int i = 1; i < bytes; i++) {
        if ((u[i] & 0xC0) != 0x80) bytes = 0;
        else code = code << 6 | (u[i] & 0x3Fu);
    }
    *width = 1;
    if (bytes == 0 || code < 32 || code == 127 || (code >= 0x80 && code < 0xA0)) return -(bytes ? bytes : 1);
    if ((code >= 0x300 && code < 0x370) || (code >= 0x200B && code <= 0x200F)) *width = 0; /* combining, zero width */
    if ((code >= 0x1100 && code < 0x1160) || (code >= 0x2E80 && code < 0xA4D0) || (code >= 0xAC00 && code < 0xD7A4) ||
        (code >= 0xF900 && code < 0xFB00) || (code >= 0xFE30 && code < 0xFE70) || (code >= 0xFF00 && code < 0xFF61) ||
        code >= 0x1F300)
        *width = 2;
    return bytes;
}

/* Columns that s takes; with out, prints it, anything a terminal could take amiss as '?'. */
static int terminal_text(const char *s, FILE *out)
{
    int columns = 0, width;
    while (*s) {
        int bytes = character(s, &width), n = bytes < 0 ? -bytes : bytes;
        if (out && bytes < 0) fputc('?', out);
        else if (out) fwrite(s, 1, (size_t)n, out);
        columns += width;
        s += n;
    }
    return columns;
}

static void terminal_cell(const char *text, int width, bool left, bool last, FILE *out)
{
    int pad = width - terminal_text(text, NULL);
    if (!left) fprintf(out, "%*s", pad, "");
    terminal_text(text, out);
    if (left && !last) fprintf(out, "%*s", pad, "");
    fputs(last ? "\n" : "  ", out);
}

void table_print(const struct table *t, FILE *out)
{
    char text[TABLE_CELL];
    int *width = memory_array(int, t->columns, "column widths"), total = -2;
    for (int c = 0; c < t->columns; c++) {
        width[c] = terminal_text(t->column[c].title, NULL);
        for (int r = 0; r < t->rows; r++) {
            int w = terminal_text(table_format(t, r, c, text), NULL);
            if (w > width[c]) width[c] = w;
        }
        total += width[c] + 2;
    }
    terminal_text(t->title, out);
    fputc('\n', out);
    for (int c = 0; c < t->columns; c++)
        terminal_cell(t->column[c].title, width[c], t->column[c].kind == TABLE_TEXT, c + 1 == t->columns, out);
    for (int i = 0; i < total; i++) fputs("─", out);
    fputc('\n', out);
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++)
            terminal_cell(table_format(t, r, c, text), width[c], t->column[c].kind == TABLE_TEXT, c + 1 == t->columns, out);
    for (int i = 0; i < t->notes; i++) {
        terminal_text(t->note[i], out);
        fputc('\n', out);
    }
    memory_free(width);
}
