#!/usr/bin/env bash
# Every variant of the networks over sequences of assets against PyTorch's nn.MultiheadAttention, nn.LayerNorm and nn.Linear in double
# precision: outputs and the gradient of every tensor, from the same parameters.
. "$(dirname "$0")/lib.sh"
python=
for p in python3 /usr/bin/python3; do "$p" -c 'import torch, numpy' 2>/dev/null && python=$p && break; done
if [ -z "$python" ]; then
    skip "PyTorch and numpy (python3-torch) are not here"
    exit 0
fi
variant=0
while "$BUILD/tests/mpi/test_encoder" dump "$WORK/variant-$variant.raw" $variant 23; do variant=$((variant + 1)); done
for many in 4 5 11; do # more assets than a block of keys and a panel of queries
    "$BUILD/tests/mpi/test_encoder" dump "$WORK/many-$many.raw" $many 333
done
files=("$WORK"/*.raw)
[ $variant -gt 10 ] || bad "only $variant variants were compared"
while read -r word path; do
    case $word in
    PASS) ok "$(basename "$path" .raw)" ;;
    FAIL) bad "$(basename "$path" .raw)" ;;
    *) echo "$word $path" ;;
    esac
done < <("$python" tests/cli/encoder_torch.py "${files[@]}" 2>&1)
[ $PASSED = ${#files[@]} ] || bad "$PASSED of ${#files[@]} files were compared"
