#!/usr/bin/env bash
# What goes wrong on a cluster, on one machine: two runs on one path, crashed holders, silent ranks, full and broken disks, kills at
# random instants. After each the run is resumed on another rank count and has the bits of an unbroken one.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -o "$WORK/p.h5" --assets 120 --characteristics 12 --periods 150 --seed 3 2>/dev/null || bad "synth"
cat >"$WORK/s.yaml" <<Y
study: faults
panel: $WORK/p.h5
output: $WORK/r.h5
window: 40
universes: [all, small]
ridge: {from: -60, to: 3}
models:
  - {name: bsv, kind: bsv}
  - {name: linear, kind: linear_transformer, heads: [1, 2, 4, 8, 12], window: [40, 60]}
Y
mpi 2 "$AIPM" run "$WORK/s.yaml" 2>/dev/null
under_way() { for _ in $(seq 500); do [ -n "$(find "$1.parts" -name '*.rows' -size +100k 2>/dev/null)" ] && return; sleep 0.02; done; return 1; }
start() {      # results, options: two ranks in the background; RUN is mpirun, RANK the program's ranks
    mpirun --oversubscribe --quiet -n 2 "$AIPM" run "$WORK/s.yaml" -o "$@" >"$WORK/out" 2>&1 &
    RUN=$!
    under_way "$1" || bad "no rows of $1"
    mapfile -t RANK < <(pgrep -P $RUN)
}
resumes() {    # name, results, ranks
    mpi "$3" "$AIPM" run "$WORK/s.yaml" -o "$2" --resume 2>"$WORK/resume"
    check "$1" same "$WORK/r.h5" "$2"
}

# ---- one run at a time
start "$WORK/two.h5"
kill -STOP "${RANK[@]}"      # so that it is still there when the second comes
refuses "a second run is refused and the holder named" 1 "host $(hostname), process" mpi 2 "$AIPM" run "$WORK/s.yaml" -o "$WORK/two.h5" --resume
kill -KILL "${RANK[@]}" $RUN; wait $RUN 2>/dev/null
check "the lock survives a crash" test -e "$WORK/two.h5.lock"
before=$SECONDS
resumes "a dead holder on this host does not block" "$WORK/two.h5" 3
check "it is taken over at once ($((SECONDS - before)) s)" test $((SECONDS - before)) -le 15
check "and named" grep -q "taken over from a run that ended without a word: host $(hostname)" "$WORK/resume"
check "the lock goes with the run" test ! -e "$WORK/two.h5.lock"
# a holder on another host that still beats, and one that does not
lock() { printf 'host far\npid 1\njob 7\nstarted 2020-01-01T00:00:00Z\nwhere far/b/p\nborn 1\ntoken t\nbeat %020d\n' "$1"; }
lock 1 >"$WORK/far.h5.lock"
(for i in $(seq 2 60); do sleep 0.5; lock "$i" >"$WORK/far.new"; mv "$WORK/far.new" "$WORK/far.h5.lock"; done) & beats=$!
refuses "a holder on another host that beats is respected" 1 "host far, process 1, job 7, since 2020" "$AIPM" run "$WORK/s.yaml" -o "$WORK/far.h5"
kill $beats; wait $beats 2>/dev/null
before=$SECONDS
"$AIPM" run "$WORK/s.yaml" -o "$WORK/far.h5" 2>"$WORK/out"
check "one that is silent is taken over after 20 s" test $((SECONDS - before)) -ge 20
check "bits after a takeover" same "$WORK/r.h5" "$WORK/far.h5"
# a holder that was stopped for long and finds its path taken
start "$WORK/lost.h5" --watchdog-seconds 0
kill -STOP "${RANK[@]}"
lock 1 >"$WORK/lost.new"; mv "$WORK/lost.new" "$WORK/lost.h5.lock"
kill -CONT "${RANK[@]}"
wait $RUN; rc=$?
if [ -e "$WORK/lost.h5" ] && [ $rc = 0 ]; then bad "a run that lost its path went on to the end"
else check "a run that lost its path ends with 1 (found $rc)" test $rc = 1; fi
check "and says so" grep -q "lost to another run (host far" "$WORK/out"
check "and leaves the other's lock alone" grep -q "host far" "$WORK/lost.h5.lock"
rm -f "$WORK/lost.h5.lock"
resumes "bits after that" "$WORK/lost.h5" 1

