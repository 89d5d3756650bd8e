/* A small file of named numbers kept between runs of the program: lines "KEY<tab>NUMBER<tab>NUMBER...". Written whole and renamed. */
#ifndef IO_TEXT_STORE_H
#define IO_TEXT_STORE_H

#include <stdbool.h>

struct text_store {
    char *path; /* NULL: in memory only */
    int n;
    char **line;
    bool changed;
};
/* A store that cannot be read or made begins empty: it only saves time. store_close writes what is new and frees. */
void store_open(struct text_store *s, const char *path);
/* 1 and numbers [n] if the key is there with so many. */
int store_get(const struct text_store *s, const char *key, int n, double *numbers);
void store_put(struct text_store *s, const char *key, int n, const double *numbers);
void store_close(struct text_store *s);

#endif
