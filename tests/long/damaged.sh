#!/usr/bin/env bash
# tests/cli/damaged.sh over many more places: 6,000 of a panel and of a results file, most of them metadata.
. "$(dirname "$0")/../cli/lib.sh"
"$AIPM" synth -q -o "$WORK/p.h5" --assets 10 --characteristics 4 --periods 30
printf 'panel: %s\nwindow: 12\nmodels: [{name: bsv, kind: bsv}]\n' "$WORK/q.h5" >"$WORK/s.yaml"
"$AIPM" run --quiet "$WORK/s.yaml" --panel "$WORK/p.h5" -o "$WORK/r.h5"
damage() { "$TESTS_BUILT/tools/damage" "$@" | tail -n 20; return "${PIPESTATUS[0]}"; }
for first in 0 1; do
    check "info of damaged panels" damage "$WORK/p.h5" "$WORK/q.h5" 3000 90 first=$first "$AIPM" info "$WORK/q.h5"
    check "info of damaged results" damage "$WORK/r.h5" "$WORK/q.h5" 3000 90 first=$first "$AIPM" info "$WORK/q.h5"
done
check "run on damaged panels" damage "$WORK/p.h5" "$WORK/q.h5" 1000 90 first=3 "$AIPM" run --quiet "$WORK/s.yaml" -o "$WORK/x.h5"
check "analyze of damaged results" damage "$WORK/r.h5" "$WORK/q.h5" 1000 90 first=3 "$AIPM" analyze "$WORK/q.h5" -o "$WORK/t"
