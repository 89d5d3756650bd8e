/* The named numbers in memory, and their file, read at the start and written at the end. */
#include "io/text_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "io/text_file.h"

enum { LINE = 2048, MOST = 4096 };

static void add(struct text_store *s, const char *line)
{
    if (s->n == MOST) { /* the oldest goes */
        memory_free(s->line[0]);
        memmove(s->line, s->line + 1, sizeof *s->line * (MOST - 1));
        s->n--;
    }
    s->line[s->n++] = memory_text(line);
}

void store_open(struct text_store *s, const char *path)
{
    char line[LINE];
    *s = (struct text_store){.path = path ? memory_text(path) : NULL, .line = memory_array(char *, MOST, "stored numbers")};
    FILE *f = path ? fopen(path, "r") : NULL;
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        if (strchr(line, '\t')) add(s, line);
    }
    if (f) fclose(f);
}

/* The line of a key, -1 if there is none. */
static int find(const struct text_store *s, const char *key)
{
    size_t n = strlen(key);
    for (int i = s->n - 1; i >= 0; i--)
        if (!strncmp(s->line[i], key, n) && s->line[i][n] == '\t') return i;
    return -1;
}

int store_get(const struct text_store *s, const char *key, int n, double *numbers)
{
    int i = find(s, key);
    if (i < 0) return 0;
    char *at = s->line[i] + strlen(key), *end;
    for (int k = 0; k < n; k++, at = end) {
        numbers[k] = strtod(at, &end);
        if (end == at) return 0;
    }
    return 1;
}

void store_put(struct text_store *s, const char *key, int n, const double *numbers)
{
    char line[LINE];
    int i = find(s, key);
    size_t at = (size_t)snprintf(line, sizeof line, "%s", key);
    for (int k = 0; k < n && at < sizeof line; k++)
        at += (size_t)snprintf(line + at, sizeof line - at, "\t%.6g", numbers[k]);
    if (at >= sizeof line) return;
    if (i >= 0) {
        memory_free(s->line[i]);
        s->line[i] = memory_text(line);
    } else add(s, line);
    s->changed = true;
}

static void write_out(const struct text_store *s)
{
    struct error ignored = {""};
    if (folder_create_for(s->path, &ignored)) return;
    FILE *f = text_file_begin(s->path, &ignored);
    for (int i = 0; f && i < s->n; i++) fprintf(f, "%s\n", s->line[i]);
    text_file_end(f, s->path, &ignored);
}

void store_close(struct text_store *s)
{
    if (s->path && s->changed) write_out(s);
    for (int i = 0; i < s->n; i++) memory_free(s->line[i]);
    memory_free(s->line);
    memory_free(s->path);
    *s = (struct text_store){0};
}
