#!/usr/bin/env bash
# Results of a run under way are read as far as they are, also of networks with several seeds; and a stopped run ends as an unbroken one.
. tests/cli/lib.sh
"$AIPM" synth -q -o "$WORK/p.h5" --assets 60 --characteristics 6 --periods 420 --seed 2 || bad "no panel"
cat >"$WORK/s.yaml" <<Y
study: s
panel: $WORK/p.h5
output: $WORK/s.h5
window: 24
models:
  - {name: net, kind: mlp, hidden: [16], seeds: 2, epochs: 15}
  - {name: seeded, kind: dkkm, features: 40, seeds: 2}
Y
"$AIPM" run "$WORK/s.yaml" >"$WORK/log" 2>&1 &
run=$!
finished() { sed -n "s,^model  *all/$1 .*: \([0-9]*\) of 396 rows.*,\1,p" "$WORK/info"; }
for _ in $(seq 300); do                     # until both seeds of some row are there
    "$AIPM" info "$WORK/s.h5" >"$WORK/info" 2>/dev/null && [ "$(finished net)" -gt 0 ] && break
    sleep 0.03
done
kill -USR1 $run
wait $run
check "stopped on request" test $? = 75
"$AIPM" info "$WORK/s.h5" >"$WORK/info"
check "info says that the run is under way" grep -q 'run under way' "$WORK/info"
check "rows of a network with two seeds are read ($(finished net))" test "$(finished net)" -gt 0
check "and not all are there" test "$(finished net)" -lt 396
check "seeds and epochs are said" grep -q 'all/net (mlp).*, 2 seeds, 15 epochs' "$WORK/info"
check "analyze reads it" "$AIPM" analyze "$WORK/s.h5" -o "$WORK/t"
periods() { awk -F, -v m="$1" '$2 == m { print $5 }' "$WORK/t/performance.csv"; }
check "and measures the rows that are there" test "$(periods net)" = "$(finished net)"
check "resumed" "$AIPM" run --resume "$WORK/s.yaml"
sed 's,/s.h5,/whole.h5,' "$WORK/s.yaml" >"$WORK/whole.yaml"
check "an unbroken run" "$AIPM" run "$WORK/whole.yaml"
check "the same numbers" same "$WORK/s.h5" "$WORK/whole.h5"
