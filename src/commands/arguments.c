/* The arguments of the subcommands: options read by their declarations, one printed complaint a run, numbers within their range. */
#include <argp.h>
#include <errno.h>
#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

int arguments_date(const char *text, int64_t *out)
{
    char digits[16];
    size_t n = 0;
    for (const char *s = text; *s; s++) {
        if (*s == '-' && (s - text == 4 || s - text == 7)) continue;
        if (*s < '0' || *s > '9' || n + 1 >= sizeof digits) return -1;
        digits[n++] = *s;
    }
    digits[n] = '\0';
    if (n != 8 && n != 12) return -1;
    *out = strtoll(digits, NULL, 10);
    long long day = n == 8 ? *out : *out / 10000, month = day / 100 % 100;
    return month < 1 || month > 12 || day % 100 < 1 || day % 100 > 31 ? -1 : 0;
}

/* ---- options by their declarations --------------------------------------------------------------------------------------------- */

enum { MOST_OPTIONS = 80, KEY_FIRST = 256 };
struct reading {
    const struct command_line *c;
    char *into;
    int options;
    struct {
        int group;
        const struct argument *of;
    } option[MOST_OPTIONS]; /* by key - KEY_FIRST */
};

static int date_of(const struct argument *of, const char *value, struct argp_state *state, int64_t *out)
{
    double bound = of->high;
    if (!arguments_date(value, out) && (!bound || ((double)*out >= of->low && (double)*out <= bound))) return 0;
    return arguments_fail(state, "--%s: found '%s'; needed: %s", of->name, value,
                          of->what ? of->what : "a date as YYYYMMDD");
}

/* The number of the word in "a|b"; -1: it is none of them. */
static int word_of(const struct argument *of, const char *value, struct argp_state *state)
{
    size_t n = strlen(value);
    int k = 0;
    for (const char *w = of->what; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL, k++)
        if (strcspn(w, "|") == n && !memcmp(w, value, n)) return k;
    arguments_fail(state, "--%s: found '%s'; needed: %.*s or %s", of->name, value, (int)strcspn(of->what, "|"), of->what,
                   strchr(of->what, '|') + 1);
    return -1;
}

static error_t take(struct reading *r, int group, const struct argument *of, char *value, struct argp_state *state)
{
    void *at = r->into + r->c->group[group].at + of->at;
    const char *what = of->what                                                ? of->what
                       : of->type == ARGUMENT_INT || of->type == ARGUMENT_LONG ? "a whole number"
                                                                               : "a number";
    long long whole = 0;
    double mega = 0;
    int rc = 0, word = 0;
    switch (of->type) {
    case ARGUMENT_OPTIONAL: *(bool *)(r->into + r->c->group[group].at + of->unit) = true; /* fall through */
    case ARGUMENT_TEXT: *(const char **)at = value; return 0;
    case ARGUMENT_FLAG: *(bool *)at = true; return 0;
    case ARGUMENT_INT: return arguments_count(state, of->name, what, value, (int)of->low, (int)of->high, at);
    case ARGUMENT_REAL: return arguments_real(state, of->name, what, value, of->low, of->high, at);
    case ARGUMENT_DATE: return date_of(of, value, state, at);
    case ARGUMENT_LONG:
        rc = arguments_whole(state, of->name, what, value, (long long)of->low,
                             of->high < 0x1p63 ? (long long)of->high : INT64_MAX, &whole);
        *(int64_t *)at = whole;
        return rc;
    case ARGUMENT_MEGA:
        rc = arguments_real(state, of->name, what, value, of->low, of->high, &mega);
        *(size_t *)at = (size_t)(mega * 1e6);
        return rc;
    case ARGUMENT_WORD:
    case ARGUMENT_SECOND:
        if ((word = word_of(of, value, state)) < 0) return EINVAL;
        if (of->type == ARGUMENT_WORD) *(const char **)at = value;
        else *(bool *)at = word == 1;
        return 0;
    case ARGUMENT_QUIET: log_set_quiet(true); return 0;
    case ARGUMENT_OWN:
    default: return r->c->own(r->into, of, value, state);
    }
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct reading *r = state->input;
    const struct command_line *c = r->c;
    if (key == ARGP_KEY_END) return c->finish ? c->finish(r->into, state) : 0;
    if (key == ARGP_KEY_ARG)
        return c->argument ? c->argument(r->into, value, state)
                           : arguments_one(state, (const char **)(void *)(r->into + c->file), value, c->what);
    int k = 0;
    while (k < r->options && key != KEY_FIRST + k && !(key == 'o' && !strcmp(r->option[k].of->name, "output"))) k++;
    if (k == r->options) return ARGP_ERR_UNKNOWN;
    if (c->seen) c->seen(r->into, r->option[k].group, r->option[k].of);
    return take(r, r->option[k].group, r->option[k].of, value, state);
}

int arguments_read(const struct command_line *c, int argc, char **argv, void *into)
{
    struct argp_option options[MOST_OPTIONS + ARGUMENT_GROUPS + 1] = {{0}}, *o = options;
    struct reading r = {.c = c, .into = into};
    for (int g = 0; g < ARGUMENT_GROUPS && (c->group[g].list || c->group[g].title); g++) {
        int number = c->group[0].title ? g + 1 : g;
        if (c->group[g].title) *o++ = (struct argp_option){.doc = c->group[g].title, .group = number};
        for (const struct argument *of = c->group[g].list; of && of->name; of++) {
            require(r.options < MOST_OPTIONS);
            int key = strcmp(of->name, "output") ? KEY_FIRST + r.options : 'o';
            r.option[r.options].group = g, r.option[r.options++].of = of;
            int flags = of->type == ARGUMENT_OPTIONAL ? OPTION_ARG_OPTIONAL : 0;
            *o++ = (struct argp_option){
                .name = of->name, .key = key, .arg = of->value, .flags = flags, .doc = of->help, .group = number};
        }
    }
    struct argp argp = {.options = options, .parser = parse, .args_doc = c->files, .doc = c->doc};
    return arguments_parse(&argp, argc, argv, &r);
}

int command_end(const struct error *e)
{
    if (!error_is_set(e)) return EXIT_DONE;
    if (log_speaks()) error_print(e);
    return EXIT_INPUT;
}
