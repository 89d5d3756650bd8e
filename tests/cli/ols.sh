#!/usr/bin/env bash
# The OLS objective through the program: the solvers agree, the same bits on any number of ranks, what does not fit is refused.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -o "$WORK/p.h5" --assets 100 --characteristics 8 --periods 60 --seed 3 2>/dev/null || bad "synth"
study() {   # solver, name of the results
    cat >"$WORK/$2.yaml" <<Y
study: ols
panel: $WORK/p.h5
output: $WORK/$2.h5
window: 36
memory_mb: 16
ridge: {from: -6, to: 3}
models: [{name: m, kind: linear_transformer, objective: ols, $1}]
Y
}
study "solver: dense" dense; study "solver: iterative" iterative; study "rank: 36" rank
for s in dense iterative rank; do
    check "$s on one rank" mpi 1 "$AIPM" run "$WORK/$s.yaml" 2>/dev/null
    mpi 3 "$AIPM" run "$WORK/$s.yaml" -o "$WORK/$s.3.h5" 2>/dev/null
    check "$s: the same bits on 3 ranks" same "$WORK/$s.h5" "$WORK/$s.3.h5"
done
python=/usr/bin/python3
if $python -c 'import h5py, numpy' 2>/dev/null; then
    check "the solvers agree" $python tests/cli/close.py m,choice "$WORK/dense.h5" "$WORK/iterative.h5" "$WORK/rank.h5" -- \
        loo_loss=1e-8 returns_by_ridge=1e-7 returns_by_heads=1e-5 symmetric_returns=1e-6
else
    skip "python3-h5py is not there"
fi
# teams of a fixed number of ranks
study "solver: dense, ranks: 2" team
check "ranks: 2 on 2 ranks" mpi 2 "$AIPM" run "$WORK/team.yaml" 2>/dev/null
mpi 5 "$AIPM" run "$WORK/team.yaml" -o "$WORK/team.5.h5" 2>/dev/null
check "ranks: 2: the same bits on 5 ranks, two teams and one left over" same "$WORK/team.h5" "$WORK/team.5.h5"
refuses "a team larger than the run" 1 "needed: a run on at least 2 ranks" "$AIPM" run "$WORK/team.yaml" -o "$WORK/x.h5"
if $python -c 'import h5py, numpy' 2>/dev/null; then
    check "the grid agrees with one rank and says how well it solved" $python tests/cli/close.py m,grid "$WORK/dense.h5" "$WORK/team.h5" -- \
        loo_loss=1e-9 returns_by_ridge=1e-8 returns_by_heads=1e-5 symmetric_returns=1e-6
else
    skip "python3-h5py is not there"
fi
study "solver: auto" auto
check "auto" mpi 1 "$AIPM" run "$WORK/auto.yaml" 2>"$WORK/auto.log"
check "auto says in the log which solver it took" grep -qE "m: road=(dense|iterative)" "$WORK/auto.log"
check "and in the results" grep -qaE "solver=auto .*road=(dense|iterative)" "$WORK/auto.h5"
"$AIPM" synth -o "$WORK/big.h5" --assets 60 --characteristics 30 --periods 60 --seed 3 2>/dev/null
refuses "a matrix that does not fit" 1 "a team of several ranks (ranks: " "$AIPM" run "$WORK/dense.yaml" --panel "$WORK/big.h5" -o "$WORK/x.h5"
refuses "nor on two ranks" 1 "on each of 2 ranks" mpi 2 "$AIPM" run "$WORK/team.yaml" --panel "$WORK/big.h5" -o "$WORK/x.h5"
study "embedding: both, embedding_features: 12" embedded
check "OLS on random features" mpi 1 "$AIPM" run "$WORK/embedded.yaml" 2>/dev/null
mpi 3 "$AIPM" run "$WORK/embedded.yaml" -o "$WORK/embedded.3.h5" 2>/dev/null
check "random features: the same bits on 3 ranks" same "$WORK/embedded.h5" "$WORK/embedded.3.h5"
study "embedding: x, embedding_features: 12, ranks: 2" wrong
refuses "random features on teams" 1 "beside an embedding; needed: 1" mpi 2 "$AIPM" run "$WORK/wrong.yaml" -o "$WORK/x.h5"
study "rank: 5, solver: iterative" wrong
refuses "rank with the iterative solver" 1 "needed: rank 0" "$AIPM" run "$WORK/wrong.yaml"
sed 's/objective: ols/objective: msrr/' "$WORK/wrong.yaml" >"$WORK/wrong2.yaml"
refuses "rank with MSRR" 1 "needed: objective ols" "$AIPM" run "$WORK/wrong2.yaml"
check "nothing is left behind" test ! -e "$WORK/x.h5" -a ! -e "$WORK/x.h5.parts"
