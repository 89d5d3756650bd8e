/* Counting rows by step, summing counts over ranks, and printing and keeping the table. */
#include "audit.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "io/datasets.h"

enum { NARROWEST = 7 };

void audit_open(struct audit *a, const struct audit_step *step, int steps, int beside, int units)
{
    *a = (struct audit){step, steps, beside, units, memory_array(int64_t, (size_t)units * (size_t)steps, "audit")};
}

void audit_close(struct audit *a)
{
    memory_free(a->count);
    *a = (struct audit){0};
}

static void print_line(const struct audit *a, const int64_t *total, int width, const char *label, const int64_t *count)
{
    printf("%-*s", width, label);
    for (int k = 0; k < a->steps; k++) {
        int column = (int)strlen(a->step[k].name);
        if (!total[k] && k != 0 && k != a->steps - 1 - a->beside) continue;
        if (count) printf("  %*lld", column > NARROWEST ? column : NARROWEST, (long long)count[k]);
        else printf("  %*s", NARROWEST, a->step[k].name);
    }
    printf("\n");
}

void audit_print(const struct audit *a, int first, int units, const char *head, char *const *label, const char *all)
{
    int64_t *total = memory_array(int64_t, a->steps, "audit");
    int width = (int)strlen(head);
    for (int u = 0; u < units; u++) {
        if ((int)strlen(label[u]) > width) width = (int)strlen(label[u]);
        for (int k = 0; k < a->steps; k++) total[k] += a->count[(size_t)(first + u) * (size_t)a->steps + (size_t)k];
    }
    if (log_speaks()) {
        print_line(a, total, width, head, NULL);
        for (int u = 0; u < units; u++)
            print_line(a, total, width, label[u], a->count + (size_t)(first + u) * (size_t)a->steps);
        print_line(a, total, width, all, total);
        fflush(stdout);
    }
    memory_free(total);
}

int audit_write(const struct audit *a, int first, int units, struct hdf *f, struct error *e)
{
    int64_t size[2] = {units, a->steps};
    char **text = memory_array(char *, 2 * a->steps, "audit");
    for (int k = 0; k < a->steps; k++) {
        text[k] = (char *)(uintptr_t)a->step[k].name;
        text[a->steps + k] = (char *)(uintptr_t)a->step[k].meaning;
    }
    int rc = dataset_write(f, "audit/rows", HDF_INT64, size, a->count + (size_t)first * (size_t)a->steps, e);
    if (!rc) rc = dataset_write_texts(f, "audit/steps", a->steps, text, e);
    if (!rc) rc = dataset_write_texts(f, "audit/meanings", a->steps, text + a->steps, e);
    memory_free(text);
    return rc;
}
