#!/usr/bin/env bash
# The k-th allocation, the k-th read and the k-th write fail, in every command on a small study: each ends with 1 and says what failed,
# or goes on to the same result where it can do without, or warns what it leaves out; nothing half-written is left; a run goes on from there to the same bits.
# A few k of each here (FEW=n), of commands that match ONLY. With EVERY=1 (tests/long/every_failure.sh) every k of a class that has at
# most MOST calls, else the first, the second and the last of all that the same calls lead to; of those, LIMIT at equal distances.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
shim=$PWD/$BUILD/tests/preload/failing_calls.so
mkdir -p "$(dirname "$shim")" && gcc -shared -fPIC -O1 -o "$shim" tests/preload/failing_calls.c -ldl
if grep -q sanitize <<<"$BUILD"; then skip "failing calls: LD_PRELOAD and the sanitizers do not mix"; exit; fi
few=${FEW:-2} every=${EVERY:-} most=${MOST:-100} limit=${LIMIT:-400}
export XDG_CACHE_HOME=$WORK/in/cache
cd "$WORK" || exit 1
WORK=$(pwd -P)      # the shim sees where links lead
mkdir in out ref
"$AIPM" synth -q -o in/p.h5 -N 24 -D 4 -T 30 || bad synth
cat >in/s.yaml <<Y
study: s
panel: $WORK/in/p.h5
output: $WORK/out/r.h5
window: 24
shards: 2
save_weights: true
models:
  - {name: lin, kind: linear_transformer, heads: [1, 2]}
  - {name: net, kind: mlp, hidden: [2], epochs: 2, save_parameters: true}
  - {name: tf, kind: transformer, feedforward: 2, epochs: 1, save_parameters: true}
Y
printf 'date,A,B\n200001,0.01,0.02\n200002,0.02,0.01\n200003,0.03,0.05\n200004,0.01,0.02\n' >in/f.csv
{ echo date,A,B,C; for i in $(seq 60); do echo "2020-$((i / 28 + 10))-$((i % 28 + 1)),0.0$((i * 7 % 9)),0.0$((i * 5 % 9)),-0.0$((i * 3 % 9))"; done; } | sed -E 's/-([0-9]),/-0\1,/' >in/r.csv
"$AIPM" run in/s.yaml 2>/dev/null || bad run
cp -r out/. in/      # results to be read: in/r.h5
rm -rf out; mkdir out
cat >in/t.yaml <<Y
study: t
panel: $WORK/in/p.h5
output: $WORK/in/unused.h5
window: 24
models:
  - {name: lin, kind: linear_transformer, heads: [1]}
Y
trial=("$AIPM" trial in/t.yaml --seeds 1 --budget 1000 --quiet -o)
"${trial[@]}" in/trial || bad trial
"$AIPM" plan in/s.yaml >/dev/null 2>&1 || bad plan      # the rates it measures are in its cache now
rm -r in/trial/tables in/trial/figures in/trial/*.html "$(ls in/trial/runs/*.h5 | tail -n 1)"     # all but the last run is there
date=$("$AIPM" info in/p.h5 | sed -n 's/.*to \([0-9]\{8\}\).*/\1/p' | head -n 1)

