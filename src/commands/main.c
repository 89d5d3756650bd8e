/* The program: finds the subcommand, starts MPI where it wants MPI, and turns its outcome into an exit status. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/version.h"
#include "commands/commands.h"
#include "io/hdf.h"
#include "io/hdf_probe.h"
#include "linalg/eigen.h"
#include "parallel/stop.h"

static const struct command commands[] = {
    {"synth", command_synth, true, "make a synthetic panel with a known SDF"},
    {"ingest", command_ingest, true, "real stocks, factors and test assets to a panel"},
    {"run", command_run, true, "train a study: rolling windows, out-of-sample SDF returns"},
    {"plan", command_plan, true, "what a study will cost: time, memory, ranks; a batch script"},
    {"sweep", command_sweep, false, "a study over values of its keys, one or many; a table of its members"},
    {"trial", command_trial, true, "a study before a sceptical referee: placebos, noise, filters, specifications, verdicts"},
    {"analyze", command_analyze, false,
     "Sharpe ratios, pricing errors, alphas, correlations and tangency weights of results, as tables"},
    {"report", command_report, false, "tables, figures and a page of one or several results files"},
    {"backtest", command_backtest, false, "saved portfolios held over the panel's returns, rebalanced, drifting, paid for"},
    {"inspect", command_inspect, true,
     "whom a transformer's stocks attend to at one date: strongest links, entropies, leaders"},
    {"signal", command_signal, false,
     "attention over a few assets' returns: a signal, a matrix, a regime, a tilted allocation"},
    {"info", command_info, false, "what a panel or results file holds"},
    {NULL, NULL, false, NULL},
};

static int usage(FILE *out, int status)
{
    fprintf(out,
            "%s\nAsset-pricing models in rolling windows across MPI ranks: out-of-sample SDF returns, Sharpe ratios, "
            "pricing errors.\n\n"
            "usage: [mpirun -n P] aipm COMMAND ...        aipm COMMAND --help teaches each\n\n",
            version_text());
    for (const struct command *c = commands; c->name; c++)
        fprintf(out, "  %-9s %s%s\n", c->name, c->summary, c->parallel ? " [MPI]" : "");
    fprintf(out, "\nexit status: 0 done; 1 the input or the study is wrong; 2 wrong usage; 75 stopped on request, run again "
                 "with --resume\n");
    return status;
}

/* Addresses that MPI takes for itself and for the segments it shares with the ranks of its host, and those of our own threads: under a
 * tighter limit Open MPI crashes or hangs as it starts. Measured: 220 MB for one rank, 20 more for eight on a host. */
enum { MPI_ADDRESSES = 320 << 20, OTHER_ADDRESSES = 32 << 20 };

/* Limits on this process that its libraries cannot live under are told before they are met. */
static void check_limits(const struct command *c)
{
    struct error e = {""};
    if (!blas_open(c->parallel ? MPI_ADDRESSES : OTHER_ADDRESSES, &e)) return;
    error_print(&e);
    _exit(EXIT_INPUT);
}

/* Where a full disk has wrecked HDF5 on some rank, all end here, without the library's own end. */
static void end_if_wrecked(struct team *world, int status)
{
    double any = hdf_wrecked();
    if (world) team_max_double(world, &any, 1);
    if (any == 0) return;
    fflush(NULL);
    _exit(status);
}

int main(int argc, char **argv)
{
    if (argc < 2) return usage(stderr, EXIT_USAGE);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) return usage(stdout, EXIT_DONE);
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) return printf("%s\n", version_text()), EXIT_DONE;
    if (!strcmp(argv[1], PROBE_COMMAND) && argc == 3) return hdf_probe_child(argv[2]);
    hdf_probe_by("/proc/self/exe");
    for (const struct command *c = commands; c->name; c++) {
        if (strcmp(argv[1], c->name)) continue;
        if (c->run == command_run) stop_listen(); /* before MPI starts, which takes a second on many hosts */
        check_limits(c);
        struct team *world = c->parallel ? world_open(&argc, &argv) : NULL;
        int status = c->run(argc - 1, argv + 1, world);
        if (status == EXIT_DONE && (fflush(stdout) || ferror(stdout))) { /* a full disk under a redirected table */
            fprintf(stderr, "aipm: what was printed could not be written: %s\n", strerror(errno));
            status = EXIT_INPUT;
        }
        end_if_wrecked(world, status);
        if (world) world_close(world);
        if (status == EXIT_DONE && memory_blocks() != 0)
            fprintf(stderr, "aipm: %ld memory blocks were not freed (%zu bytes): a bug, please report it\n", memory_blocks(),
                    memory_held());
        return status;
    }
    fprintf(stderr, "aipm: there is no command '%s'; `aipm --help` lists them\n", argv[1]);
    return EXIT_USAGE;
}
