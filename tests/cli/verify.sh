#!/usr/bin/env bash
# A rank that computes wrong now and then (tests/preload/flipping_core.c): `run --verify` names it and gives the bits of an honest run; without
# it the wrong bits stand in the results. Closed forms, which are cut among ranks, and fits that ranks take from a queue.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -q -o "$WORK/p.h5" -N 40 -D 6 -T 70 || bad "no panel"
study() {   # name, models
    printf 'study: %s\npanel: %s\nwindow: 24\nseed: 3\nshards: 4\nsave_weights: true\nmodels:\n%s\n' "$1" "$WORK/p.h5" "$2" >"$WORK/$1.yaml"
    check "$1: an honest run" mpi 3 "$AIPM" run "$WORK/$1.yaml" -o "$WORK/$1.h5" --quiet
}
study cut "  - {name: bsv, kind: bsv}
  - {name: linear, kind: linear_transformer, heads: [1, 2, 4]}"
study queue "  - {name: mlp, kind: mlp, hidden: [8], seeds: 2, epochs: 1, learning_rate: 1.0e-3, save_parameters: true}
  - {name: dkkm, kind: dkkm, features: 30, activation: [relu, fourier], seeds: 2}
  - {name: chain, kind: mlp, hidden: [8], epochs: 1, learning_rate: 1.0e-3, warm_start: true}
  - {name: refit, kind: mlp, hidden: [8], epochs: 1, learning_rate: 1.0e-3, refit_every: 3}"
run() {     # results, ranks, study, options: leaves RC and $WORK/out
    local results=$1 ranks=$2 study=$3
    shift 3
    rm -rf "$WORK/$results.h5"*
    mpi "$ranks" "$AIPM" run "$WORK/$study.yaml" -o "$WORK/$results.h5" "$@" >"$WORK/out" 2>&1; RC=$?
}
says() { grep -qE -- "$1" "$WORK/out"; }
history_says() { "$AIPM" info "$WORK/$1.h5" | grep -qE "history.*$2"; }

# ---- nobody errs
for s in cut queue; do
    for n in 1 2 3; do
        run healthy $n $s --verify 0.2
        check "$s on $n ranks, verified: exit 0 (found $RC)" test $RC = 0
        check "$s on $n ranks, verified: the same bits" same "$WORK/$s.h5" "$WORK/healthy.h5"
        check "$s on $n ranks: no bit differs" says '^[0-9]+ fits of [0-9]+ were verified.*: no bit differs'
    done
    fits=$(sed -nE 's/^([0-9]+) fits of ([0-9]+) were.*/\1 \2/p' "$WORK/out")
    # where windows share work, what counts is the time: fewer fits are verified
    check "$s: a fifth of the fits, to within one a configuration and seed ($fits)" awk '{ exit !($1 < 0.2 * $2 + 12 && $1 > 0.1 * $2 - 12) }' <<<"$fits"
    check "$s: the history says so" history_says healthy '3 ranks.*fits of [0-9]+ were verified: finished'
done
run healthy 1 cut --verify 0.2
check "one rank: only faults that pass are seen" says "only faults that pass are seen"
refuses "a share beyond 1" 2 "share of fits" "$AIPM" run --verify 1.5 "$WORK/cut.yaml"

# ---- rank 1 errs
shim=$PWD/$BUILD/tests/preload/flipping_core.so
# shellcheck disable=SC2046
mkdir -p "$(dirname "$shim")" && gcc -shared -fPIC -O1 $(pkg-config --cflags openblas) -o "$shim" tests/preload/flipping_core.c -ldl
if grep -q sanitize <<<"$BUILD"; then skip "a rank that errs, 30 checks: LD_PRELOAD and the sanitizers do not mix"; exit; fi
erring() { FLIP_RANK=$1 LD_PRELOAD=$shim run "${@:2}"; }
for s in cut queue; do
    erring 1 wrong 3 $s
    check "$s, not verified: nothing is noticed (exit $RC)" test $RC = 0
    if same "$WORK/$s.h5" "$WORK/wrong.h5" >"$WORK/same"; then bad "$s, not verified: no bit is wrong, so that nothing is tested"
    else ok "$s, not verified: $(cat "$WORK/same")"; fi
    for n in 2 3 4; do
        share=0.5; [ $s = cut ] || share=1     # what a rank takes from the queue differs from run to run
        erring 1 righted $n $s --verify $share
        check "$s on $n ranks: exit 0 (found $RC)" test $RC = 0
        check "$s on $n ranks: rank 1 is named" says "^warning: rank 1 on $(hostname) computed other bits than others"
        check "$s on $n ranks: nobody else is" test "$(grep -c 'computed other bits' "$WORK/out")" = 1
        check "$s on $n ranks: the history names it" history_says righted "$n ranks.*: rank 1 on $(hostname) computed other bits .*: finished"
        check "$s on $n ranks: the bits of the honest run" same "$WORK/$s.h5" "$WORK/righted.h5"
    done
