#!/usr/bin/env bash
# make bench: every benchmark in turn, on an otherwise idle machine; each prints what it measured and what it was measured against.
set -u
cd "$(dirname "$0")/../.."
. tests/env.sh
status=0
for b in "$BUILD"/tests/bench/bench_*; do
    [ -x "$b" ] && [ "${b%.d}" = "$b" ] || continue
    echo "== $(basename "$b")"
    "$b" || status=1
done
for b in tests/bench/bench_*.sh; do
    [ -e "$b" ] || continue
    echo "== $(basename "$b" .sh)"
    bash "$b" || status=1
done
exit $status
