#!/usr/bin/env bash
# Do the tests notice? Every change of `table` is made to a copy of the tree, built, and judged by the tests that the table names for it.
#     tests/mutants/run.sh [--applies] [ID ...]      all changes, or those whose id begins so;   JOBS=2 of them at once
# --applies only asks whether each change still fits the source. The tree itself is never touched. Exit 1: a change no longer fits or does
# not build, a named test fails without any change, or fewer than 95% of the changes are noticed.
#
# A line of `table` holds, between tabs: id (ROOM-WHAT), file, tests (- where none can notice), old text, new text, and for a change
# that is known to survive the reason; no column but the last is empty. The old text stands exactly once in the file. Lines of one id
# that follow each other are one change. Tests are unit/NAME, mpi/NAME.RANKS and cli/NAME; the first that fails, or takes ten times as
# long as it should, ends the matter.
set -u
cd "$(dirname "$0")/../.." || exit 2
TABLE=$PWD/tests/mutants/table NEEDED=95 JOBS=${JOBS:-2} applies=
export HISTORIES=20000     # of the simulated disk: enough for its changes, a fifth of make check's
[ "${1:-}" = --applies ] && applies=1 && shift
lines() { grep -v '^#' "$TABLE" | grep .; }
chosen() {     # ID WANTED...: is it asked for?
    local id=$1 want
    shift
    for want in "$@"; do [ "${id#"$want"}" != "$id" ] && return 0; done
    [ $# = 0 ]
}
ids() { lines | cut -f 1 | uniq | while read -r id; do chosen "$id" "$@" && echo "$id"; done; }
of() { lines | awk -F '\t' -v id="$1" -v column="$2" '$1 == id { print $column; exit }'; }
mapfile -t all < <(ids "$@")
[ ${#all[@]} -gt 0 ] || { echo "mutants: no change of the table begins so" >&2; exit 2; }

# ---- does every line still fit? -------------------------------------------------------------------------------------------
exists() {
    case $1 in
        -) ;;
        unit/*) [ -e "tests/$1.c" ] ;;
        mpi/*.[1-9]) [ -e "tests/${1%.*}.c" ] ;;
        cli/*) [ -e "tests/$1.sh" ] ;;
        *) false ;;
    esac
}
fits() {
    local bad=0 id file tests old new reason n t
    while IFS=$'\t' read -r id file tests old new reason; do
        chosen "$id" "$@" || continue
        if [ -z "$new" ]; then echo "$id: fewer than five columns"; bad=1; continue; fi
        n=$(grep -oF -- "$old" "$file" 2>/dev/null | wc -l)
        [ "$n" = 1 ] || { echo "$id: $file holds the old text $n times, not once: $old"; bad=1; }
        [ "$old" != "$new" ] || { echo "$id: old and new text are the same"; bad=1; }
        [ "$tests" != - ] || [ -n "$reason" ] || { echo "$id: neither tests nor a reason"; bad=1; }
        for t in $tests; do exists "$t" || { echo "$id: there is no test $t"; bad=1; }; done
    done < <(lines)
    lines | cut -f 1 | uniq | sort | uniq -d | grep . && { echo "mutants: the ids above come twice"; bad=1; }
    return $bad
}
fits "$@" || exit 1
[ -z "$applies" ] || { echo "${#all[@]} changes fit the source"; exit 0; }

# ---- a copy of the tree for each worker: sources with their times, objects and tests as built -------------------------------
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/aipm-mutants.XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$SCRATCH"' EXIT
trap 'exit 130' INT TERM
cp "$TABLE" "$SCRATCH/table" && TABLE=$SCRATCH/table     # the tree may go on changing
copy() {
    mkdir -p "$1/build" "$1/kept"
    git ls-files -z --cached --others --exclude-standard | xargs -0 cp -p --parents -t "$1" 2>/dev/null
    cp -a build/obj build/tests build/libaipm.a build/aipm "$1/build"
}
targets() {    # TEST: what make must bring up to date for it
    case $1 in
        unit/*) echo "build/tests/$1" ;;
        mpi/*) echo "build/tests/${1%.*}" ;;
        cli/*)
            echo build/aipm
            for tool in tests/tools/*.c; do echo "build/tests/tools/$(basename "$tool" .c)"; done
            grep -ho 'tests/\(mpi\|unit\)/test_[a-z_]*' "tests/$1.sh" | sed 's,^,build/,' ;;
    esac
}
build() { make $(for t in "$@"; do targets "$t"; done) >make.log 2>&1; }
one() {        # TEST SECONDS: its exit status; 124 or 137 by time
    case $1 in
        unit/*) set -- "$2" "build/tests/$1" ;;
        mpi/*) set -- "$2" mpirun --oversubscribe --quiet -n "${1##*.}" "build/tests/${1%.*}" ;;
        cli/*) set -- "$2" bash "tests/$1.sh" ;;
    esac
    { timeout -k 5 "$@" </dev/null; } >test.log 2>&1 || return
    grep -a '^RESULT ' test.log | tail -n 1 | awk '{ failed = $3 } END { exit !NR || failed != 0 }'     # as tests/run.sh counts
}
time_of() { echo "$SCRATCH/time.${1//\//.}"; }

# One change in a worker's copy: `id, verdict, detail` on stdout. The source put back is newer than its object, so make sees to that.
change() {
    local id=$1 file tests old new verdict=survived detail=- files t rc
    tests=$(of "$id" 3)
    lines | awk -F '\t' -v id="$id" '$1 == id' >changes
    files=$(cut -f 2 changes | sort -u)
    cp --parents -t kept $files
    while IFS=$'\t' read -r _ file _ old new _; do
        OLD=$old NEW=$new awk '{ i = index($0, ENVIRON["OLD"])
            if (i) $0 = substr($0, 1, i - 1) ENVIRON["NEW"] substr($0, i + length(ENVIRON["OLD"])); print }' "$file" >changed
        cat changed >"$file"
    done <changes
    if ! build ${tests#-}; then verdict=unbuilt detail=$(grep -m 1 error make.log)
    else
        for t in ${tests#-}; do
            one "$t" $(($(cat "$(time_of "$t")") * 10 + 20))
            rc=$?
            [ $rc = 0 ] && continue
            verdict=killed detail=$t
            if [ $rc = 124 ] || [ $rc = 137 ]; then detail="$t, by the time it took"; fi
            break
        done
    fi
    for file in $files; do cp "kept/$file" "$file"; done
    printf '%s\t%s\t%s\n' "$id" "$verdict" "$detail"
}
unchanged() {  # WORKER: how long every JOBS-th test takes where nothing is changed
    local tests t began
    cd "$SCRATCH/$1" && . tests/env.sh || return
    mapfile -t tests < <(for id in "${all[@]}"; do of "$id" 3; done | tr ' ' '\n' | sort -u | grep -vx -e -)
    for ((i = $1; i < ${#tests[@]}; i += JOBS)); do
        t=${tests[i]} began=$SECONDS
        if build "$t" && one "$t" 600; then echo $((SECONDS - began + 1)) >"$(time_of "$t")"
        else touch "$SCRATCH/failed"; echo "mutants: $t fails without any change" >&2; tail -n 20 make.log test.log >&2; fi
    done
}
work() {       # WORKER: every JOBS-th change
    cd "$SCRATCH/$1" && . tests/env.sh || return
    for ((i = $1; i < ${#all[@]}; i += JOBS)); do
        change "${all[i]}" | tee -a "$SCRATCH/said" | awk -F '\t' '{ printf "  %-9s %-36s %s\n", $2, $1, $3; fflush() }'
    done
}

make --no-print-directory tests >/dev/null || exit 1
for ((w = 0; w < JOBS; w++)); do copy "$SCRATCH/$w"; done
for ((w = 0; w < JOBS; w++)); do unchanged "$w" & done
wait
[ ! -e "$SCRATCH/failed" ] || exit 1
for ((w = 0; w < JOBS; w++)); do work "$w" & done
wait

# ---- the totals -----------------------------------------------------------------------------------------------------------
printf '\n  %-10s %8s %8s\n' room changes killed
sort "$SCRATCH/said" | awk -F '\t' '{ sub(/-.*/, "", $1); n[$1]++; k[$1] += $2 == "killed"; if (n[$1] == 1) room[++rooms] = $1 }
    END { for (r = 1; r <= rooms; r++) printf "  %-10s %8d %8d\n", room[r], n[room[r]], k[room[r]] }'
grep -v $'\tkilled\t' "$SCRATCH/said" | while IFS=$'\t' read -r id verdict detail; do
    reason=$(of "$id" 6)
    [ "$verdict" = unbuilt ] && reason=$detail
    echo "$verdict: $id: ${reason:-no reason is known}"
done
awk -F '\t' -v needed=$NEEDED -v all=${#all[@]} '{ k += $2 == "killed"; u += $2 == "unbuilt" }
    END { printf "%d of %d changes killed, %.1f%% (needed: %d%%)\n", k, all, 100 * k / all, needed
          exit u || NR != all || 100 * k < needed * all }' "$SCRATCH/said"
