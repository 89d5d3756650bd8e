#!/usr/bin/env bash
# A study of sequence models done again by a program in PyTorch that was written from the headers alone: windows, histories, rollouts,
# losses, positions, Adam, clipping, early stopping, schedules and refits, from the panel and the initial parameters to returns,
# weights, losses, parameters and attention. In double precision, so that what differs is the rounding of floats.
. "$(dirname "$0")/lib.sh"
python=
for p in python3 /usr/bin/python3; do "$p" -c 'import torch, h5py, numpy' 2>/dev/null && python=$p && break; done
if [ -z "$python" ]; then
    skip "PyTorch, h5py and numpy (python3-torch, python3-h5py) are not here"
    exit 0
fi
script=tests/cli/sequences_torch.py
panel() { "$AIPM" synth -o "$WORK/$1.h5" --assets 8 --characteristics 3 --periods 50 --absent 0.1 -q "${@:2}" || bad "no panel $1"; }
panel lead --planted lead_lag
panel sectors --planted sectors --sectors 3
"$python" $script relabel "$WORK/sectors.h5" || bad "labels unchanged"
study() {   # name, panel, models on stdin
    cat >"$WORK/$1.yaml" <<E2
study: $1
panel: $WORK/$2.h5
output: $WORK/$1.h5
window: 16
lookback: 5
seed: 5
shards: 2
save_weights: true
models:
E2
    sed -z 's/ *\\\n */ /g' | sed -E '/learning_rate/!s/$/, learning_rate: 1.0e-3/; s/$/, d_model: 8, feedforward: 12, save_parameters: true}/' \
        >>"$WORK/$1.yaml"
    sed -E "s/epochs: [0-9]+/epochs: 0/; s/($1).h5$/\1-start.h5/" "$WORK/$1.yaml" >"$WORK/$1-start.yaml"
    "$AIPM" run "$WORK/$1-start.yaml" >"$WORK/log" 2>&1 || bad "$1: no initial parameters: $(cat "$WORK/log")"
    "$AIPM" run "$WORK/$1.yaml" >"$WORK/log" 2>&1 || bad "$1: no results: $(cat "$WORK/log")"
}
study plain lead <<'E2'
  - {name: full, kind: cross_attention, cross: full, layers: 2, heads: 4, epochs: 3, clip: 0.05, refit_every: 12, save_attention: heads
  - {name: others, kind: cross_attention, cross: full, include_self: false, pool: last, temporal: causal, kernel: 3, layers: 2, heads: 2, \
     position: softmax, objective: mean_return, rollout: 3, seeds: 2, schedule: cosine, epochs: 3, refit_every: 17, save_attention: mean
  - {name: lagged, kind: cross_attention, cross: lagged, max_lag: 2, layers: 2, heads: 2, position: tanh, objective: sharpe, rollout: 4, \
     early_stopping: 5, patience: 2, epochs: 7, refit_every: 13, save_attention: heads
  - {name: lagged_others, kind: cross_attention, cross: lagged, max_lag: 4, include_self: false, pool: last, layers: 1, heads: 2, \
     objective: mse, rollout: 5, learning_rate: 0.03, schedule: plateau, plateau_patience: 1, plateau_factor: 0.25, epochs: 7, refit_every: 12, save_attention: mean
  - {name: forecast, kind: cross_attention, cross: full, pool: last, layers: 1, heads: 1, kernel: 2, output: return, weight_decay: 0.1, \
     epochs: 3, refit_every: 10, save_attention: mean
  - {name: own, kind: cross_attention, cross: none, layers: 1, heads: 2, objective: mse, schedule: linear, epochs: 1
  - {name: winners, kind: alpha_portfolio, layers: 2, heads: 2, winners: 2, attention_size: 6, rollout: 6, seeds: 2, epochs: 3, \
     refit_every: 17, save_attention: mean
  - {name: winners_stopped, kind: alpha_portfolio, layers: 1, heads: 2, winners: 5, attention_size: 5, temporal: causal, kernel: 2, \
     rollout: 2, early_stopping: 5, patience: 1, clip: 0.5, epochs: 6, refit_every: 9, save_attention: heads
E2
study groups sectors <<'E2'
  - {name: mean, kind: cross_attention, cross: hierarchical, layers: 2, heads: 4, early_stopping: 4, patience: 4, schedule: plateau, \
     plateau_patience: 1, epochs: 6, refit_every: 17, save_attention: heads
  - {name: direction, kind: cross_attention, cross: hierarchical, include_self: false, pool: last, layers: 1, heads: 2, \
     output: direction, dead_zone: 0.01, rollout: 3, warm_start: true, epochs: 3, refit_every: 9, save_attention: mean
E2
while read -r word rest; do
    case $word in
    PASS) ok "$rest" ;;
    FAIL) bad "$rest" ;;
    *) echo "$word $rest" ;;
    esac
done < <("$python" $script compare "$WORK/plain" "$WORK/groups" 2>&1)
[ $PASSED = 10 ] || bad "$PASSED of 10 models agree"
