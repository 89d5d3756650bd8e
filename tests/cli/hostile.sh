#!/usr/bin/env bash
# Panels that HDF5 reads and this program must not: parts in other files, cycles, what was never written, impossible values. Every rank ends
# with 1 within seconds and one message says why.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -q -o "$WORK/good.h5" --assets 20 --characteristics 4 --periods 40
printf 'window: 24\nmodels: [{name: bsv, kind: bsv}]\n' >"$WORK/s.yaml"
case_of() {      # tool, what, the place and the reason that the message must hold
    cp "$WORK/good.h5" "$WORK/bad.h5"
    "$TESTS_BUILT/tools/$1" "$WORK/bad.h5" "$2" || bad "$1 $2"
    for p in 1 3; do
        refuses "$2 on $p ranks" 1 "$3" mpi $p "$AIPM" run "$WORK/s.yaml" --panel "$WORK/bad.h5" -o "$WORK/r.h5"
    done
    check "$2: nothing left" test -z "$(find "$WORK" -name 'r.h5*')"
}
case_of hostile soft-link "bad.h5: /truth/outside is a link that leaves the tree"
case_of hostile external-link "bad.h5: /outside is a link that leaves the tree"
case_of hostile cycle "lies too deep: 32 groups are the most"
case_of hostile deep "lies too deep: 32 groups are the most"
case_of hostile external-storage "bad.h5: /returns keeps its data in another file"
case_of hostile virtual "bad.h5: /returns is a virtual dataset"
case_of hostile odd-type "bad.h5: /returns holds numbers of no standard type"
case_of hostile filter "bad.h5: /returns passes through a filter: found filter 5"
case_of hostile unwritten-chunks "bad.h5: /returns lacks a chunk"
case_of hostile unwritten "returns declares"
case_of hostile huge "bad.h5: /returns lacks a chunk"
case_of spoil no-such-day "20010231 is not a date"
case_of spoil lost-more "dataset returns has -1.5"
case_of spoil large-return "dataset returns has 2e+06"

# results that HDF5 reads and no run has written
"$AIPM" run --quiet "$WORK/s.yaml" --panel "$WORK/good.h5" -o "$WORK/good-r.h5" || bad "no results"
case_of_results() {      # what, where, value, the place and the reason that the message must hold
    cp "$WORK/good-r.h5" "$WORK/bad-r.h5"
    "$TESTS_BUILT/tools/relabel" "$WORK/bad-r.h5" "$1" "$2" "$3" || bad "$2"
    for command in "analyze" "report" "info"; do
        refuses "$command: $2 $3" 1 "$4" "$AIPM" $command "$WORK/bad-r.h5" $([ $command = info ] || echo "-o $WORK/tables")
    done
    check "$2 $3: nothing left" test ! -e "$WORK/tables"
}
case_of_results real models/all/bsv/returns inf "bad-r.h5: models/all/bsv/returns, date "
case_of_results real models/all/bsv/returns 1e308 "found 1e+308; needed: at most 1e+50"
case_of_results int models/all/bsv:first_row 99 "attribute first_row of models/all/bsv: found 99; needed: 0 to 16"
case_of_results int models/all/bsv:window -5 "attribute window of models/all/bsv: found -5; needed: 1 to"
cp "$WORK/good.h5" "$WORK/bad.h5"
"$TESTS_BUILT/tools/relabel" "$WORK/bad.h5" text frequency "$(head -c 60000 /dev/zero | tr '\0' x)" || bad "frequency"
refuses "a frequency of 60,000 characters" 1 "attribute frequency has 60000 characters; needed: 1 to 64" "$AIPM" run "$WORK/s.yaml" --panel "$WORK/bad.h5" -o "$WORK/r.h5"
