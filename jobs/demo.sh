#!/usr/bin/env bash
# make demo: a synthetic panel with a known SDF, the demo study on two ranks, its tables and its report; and, where the file is, the study
# of real stocks: ${AIPM_DATA:-../shared/data}/us-stocks/stocks_2001_2016.csv.gz.
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
# real stocks, where they are
stocks=${AIPM_DATA:-../shared/data}/us-stocks/stocks_2001_2016.csv.gz
if [ -r "$stocks" ]; then
    say mpirun --quiet -n 2 "$aipm" ingest --stocks "$stocks" -o data/us-stocks.h5
    rm -rf results/us-stocks.h5.parts
    say mpirun --quiet -n 2 "$aipm" run jobs/us-stocks.yaml
    say "$aipm" analyze results/us-stocks.h5
    say "$aipm" report results/us-stocks.h5
    echo "open results/us-stocks.report/index.html in a browser"
else
    printf '\nNo real stocks: %s is not there (AIPM_DATA names its folder); the study of real stocks is left out.\n' "$stocks"
fi
