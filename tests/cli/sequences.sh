#!/usr/bin/env bash
# Models over sequences through the program: every kind of attention, output and objective; the same bits on any ranks and teams, when
# stopped and resumed, when saved and applied; refusals that say what is needed.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -o "$WORK/p.h5" --planted sectors --sectors 2 --assets 9 --characteristics 3 --periods 44 --absent 0.1 -q || bad "no panel"
study() {   # name, extra lines
    cat >"$WORK/$1.yaml" <<E2
study: $1
panel: $WORK/p.h5
output: $WORK/$1.h5
window: 32
lookback: 5
seed: 3
shards: 4
save_weights: true
${2:-}
models:
  - {name: plain, kind: cross_attention, d_model: 8, heads: 2, layers: 1, feedforward: 12, cross: none, epochs: 2, learning_rate: 1.0e-3}
  - {name: full, kind: cross_attention, d_model: 8, heads: 2, layers: 2, feedforward: 12, pool: [mean, last], include_self: false, epochs: 2, learning_rate: 1.0e-3, save_attention: heads, save_parameters: true, seeds: 2}
  - {name: lagged, kind: cross_attention, d_model: 8, heads: 2, layers: 1, feedforward: 12, cross: lagged, max_lag: 3, pool: last, temporal: causal, dropout: 0.2, epochs: 2, learning_rate: 1.0e-3, save_attention: mean, refit_every: 4, save_parameters: true}
  - {name: sectors, kind: cross_attention, d_model: 8, heads: 4, layers: 1, feedforward: 12, cross: hierarchical, position: softmax, epochs: 2, rollout: 8, learning_rate: 1.0e-3, save_attention: mean, early_stopping: 8, schedule: plateau}
  - {name: forecast, kind: cross_attention, d_model: 8, heads: 1, layers: 1, feedforward: 12, kernel: 3, output: return, epochs: 2, clip: 1, learning_rate: 1.0e-3}
  - {name: direction, kind: cross_attention, d_model: 8, heads: 1, layers: 1, feedforward: 12, output: direction, dead_zone: 0.002, epochs: 2, learning_rate: 1.0e-3, warm_start: true, refit_every: 2}
  - {name: gain, kind: cross_attention, d_model: 8, heads: 1, layers: 1, feedforward: 12, position: tanh, objective: mean_return, epochs: 2, learning_rate: 1.0e-3}
  - {name: alpha, kind: alpha_portfolio, d_model: 8, heads: 2, layers: 1, feedforward: 12, attention_size: 6, winners: 3, epochs: 2, rollout: 6, learning_rate: 1.0e-3, save_attention: mean}
E2
}
same_on_any_team
same_when_stopped 's/epochs: 2,/epochs: 20,/'

# parameters saved and applied: of every fit, and of the first row of every block where rows share fits
count=$(find "$WORK/one.h5.parameters" -name '*.h5' | wc -l)
check "a file per fit with save_parameters" test "$count" = $((12 * 2 * 2 + 3))
{ sed -n '/^study/,/^models/p' "$WORK/one.yaml" | sed 's/one.h5/applied.h5/'; grep -E 'name: (full|lagged)' "$WORK/one.yaml"; } >"$WORK/applied.yaml"
check "applied" "$AIPM" run --apply "$WORK/one.h5.parameters" "$WORK/applied.yaml"
for m in full.pool=mean full.pool=last lagged; do
    check "$m earns the same" same "$WORK/one.h5" "$WORK/applied.h5" "/models/all/$m/returns"
    check "$m attends the same" same "$WORK/one.h5" "$WORK/applied.h5" "/models/all/$m/attention"
done

if /usr/bin/python3 -c 'import numpy, h5py' 2>/dev/null; then
    check "attention, weights and lags keep their promises" /usr/bin/python3 tests/cli/sequences.py "$WORK/one.h5" "$WORK/p.h5"
    # a universe that is empty where a fit is due: the fit serves the rows after it
    "$AIPM" synth -q -o "$WORK/e.h5" --assets 12 --characteristics 4 --periods 36 --seed 3 || bad "no panel"
    /usr/bin/python3 - "$WORK/e.h5" <<'E2'
