#!/usr/bin/env bash
# The OLS objective on two ranks: ScaLAPACK's solver alone against everything around it, the two solvers, a study's strong scaling.
set -u
exec mpirun --oversubscribe --quiet -n "${RANKS:-2}" "$BUILD/tests/bench/bench_ols" all
