#!/usr/bin/env bash
# Panels with one thing wrong: every rank ends with 1 within seconds, one message says file, place, found, needed; nothing is left.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -q -o "$WORK/good.h5" --assets 40 --characteristics 5 --periods 60
cat >"$WORK/s.yaml" <<Y
window: 24
models:
  - {name: bsv, kind: bsv}
Y
case_of() {      # what, what the message must say
    cp "$WORK/good.h5" "$WORK/bad.h5"
    "$BUILD/tests/tools/spoil" "$WORK/bad.h5" "$1" || bad "spoil $1"
    for p in 1 3; do
        refuses "$1 on $p ranks" 1 "$2" mpi $p "$AIPM" run "$WORK/s.yaml" --panel "$WORK/bad.h5" -o "$WORK/r.h5"
        check "$1: nothing left" test -z "$(find "$WORK" -name 'r.h5*')"
    done
    n=$(mpirun --oversubscribe --quiet -n 3 "$AIPM" run "$WORK/s.yaml" --panel "$WORK/bad.h5" -o "$WORK/r.h5" 2>&1 | grep -cF "$2")
    check "$1: said once (found $n)" test "$n" = 1
}
case_of nan-characteristic "bad.h5"
case_of large-characteristic "0.75"
case_of inf-return "returns"
case_of ids-order "asset_ids"
case_of dates-order "dates"
case_of offsets-order "offsets"
case_of offsets-past "offsets"
head -c 20000 "$WORK/good.h5" >"$WORK/bad.h5"
refuses "truncated" 1 "bad.h5" mpi 3 "$AIPM" run "$WORK/s.yaml" --panel "$WORK/bad.h5" -o "$WORK/r.h5"
echo "not HDF5" >"$WORK/bad.h5"
refuses "not HDF5" 1 "bad.h5" mpi 3 "$AIPM" run "$WORK/s.yaml" --panel "$WORK/bad.h5" -o "$WORK/r.h5"
: >"$WORK/bad.h5"
refuses "empty" 1 "bad.h5" mpi 3 "$AIPM" run "$WORK/s.yaml" --panel "$WORK/bad.h5" -o "$WORK/r.h5"
refuses "a results file for a panel" 1 "panel" bash -c "mpirun --quiet --oversubscribe -n 2 '$AIPM' run --quiet '$WORK/s.yaml' --panel '$WORK/good.h5' -o '$WORK/q.h5' && mpirun --quiet --oversubscribe -n 2 '$AIPM' run '$WORK/s.yaml' --panel '$WORK/q.h5' -o '$WORK/r.h5'"
check "nothing left" test ! -e "$WORK/r.h5" -a ! -e "$WORK/r.h5.parts"
# a disk that fills up: rows finished before it stay and are resumed
if [ "$(id -u)" = 0 ] && mkdir "$WORK/small" && mount -t tmpfs -o size=160k none "$WORK/small" 2>/dev/null; then
    sed 's/window: 24/window: 24\nridge: {from: -200, to: 100}/' "$WORK/s.yaml" >"$WORK/wide.yaml"
    "$AIPM" run --quiet "$WORK/wide.yaml" --panel "$WORK/good.h5" -o "$WORK/whole.h5"
    refuses "full disk" 1 "small" mpi 2 "$AIPM" run "$WORK/wide.yaml" --panel "$WORK/good.h5" -o "$WORK/small/r.h5"
    check "no results on the full disk" test ! -e "$WORK/small/r.h5"
    mount -o remount,size=8m "$WORK/small"
    check "resumed with room" mpi 2 "$AIPM" run --quiet "$WORK/wide.yaml" --panel "$WORK/good.h5" -o "$WORK/small/r.h5" --resume
    check "same bits after a full disk" same "$WORK/whole.h5" "$WORK/small/r.h5"
    umount "$WORK/small"
else
    skip "full disk: needs root and tmpfs"
fi
