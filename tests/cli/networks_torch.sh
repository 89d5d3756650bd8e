#!/usr/bin/env bash
# Gradients and training losses of the networks against PyTorch in double precision (tests/cli/networks_torch.py).
. "$(dirname "$0")/lib.sh"
python=
for p in python3 /usr/bin/python3; do "$p" -c 'import torch, h5py, numpy' 2>/dev/null && python=$p && break; done
if [ -z "$python" ]; then
    skip "PyTorch, h5py and numpy (python3-torch, python3-h5py) are not here"
    exit 0
fi
for kind in mlp transformer linear no_attention no_feedforward no_residual own_group size_group itself linear_group; do
    "$BUILD/tests/mpi/test_networks" dump "$WORK/$kind.raw" $kind
    check "gradients of the $kind" "$python" tests/cli/networks_torch.py gradients "$WORK/$kind.raw" $kind
done
"$AIPM" synth -o "$WORK/p.h5" -N 90 -D 12 -T 30 -q
for epochs in 0 5; do
    cat >"$WORK/$epochs.yaml" <<E2
study: torch
panel: $WORK/p.h5
output: $WORK/$epochs.h5
window: 24
seed: 7
shards: 2
models:
  - {name: tf, kind: transformer, blocks: 2, heads: 2, feedforward: 20, seeds: 2, epochs: $epochs, learning_rate: 1.0e-3, save_parameters: true}
  - {name: sized, kind: transformer, blocks: 2, heads: 2, feedforward: 20, sees: own_size_group, seeds: 2, epochs: $epochs, learning_rate: 1.0e-3, save_parameters: true}
  - {name: net, kind: mlp, hidden: [20, 12], seeds: 2, epochs: $epochs, learning_rate: 1.0e-3, save_parameters: true}
E2
    check "a run of $epochs epochs" "$AIPM" run "$WORK/$epochs.yaml"
done
check "losses of the transformer" "$python" tests/cli/networks_torch.py epochs "$WORK/p.h5" "$WORK/5.h5" "$WORK/0.h5.parameters" all tf transformer
check "losses of one that sees its size group" "$python" tests/cli/networks_torch.py epochs "$WORK/p.h5" "$WORK/5.h5" "$WORK/0.h5.parameters" all sized transformer
check "losses of the MLP" "$python" tests/cli/networks_torch.py epochs "$WORK/p.h5" "$WORK/5.h5" "$WORK/0.h5.parameters" all net mlp
date=$(basename "$(ls "$WORK/5.h5.parameters/all/tf/seed=1" | head -n 1)" .h5)
check "attention read out" "$AIPM" inspect "$WORK/5.h5" --date "$date" --block 2 --seed 1 --links 40
check "it is the saved network's" "$python" tests/cli/networks_torch.py attention "$WORK/p.h5" "$WORK/5.attention" "$WORK/5.h5.parameters/all/tf/seed=1/$date.h5" "$date" 2
check "attention within size groups read out" "$AIPM" inspect "$WORK/5.h5" --date "$date" --model sized --block 2 --seed 1 --links 40 -o "$WORK/sized"
check "it is the saved network's" "$python" tests/cli/networks_torch.py attention "$WORK/p.h5" "$WORK/sized" "$WORK/5.h5.parameters/all/sized/seed=1/$date.h5" "$date" 2
refuses "a block it does not have" 1 "needed: 1 to 2" "$AIPM" inspect "$WORK/5.h5" --date "$date" --block 3
refuses "a date the panel does not have" 1 "found no date 20991231" "$AIPM" inspect "$WORK/5.h5" --date 20991231
refuses "no date" 2 "needed: a results file and --date" "$AIPM" inspect "$WORK/5.h5"
