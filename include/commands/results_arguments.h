/* Options that analyze and report share, and where their output goes by default. */
#ifndef COMMANDS_RESULTS_ARGUMENTS_H
#define COMMANDS_RESULTS_ARGUMENTS_H

#include <stddef.h>

#include "base/argument.h"
#include "base/error.h"
#include "report/tables.h"

#define TABLE_OPTIONS_DEFAULT                                                                                               \
    {                                                                                                                       \
        .newey_west = -1, .bootstrap = 1000, .seed = 1                                                                      \
    }
extern const struct argument table_arguments[]; /* of struct table_options */
/* An empty range: exit status 1. */
int table_arguments_check(const struct table_options *o, struct error *e);

/* `given`, or results/demo.h5 -> results/demo SUFFIX. */
void results_folder(const char *results, const char *suffix, const char *given, char *out, size_t size);

#endif
