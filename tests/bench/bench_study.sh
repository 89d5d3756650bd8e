#!/usr/bin/env bash
# The whole of a large study, from panel to results: D=132, 60-period windows, 14 ridges, 9 head counts; one rank against two, memory against
# what was planned.
. tests/env.sh
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
periods=${PERIODS:-300} assets=${ASSETS:-3000}
mpirun --quiet -n 2 "$AIPM" synth -o "$dir/p.h5" --assets "$assets" --characteristics 132 --periods "$periods" 2>&1 | grep written
cat >"$dir/s.yaml" <<Y
study: bench
panel: $dir/p.h5
models:
  - {name: linear, kind: linear_transformer, heads: [1, 2, 4, 8, 16, 32, 64, 128, 132]}
Y
for p in 1 2 1 2; do
    start=$(date +%s.%N)
    mpirun --quiet -n $p "$AIPM" run "$dir/s.yaml" -o "$dir/r$p.h5" 2>"$dir/log" || { cat "$dir/log"; exit 1; }
    end=$(date +%s.%N)
    planned=$(sed -n 's/^memory: \(.*\) a rank planned, beside \(.*\) of the program.*/\1 + \2/p' "$dir/log")
    resident=$(sed -n 's/.*resident memory at most \(.*\) a rank.*/\1/p' "$dir/log")
    printf '  %d rank(s): %.1f s for %d windows; memory a rank: planned %s, resident %s\n' $p "$(awk "BEGIN{print $end - $start}")" $((periods - 60)) "$planned" "$resident"
    eval "t$p=$(awk "BEGIN{print $end - $start}")"
done
printf '  two ranks over one: %.2f (goal 1.85)\n' "$(awk "BEGIN{print $t1 / $t2}")"
"$BUILD/tests/tools/same" "$dir/r1.h5" "$dir/r2.h5" && echo '  same bits on one and two ranks'
