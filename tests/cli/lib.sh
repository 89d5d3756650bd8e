# Sourced by the shell tests: a scratch folder, one function per expectation, the RESULT line at the end.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/env.sh
TESTS_BUILT=$PWD/$BUILD/tests
WORK=$(mktemp -d "${TMPDIR:-/tmp}/aipm-test.XXXXXX")
PASSED=0 FAILED=0 SKIPPED=0
finish() { rm -rf "$WORK"; echo "RESULT $PASSED $FAILED $SKIPPED"; [ "$FAILED" = 0 ] || exit 1; }
trap finish EXIT
ok() { PASSED=$((PASSED + 1)); echo "ok: $1"; }
bad() { FAILED=$((FAILED + 1)); echo "FAILED: $1"; }
skip() { SKIPPED=$((SKIPPED + 1)); echo "skipped: $1"; }
same() { "$TESTS_BUILT/tools/same" "$@"; }      # two HDF5 files hold the same bits, all results or under a third argument
check() { local what=$1; shift; if "$@"; then ok "$what"; else bad "$what: $*"; fi; }
mpi() { local n=$1; shift; mpirun --oversubscribe --quiet -n "$n" "$@"; }
# refuses NAME STATUS TEXT COMMAND...: ends within 20 s with STATUS and says TEXT
refuses() {
    local name=$1 status=$2 text=$3 out rc
    shift 3
    if [ "$1" = mpi ]; then set -- mpirun --oversubscribe --quiet -n "${@:2}"; fi
    out=$(timeout 20 "$@" 2>&1); rc=$?
    if [ "$rc" != "$status" ]; then bad "$name: exit $rc, not $status: $out"
    elif ! grep -qF -- "$text" <<<"$out"; then bad "$name: does not say '$text': $out"
    else ok "$name"; fi
}

# For studies of networks, given a function `study NAME [LINES]` that writes $WORK/NAME.yaml with four shards.
pair() { same "$WORK/$1.h5" "$WORK/$2.h5"; }
same_on_any_team() {     # leaves $WORK/one.h5
    local s
    study one
    check "one rank" mpi 1 "$AIPM" run "$WORK/one.yaml"
    study teams "ranks_per_fit: 4"
    check "a team of four" mpi 4 "$AIPM" run "$WORK/teams.yaml"
    check "the same numbers" pair one teams
    study split "ranks_per_fit: 2"
    check "three ranks in teams of two and one" mpi 3 "$AIPM" run "$WORK/split.yaml"
    check "the same numbers" pair one split
    for s in one teams split; do [ ! -e "$WORK/$s.h5.parts" ] || bad "$s left its parts"; done
}
same_when_stopped() {    # SED: makes the fits longer; stopped again and again inside fits (a checkpoint at every step), on other ranks
    local n resume= rc=75 starts=0 states
    study stops
    sed -i "$1" "$WORK/stops.yaml"
    sed 's/stops/whole/' "$WORK/stops.yaml" >"$WORK/whole.yaml"
    check "an unbroken run" mpi 2 "$AIPM" run "$WORK/whole.yaml"
    for n in 1 2 1 3 2; do
        mpi $n timeout -s USR1 -k 20 0.$((RANDOM % 5 + 5)) "$AIPM" run $resume --checkpoint-seconds 0 "$WORK/stops.yaml" >>"$WORK/stops.log" 2>&1
        rc=$? starts=$((starts + 1)) resume=--resume
        [ -e "$WORK/stops.h5" ] && break
    done
    states=$(find "$WORK/stops.h5.parts" -name '*.state' 2>/dev/null | wc -l)
    [ -e "$WORK/stops.h5" ] || mpi 2 "$AIPM" run --resume "$WORK/stops.yaml" >>"$WORK/stops.log" 2>&1
    check "$starts stopped starts (last exit $rc, $states states left), finished" test -e "$WORK/stops.h5"
    check "the same numbers as unbroken" pair whole stops
}
