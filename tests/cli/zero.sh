#!/usr/bin/env bash
# Characteristics that say nothing, all zero: every closed-form model holds nothing and earns 0, on one rank, on several and on a grid, and
# no library complains. With one period that says something the fits that see it alone are as quiet.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -q -o "$WORK/good.h5" --assets 20 --characteristics 5 --periods 30
cat >"$WORK/s.yaml" <<Y
window: 10
save_weights: true
models:
  - {name: bsv, kind: bsv}
  - {name: linear, kind: linear_transformer}
  - {name: dense, kind: linear_transformer, objective: ols, solver: dense, rank: [0, 3]}
  - {name: iterative, kind: linear_transformer, objective: ols, solver: iterative}
  - {name: relu, kind: linear_transformer, objective: [msrr, ols], embedding: both, embedding_features: 8, embedding_activation: relu}
  - {name: dkkm, kind: dkkm, features: 20, activation: relu}
Y
sed 's/rank: \[0, 3\]/ranks: 2/' "$WORK/s.yaml" >"$WORK/grid.yaml"
complaints() { grep -cE 'On entry|illegal|\*\*|nan|singular|failed' "$1"; }
for what in zero-characteristics zero-but-one; do
    cp "$WORK/good.h5" "$WORK/z.h5"
    check "$what" "$TESTS_BUILT/tools/spoil" "$WORK/z.h5" $what
    for p in 1 2; do
        for s in s grid; do
            [ $s$p != grid1 ] || continue
            rm -rf "$WORK/r.h5"*
            check "$what, study $s on $p ranks" mpi $p "$AIPM" run "$WORK/$s.yaml" --panel "$WORK/z.h5" -o "$WORK/r.h5" >"$WORK/err" 2>&1
            check "$what, $s, $p ranks: nothing complains" test "$(complaints "$WORK/err")" = 0
            models=$("$AIPM" info "$WORK/r.h5" | grep -c '20 of 20 rows,')
            check "$what, $s, $p ranks: every row is there and has a return ($models models)" test "$models" -ge 7
            [ "$("$AIPM" info "$WORK/r.h5" | grep -c 'without a return')" = 0 ] || bad "rows without a return"
        done
    done
    check "$what: analyze" "$AIPM" analyze "$WORK/r.h5" -o "$WORK/$what" >"$WORK/err" 2>&1
    check "$what: analyze: nothing complains" test "$(complaints "$WORK/err")" = 0
done
# returns that are 0 throughout have no Sharpe ratio
with=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "sharpe") c = i; next } $2 != "truth" && $c != "" { n++ } END { print n + 0 }' "$WORK/zero-characteristics/performance.csv")
check "no model has a Sharpe ratio ($with have)" test "$with" = 0
