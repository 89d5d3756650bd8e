/* Options that analyze and report share, and where their output goes by default. */
#ifndef COMMANDS_RESULTS_ARGUMENTS_H
#define COMMANDS_RESULTS_ARGUMENTS_H

#include <argp.h>
#include <stddef.h>

#include "base/error.h"
#include "report/tables.h"

#define TABLE_OPTIONS_DEFAULT                                                                                               \
    {                                                                                                                       \
        .newey_west = -1, .bootstrap = 1000, .seed = 1                                                                      \
    }
enum { TABLE_ARGUMENTS = 7 }; /* options filled in below, the end of the list not counted */
/* option [TABLE_ARGUMENTS + 1], ends with an empty one */
void table_argument_options(struct argp_option *option);
/* One key of theirs into *o; ARGP_ERR_UNKNOWN for others; a value that is no number is wrong usage. */
error_t table_argument(int key, char *value, struct argp_state *state, struct table_options *o);
/* YYYYMMDD, YYYY-MM-DD or YYYYMMDDhhmm to a number; -1 for anything else. */
int table_argument_date(const char *text, int64_t *out);
/* What is no date or an empty range: exit status 1. */
int table_arguments_check(const struct table_options *o, struct error *e);

/* `given`, or results/demo.h5 -> results/demo SUFFIX. */
void results_folder(const char *results, const char *suffix, const char *given, char *out, size_t size);

#endif
