/* Subcommands: a table {name, function, needs_mpi, help} in src/commands/main.c. */
#ifndef COMMANDS_COMMANDS_H
#define COMMANDS_COMMANDS_H

#include <stdbool.h>

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

struct argp;
/* argp_parse for rank-parallel use: prints on the speaking rank only. Returns -1 to go on, else the exit status to return
 * at once (0 after --help, 2 after wrong usage). `input` reaches the parser as state->input. */
int arguments_parse(const struct argp *argp, int argc, char **argv, void *input);
/* Inside a parser: report wrong usage (printed once, status 2). Returns EINVAL for the parser to return. */
struct argp_state;
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

#endif
