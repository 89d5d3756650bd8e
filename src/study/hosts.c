/* Host names grouped by stem, with runs of numbers as ranges. */
#include "hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* A host: the text before its trailing digits, the digits, its ranks. */
struct host {
    const char *text;
    int stem, digits, ranks;
    long number;
};

static struct host host_of(const char *text, int ranks)
{
    int n = (int)strlen(text), stem = n;
    while (stem && n - stem < 9 && text[stem - 1] >= '0' && text[stem - 1] <= '9') stem--;
    return (struct host){.text = text, .stem = stem, .digits = n - stem, .ranks = ranks, .number = atol(text + stem)};
}

static int together(const struct host *a, const struct host *b)
{
    return a->digits && b->digits == a->digits && a->stem == b->stem && !strncmp(a->text, b->text, (size_t)a->stem) &&
           a->ranks == b->ranks;
}

char *hosts_compact(char *name, int width, int n)
{
    struct host *host = memory_array(struct host, n, "hosts");
    size_t room = 64, at = 0;
    int hosts = 0;
    qsort(name, (size_t)n, (size_t)width, by_text);
    for (int i = 0, k; i < n; i = k) {
        for (k = i; k < n && !strcmp(name + (size_t)i * width, name + (size_t)k * width); k++) continue;
        host[hosts++] = host_of(name + (size_t)i * width, k - i);
        room += strlen(name + (size_t)i * width) + 32;
    }
    char *out = memory_array(char, room, "host list");
    for (int i = 0, k; i < hosts; i = k) {
        for (k = i + 1; k < hosts && together(&host[i], &host[k]); k++) continue;
        if (k == i + 1) {
            at += (size_t)snprintf(out + at, room - at, "%s%s:%d", at ? " " : "", host[i].text, host[i].ranks);
            continue;
        }
        at += (size_t)snprintf(out + at, room - at, "%s%.*s[", at ? " " : "", host[i].stem, host[i].text);
        for (int a = i, b; a < k; a = b) {
            for (b = a + 1; b < k && host[b].number == host[b - 1].number + 1; b++) continue;
            at += (size_t)snprintf(out + at, room - at, "%s%s", a > i ? "," : "", host[a].text + host[a].stem);
            if (b > a + 1) at += (size_t)snprintf(out + at, room - at, "-%s", host[b - 1].text + host[b - 1].stem);
        }
        at += (size_t)snprintf(out + at, room - at, "]:%d", host[i].ranks);
    }
    memory_free(host);
    return out;
}
