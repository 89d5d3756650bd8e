#!/usr/bin/env bash
# Two writers of one panel: the second is refused and told by whom; a writer ended by a signal leaves nothing behind, one that was killed
# leaves what the next run takes over.
. "$(dirname "$0")/lib.sh"
long=(--assets 500 --characteristics 40 --periods 3000) x=$WORK/x.h5
temporary() { compgen -G "$x.[0-9a-f]*-*.tmp" >/dev/null; }
not() { ! "$@"; }
# begin COMMAND...: start a writer and wait until it writes
begin() {
    "$@" >"$WORK/log" 2>&1 &
    for _ in $(seq 200); do [ -e "$x.lock" ] && temporary && return; sleep 0.05; done
    bad "no writer: $(cat "$WORK/log")"
}
begin "$AIPM" synth -q -o "$x" "${long[@]}"
first=$!
kill -STOP $first # time stands still for it
refuses "a second writer" 1 "another run holds this path: host $(hostname), process $first," "$AIPM" synth -q -o "$x" --periods 13
refuses "a second writer on two ranks" 1 "process $first," mpi 2 "$AIPM" synth -q -o "$x" --periods 13
printf 'date,A\n200001,1\n200002,2\n200003,3\n' >"$WORK/f.csv"
refuses "ingest as the second" 1 "process $first," "$AIPM" ingest --factors "F=$WORK/f.csv" -o "$x"
check "another path is free" "$AIPM" synth -q -o "$WORK/y.h5" --periods 13
kill -CONT $first
kill -TERM $first
wait
check "nothing left after SIGTERM" test -z "$(find "$WORK" -name 'x.h5*')"
for s in INT HUP; do
    begin env --default-signal=$s "$AIPM" synth -q -o "$x" "${long[@]}" # shells let background jobs ignore SIGINT
    kill -$s $!
    wait
    check "nothing left after SIG$s" test -z "$(find "$WORK" -name 'x.h5*')"
done
begin mpirun --oversubscribe --quiet -n 2 "$AIPM" synth -q -o "$x" "${long[@]}"
kill -TERM $!
wait
check "no temporary left after SIGTERM to mpirun" not temporary # its SIGKILL a second later may meet a rank that waits for the disk
rm -f "$x" "$x".*
begin "$AIPM" synth -q -o "$x" "${long[@]}"
kill -KILL $!
wait
check "a kill leaves the temporary" temporary
"$AIPM" synth -o "$x" --periods 13 >"$WORK/log" 2>&1
check "the next run takes over" grep -q "taken over from a run that ended without a word" "$WORK/log"
check "and leaves the panel alone" test "$(find "$WORK" -name 'x.h5*')" = "$x"