import h5py, sys
with h5py.File(sys.argv[1], "r+") as f:
    at, size = f["offsets"][:], f["size_groups"][:]
    for t in (24, 25, 29, 30):
        size[at[t]:at[t + 1]][size[at[t]:at[t + 1]] == 4] = 3
    f["size_groups"][...] = size
E2
    study empty "universes: [mega]"
    { sed -n '/^study/,/^models/p' "$WORK/empty.yaml" | sed 's/p.h5/e.h5/; s/window: 32/window: 24/'
      for m in "each, refit_every: 1" "block, refit_every: 6" "chain, refit_every: 3, warm_start: true"; do
          echo "  - {name: $m, kind: cross_attention, d_model: 8, heads: 2, layers: 1, feedforward: 12, epochs: 1}"
      done; } >"$WORK/gaps.yaml"
    "$AIPM" run "$WORK/gaps.yaml" && "$AIPM" analyze "$WORK/empty.h5" -o "$WORK/gaps" >/dev/null 2>&1
    check "an empty date where a fit is due costs that date only" test "$(cut -d, -f2,5 "$WORK/gaps/performance.csv" | grep -E "^(each|block|chain)," | tr '\n' ' ')" = "each,8 block,8 chain,8 "
else skip "attention and weights by numpy: no numpy or h5py"
fi

# sectors by another column: the report takes its labels from there
"$AIPM" synth -q -o "$WORK/g.h5" --planted sectors --sectors 2 --assets 6 --characteristics 2 --periods 36 || bad "no panel"
study named
{ sed -n '/^study/,/^models/p' "$WORK/named.yaml" | sed 's/p.h5/g.h5/'
  echo "  - {name: m, kind: cross_attention, cross: hierarchical, sector: market, market: sector, d_model: 8, heads: 2, layers: 1, feedforward: 8, epochs: 1, save_attention: mean}"; } >"$WORK/markets.yaml"
"$AIPM" run "$WORK/markets.yaml" && "$AIPM" report "$WORK/named.h5" --bootstrap 20 -o "$WORK/named" 2>/dev/null
check "sectors carry the labels of the column they come from" test "$(cut -d, -f3 "$WORK/named/tables/sector_attention.csv" | sed 1d | sort -u)" = "$(printf "market_0\nmarket_1")"

"$AIPM" sweep "$WORK/named.yaml" --set lookback=3,6 -o "$WORK/looks.yaml" >/dev/null
check "a sweep over the lookback of all models" grep -q "^lookback: \[3, 6\]" "$WORK/looks.yaml"

wrong() {   # name, text, replacement of the options
    { sed -n '/^study/,/^models/p' "$WORK/one.yaml" | sed "s/one.h5/wrong.h5/"; echo "  - {name: m, kind: cross_attention, $3}"; } >"$WORK/wrong.yaml"
    refuses "$1" 1 "$2" "$AIPM" run "$WORK/wrong.yaml"
}
wrong "heads that do not divide" "found heads: 3 with d_model: 8" "d_model: 8, heads: 3"
wrong "more lags than steps" "found max_lag: 5 with lookback: 5" "cross: lagged, max_lag: 5"
wrong "a group that is not there" "the panel has no 'industry'" "cross: hierarchical, sector: industry"
wrong "a forecast with a position" "needed: output: weights" "output: return, position: tanh"
wrong "returns without bounds" "which it makes infinite" "objective: mean_return"
wrong "classes of a weight" "with output: direction" "objective: cross_entropy"
wrong "a Sharpe ratio of one period" "needed: 2 periods or more" "objective: sharpe, rollout: 1"
wrong "no attention to save" "needed: attention between assets" "cross: none, save_attention: mean"
sed -i 's/kind: .*/kind: bsv}/' "$WORK/wrong.yaml"
refuses "a lookback for nobody" 1 "no model of the study looks back" "$AIPM" run "$WORK/wrong.yaml"
