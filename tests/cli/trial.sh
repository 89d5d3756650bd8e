#!/usr/bin/env bash
# aipm trial: its figures are those that numpy makes of its runs; the same bits on two ranks and after being stopped; its verdicts on
# planted panels (tests/long/trial.sh has a hundred seeds of each); what it refuses.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3 tool=$PWD/tests/cli/trial.py
. tests/worlds.sh
cd "$WORK" || exit 1
export XDG_CACHE_HOME=$WORK/cache
"$AIPM" synth -o p.h5 -N 60 -D 4 -T 90 --seed 7 -q || bad "no panel"
cat >s.yaml <<Y
study: tried
panel: p.h5
output: r.h5
window: 30
factor_scale: root
universes: [all, small]
models:
  - {name: bsv, kind: bsv}
  - {name: linear, kind: linear_transformer, heads: [1, 2]}
  - {name: dkkm, kind: dkkm, features: 20, seeds: 3}
  - {name: net, kind: mlp, hidden: [4], epochs: 1}
Y
sed '/name: net/d; s/, small//' s.yaml >closed.yaml
plan=$("$AIPM" trial closed.yaml --plan)
check "the plan holds its budget" awk '/^all/ {exit !($2 > 20 && $3 <= 30)}' <<<"$plan"
check "a plan runs nothing" test ! -e runs
check "networks take no part" grep -q 'takes no part: net' <("$AIPM" trial s.yaml --plan)
check "a trial" "$AIPM" trial closed.yaml -o one --quiet
check "on two ranks" mpi 2 "$AIPM" trial closed.yaml -o two --quiet

# stopped again and again, on one rank and two, the last time by a kill
runs() { ls "$1"/runs/*.h5 2>/dev/null | wc -l; }
interrupt() { # SIGNAL RUNS COMMAND...: once so many runs are there
    "${@:3}" "$AIPM" trial closed.yaml -o three --quiet >>stops.log 2>&1 &
    local pid=$! tick
    for ((tick = 0; tick < 1200; tick++)); do
        [ "$(runs three)" -ge "$2" ] && break
        sleep 0.05
    done
    kill -s "$1" $pid
    wait $pid
} 2>>stops.log
launch=(mpirun --oversubscribe --quiet -n)
interrupt USR1 3 "${launch[@]}" 1
rc=$?
interrupt USR1 8 "${launch[@]}" 2
interrupt TERM 14 env
interrupt KILL 20 env
check "a stop says 75" test "$rc" = 75
check "stopped: not yet done" test ! -e three/index.html
finished() { (cd three/runs && stat -c '%n %i %y' ${1:-*.h5}); }
done=$(finished)
check "finished after three stops and a kill" "$AIPM" trial closed.yaml -o three --quiet
check "what was finished before ($(wc -l <<<"$done") runs) is not run again" test "$done" = "$(finished "$(cut -d' ' -f1 <<<"$done")")"
identical() {
    local run
    [ "$(ls "$1/runs"/*.h5 | wc -l)" = "$(ls "$2/runs"/*.h5 | wc -l)" ] || return 1
    for run in "$1"/runs/*.h5; do same "$run" "$2/runs/${run##*/}" >/dev/null || { echo "$run"; return 1; }; done
    diff -r "$1/tables" "$2/tables"
}
check "two ranks: the same bits in every run, the same tables" identical one two
check "stopped: the same" identical one three
before=$(stat -c %Y one/runs/base.h5)
check "again: nothing is run" "$AIPM" trial closed.yaml -o one --quiet
check "again: the runs are those of before" test "$before" = "$(stat -c %Y one/runs/base.h5)"
sed 's/window: 30/window: 24/' closed.yaml >other.yaml
refuses "another study in its folder" 1 "is complete, but of another study" "$AIPM" trial other.yaml -o one
check "the page has its verdicts first" awk '/<h2>/ {exit !/Verdicts/}' one/index.html
check "the page has the rules" grep -q 'the verdict is `nothing`' one/index.html
check "--rules prints them" grep -q '^Is anything earned?' <("$AIPM" trial --rules)
if "$python" -c 'import numpy, h5py' 2>/dev/null; then
    check "every figure by numpy" "$python" "$tool" p.h5 one/runs one/tables 30
else skip "python3-numpy and python3-h5py are not installed: the check of every figure"; fi
for world in nothing momentum reversal link premia noise; do
    world "$world" 3 w.h5 w.yaml || bad "$world: no panel"
    rm -rf w
    "$AIPM" trial w.yaml -o w --seeds 1 --quiet || bad "$world: no trial"
    found=$(verdict w)
    check "$world: verdict $found" right "$world" "$found"
done
check "a net-long placebo is said to be one" grep -q 'returns shuffled within periods: a net-long position explains the Sharpe ratio' w/tables/placebos.md

# themes
printf 'name,theme\nvalue_1,cheap\nsize_1,cheap\nmomentum_1,"past, recent"\n' >themes.csv
check "themes from a file" grep -q 'themes left out  *3 ' <("$AIPM" trial closed.yaml --plan --themes themes.csv)
printf 'name,theme\nvalue_1,cheap\nvalue_1,dear\n' >twice.csv
refuses "a characteristic twice" 1 "twice.csv:3: found value_1 a second time" "$AIPM" trial closed.yaml --plan --themes twice.csv
printf 'name\nvalue_1\n' >narrow.csv
refuses "a theme that is missing" 1 "narrow.csv:2: found 1 fields; needed: two" "$AIPM" trial closed.yaml --plan --themes narrow.csv
printf 'name,theme\nbeauty,taste\n' >none.csv
refuses "themes of another panel" 1 "none.csv: names no characteristic of the panel" "$AIPM" trial closed.yaml --plan --themes none.csv

refuses "no folder" 2 "needed: -o DIR" "$AIPM" trial closed.yaml
refuses "no study" 2 "needed: a study file" "$AIPM" trial -o x
refuses "no seeds" 2 "--seeds: found '0'" "$AIPM" trial closed.yaml -o x --seeds 0
refuses "a budget that is too small" 1 "needed: at most 12 (--budget)" "$AIPM" trial closed.yaml -o x --budget 12
check "nothing was begun" test ! -e x
sed '/kind: bsv/d; /name: linear/d; /kind: dkkm/d' s.yaml >net.yaml
refuses "networks alone" 1 "found no closed-form model" "$AIPM" trial net.yaml -o x
sed 's/^window/colour/' closed.yaml >wrong.yaml
refuses "a study that is none" 1 "unknown key 'colour'" "$AIPM" trial wrong.yaml -o x
