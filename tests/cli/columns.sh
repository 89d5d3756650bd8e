#!/usr/bin/env bash
# The columns that README lists are those of the tables that analyze, report and backtest write, in their order.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -o "$WORK/p.h5" --assets 40 --characteristics 4 --periods 60 --seed 3 2>/dev/null || bad "synth"
cat >"$WORK/s.yaml" <<Y
study: columns
panel: $WORK/p.h5
output: $WORK/r.h5
window: 20
save_weights: true
models:
  - {name: bsv, kind: bsv}
  - {name: linear, kind: linear_transformer, heads: [1, 2, 4]}
Y
check "a study" "$AIPM" run "$WORK/s.yaml" 2>"$WORK/run.txt"
check "analyze" "$AIPM" analyze "$WORK/r.h5" -o "$WORK/t" >"$WORK/out.txt" 2>&1
check "report" "$AIPM" report "$WORK/r.h5" -o "$WORK/page" >"$WORK/out.txt" 2>&1
check "backtest" "$AIPM" backtest "$WORK/r.h5" -o "$WORK/b" --against bsv >"$WORK/out.txt" 2>&1
compared=0
for file in "$WORK"/t/*.csv "$WORK"/page/tables/{uncertainty,differences,trading,positions}.csv "$WORK"/b/backtest.csv; do
    name=$(basename "$file")
    listed=$(sed -n "s/^| $name[^|]*| \([a-z0-9_,]*\).*/\1/p" README.md)
    check "$name as README lists it" test "$listed" = "$(head -n 1 "$file")"
    compared=$((compared + 1))
done
check "no table was missed ($compared)" test "$compared" -ge 13
