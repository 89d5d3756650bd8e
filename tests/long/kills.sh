#!/usr/bin/env bash
# 200 SIGKILLs at random instants, of a rank, of mpirun, of everything at once; each run is resumed on another number of ranks and must
# give the bits of an unbroken one. tests/cli/faults.sh makes ten of them. A smaller KILLS for a shorter test, SEED for other instants.
. "$(dirname "$0")/../cli/lib.sh"
"$AIPM" synth -o "$WORK/p.h5" --assets 120 --characteristics 12 --periods 150 --seed 3 2>/dev/null || bad "synth"
cat >"$WORK/s.yaml" <<Y
study: kills
panel: $WORK/p.h5
output: $WORK/r.h5
window: 40
universes: [all, small]
ridge: {from: -60, to: 3}
models:
  - {name: bsv, kind: bsv}
  - {name: linear, kind: linear_transformer, heads: [1, 2, 4, 8, 12], window: [40, 60]}
Y
mpi 2 "$AIPM" run "$WORK/s.yaml" 2>/dev/null
kills_study=$WORK/s.yaml kills_whole=$WORK/r.h5
. tests/kills.sh
kills "${KILLS:-200}" "${SEED:-2}"