# What a command left in out/ is whole: as in ref/, or not there; of a run under way, parts may be.
whole() {
    local f
    for f in $(cd out && find . -type f -not -path './*.parts/*' -not -name '*.log'); do
        case $f in
        *.tmp) echo "left: $f"; return 1 ;;
        *.lock) continue ;;      # of a process that is no more: the next start takes it over
        ./r.h5 | */runs/*.h5) same "ref/$f" "out/$f" || { echo "differs: $f"; return 1; } ;;
        *.html | *.tex | *.gp | *.dat | *.svg | *.pdf) [ -s "out/$f" ] || { echo "empty: $f"; return 1; } ;;
        *) cmp "ref/$f" "out/$f" || return 1 ;;
        esac
    done
}
complete() { [ "$(cd ref && find . -type f -not -name '*.log' -not -name '*.lock' | sort)" = "$(cd out && find . -type f -not -name '*.log' -not -name '*.lock' | sort)" ] && whole; }
one() {      # CLASS K COMMAND...: the k-th call fails
    local class=$1 k=$2 rc
    shift 2
    rm -rf out; mkdir out
    head -c 24 /dev/zero >count
    FAIL_CLASS=$class FAIL_AT=$k FAIL_PLACES=$WORK/places FAIL_PATH="$WORK/[io]*" FAIL_COUNT=$WORK/count FAIL_TELL=1 LD_PRELOAD=$shim timeout -k 5 120 "$@" >stdout 2>stderr; rc=$?
    [ "$k" = 0 ] && return $rc
    case $rc in
    0) complete || { whole && grep -q '^warning: no ' stderr; } || { echo "  $class $k: exit 0 but not the same result"; return 1; } ;;
    1) whole || { echo "  $class $k: half-written"; return 1; }
        if [ "$class" = memory ]; then grep -q 'out of memory: .* needs' stderr
        else grep -v '^\[' stderr | grep -qE 'aipm[a-z ]*: .*(in|out)[/:]'; fi || { echo "  $class $k: exit 1, but it is not said what failed"; return 1; } ;;
    *) echo "  $class $k: exit $rc"; return 1 ;;
    esac
    if [ "$rc" = 1 ] && [ "${again[0]:-}" ]; then
        "${again[@]}" >/dev/null 2>resumed && complete || { echo "  $class $k: does not go on to the same result: $(tail -n 1 resumed)"; return 1; }
    fi
}
chosen() {      # CLASS: the numbers of the calls that are to fail
    local n i
    n=$(grep -c "^$1 " places)
    if [ "$every" ] && [ "$n" -gt "$most" ]; then
        awk -v class="$1" '$1 == class { if (seen[$3]++ < 2) print $2; else last[$3] = $2 } END { for (i in last) print last[i] }' places | sort -n |
            awk -v limit="$limit" '{ k[NR] = $1 } END { n = NR < limit ? NR : limit; for (i = 0; i < n; i++) print k[1 + int(i * NR / n)] }'
    elif [ "$every" ] || [ "$n" -le "$few" ]; then seq "$n"
    else for ((i = 0; i < few; i++)); do echo $((1 + (2 * i + 1) * (n - 1) / (2 * few))); done
    fi
}
every_failure() {      # NAME COMMAND...
    local name=$1 class n k wrong tried list=$WORK/failed
    # shellcheck disable=SC2053
    [[ $name == ${ONLY:-*} ]] || return
    shift
    rm -rf ref places
    one count 0 "$@" || { bad "$name runs: $(tail -n 2 stderr)"; return; }
    cp -r out ref
    for class in read write memory; do
        wrong=0 tried=0 n=$(grep -c "^$class " places)
        [ "$n" = 0 ] && { [ $class = write ] || bad "$name: no $class is counted"; continue; }
        for k in $(chosen $class); do
            tried=$((tried + 1))
            one $class $k "$@" >"$list" 2>&1 || { wrong=$((wrong + 1)); [ $wrong -gt 3 ] || { cat "$list"; sed 's/^/    /' stderr | tail -n 6; }; }
        done
        check "$name: $tried of $n failures of $class" test $wrong = 0
    done
}
again=()
every_failure synth "$AIPM" synth -q -o out/p.h5 -N 24 -D 4 -T 30
every_failure "ingest" "$AIPM" ingest --factors F=in/f.csv -o out/f.h5
every_failure info "$AIPM" info in/r.h5
every_failure plan "$AIPM" plan in/s.yaml --sbatch=out/s.sbatch
every_failure sweep "$AIPM" sweep in/s.yaml --set window=20,24 -o out/swept.yaml
every_failure analyze "$AIPM" analyze in/r.h5 -o out/tables
every_failure report "$AIPM" report in/r.h5 -o out/report
every_failure backtest "$AIPM" backtest in/r.h5 -o out/backtest
every_failure signal "$AIPM" signal in/r.csv --target A --history -o out/history.csv
every_failure inspect "$AIPM" inspect in/r.h5 --date "$date"
again=("$AIPM" run in/s.yaml --resume)
"$AIPM" run in/s.yaml --checkpoint-seconds 0 >/dev/null 2>&1 & pid=$!
for _ in $(seq 400); do ls out/r.h5.parts/*/*.rows >/dev/null 2>&1 && break; sleep 0.01; done
kill -KILL $pid; wait $pid 2>/dev/null
[ "$(ls out/r.h5.parts/*/skeleton.h5 2>/dev/null)" ] && mv out begun || { mkdir -p begun; skip "a failure of a resumed run: the run was over too soon to be killed"; }
every_failure run "$AIPM" run in/s.yaml --checkpoint-seconds 0
every= every_failure "run on two ranks" mpirun --oversubscribe --quiet -n 2 "$AIPM" run in/s.yaml --checkpoint-seconds 0
every_failure "run, resumed" bash -c "mkdir -p out && cp -r begun/. out/ && exec '$AIPM' run in/s.yaml --resume"
again=() few=1 limit=$((limit / 4))      # a trial takes its time
[ ! "$every" ] || again=("${trial[@]}" out/trial)
every_failure trial bash -c "cp -r in/trial out/ && exec '$AIPM' \"\$@\"" _ "${trial[@]:1}" out/trial
