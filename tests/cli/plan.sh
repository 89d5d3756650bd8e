#!/usr/bin/env bash
# aipm plan and aipm sweep: forecasts that hold, scripts that sbatch can read, sweeps that are the studies they stand for.
. "$(dirname "$0")/lib.sh"
export XDG_CACHE_HOME=$WORK/cache
"$AIPM" synth -o "$WORK/p.h5" --assets 200 --characteristics 48 --periods 160 --seed 3 2>/dev/null || bad "synth"
cat >"$WORK/s.yaml" <<Y
study: plan
panel: $WORK/p.h5
output: $WORK/r.h5
window: 40
ridge: {from: -30, to: 3}
models:
  - {name: bsv, kind: bsv}
  - {name: linear, kind: linear_transformer, heads: [1, 2, 4, 8, 16]}
  - {name: mlp, kind: mlp, hidden: [32, 32], seeds: 2, epochs: 10}
Y
"$AIPM" plan "$WORK/s.yaml" --ranks 1 >"$WORK/plan"
check "plan counts rows and fits" grep -q "3 configurations, 120 out-of-sample periods, 360 rows, 480 fits" "$WORK/plan"
check "plan measures" grep -q "measured *3 configurations" "$WORK/plan"
"$AIPM" plan "$WORK/s.yaml" --ranks 1 >"$WORK/plan2"
check "and remembers" grep -q "measured *0 configurations.*3 known" "$WORK/plan2"
# processor time forecast against processor time used: holds on a machine that others use too
used() { local s u; s=$( { TIMEFORMAT='%U %S'; time "$@" >/dev/null 2>&1; } 2>&1 ); awk '{print 1000 * ($1 + $2)}' <<<"$s"; }
start=$(used "$AIPM" --help)
took=$(used "$AIPM" run "$WORK/s.yaml" -o "$WORK/t.h5")
said=$(awk '$1 ~ /^all\// {s += $2 * $5} END {print s}' "$WORK/plan")
check "forecast $said ms of fits, used $took ms" awk -v a="$said" -v b="$took" -v c="$start" 'BEGIN {exit !(a > 0.6 * (b - c - 300) && a < 1.35 * b)}'
# rows that one fit serves: few fits, and none reads its window again
"$AIPM" synth -q --planted lead_lag --frequency hourly -N 8 -D 2 -T 6000 -o "$WORK/hours.h5" || bad "synth"
for w in 200 3000; do
    printf 'panel: %s\noutput: %s\nwindow: %d\nlookback: 8\nmodels: [{name: net, kind: cross_attention, d_model: 4, heads: 1, layers: 1, feedforward: 4, epochs: 0, refit_every: 1000, learning_rate: [1.0e-3, 1.0e-4]}]\n' \
        "$WORK/hours.h5" "$WORK/t$w.h5" $w >"$WORK/hours$w.yaml"
    "$AIPM" plan "$WORK/hours$w.yaml" --ranks 1 >"$WORK/plan$w"
    took=$(used "$AIPM" run "$WORK/hours$w.yaml" -o "$WORK/t.h5"); rm -f "$WORK/t.h5"
    each[w]=$(awk -v t="$took" -v s="$start" -v w=$w 'BEGIN {printf "%.0f", 1e3 * (t - s > 1 ? t - s : 1) / 2 / (6000 - w)}')
