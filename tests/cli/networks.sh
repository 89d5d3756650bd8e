#!/usr/bin/env bash
# Networks through the program: same results on any ranks and teams, stopping inside a fit, chains, parameters saved and applied.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -o "$WORK/p.h5" -N 70 -D 8 -T 32 -q || bad "no panel"
study() {   # name, extra lines
    cat >"$WORK/$1.yaml" <<E2
study: $1
panel: $WORK/p.h5
output: $WORK/$1.h5
window: 24
seed: 3
shards: 4
save_weights: true
${2:-}
models:
  - {name: bsv, kind: bsv}
  - {name: mlp, kind: mlp, hidden: [16, 16], seeds: 2, epochs: 3, learning_rate: 1.0e-3, save_parameters: true, early_stopping: 3}
  - {name: tf, kind: transformer, blocks: [1, 2], feedforward: 16, seeds: 2, epochs: 3, learning_rate: 1.0e-3, save_parameters: true}
  - {name: dkkm, kind: dkkm, features: 90, activation: [relu, fourier], seeds: 2}
  - {name: embedded, kind: linear_transformer, embedding: [x, z, both], embedding_features: 20}
  - {name: chain, kind: transformer, heads: 2, feedforward: 16, epochs: 2, learning_rate: 1.0e-3, warm_start: true, dropout: 0.1, shuffle: true}
  - {name: refit, kind: mlp, hidden: [16], seeds: 2, epochs: 3, learning_rate: 1.0e-3, refit_every: 3, objective: sharpe, rollout: 4, save_parameters: true}
  - {name: refit_chain, kind: mlp, hidden: [16], epochs: 2, learning_rate: 1.0e-3, refit_every: 3, warm_start: true, schedule: plateau, plateau_patience: 1}
E2
}
same_on_any_team
same_when_stopped 's/epochs: 3/epochs: 60/; s/epochs: 2,/epochs: 60,/'

# parameters: saved for every fit, applied to the same panel they give the same weights; models that have none are fitted beside them
count=$(find "$WORK/one.h5.parameters" -name '*.h5' | wc -l)
check "a file per fit with save_parameters" test "$count" = $((8 * 2 * 3 + 3 * 2)) # refit: of rows 0, 3, 6
sed 's/^  - {name: chain.*//; s/^  - {name: refit_chain.*//; s/one.h5/applied.h5/' "$WORK/one.yaml" >"$WORK/applied.yaml"
check "applied" "$AIPM" run --apply "$WORK/one.h5.parameters" "$WORK/applied.yaml"
for m in mlp tf.blocks=1 tf.blocks=2 refit; do
    check "$m earns the same" same "$WORK/one.h5" "$WORK/applied.h5" "/models/all/$m/returns"
    check "$m has the same weights" same "$WORK/one.h5" "$WORK/applied.h5" "/models/all/$m/weights"
done
check "models without parameters are fitted" same "$WORK/one.h5" "$WORK/applied.h5" "/models/all/dkkm.activation=relu"
# fits that begin at saved parameters: without an epoch they are those applied, with some the same on any ranks, and not those from scratch
differ() { ! same "$@"; }
tuned() {   # name, epochs
    sed "s/^  - {name: \(bsv\|dkkm\|embedded\|chain\|refit_chain\).*//; s/epochs: 3/epochs: $2, start_from: $(sed 's,/,\\/,g' <<<"$WORK/one.h5.parameters")/; s/one.h5$/$1.h5/; s/save_parameters: true/save_parameters: false/" "$WORK/one.yaml" >"$WORK/$1.yaml"
}
tuned start 0; tuned tuned 2; sed 's/tuned.h5$/tuned3.h5/' "$WORK/tuned.yaml" >"$WORK/tuned3.yaml"
check "started elsewhere" "$AIPM" run "$WORK/start.yaml"
check "tuned" "$AIPM" run "$WORK/tuned.yaml"
check "tuned on three ranks" mpirun --oversubscribe -n 3 "$AIPM" run "$WORK/tuned3.yaml"
for m in mlp tf.blocks=2 refit; do
    check "$m begins there" same "$WORK/applied.h5" "$WORK/start.h5" "/models/all/$m/returns"
    check "$m is tuned alike" same "$WORK/tuned.h5" "$WORK/tuned3.h5" "/models/all/$m/returns"
    check "$m goes on from there" differ "$WORK/one.h5" "$WORK/tuned.h5" "/models/all/$m/returns"
done
sed 's/one.h5.parameters/nowhere/; s/start.h5/nowhere.h5/' "$WORK/start.yaml" >"$WORK/nowhere.yaml"
refuses "started from nowhere" 1 "start_from: there is no folder" "$AIPM" run "$WORK/nowhere.yaml"
rm -r "$WORK/applied.h5" "$WORK/one.h5.parameters/all/mlp/seed=1"
refuses "applied without a seed's parameters" 1 "needed: a run with save_parameters: true" "$AIPM" run --apply "$WORK/one.h5.parameters" "$WORK/applied.yaml"
check "no results are left" test ! -e "$WORK/applied.h5"
sed 's/hidden: \[16, 16\]/hidden: [16, 8]/; s/seeds: 2/seeds: 1/; s/applied.h5/shape.h5/' "$WORK/applied.yaml" >"$WORK/shape.yaml"
refuses "applied to another shape" 1 "needed: 16 x 8" "$AIPM" run --apply "$WORK/one.h5.parameters" "$WORK/shape.yaml"
sed 's/early_stopping: 3/early_stopping: 24/; s/one.h5/held.h5/' "$WORK/one.yaml" >"$WORK/held.yaml"
refuses "nothing left to train on" 1 "early_stopping: 24" "$AIPM" run "$WORK/held.yaml"

# what an ablation of the transformer is refused for
refused() {   # name, options, what is needed
    printf 'study: refused\npanel: %s\noutput: %s\nwindow: 24\nmodels: [{name: tf, kind: transformer, %s}]\n' \
        "${4:-$WORK/p.h5}" "$WORK/refused.h5" "$2" >"$WORK/refused.yaml"
    refuses "$1" 1 "$3" "$AIPM" run "$WORK/refused.yaml"
}
"$AIPM" synth -o "$WORK/planted.h5" --planted noise -N 20 -T 40 -q
refused "no heads" "heads: 0" "or attention: none for blocks without attention"
refused "blocks of nothing" "attention: none, feedforward: 0" "needed: one of the two"
refused "groups that the panel does not have" "sees: own_group, group: country" "group column 'country'"
refused "size groups that the panel does not have" "sees: own_size_group" "a panel without size groups" "$WORK/planted.h5"
check "no results are left" test ! -e "$WORK/refused.h5"
printf 'study: linear\npanel: %s\noutput: %s\nwindow: 24\nmodels: [{name: tf, kind: transformer, attention: linear, feedforward: 0, epochs: 1, save_parameters: true}]\n' \
    "$WORK/p.h5" "$WORK/linear.h5" >"$WORK/linear.yaml"
check "linear attention alone" "$AIPM" run "$WORK/linear.yaml"
date=$(basename "$(ls "$WORK/linear.h5.parameters/all/tf/seed=0" | head -n 1)" .h5)
refuses "attention that is no softmax" 1 "needed: one with attention: softmax" "$AIPM" inspect "$WORK/linear.h5" --date "$date"
