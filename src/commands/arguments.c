/* What the subcommands' parsers of arguments have in common: one printed complaint a run, and numbers within their range. */
#include <argp.h>
#include <errno.h>
#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/number.h"
#include "commands/commands.h"

static int outcome; /* what the parse in hand has decided: -1 go on */

int arguments_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    char name[64];
    snprintf(name, sizeof name, "aipm %s", argv[0]);
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-?")) {
            if (log_speaks()) argp_help(argp, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC, name);
            return EXIT_DONE;
        }
    char *command = argv[0];
    argv[0] = name;
    outcome = -1;
    /* glibc's own errors (unknown option, missing value) are printed by every rank: silenced on all but one */
    FILE *err = stderr;
    if (!log_speaks()) stderr = fopen("/dev/null", "w");
    error_t rc = argp_parse(argp, argc, argv, ARGP_NO_EXIT | ARGP_NO_HELP, NULL, input);
    if (stderr != err) fclose(stderr), stderr = err;
    argv[0] = command;
    if (rc && outcome == -1) {
        outcome = EXIT_USAGE;
        if (log_speaks()) fprintf(stderr, "aipm %s --help shows the options\n", command);
    }
    return outcome;
}

int arguments_fail(struct argp_state *state, const char *format, ...)
{
    va_list a;
    va_start(a, format);
    fprintf(stderr, "%s: ", state->name);
    vfprintf(stderr, format, a);
    fprintf(stderr, "\n");
    va_end(a);
    return EINVAL;
}

int arguments_one(struct argp_state *state, const char **slot, const char *arg, const char *what)
{
    if (*slot) return arguments_fail(state, "found two %ss, '%s' and '%s'; needed: one", what, *slot, arg);
    *slot = arg;
    return 0;
}

int arguments_whole(struct argp_state *state, const char *option, const char *what, const char *text, long long low,
                    long long high, long long *out)
{
    if (number_whole(text, low, high, out)) return 0;
    return arguments_fail(state, "--%s: found '%s'; needed: %s, %lld to %lld", option, text, what, low, high);
}

int arguments_count(struct argp_state *state, const char *option, const char *what, const char *text, int low, int high,
                    int *out)
{
    long long n = *out;
    int rc = arguments_whole(state, option, what, text, low, high, &n);
    *out = (int)n;
    return rc;
}

int arguments_real(struct argp_state *state, const char *option, const char *what, const char *text, double low, double high,
                   double *out)
{
    if (number_real(text, low, high, out)) return 0;
    if (low == -DBL_MAX && high == DBL_MAX) return arguments_fail(state, "--%s: found '%s'; needed: %s", option, text, what);
    if (high == DBL_MAX) return arguments_fail(state, "--%s: found '%s'; needed: %s, %g or more", option, text, what, low);
    return arguments_fail(state, "--%s: found '%s'; needed: %s, %g to %g", option, text, what, low, high);
}
