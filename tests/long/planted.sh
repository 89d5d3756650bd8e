#!/usr/bin/env bash
# Planted links are found out of sample, and only where they are (panel/planted.h): the lagged network puts its weight on lag lead - 1 and
# its attention on asset 0, the hierarchical one its attention between sectors on sector 0; without strength neither stands out and
# nothing is earned; without attention between assets nothing is earned either. Means over SEEDS fits: a single one may miss the link, and
# one that has nothing to learn keeps whatever attention it began with.
. "$(dirname "$0")/../cli/lib.sh"
python=/usr/bin/python3
$python -c 'import h5py, numpy' 2>/dev/null || { skip "python3-h5py is not there"; exit; }
# run KIND SEED STRENGTH ASSETS CROSS OPTIONS...: figures of the fits, one per line, into $WORK/figures
run() {
    local kind=$1 seed=$2 strength=$3 assets=$4 cross=$5 network
    shift 5
    network="kind: cross_attention, lookback: 6, d_model: 16, heads: 2, layers: 1, feedforward: 32, temporal: causal, pool: last, epochs: 8, \
learning_rate: 3.0e-3, clip: 1, refit_every: 1000"
    "$AIPM" synth -q -o "$WORK/p.h5" --planted "$kind" --assets "$assets" --characteristics 2 --periods 1200 --volatility 0.2 \
        --strength "$strength" --seed "$seed" "$@" || { bad "synth $kind"; exit; }
    cat >"$WORK/s.yaml" <<Y
study: planted
panel: $WORK/p.h5
output: $WORK/r.h5
window: 900
models:
  - {name: linked, $network, cross: $cross, max_lag: 4, seeds: ${SEEDS:-20}, save_attention: mean}
  - {name: alone, $network, cross: none, seeds: 5}
Y
    rm -rf "$WORK"/r.h5*
    mpi 2 "$AIPM" run --quiet "$WORK/s.yaml" >"$WORK/log" 2>&1 || bad "run on $kind: $(tail -n 3 "$WORK/log")"
    [ -e "$WORK/r.h5" ] || exit
    $python - "$WORK/r.h5" >"$WORK/figures" <<'Y'
import sys
import h5py
import numpy as np
file = h5py.File(sys.argv[1], "r")
def t(model):
    r = file["models/all/" + model + "/returns"][:]
    return r.mean() / r.std() * np.sqrt(len(r))
linked = file["models/all/linked"]
attention = linked["attention"][:][:, :, 0]  # [P, S, A, A]
column = np.nanmean(attention[:, :, 1:, :], axis=(0, 1, 2))  # what each asset gets from all but asset 0
print("t", t("linked"))
print("alone", t("alone"))
print("column", column[0])
print("others", column[1:].max())
if "lag_weights" in linked:
    lags = np.nanmean(linked["lag_weights"][:], axis=0)  # [S, lags]
    print("lag", lags.mean(0).argmax())
    print("weights", *lags.mean(0).round(3))
    print("agree", (lags.argmax(1) == lags.mean(0).argmax()).mean())
if "sector_attention" in linked:
    sectors = np.nanmean(linked["sector_attention"][:, :, :-1, :-1], axis=(0, 1, 2))  # the last is of unknown sectors
    print("sectors", *sectors.round(3))
    print("sector", sectors[0])
    print("elsewhere", sectors[1:].max())
Y
    echo "$kind, seed $seed, strength $strength $*: $(tr '\n' ' ' <"$WORK/figures")"
}
of() { awk -v k="$1" '$1 == k {print $2}' "$WORK/figures"; }
weight() { awk -v k="$1" '$1 == "weights" {print $(k + 2)}' "$WORK/figures"; }
holds() { check "$1" awk "BEGIN {exit !($2)}"; }
A=10
# QUICK=1: one panel of each kind and few fits, for make check
leads=("1 2" "2 2" "3 2" "4 1" "5 4") seeds=(1 2 3)
[ -z "${QUICK:-}" ] || leads=("1 2") seeds=(1)
for case in "${leads[@]}"; do
    read -r seed lead <<<"$case"
    says="lead $lead, seed $seed"
    run lead_lag $seed 0.5 $A lagged --lead $lead
    holds "$says: the lag, $(of lag)" "$(of lag) == $lead - 1 && $(weight $((lead - 1))) > 0.5 && $(of agree) > 0.7"
    holds "$says: the leader's column, $(of column)" "$(of column) > 3 / $A && $(of column) > 2 * $(of others)"
    holds "$says: earned out of sample, t $(of t)" "$(of t) > 5"
    holds "$says: nothing without attention between assets, t $(of alone)" "$(of alone) ^ 2 < 9"
    run lead_lag $seed 0 $A lagged --lead $lead
    holds "$says, control: no lag, $(weight $((lead - 1)))" "$(weight $((lead - 1))) < 0.5"
    holds "$says, control: no column, $(of column)" "$(of column) < 2.5 / $A"
    holds "$says, control: nothing earned, t $(of t)" "$(of t) ^ 2 < 9"
done
for seed in "${seeds[@]}"; do
    run sectors $seed 0.5 24 hierarchical
    holds "sectors, seed $seed: the sector, $(of sector)" "$(of sector) > 0.5 && $(of sector) > 2 * $(of elsewhere)"
    holds "sectors, seed $seed: earned out of sample, t $(of t)" "$(of t) > 5"
    holds "sectors, seed $seed: nothing without attention between assets, t $(of alone)" "$(of alone) ^ 2 < 9"
    run sectors $seed 0 24 hierarchical
    holds "sectors, seed $seed, control: no sector, $(of sector)" "$(of sector) < 0.4"
    holds "sectors, seed $seed, control: nothing earned, t $(of t)" "$(of t) ^ 2 < 9"
done
