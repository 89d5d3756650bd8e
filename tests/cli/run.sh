#!/usr/bin/env bash
# aipm run as its users meet it: the same bits on any number of ranks, kills and resumes, refusals.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -o "$WORK/p.h5" --assets 120 --characteristics 12 --periods 150 --seed 3 2>/dev/null || bad "synth"
cat >"$WORK/s.yaml" <<Y
study: cli
panel: $WORK/p.h5
output: $WORK/r.h5
window: 40
universes: [all, small]
models:
  - {name: bsv, kind: bsv}
  - {name: linear, kind: linear_transformer, heads: [1, 2, 4, 8, 12], window: [40, 60]}
Y
check "one rank" mpi 1 "$AIPM" run "$WORK/s.yaml"
for p in 2 3 5; do
    mpi $p "$AIPM" run "$WORK/s.yaml" -o "$WORK/r$p.h5" 2>/dev/null
    check "same bits on $p ranks" same "$WORK/r.h5" "$WORK/r$p.h5"
done
"$AIPM" run "$WORK/s.yaml" -o "$WORK/alone.h5" 2>/dev/null
check "same bits without mpirun" same "$WORK/r.h5" "$WORK/alone.h5"
check "no parts are left" test ! -e "$WORK/r.h5.parts"
check "the log has the last line" grep -q "620 of 620 rows" "$WORK/r.h5.log"

# a slower study to interrupt: more ridges
sed 's/^window: 40/window: 40\nridge: {from: -60, to: 3}/' "$WORK/s.yaml" >"$WORK/slow.yaml"
mpi 2 "$AIPM" run "$WORK/slow.yaml" -o "$WORK/whole.h5" 2>/dev/null
# wait until part logs hold something, then send SIGNAL to the program's ranks under RUN
interrupt() {   # results, signal, target (mpirun or rank)
    mpirun --oversubscribe --quiet -n 2 "$AIPM" run "$WORK/slow.yaml" -o "$1" >"$WORK/out" 2>&1 &
    local run=$! ranks
    for _ in $(seq 500); do
        [ -n "$(find "$1.parts" -name '*.rows' -size +100k 2>/dev/null)" ] && break
        sleep 0.02
    done
    if [ "$3" = mpirun ]; then kill "-$2" $run
    else ranks=$(pgrep -P $run); kill "-$2" $(tail -n 1 <<<"$ranks"); fi
    wait $run
}
interrupt "$WORK/k.h5" USR1 mpirun; rc=$?
check "USR1 exits 75 (found $rc)" test $rc = 75
check "parts stay" test "$(echo "$WORK"/k.h5.parts/*/skeleton.h5)" -nt "$WORK/slow.yaml"
check "no results yet" test ! -e "$WORK/k.h5"
refuses "a run under way is not overwritten" 1 "needed: --resume" mpi 2 "$AIPM" run "$WORK/slow.yaml" -o "$WORK/k.h5"
sed 's/to: 3/to: 2/' "$WORK/slow.yaml" >"$WORK/other.yaml"
refuses "a changed study is not resumed" 1 "now   : ridge" mpi 2 "$AIPM" run "$WORK/other.yaml" -o "$WORK/k.h5" --resume
sed 's/heads: \[1, 2/heads: [2/' "$WORK/slow.yaml" >"$WORK/other.yaml"
refuses "changed heads are not resumed" 1 "heads=2,4" mpi 2 "$AIPM" run "$WORK/other.yaml" -o "$WORK/k.h5" --resume
"$AIPM" synth -o "$WORK/p2.h5" --assets 120 --characteristics 12 --periods 150 --seed 4 2>/dev/null
refuses "another panel is not resumed" 1 "before: panel" mpi 2 "$AIPM" run "$WORK/slow.yaml" --panel "$WORK/p2.h5" -o "$WORK/k.h5" --resume
mpi 3 "$AIPM" run "$WORK/slow.yaml" -o "$WORK/k.h5" --resume 2>"$WORK/out"
check "resume says what was done" grep -q "resuming: [1-9]" "$WORK/out"
check "same bits after USR1 and resume on 3 ranks" same "$WORK/whole.h5" "$WORK/k.h5"
check "resuming a complete run does nothing" mpi 2 "$AIPM" run "$WORK/slow.yaml" -o "$WORK/k.h5" --resume
interrupt "$WORK/t.h5" TERM rank; rc=$?
check "TERM at one rank stops all with 75 (found $rc)" test $rc = 75
mpi 1 "$AIPM" run "$WORK/slow.yaml" -o "$WORK/t.h5" --resume 2>/dev/null
check "same bits after TERM and resume on 1 rank" same "$WORK/whole.h5" "$WORK/t.h5"
interrupt "$WORK/9.h5" KILL rank 2>/dev/null
mpi 2 "$AIPM" run "$WORK/slow.yaml" -o "$WORK/9.h5" --resume 2>"$WORK/out"
check "rows survive SIGKILL" grep -q "resuming: [1-9]" "$WORK/out"
check "same bits after SIGKILL and resume" same "$WORK/whole.h5" "$WORK/9.h5"

