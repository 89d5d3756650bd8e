#!/usr/bin/env bash
# Run the tests and end with one line `N passed, N failed, N skipped`.   BUILD=build tests/run.sh [long|sanitize]
# Every test ends its output with `RESULT passed failed skipped`; a test that prints none counts as one failure.
set -u
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
kind=${1:-check}
. tests/env.sh
passed=0 failed=0 skipped=0
# start NAME SECONDS COMMAND...: the test's output, then its exit status and seconds, into its log
start() {
    local log=$BUILD/tests/log/$1.log limit=$2 began=$SECONDS
    shift 2
    mkdir -p "$(dirname "$log")"
    timeout -k 10 "$limit" "$@" >"$log" 2>&1
    echo "$? $((SECONDS - began))" >"$log.end"
}
# tell NAME: count and print what a started test left
tell() {
    local name=$1 log=$BUILD/tests/log/$1.log rc=1 seconds=0 line p f s
    [ -e "$log.end" ] && read -r rc seconds <"$log.end"
    line=$(grep -a '^RESULT ' "$log" | tail -n 1)
    if [ -n "$line" ]; then read -r _ p f s <<<"$line"; else p=0 f=1 s=0; fi
    [ "$rc" = 0 ] || [ "$f" != 0 ] || f=1
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ "$f" = 0 ]; then
        printf '  %-44s %3d passed%s  %ds\n' "$name" "$p" "$([ "$s" = 0 ] || printf ', %d skipped' "$s")" "$seconds"
    else
        printf '  %-44s FAILED (%d, exit %d)  %ds: %s\n' "$name" "$f" "$rc" "$seconds" "$log"
        grep -a -v '^RESULT' "$log" | tail -n 40 | sed 's/^/      /'
    fi
}
one() {
    start "$@"
    tell "$1"
}
ranks_of() { sed -n 's/.*RANKS: *\([0-9 ]*\).*/\1/p' "$1" | head -n 1; }     # `RANKS: 1 2 3` in a test's head; default 2
if [ "$kind" != long ]; then
    for t in tests/unit/test_*.c; do
        [ -e "$t" ] || continue
        n=$(basename "$t" .c); one "unit/$n" 300 "$BUILD/tests/unit/$n"
    done
    for t in tests/mpi/test_*.c; do
        [ -e "$t" ] || continue
        n=$(basename "$t" .c)
        for p in $(ranks_of "$t" | grep . || echo 2); do one "mpi/$n.$p" 300 mpirun --oversubscribe --quiet -n "$p" "$BUILD/tests/mpi/$n"; done
    done
fi
# shell tests mostly wait for short runs: two at a time, told in order
folder=tests/cli limit=600 at_once=2
[ "$kind" = long ] && folder=tests/long limit=14400 at_once=1
names=()
for t in "$folder"/*.sh; do
    [ -e "$t" ] && [ "$(basename "$t")" != lib.sh ] && names+=("${folder#tests/}/$(basename "$t" .sh)")
done
for n in "${names[@]}"; do
    rm -f "$BUILD/tests/log/$n.log.end"
    while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do wait -n; done
    start "$n" "$limit" bash "tests/$n.sh" &
done
wait
for n in "${names[@]}"; do tell "$n"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
