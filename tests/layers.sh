#!/usr/bin/env bash
# Prove the dependency direction from the objects: base, linalg, panel and models know no MPI, HDF5 or BLACS; only parallel
# knows MPI and BLACS, only io knows HDF5 (io may hand a communicator to HDF5) and what datasets are called; no room includes a header of a room above it.
set -u
obj=$1 bad=0
undefined() {       # FOLDER of a room's objects; one that has lost its source is none of them
    local c
    for c in src/"${1##*/}"/*.c; do nm -u "$1/$(basename "$c" .c).o" 2>/dev/null; done | awk '{print $2}' | sort -u
}
complain() { echo "layers: $1" >&2; bad=1; }
for room in base linalg panel nn models measure ingest study report commands; do
    s=$(undefined "$obj/$room" | grep -E '^(MPI_|H5|Cblacs_|p[sd]sy|descinit_|numroc_)' | tr '\n' ' ')
    [ -z "$s" ] || complain "$room uses $s"
done
s=$(undefined "$obj/parallel" | grep -E '^H5' | tr '\n' ' '); [ -z "$s" ] || complain "parallel uses $s"
s=$(undefined "$obj/io" | grep -E '^(MPI_|Cblacs_)' | tr '\n' ' '); [ -z "$s" ] || complain "io uses $s"
# nobody above io opens a file of ours by path and dataset name
for room in measure study report commands; do
    s=$(undefined "$obj/$room" | grep -E '^(hdf_(open|create|edit|exists|shape|line|list|read|write|dataset|describe|put|get|has)|dataset_|panel_writer_file)' | tr '\n' ' ')
    [ -z "$s" ] || complain "$room opens datasets: $s"
    s=$(grep -nE '"(models|test_assets|benchmarks|groups)/' src/$room/*.c | grep -v '#include' | cut -d: -f1 | sort -u | tr '\n' ' ')
    [ -z "$s" ] || complain "paths of datasets in $s"
done
kinds=$(sed -nE 's/.*_class, model, \.name = "([a-z_]+)".*/\1/p; s/^    \.name = "([a-z_]+)",$/\1/p' src/models/*.c | sort -u | paste -sd '|')
[ "$(tr '|' '\n' <<<"$kinds" | wc -l)" = "$(grep -c '^MODEL' src/models/models.def)" ] || complain "the names of model classes are not found: $kinds"
s=$(grep -lE "\"($kinds)\"" src/report/*.c src/measure/*.c | tr '\n' ' ')
[ -z "$s" ] || complain "$s names a model kind; needed: what its class can do"
order=(base linalg panel parallel nn models measure io ingest study report commands)
for ((i = 0; i < ${#order[@]}; i++)); do
    for ((j = i + 1; j < ${#order[@]}; j++)); do
        s=$(grep -lE "^#include \"${order[j]}/" src/"${order[i]}"/*.c include/"${order[i]}"/*.h 2>/dev/null | tr '\n' ' ')
        [ -z "$s" ] || complain "${order[i]} includes ${order[j]}/: $s"
    done
done
s=$(grep -lE '^#include "ingest/' src/study/*.c src/report/*.c include/study/*.h include/report/*.h 2>/dev/null | tr '\n' ' ')
[ -z "$s" ] || complain "only commands know ingest, but: $s"
[ "$bad" = 0 ] && echo "layers: base < linalg < panel < parallel < nn < models < measure < io < (ingest | study < report) < commands holds"
exit $bad