refuses "no study" 2 "needed: a study file" mpi 2 "$AIPM" run
refuses "unknown option" 2 "nonsense" mpi 2 "$AIPM" run --nonsense "$WORK/s.yaml"
refuses "missing study file" 1 "no.yaml: cannot be read" mpi 2 "$AIPM" run "$WORK/no.yaml"
refuses "missing panel" 1 "no.h5" mpi 2 "$AIPM" run "$WORK/s.yaml" --panel "$WORK/no.h5"
check "help teaches" grep -q "A study file names" <("$AIPM" run --help)
check "explain lists options" grep -q "head counts to report" <("$AIPM" run --explain)
refuses "output folder cannot be made" 1 "/proc/nowhere" mpi 2 "$AIPM" run "$WORK/s.yaml" -o /proc/nowhere/r.h5

# what stands at the output's place
cp "$WORK/p.h5" "$WORK/p3.h5"
refuses "the panel is not overwritten" 1 "is the panel" mpi 2 "$AIPM" run "$WORK/s.yaml" --panel "$WORK/p3.h5" -o "$WORK/./p3.h5"
check "the panel is whole" cmp -s "$WORK/p.h5" "$WORK/p3.h5"
refuses "another panel is not overwritten" 1 "is no results file" mpi 2 "$AIPM" run "$WORK/s.yaml" -o "$WORK/p3.h5"
mkdir "$WORK/folder"
refuses "a folder, before any training" 1 "is a folder" mpi 2 "$AIPM" run "$WORK/s.yaml" -o "$WORK/folder"
refuses "an empty name" 1 "found an empty name" mpi 2 "$AIPM" run "$WORK/s.yaml" -o ""
check "nothing beside the folder" test ! -e "$WORK/folder.parts" -a ! -e "$WORK/folder.lock"
refuses "a complete run of another study" 1 "is complete, but of another study" mpi 2 "$AIPM" run "$WORK/s.yaml" -o "$WORK/k.h5" --resume
interrupt "$WORK/l.h5" USR1 mpirun
rm "$WORK"/l.h5.parts/*/skeleton.h5      # as a kill leaves it while a finished run cleans up
mpi 2 "$AIPM" run "$WORK/s.yaml" -o "$WORK/l.h5" 2>/dev/null
check "rows of another study are not taken up" same "$WORK/r.h5" "$WORK/l.h5"
check "leftover parts are removed" test ! -e "$WORK/l.h5.parts"
mkdir "$WORK/f.h5.parts" && touch "$WORK/f.h5.parts/skeleton.h5"
refuses "what is no run's stays" 1 "f.h5.parts: found what is no run of this version" mpi 2 "$AIPM" run "$WORK/s.yaml" -o "$WORK/f.h5"
check "it is still there" test -e "$WORK/f.h5.parts/skeleton.h5"