done
check "plan counts the fits that serve other rows" grep -q "6000 rows, 6 fits" "$WORK/plan3000"
check "a served row takes ${each[200]} us after windows of 200, ${each[3000]} us after 3000" test "${each[3000]}" -lt $((2 * each[200] + 20))
"$AIPM" plan "$WORK/s.yaml" --ranks 6 --cores 4 --sbatch="$WORK/s.sbatch" >/dev/null
check "the script is bash" bash -n "$WORK/s.sbatch"
check "the script has two nodes, six ranks, USR1" test "$(grep -cE '^#SBATCH --(nodes=2|ntasks=6|signal=B:USR1@120|requeue)$' "$WORK/s.sbatch")" = 4
sed 's/window: 40/window: 159/' "$WORK/s.yaml" >"$WORK/last.yaml"
check "plan of one out-of-sample period" "$AIPM" plan --quiet --fresh "$WORK/last.yaml" --ranks 1
"$AIPM" plan "$WORK/s.yaml" --ranks 6 --cores 4 --sbatch="$WORK/v.sbatch" --verify 0.5 >"$WORK/planned"
check "verified, a plan takes longer, and says so" grep -q "^verified  *0.5 of the fits: " "$WORK/planned"
check "its script verifies" grep -q -- " --verify 0.5 " "$WORK/v.sbatch"
refuses "no ranks" 2 "--ranks: found '0'" "$AIPM" plan "$WORK/s.yaml" --ranks 0
refuses "plan without a panel" 1 "no.h5" "$AIPM" plan "$WORK/s.yaml" --panel "$WORK/no.h5"
check "plan under mpirun" grep -q "2 ranks busy" <(mpi 2 "$AIPM" plan "$WORK/s.yaml" --ranks 2)

# one study: the same as the sweep written by hand
"$AIPM" sweep "$WORK/s.yaml" --set models.linear.window=40,50 --set "models.linear.heads=[1,2]" --set ridge.from=-20 -o "$WORK/one.yaml" >/dev/null
sed 's/from: -30/from: -20/; s/heads: \[.*\]/heads: [1, 2], window: [40, 50]/' "$WORK/s.yaml" >"$WORK/hand.yaml"
"$AIPM" run "$WORK/one.yaml" -o "$WORK/one.h5" 2>/dev/null
"$AIPM" run "$WORK/hand.yaml" -o "$WORK/hand.h5" 2>/dev/null
check "a sweep into one study is the study written by hand" same "$WORK/one.h5" "$WORK/hand.h5"
# many: every combination a study of its own
"$AIPM" sweep "$WORK/s.yaml" --set seed=1,2 --set models.mlp.epochs=1,3,5 --array "$WORK/array" >"$WORK/said"
check "an array has every combination" test "$(find "$WORK/array" -name '*.yaml' | wc -l)" = 6
check "and says how to submit it" grep -q "sbatch --array=1-6" "$WORK/said"
for f in "$WORK"/array/*.yaml; do "$AIPM" run "$f" 2>/dev/null; done
check "members write results of their own" test "$(find "$WORK" -maxdepth 1 -name 'r.seed=*.h5' | wc -l)" = 6
"$AIPM" sweep --table "$WORK"/r.seed=*.h5 >"$WORK/table"
check "the table has every member's models" test "$(grep -c '  *all  ' "$WORK/table")" = 18
check "and marks the choice made in sample, one for each kind of loss" test "$(grep -c '^\*' "$WORK/table")" = 2
check "in order of the loss" awk '$1 == "all" || $1 == "*" {s = $1 == "*"; k = $(3 + s); v = $(4 + s); if (k == last && v < old) exit 1; last = k; old = v}' "$WORK/table"
"$AIPM" sweep --table "$WORK"/r.seed=*.h5 --by sharpe >"$WORK/table"
check "ranking out of sample is labelled" grep -q "OUT-OF-SAMPLE.*looks ahead" "$WORK/table"
check "and marks nothing" test "$(grep -c '^\*' "$WORK/table")" = 0
refuses "a root key takes one value" 1 "needed: --array" "$AIPM" sweep "$WORK/s.yaml" --set seed=1,2
refuses "an unknown model" 1 "no model of that name" "$AIPM" sweep "$WORK/s.yaml" --set models.nope.epochs=1
refuses "an unknown key" 1 "unknown key 'nope'" "$AIPM" sweep "$WORK/s.yaml" --set models.mlp.nope=1
refuses "no values" 2 "needed: KEY=VALUE" "$AIPM" sweep "$WORK/s.yaml" --set seed
for f in jobs/*.yaml; do check "$f is a study" grep -q written <("$AIPM" sweep "$f" --set seed=1 -o "$WORK/x.yaml"); done
for f in slurm/* tests/cluster/*.sh; do check "$f is bash" bash -n "$f"; done
