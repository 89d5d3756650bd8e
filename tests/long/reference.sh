#!/usr/bin/env bash
# Two builds of the program must compute the same bits: reference studies of every kind of model and schedule, run by the build that
# REFERENCE names on one rank and by this one on one, two and three; every dataset, portfolio and saved parameter is compared.
# KEEP names a folder in which the panels and the reference's results stay, so that a second comparison takes half the time; ONLY names
# the studies to compare.
. "$(dirname "$0")/../cli/lib.sh"
[ -x "${REFERENCE:-}" ] || { skip "nothing to compare with; needed: REFERENCE=PATH of another build of aipm (hides some 70 comparisons)"; exit 0; }
keep=${KEEP:-$WORK/reference}
mkdir -p "$keep"
panel() { [ -e "$keep/$1.h5" ] || "$REFERENCE" synth -q -o "$keep/$1.h5" "${@:2}" || bad "no panel $1"; }
panel stocks -N 90 -D 6 -T 48 --seed 7
panel empty -N 12 -D 4 -T 36 --seed 3
panel sectors --planted sectors --sectors 2 -N 9 -D 3 -T 44 --absent 0.1
if [ ! -e "$keep/factors.h5" ]; then
    awk 'BEGIN { srand(5); print "date,MKT,SMB,HML"; for (t = 0; t < 100; t++) { printf "%04d-%02d-28", 2000 + int(t / 12), t % 12 + 1
        for (k = 0; k < 3; k++) printf ",%.6f", t == 50 && k == 2 ? 0 : 0.08 * (rand() - 0.45); print "" } }' >"$keep/f.csv"
    awk -F, 'NR > 11 || NR == 1 { print $1 "," $2 "," $4 }' "$keep/f.csv" >"$keep/g.csv"
    "$REFERENCE" ingest --quiet --factors A="$keep/f.csv" --factors B="$keep/g.csv" --test-assets "$keep/f.csv" -o "$keep/factors.h5" ||
        bad "no panel of factors"
fi

network="epochs: 2, learning_rate: 1.0e-3"
sequence="d_model: 8, heads: 2, layers: 1, feedforward: 12, $network"
# study NAME PANEL WINDOW LINES: the study of that name, models on standard input
study() {
    NAMES+=("$1")
    { printf 'study: %s\npanel: %s\noutput: %s\nwindow: %s\nseed: 3\nshards: 4\n%s\nmodels:\n' \
        "$1" "$keep/$2.h5" "$keep/$1.h5" "$3" "$4"; cat; } >"$keep/$1.yaml"
}
NAMES=()
study closed stocks "[18, 24]" "universes: [all, small, mega]
ridge: {from: -6, to: 2}
save_weights: true" <<Y
  - {name: bsv, kind: bsv}
  - {name: msrr, kind: linear_transformer, heads: [[1, 2, 4], [1, 6]]}
  - {name: dense, kind: linear_transformer, objective: ols, solver: dense}
  - {name: iterative, kind: linear_transformer, objective: ols, solver: iterative}
  - {name: rank, kind: linear_transformer, objective: ols, rank: 6}
Y
study root stocks 20 "factor_scale: root" <<Y
  - {name: bsv, kind: bsv}
  - {name: msrr, kind: linear_transformer, window: 12}
  - {name: dkkm, kind: dkkm, features: 30}
Y
study grows stocks "{from: 30}" "memory_mb: 64" <<Y
  - {name: bsv, kind: bsv}
  - {name: msrr, kind: linear_transformer}
  - {name: beside, kind: bsv, window: 24}
  - {name: iterative, kind: linear_transformer, objective: ols, solver: iterative}
Y
study teams stocks 36 "memory_mb: 64
save_weights: true" <<Y
  - {name: bsv, kind: bsv}
  - {name: grid, kind: linear_transformer, ranks: 2}
  - {name: ols, kind: linear_transformer, objective: ols, solver: dense, ranks: 2}
Y
study growing_teams stocks "{from: 40}" "memory_mb: 64" <<Y
  - {name: grid, kind: linear_transformer, ranks: 2}
Y
study networks stocks 40 "save_weights: true
universes: [all, large]" <<Y
  - {name: bsv, kind: bsv}
  - {name: mlp, kind: mlp, hidden: [16, 8], seeds: 2, $network, save_parameters: true, early_stopping: 3}
  - {name: tf, kind: transformer, blocks: [1, 2], feedforward: 16, seeds: 2, $network, save_parameters: true}
  - {name: dkkm, kind: dkkm, features: 90, activation: [relu, fourier], seeds: 2}
  - {name: embedded, kind: linear_transformer, embedding: [x, z, both], embedding_features: 20}
  - {name: embedded_ols, kind: linear_transformer, embedding: both, embedding_features: 12, objective: ols}
Y
study chains stocks 36 "save_weights: true" <<Y
  - {name: refit, kind: mlp, hidden: [16], seeds: 2, $network, refit_every: 5, objective: sharpe, rollout: 4, save_parameters: true}
  - {name: once, kind: mlp, hidden: [16], $network, refit_every: 100, save_parameters: true}
  - {name: chain, kind: transformer, heads: 2, feedforward: 16, $network, warm_start: true, dropout: 0.1, shuffle: true, save_parameters: true}
  - {name: refit_chain, kind: mlp, hidden: [16], $network, refit_every: [3, 4], warm_start: true, schedule: plateau, plateau_patience: 1}
