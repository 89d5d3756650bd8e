/* Subcommands: a table {name, function, needs_mpi, help} in src/commands/main.c. */
#ifndef COMMANDS_COMMANDS_H
#define COMMANDS_COMMANDS_H

#include <stdbool.h>

#include "base/argument.h"
#include "parallel/team.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv, struct team *world); /* argv[0] is the command's name; world NULL unless parallel */
    bool parallel;                                         /* may run under mpirun: MPI is started for it */
    const char *summary;
};

/* Each parses its own arguments with argp (--help teaches; wrong usage exits 2) and returns an exit status (base/error.h).
 * `--help` and usage errors are printed by the speaking rank only. */
int command_synth(int argc, char **argv, struct team *world);
int command_ingest(int argc, char **argv, struct team *world);
int command_run(int argc, char **argv, struct team *world);
int command_plan(int argc, char **argv, struct team *world);
int command_sweep(int argc, char **argv, struct team *world);
int command_trial(int argc, char **argv, struct team *world);
int command_analyze(int argc, char **argv, struct team *world);
int command_report(int argc, char **argv, struct team *world);
int command_inspect(int argc, char **argv, struct team *world);
int command_backtest(int argc, char **argv, struct team *world);
int command_signal(int argc, char **argv, struct team *world);
int command_info(int argc, char **argv, struct team *world);

/* ---- arguments, declared (base/argument.h) --------------------------------------------------------------------------------------------- */

struct argp_state;
/* A list of options, under a title of its own in --help if it has one; `at`: where what their offsets are of lies in the command's own. */
struct argument_group {
    const char *title;
    const struct argument *list; /* ends with name NULL */
    size_t at;
};
enum { ARGUMENT_GROUPS = 8 };
struct command_line {
    const char *files, *doc; /* as argp's args_doc and doc: "RESULTS", help */
    struct argument_group group[ARGUMENT_GROUPS];
    const char *what; /* of the one argument that is no option: "results file"; its place, a const char *, at `file` */
    size_t file;
    /* In `what`'s place: every argument that is no option. */
    int (*argument)(void *into, char *text, struct argp_state *state);
    /* Options of type ARGUMENT_OWN and beyond. */
    int (*own)(void *into, const struct argument *of, char *value, struct argp_state *state);
    /* After every option that is read: group and entry. May be NULL. */
    void (*seen)(void *into, int group, const struct argument *of);
    /* What must hold between them. */
    int (*finish)(void *into, struct argp_state *state);
};
/* Fills *into. Returns -1 to go on, else the exit status to return at once (0 after --help, 2 after wrong usage). Of all ranks the speaking
 * one prints. */
int arguments_read(const struct command_line *c, int argc, char **argv, void *into);
/* The exit status that an error, or none, makes; the speaking rank prints it. */
int command_end(const struct error *e);

/* ---- the same by hand ------------------------------------------------------------------------------------------------------------------ */

struct argp;
/* argp_parse for a parser of the command's own; as arguments_read. `input` reaches the parser as state->input. */
int arguments_parse(const struct argp *argp, int argc, char **argv, void *input);
/* Inside a parser: report wrong usage (printed once, status 2). Returns EINVAL for the parser to return. */
int arguments_fail(struct argp_state *state, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The only argument of a command into *slot (NULL before); a second one is an error that names both. what: "results file". */
int arguments_one(struct argp_state *state, const char **slot, const char *arg, const char *what);
/* The number that --option was given, in [low, high], into *out. Refused: "--option: found 'text'; needed: WHAT, LOW to HIGH", as
 * arguments_fail. what: "a number of lags". Without a bound: -DBL_MAX, DBL_MAX. */
int arguments_whole(struct argp_state *state, const char *option, const char *what, const char *text, long long low,
                    long long high, long long *out);
int arguments_count(struct argp_state *state, const char *option, const char *what, const char *text, int low, int high,
                    int *out);
int arguments_real(struct argp_state *state, const char *option, const char *what, const char *text, double low, double high,
                   double *out);
/* YYYYMMDD, YYYY-MM-DD or YYYYMMDDhhmm to a number; -1 for anything else. */
int arguments_date(const char *text, int64_t *out);

#endif
