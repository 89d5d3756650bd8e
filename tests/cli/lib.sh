# Sourced by the shell tests: a scratch folder, one function per expectation, the RESULT line at the end.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/env.sh
TESTS_BUILT=$PWD/$BUILD/tests
WORK=$(mktemp -d "${TMPDIR:-/tmp}/aipm-test.XXXXXX")
PASSED=0 FAILED=0 SKIPPED=0
finish() { rm -rf "$WORK"; echo "RESULT $PASSED $FAILED $SKIPPED"; [ "$FAILED" = 0 ]; }
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