done

# ---- what an earlier start left is verified by the one that resumes
writes=$PWD/$BUILD/tests/preload/failing_writes.so
gcc -shared -fPIC -O1 -o "$writes" tests/preload/failing_writes.c -ldl
rm -rf "$WORK/early.h5"*
FLIP_RANK=1 LD_PRELOAD="$shim:$writes" FAIL_PATH='*.rows' FAIL_AFTER=9000 mpi 2 "$AIPM" run "$WORK/cut.yaml" -o "$WORK/early.h5" --quiet 2>/dev/null
check "a full disk ends a run whose rank 1 errs" test -n "$(find "$WORK/early.h5.parts" -name '*-r000001.rows')"
cp -r "$WORK/early.h5.parts" "$WORK/unverified.h5.parts"
mpi 3 "$AIPM" run "$WORK/cut.yaml" -o "$WORK/unverified.h5" --resume --quiet
if same "$WORK/cut.h5" "$WORK/unverified.h5" >/dev/null; then bad "resumed, not verified: no bit is wrong, so that nothing is tested"; fi
for n in 1 3; do
    rm -rf "$WORK/later.h5"*
    cp -r "$WORK/early.h5.parts" "$WORK/later.h5.parts"
    mpi $n "$AIPM" run "$WORK/cut.yaml" -o "$WORK/later.h5" --resume --verify 1 >"$WORK/out" 2>&1; RC=$?
    check "resumed on $n honest ranks: exit 0 (found $RC)" test $RC = 0
    check "resumed on $n honest ranks: the rank of the first start is named" says "^warning: rank 1 of start 1 computed other bits"
    check "resumed on $n honest ranks: nobody else is" test "$(grep -c 'computed other bits' "$WORK/out")" = 1
    check "resumed on $n honest ranks: the bits of the honest run" same "$WORK/cut.h5" "$WORK/later.h5"
done

# ---- stopped and killed in the midst of it: what is believed at last is the same
at=$PWD/$BUILD/tests/preload/signal_at.so
gcc -shared -fPIC -O1 -o "$at" tests/preload/signal_at.c -ldl
for s in cut queue; do
    SIGNAL_AT=read SIGNAL_PATH='*.rows' SIGNAL_NUMBER=10 LD_PRELOAD=$at run stopped 3 $s --verify 0.5
    check "$s, asked to stop as it verifies: exit 75 (found $RC)" test $RC = 75
    check "$s: all rows are saved" says 'stopped on request: ([0-9]+) of \1 rows are saved'
    check "$s: no results" test ! -e "$WORK/stopped.h5"
    mpi 2 "$AIPM" run "$WORK/$s.yaml" -o "$WORK/stopped.h5" --resume --verify 0.5 >"$WORK/out" 2>&1; RC=$?
    check "$s: the start after it verifies them (exit $RC)" says '^[0-9]{2,} fits of [0-9]+ were verified: no bit differs'
    check "$s: the bits of the honest run" same "$WORK/$s.h5" "$WORK/stopped.h5"
done
SIGNAL_AT=unlink SIGNAL_PATH='*.rows' SIGNAL_NUMBER=9 FLIP_RANK=1 LD_PRELOAD="$shim:$at" run killed 3 cut --verify 0.5
check "killed as the rows of rank 1 are gone: exit $RC" test $RC != 0
check "they are, and others are not" test "$(find "$WORK/killed.h5.parts" -name '*.rows' | sed 's/.*-r/r/' | sort | tr '\n' ' ')" = "r000000.rows r000002.rows "
check "the history names the rank already" grep -rq "rank 1 on $(hostname) computed other bits" "$WORK/killed.h5.parts"
mpi 2 "$AIPM" run "$WORK/cut.yaml" -o "$WORK/killed.h5" --resume --quiet 2>/dev/null
check "gone on with: the bits of the honest run" same "$WORK/cut.h5" "$WORK/killed.h5"

# ---- nobody is left to believe: what is not to be trusted is gone, honest ranks go on
erring 0 alone 1 cut --verify 1
check "one rank that errs: exit 1 (found $RC)" test $RC = 1
check "it is said" says "every rank computes other bits than before; .* needed: other hosts, and --resume"
check "no results" test ! -e "$WORK/alone.h5"
check "none of its rows are left" test -z "$(find "$WORK/alone.h5.parts" -name '*.rows')"
mpi 2 "$AIPM" run "$WORK/cut.yaml" -o "$WORK/alone.h5" --resume --quiet
check "gone on with elsewhere: the bits of the honest run" same "$WORK/cut.h5" "$WORK/alone.h5"