Y
study shared stocks 40 "ranks_per_fit: 3" <<Y
  - {name: mlp, kind: mlp, hidden: [16], seeds: 2, $network}
  - {name: tf, kind: transformer, feedforward: 16, $network, refit_every: 3}
  - {name: dkkm, kind: dkkm, features: 30}
Y
study sequences sectors 32 "save_weights: true
lookback: 5" <<Y
  - {name: plain, kind: cross_attention, $sequence, cross: none}
  - {name: full, kind: cross_attention, $sequence, pool: [mean, last], include_self: false, save_attention: heads, save_parameters: true, seeds: 2}
  - {name: lagged, kind: cross_attention, $sequence, cross: lagged, max_lag: 3, temporal: causal, dropout: 0.2, save_attention: mean, refit_every: 4, save_parameters: true}
  - {name: sectors, kind: cross_attention, $sequence, cross: hierarchical, position: softmax, rollout: 8, save_attention: mean, early_stopping: 8}
  - {name: forecast, kind: cross_attention, $sequence, kernel: 3, output: return, clip: 1}
  - {name: direction, kind: cross_attention, $sequence, output: direction, dead_zone: 0.002, warm_start: true, refit_every: 2}
  - {name: alpha, kind: alpha_portfolio, $sequence, attention_size: 6, winners: 3, rollout: 6, save_attention: mean, lookback: 3}
Y
study benchmarks factors 24 "" <<Y
  - {name: A, kind: factors}
  - {name: B, kind: factors, window: 36}
Y
study nobody empty 24 "universes: [micro, mega]
lookback: 3
save_weights: true" <<Y
  - {name: bsv, kind: bsv}
  - {name: each, kind: cross_attention, $sequence}
  - {name: block, kind: mlp, hidden: [6], $network, refit_every: 6}
  - {name: chain, kind: mlp, hidden: [6], $network, refit_every: 3, warm_start: true}
  - {name: dkkm, kind: dkkm, features: 12}
Y
# An option of the run is part of what is compared.
options() {
    case $1 in
    placebo_returns) echo --placebo returns ;;
    placebo_lag) echo --placebo characteristics=5 ;;
    applied) echo --apply "$keep/networks.h5.parameters" ;;
    esac
}
for p in placebo_returns placebo_lag; do
    study $p stocks 36 "universes: [all, small]" <<Y
  - {name: bsv, kind: bsv}
  - {name: msrr, kind: linear_transformer, heads: [1, 2]}
  - {name: tf, kind: transformer, feedforward: 8, $network}
Y
done
study applied stocks 40 "save_weights: true
universes: [all, large]" <<Y
  - {name: mlp, kind: mlp, hidden: [16, 8], seeds: 2, $network, refit_every: 2}
  - {name: tf, kind: transformer, blocks: [1, 2], feedforward: 16, $network}
Y

the_same_parameters() {
    [ -d "$1" ] || { [ ! -d "$2" ]; return; }
    diff -rq "$1" "$2"
}
for name in ${ONLY:-${NAMES[@]}}; do
    read -ra option <<<"$(options "$name")"
    fewest=1
    case $name in *teams*) fewest=2 ;; esac
    [ -e "$keep/$name.h5" ] || mpi $fewest "$REFERENCE" run --quiet "$keep/$name.yaml" -o "$keep/$name.h5" "${option[@]}" || bad "$name: the reference does not run"
    for n in 1 2 3; do
        [ $n -ge $fewest ] || continue
        mpi $n "$AIPM" run --quiet "$keep/$name.yaml" -o "$WORK/now.h5" "${option[@]}" || bad "$name on $n ranks does not run"
        check "$name on $n ranks" same "$keep/$name.h5" "$WORK/now.h5"
        check "$name on $n ranks: saved parameters" the_same_parameters "$keep/$name.h5.parameters" "$WORK/now.h5.parameters"
        rm -rf "$WORK"/now.h5*
    done
done
# Stopped inside fits, again and again, and resumed on another number of ranks.
for name in chains networks sequences; do
    [[ " ${ONLY:-${NAMES[*]}} " == *" $name "* ]] || continue
    for n in 3 1 2 3 1; do
        mpi $n timeout -s USR1 -k 60 1 "$AIPM" run --quiet --resume --checkpoint-seconds 0 "$keep/$name.yaml" -o "$WORK/now.h5" >/dev/null 2>&1
        [ -e "$WORK/now.h5" ] && break
    done
    [ -e "$WORK/now.h5" ] || mpi 2 "$AIPM" run --quiet --resume "$keep/$name.yaml" -o "$WORK/now.h5" || bad "$name is not finished"
    check "$name stopped and resumed" same "$keep/$name.h5" "$WORK/now.h5"
    check "$name stopped and resumed: saved parameters" the_same_parameters "$keep/$name.h5.parameters" "$WORK/now.h5.parameters"
    rm -rf "$WORK"/now.h5*
done
