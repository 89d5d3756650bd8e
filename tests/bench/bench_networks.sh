#!/usr/bin/env bash
# Networks beside bench_transformer: two ranks, memory against time, and PyTorch's step in the same run.
cd "$(dirname "$0")/../.." || exit 1
. tests/env.sh
export OMP_NUM_THREADS=1
b=$BUILD/tests/bench/bench_transformer
python=
for p in python3 /usr/bin/python3; do "$p" -c 'import torch' 2>/dev/null && python=$p && break; done
if [ -n "$python" ]; then "$python" tests/bench/transformer_torch.py; else echo "PyTorch (python3-torch) is not here: not compared"; fi
mpirun --quiet --oversubscribe -n 2 "$b" ranks
"$b" memory