# ---- a silent rank
start "$WORK/silent.h5" --watchdog-seconds 3
kill -STOP "${RANK[1]}"
before=$(date +%s%N)
wait $RUN; rc=$?
took=$(( ($(date +%s%N) - before) / 1000000 ))
check "a stopped rank ends the job with 75 (found $rc)" test $rc = 75
check "noticed and ended in $took ms, 3000 stated" test $took -le 8000
check "the silent rank is named" grep -q "rank 1 on $(hostname) has been silent for" "$WORK/out"
resumes "bits after a silent rank" "$WORK/silent.h5" 3
start "$WORK/suspend.h5" --watchdog-seconds 2
kill -STOP "${RANK[@]}"; sleep 5; kill -CONT "${RANK[@]}"
check "a job suspended as a whole and continued finishes" wait $RUN
check "bits after a suspension" same "$WORK/r.h5" "$WORK/suspend.h5"

# ---- writes that fail: full disk, broken disk, at several points
shim=$PWD/$BUILD/tests/preload/failing_writes.so
mkdir -p "$(dirname "$shim")" && gcc -shared -fPIC -O1 -o "$shim" tests/preload/failing_writes.c -ldl
if grep -q sanitize <<<"$BUILD"; then skip "failing writes: LD_PRELOAD and the sanitizers do not mix"; else
fails() {      # name, text said, variables...
    local name=$1 text=$2; shift 2
    rm -rf "$WORK"/f.h5*
    env LD_PRELOAD="$shim" "$@" mpirun --oversubscribe --quiet -n 2 "$AIPM" run "$WORK/s.yaml" -o "$WORK/f.h5" --checkpoint-seconds 0 >"$WORK/out" 2>&1; rc=$?
    check "$name: exit 1 (found $rc)" test $rc = 1
    check "$name: is said" grep -q "$text" "$WORK/out"
    check "$name: no results, nothing torn" test -z "$(find "$WORK" -name f.h5 -o -name 'f.h5.*.tmp')"
    check "$name: the lock is free" test ! -e "$WORK/f.h5.lock"
    resumes "$name: bits after resume" "$WORK/f.h5" 3
}
fails "full disk at the first row" "No space left" 'FAIL_PATH=*.rows' FAIL_AFTER=100 FAIL_ERRNO=28
fails "full disk in mid-run" "No space left" 'FAIL_PATH=*.rows' FAIL_AFTER=150000 FAIL_ERRNO=28
fails "broken disk in mid-run" "Input/output error" 'FAIL_PATH=*.rows' FAIL_AFTER=150000 FAIL_ERRNO=5
fails "syncing fails" "cannot be forced to disk: Input/output error" 'FAIL_PATH=*.rows' FAIL_AFTER=100000 FAIL_ERRNO=5 FAIL_SYNC=1
fails "full disk at the results" "No space left" "FAIL_PATH=*/f.h5.[0-9a-f]*.tmp" FAIL_AFTER=20000 FAIL_ERRNO=28
fails "full disk at the skeleton" "No space left" 'FAIL_PATH=*/skeleton*' FAIL_AFTER=2000 FAIL_ERRNO=28
fi
mkdir "$WORK/small"
if mount -t tmpfs -o size=300k aipm-test "$WORK/small" 2>/dev/null; then
    mpi 2 "$AIPM" run "$WORK/s.yaml" -o "$WORK/small/r.h5" >"$WORK/out" 2>&1; rc=$?
    check "a small disk: exit 1 (found $rc)" test $rc = 1
    check "a small disk: is said" grep -q "No space left" "$WORK/out"
    mount -o remount,size=100m "$WORK/small"
    resumes "a small disk: bits once there is room" "$WORK/small/r.h5" 2
    umount "$WORK/small"
else skip "a really full disk: this user may not mount"; fi

# ---- the record
"$AIPM" run "$WORK/s.yaml" -o "$WORK/rec.h5" --resume 2>/dev/null
SLURM_JOB_ID=4711 start "$WORK/rec2.h5"
kill -USR1 $RUN; wait $RUN
check "USR1 exits 75" test $? = 75
SLURM_JOB_ID=4711 SLURM_RESTART_COUNT=1 mpi 3 "$AIPM" run "$WORK/s.yaml" -o "$WORK/rec2.h5" --resume 2>/dev/null
if "$AIPM" --help | grep -q '^  info '; then
    "$AIPM" info "$WORK/rec2.h5" >"$WORK/info"
    for text in "history .*2 ranks on $(hostname):2, job 4711: stopped on request after [1-9][0-9]* rows; 2: .*3 ranks on $(hostname):3, job 4711, requeue 1: finished" \
        "libraries .*Open MPI.*HDF5" "starts .*2" "requeues .*1" "job .*4711" "hosts .*$(hostname):3" "fits_failed .*0" "panel_digest .*[0-9a-f]" "program .*aipm"; do
        check "the record holds '$text'" grep -qE "$text" "$WORK/info"
    done
fi

# ---- kills at random instants: tests/long/kills.sh makes 200
kills_study=$WORK/s.yaml kills_whole=$WORK/r.h5
. tests/kills.sh
kills 10 1
