#!/usr/bin/env bash
# Requests to stop that come early: while MPI starts, when no rank listens yet, before the first row. A run ends with 75 and the usual
# words, and slurm/aipm-job takes none of them for an error.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -q -o "$WORK/p.h5" --assets 40 --characteristics 5 --periods 60
cat >"$WORK/s.yaml" <<Y
study: early
panel: $WORK/p.h5
output: $WORK/r.h5
window: 24
models: [{name: bsv, kind: bsv}]
Y
"$AIPM" run --quiet "$WORK/s.yaml" -o "$WORK/whole.h5"

# ---- during MPI_Init
shim=$PWD/$BUILD/tests/preload/early_signal.so
mkdir -p "$(dirname "$shim")" && mpicc -shared -fPIC -O1 -o "$shim" tests/preload/early_signal.c
if grep -q sanitize <<<"$BUILD"; then skip "signals inside MPI_Init: LD_PRELOAD and the sanitizers do not mix"; else
for s in 10 15; do
    for p in 1 3; do
        rm -rf "$WORK"/r.h5*
        what="signal $s inside MPI_Init of the last of $p ranks"
        refuses "$what" 75 "stopped on request: 0 of 36 rows are saved" env SIGNAL_NUMBER=$s SIGNAL_RANK=$((p - 1)) \
            mpirun --oversubscribe --quiet -n $p env LD_PRELOAD="$shim" "$AIPM" run "$WORK/s.yaml"
        check "$what: resumed" mpi $p "$AIPM" run --quiet --resume "$WORK/s.yaml"
        check "$what: the bits of an unbroken run" same "$WORK/whole.h5" "$WORK/r.h5"
    done
done
rm -rf "$WORK"/r.h5*
refuses "without mpirun" 75 "stopped on request: 0 of 36 rows" env SIGNAL_NUMBER=10 SIGNAL_RANK=0 LD_PRELOAD="$shim" "$AIPM" run "$WORK/s.yaml"
fi

# ---- aipm-job, with a queue that notes what comes back and ends the script as a requeue does
mkdir "$WORK/bin"
printf '#!/bin/sh\necho "$@" >>"%s/queue"\nkill -KILL $PPID\n' "$WORK" >"$WORK/bin/scontrol"
program() { printf '#!/bin/sh\n%s\n' "$1" >"$WORK/bin/fake"; chmod +x "$WORK"/bin/*; }
job() {      # restarts; leaves the exit status in rc
    rm -f "$WORK/queue"
    PATH=$WORK/bin:$PATH AIPM=$WORK/bin/fake SLURM_JOB_ID=7 SLURM_RESTART_COUNT=$1 timeout 60 bash slurm/aipm-job "$WORK/s.yaml" \
        >"$WORK/out" 2>&1
    rc=$?
}
requeued() { [ "$(cat "$WORK/queue" 2>/dev/null)" = "requeue 7" ] && [ $rc = 137 ]; }
kept() { [ ! -e "$WORK/queue" ] && [ $rc = "$1" ]; }
rm -rf "$WORK"/r.h5*
for status in 138 143; do
    program "exit $status"
    job 0
    check "a program that exits $status goes back to the queue" requeued
done
program 'kill -USR1 $$'
job 2
check "so does one that USR1 killed" requeued
job 3
check "not after three starts that finished nothing" kept 1
check "which is said" grep -q "3 starts in a row finished nothing" "$WORK/out"
program 'exit 75'
job 0
check "75 without a request and without a row is not tried again" kept 75
program 'kill -USR1 $(ps -o ppid= -p $PPID); sleep 1; exit 75'
job 0
check "75 after a request goes back to the queue, row or none" requeued
program 'exit 1'
job 0
check "an error does not" kept 1
