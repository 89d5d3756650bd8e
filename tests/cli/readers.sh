#!/usr/bin/env bash
# The lines of README that load a results file in Python and Julia, run as they stand there.
. "$(dirname "$0")/lib.sh"
/usr/bin/python3 -c 'import numpy, h5py' 2>/dev/null || { skip "python3-numpy and python3-h5py are not installed"; exit 0; }
mkdir -p "$WORK/results"
/usr/bin/python3 tests/cli/results.py make "$WORK/results/demo.h5"
snippet() { awk -v fence="\`\`\`$1" '$0 == fence {on = 1; next} /^```/ {on = 0} on' README.md; }
expect=$(cd "$WORK" && /usr/bin/python3 -c "
import h5py, numpy as np; r = h5py.File('results/demo.h5')['models/all/linear/returns'][:]; print('%.6f' % (np.sqrt(12) * r.mean() / r.std(ddof=1)))")
snippet python >"$WORK/read.py"
check "README has the Python reader" test -s "$WORK/read.py"
if /usr/bin/python3 -c 'import pandas' 2>/dev/null; then
    out=$(cd "$WORK" && { cat read.py; echo "print('%.6f' % (12 ** 0.5 * returns['all', 'linear'].mean() / returns['all', 'linear'].std()))"; } | /usr/bin/python3 - 2>&1)
    check "Python reader gives the Sharpe ratio" test "$(tail -n 1 <<<"$out")" = "$expect"
else skip "python3-pandas is not installed"; fi
snippet julia >"$WORK/read.jl"
check "README has the Julia reader" test -s "$WORK/read.jl"
if command -v julia >/dev/null && julia -e 'using HDF5' 2>/dev/null; then
    out=$(cd "$WORK" && { cat read.jl; echo 'using Statistics, Printf; r = returns[("all", "linear")]; @printf("%.6f\n", sqrt(12) * mean(r) / std(r))'; } | julia - 2>&1)
    check "Julia reader gives the Sharpe ratio" test "$(tail -n 1 <<<"$out")" = "$expect"
else skip "julia with HDF5.jl is not installed"; fi
