#!/usr/bin/env bash
# Windows that grow: each row is what a window of its own length gives, the same bits on any number of ranks, whoever begins where.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -o "$WORK/p.h5" --assets 80 --characteristics 7 --periods 44 --seed 4 2>/dev/null || bad "synth"
study() {   # window, name of the results
    cat >"$WORK/$2.yaml" <<Y
study: growing
panel: $WORK/p.h5
output: $WORK/$2.h5
window: $1
memory_mb: 64
ridge: {from: -6, to: 1}
models:
  - {name: own, kind: bsv}
  - {name: msrr, kind: linear_transformer}
  - {name: ols, kind: linear_transformer, objective: ols, solver: iterative}
  - {name: dense, kind: linear_transformer, objective: ols, solver: dense, rank: 6}
Y
}
study "{from: 20}" grow; study "[20, 27, 35, 43]" roll
check "on one rank" mpi 1 "$AIPM" run "$WORK/grow.yaml" 2>/dev/null
check "rolling windows of some of the lengths" mpi 1 "$AIPM" run "$WORK/roll.yaml" 2>/dev/null
for n in 2 3; do
    mpi $n "$AIPM" run "$WORK/grow.yaml" -o "$WORK/grow.$n.h5" 2>/dev/null
    check "the same bits on $n ranks" same "$WORK/grow.h5" "$WORK/grow.$n.h5"
done
python=/usr/bin/python3
if $python -c 'import h5py, numpy' 2>/dev/null; then
    check "a row is the fit over all periods before it" $python - "$WORK/grow.h5" "$WORK/roll.h5" <<'Y'
import sys, h5py, numpy as np
a, b = [h5py.File(p)["models/all"] for p in sys.argv[1:]]
for m in "own", "msrr", "ols", "dense":
    assert np.isfinite(a[m]["returns"][:]).all() and a[m]["returns"].shape == (24,), m
    for T in 20, 27, 35, 43:
        row, other = T - 20, b[f"{m}.window={T}"]
        assert np.isnan(other["returns"][:row]).all() and np.isfinite(other["returns"][row])
        for name in "returns", "loo_loss", "selected_ridge", "returns_by_ridge", "returns_by_heads", "symmetric_returns":
            if name not in other: continue
            x, y = a[m][name][row], other[name][row]
            assert np.abs(x - y).max() <= 1e-9 * np.abs(y).max(), (m, T, name, x, y)
assert a["own"].attrs["window"] == 20 and b"window=from20" in np.bytes_(a["own"].attrs["options"])
Y
else
    skip "python3-h5py is not there"
fi
# the T x T solves of long windows on a team's grid
sed 's/name: msrr, kind: linear_transformer/&, ranks: 2/; /bsv\|ols/d' "$WORK/grow.yaml" >"$WORK/grid.yaml"
check "kernels on a grid of 2 ranks" mpi 2 "$AIPM" run "$WORK/grid.yaml" -o "$WORK/grid.h5" 2>/dev/null
mpi 5 "$AIPM" run "$WORK/grid.yaml" -o "$WORK/grid.5.h5" 2>/dev/null
check "the same bits on 5 ranks" same "$WORK/grid.h5" "$WORK/grid.5.h5"
sed 's/ranks: 2/ranks: 5/' "$WORK/grid.yaml" >"$WORK/grid5.yaml"
check "on 4 of 5 ranks" mpi 5 "$AIPM" run "$WORK/grid5.yaml" -o "$WORK/grid5.h5" 2>/dev/null
if $python -c 'import h5py, numpy' 2>/dev/null; then
    check "grids agree with one rank and say how well they solved" $python tests/cli/close.py msrr,grid \
        "$WORK/grow.h5" "$WORK/grid.h5" "$WORK/grid5.h5" -- loo_loss=1e-9 returns_by_ridge=1e-8 returns_by_heads=1e-6 symmetric_returns=1e-6
else
    skip "python3-h5py is not there"
fi
"$AIPM" synth -o "$WORK/tall.h5" --assets 20 --characteristics 8 --periods 1500 --seed 4 2>/dev/null
sed 's/memory_mb: 64/memory_mb: 16/' "$WORK/grid.yaml" >"$WORK/tall.yaml"
refuses "a kernel that does not fit" 1 "needed: a larger memory_mb, or ranks: " mpi 2 "$AIPM" run "$WORK/tall.yaml" --panel "$WORK/tall.h5" -o "$WORK/x.h5"
study "[15, {from: 20}]" both
check "beside a rolling window" mpi 2 "$AIPM" run "$WORK/both.yaml" 2>/dev/null
check "plan" "$AIPM" plan "$WORK/both.yaml" --quiet
study "{from: 44}" long
refuses "a first window as long as the panel" 1 "found a window of 44 periods; needed: fewer than the panel's 44" "$AIPM" run "$WORK/long.yaml"
study "{to: 20}" wrong
refuses "another key" 1 "unknown key 'to'; known: from" "$AIPM" run "$WORK/wrong.yaml"
sed 's/kind: bsv/kind: mlp/' "$WORK/grow.yaml" >"$WORK/mlp.yaml"
refuses "networks" 1 "models of this kind take rolling windows" "$AIPM" run "$WORK/mlp.yaml" -o "$WORK/x.h5"
