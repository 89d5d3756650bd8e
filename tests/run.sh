#!/usr/bin/env bash
# Run the tests and end with one line `N passed, N failed, N skipped`.   BUILD=build tests/run.sh [long|sanitize]
# Every test ends its output with `RESULT passed failed skipped`; a test that prints none counts as one failure.
set -u
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
kind=${1:-check}
. tests/env.sh
passed=0 failed=0 skipped=0
one() {   # name, seconds allowed, command...
    local name=$1 limit=$2 log=$BUILD/tests/log/$1.log start=$SECONDS line p f s
    shift 2
    mkdir -p "$(dirname "$log")"
    timeout -k 10 "$limit" "$@" >"$log" 2>&1
    local rc=$?
    line=$(grep -a '^RESULT ' "$log" | tail -n 1)
    if [ -n "$line" ]; then read -r _ p f s <<<"$line"; else p=0 f=1 s=0; fi
    [ "$rc" = 0 ] || [ "$f" != 0 ] || f=1
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ "$f" = 0 ]; then
        printf '  %-44s %3d passed%s  %ds\n' "$name" "$p" "$([ "$s" = 0 ] || printf ', %d skipped' "$s")" $((SECONDS - start))
    else
        printf '  %-44s FAILED (%d, exit %d)  %ds: %s\n' "$name" "$f" "$rc" $((SECONDS - start)) "$log"
        grep -a -v '^RESULT' "$log" | tail -n 40 | sed 's/^/      /'
    fi
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
folder=tests/cli
[ "$kind" = long ] && folder=tests/long
for t in "$folder"/*.sh; do
    [ -e "$t" ] || continue
    [ "$(basename "$t")" != lib.sh ] || continue
    one "${folder#tests/}/$(basename "$t" .sh)" "$([ "$kind" = long ] && echo 3600 || echo 600)" bash "$t"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
