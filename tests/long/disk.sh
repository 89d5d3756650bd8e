#!/usr/bin/env bash
# Ten million histories of the simulated disk (tests/unit/test_disk.c; make check plays the first 100,000), a share to each core.
. "$(dirname "$0")/../cli/lib.sh"
all=${HISTORIES:-10000000} cores=$(nproc) pids=()
share=$(((all + cores - 1) / cores))
for ((c = 0; c < cores; c++)); do
    HISTORIES=$share SEED_FROM=$((1 + c * share)) "$TESTS_BUILT/unit/test_disk" >"$WORK/log.$c" 2>&1 & pids+=($!)
done
for ((c = 0; c < cores; c++)); do
    wait "${pids[c]}"; rc=$?
    check "$share histories from seed $((1 + c * share))" test $rc = 0
    grep -a 'SEED=' "$WORK/log.$c"
done
