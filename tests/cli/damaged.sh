#!/usr/bin/env bash
# One damaged byte anywhere in a panel or a results file: every command ends by itself with 0 or 1, whatever libhdf5 does with it. Each
# file is tried in a child process first, once, by rank 0 alone.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -q -o "$WORK/p.h5" --assets 10 --characteristics 4 --periods 30
cat >"$WORK/s.yaml" <<Y
panel: $WORK/q.h5
window: 12
models: [{name: bsv, kind: bsv}, {name: linear, kind: linear_transformer, heads: [1, 2]}]
Y
"$AIPM" run --quiet "$WORK/s.yaml" --panel "$WORK/p.h5" -o "$WORK/r.h5"
damage() { "$TESTS_BUILT/tools/damage" "$@" | tail -n 5; return "${PIPESTATUS[0]}"; }
check "info of 300 damaged panels" damage "$WORK/p.h5" "$WORK/q.h5" 300 90 "$AIPM" info "$WORK/q.h5"
check "info of 300 damaged results" damage "$WORK/r.h5" "$WORK/q.h5" 300 90 "$AIPM" info "$WORK/q.h5"
check "run on 24 damaged panels" damage "$WORK/p.h5" "$WORK/q.h5" 24 90 first=11 "$AIPM" run --quiet "$WORK/s.yaml" -o "$WORK/x.h5"
check "analyze of 40 damaged results" damage "$WORK/r.h5" "$WORK/q.h5" 40 90 first=11 "$AIPM" analyze "$WORK/q.h5" -o "$WORK/t"

# ---- who tries, and how often
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    mpi 3 strace -f -e trace=execve -o "$WORK/trace" -A "$AIPM" run --quiet "$WORK/s.yaml" --panel "$WORK/p.h5" -o "$WORK/x.h5"
    n=$(grep -c 'execve("/proc/self/exe".*probe-file.*p.h5' "$WORK/trace")
    check "three ranks try a panel once (found $n)" test "$n" = 1
else skip "how often a panel is tried, 1 check: strace is missing or may not trace (apt-get install strace)"; fi
