#!/usr/bin/env bash
# make demo: a synthetic panel with a known SDF, the demo study on two ranks, and its tables.
set -euo pipefail
BUILD=${BUILD:-build}
aipm=$BUILD/aipm
# as root Open MPI wants to be told; ranks beyond the cores must not spin
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1 OPENBLAS_NUM_THREADS=1
say() { printf '\n$ %s\n' "$*"; "$@"; }
say mpirun --quiet -n 2 "$aipm" synth -o data/demo.h5
rm -rf results/demo.h5.parts      # an earlier demo that was interrupted
say mpirun --quiet -n 2 "$aipm" run jobs/demo.yaml
say "$aipm" analyze results/demo.h5
printf '\nAlphas, both series scaled to 15%% volatility (results/demo.tables/alphas.md):\n'
cat results/demo.tables/alphas.md
# figures and a page, where gnuplot is or can be had; without it the page says so
command -v gnuplot >/dev/null || .ci/deps.sh --gnuplot || true
say "$aipm" report results/demo.h5
echo "open results/demo.report/index.html in a browser"
