/* What may be said on a command line, declared beside what it fills: an entry is an option, its help, and the check of its value. */
#ifndef BASE_ARGUMENT_H
#define BASE_ARGUMENT_H

#include <stddef.h>

enum argument_type {
    ARGUMENT_TEXT,     /* const char * */
    ARGUMENT_OPTIONAL, /* const char *, NULL where the value is left out; the bool at `unit` is set */
    ARGUMENT_FLAG,     /* bool, set */
    ARGUMENT_INT,      /* int in [low, high] */
    ARGUMENT_LONG,     /* int64_t in [low, high] */
    ARGUMENT_REAL,     /* double in [low, high] */
    ARGUMENT_MEGA,     /* size_t, given in millions of bytes in [low, high] */
    ARGUMENT_DATE,     /* int64_t YYYYMMDD or YYYYMMDDhhmm; in [low, high] unless both are 0 */
    ARGUMENT_WORD,     /* const char *, one of what: "a|b" */
    ARGUMENT_SECOND,   /* bool, whether it is the second of what: "a|b" */
    ARGUMENT_QUIET,    /* warnings and errors only, from here on */
    ARGUMENT_OWN,      /* from here on: what the command reads by itself */
};
struct argument {
    const char *name, *value; /* --NAME VALUE; value NULL: none follows. "output" is -o, too */
    enum argument_type type;
    size_t at; /* offset of what it fills */
    const char *help;
    double low, high; /* of a number */
    const char *what; /* numbers: "a number of lags"; NULL: "a number". Words: the choice */
    size_t unit;      /* offset of a second place */
};

#endif
