/* Themes of characteristics, to be left out one by one: read from a file, or taken from the names. */
#ifndef STUDY_THEMES_H
#define STUDY_THEMES_H

#include <stddef.h>

#include "base/error.h"

enum { THEME_NAME = 64 };
struct themes {
    int n, D;
    char (*name)[THEME_NAME]; /* [n] */
    int *of;                  /* [D] each characteristic's theme */
    const char *rule;         /* where they came from, in words */
};

/* A CSV with a header and rows NAME,THEME; `file` is for messages. Names the panel does not have are passed over; characteristics the
 * file does not have make the theme `other`. themes_free in any case. */
int themes_parse(const char *file, const char *text, int D, char *const *names, struct themes *t, struct error *e);
/* Without a file: the part of a name before its first `_`, if that makes 2 to 6 themes; else each characteristic if there are at most
 * six; else the names in alphabetical order cut into four blocks. */
void themes_guess(int D, char *const *names, struct themes *t);
void themes_free(struct themes *t);

/* The characteristics of theme k, separated by commas, into out [size]; -1 where it is too small. */
int themes_members(const struct themes *t, int k, char *const *names, char *out, size_t size);

#endif
