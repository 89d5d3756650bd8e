#!/usr/bin/env bash
# Symbolic links planted where a command writes, at the destination and beside it: what they lead to stays as it was.
. "$(dirname "$0")/lib.sh"
cd "$WORK" || exit 1
echo precious >victim
plant() { local p; for p in "$@"; do rm -f "$p" "$p.tmp"; ln -s "$WORK/victim" "$p"; ln -s "$WORK/victim" "$p.tmp"; done; }
spared() {     # NAME, files that must be plain now
    local name=$1 f plain=yes; shift
    for f in "$@"; do [ -f "$f" ] && [ ! -L "$f" ] || plain="no: $f"; done
    check "$name: the victim is spared" test "$(cat victim)" = precious
    check "$name: its files are there and its own" test "$plain" = yes
    echo precious >victim
}
plant p.h5
"$AIPM" synth -q -o p.h5 --assets 30 --characteristics 4 --periods 40 || bad synth
spared synth p.h5
printf 'study: s\npanel: p.h5\noutput: r.h5\nwindow: 20\nmodels:\n  - {name: m, kind: linear_transformer, heads: [1]}\n' >s.yaml
printf 'date,A\n200001,1\n200002,2\n200003,3\n' >f.csv
plant f.h5
"$AIPM" ingest --factors "F=f.csv" -o f.h5 >out 2>&1 || cat out
spared ingest f.h5
plant r.h5
left=r.h5.parts/0123456789abcdef      # the leftover of a removal, by its looks
mkdir -p $left precious.d && echo rows >precious.d/rows && plant $left/history $left/g0001-r000000.rows && ln -s "$PWD/precious.d" $left/d
rm -f r.h5 && plant r.h5.log
"$AIPM" run s.yaml >out 2>&1 || cat out
spared run r.h5
check "run: no folder is emptied through a link" test "$(cat precious.d/rows)" = rows
check "run: nothing is left of its parts" test ! -e r.h5.parts
plant other.h5
refuses "run does not take a link to something else for its results" 1 "stands in the results' place" "$AIPM" run s.yaml -o other.h5
spared "run, refused"
mkdir r.tables && plant r.tables/{summary,sharpe}.{csv,md,tex}
"$AIPM" analyze r.h5 -o r.tables >out 2>&1 || cat out
spared analyze
mkdir r.report && plant r.report/index.html
"$AIPM" report r.h5 -o r.report >out 2>&1 || cat out
spared report r.report/index.html
for f in r.report/*/*.gp; do plant "${f%.gp}".{log,gp,dat,pdf,svg} "${f%.gp}-phone.svg"; done
"$AIPM" report r.h5 -o r.report >out 2>&1 || cat out
spared figures r.report/*/*.gp r.report/*/*.dat
plant s.sbatch one.yaml
"$AIPM" plan s.yaml --sbatch=s.sbatch --cores 2 >out 2>&1 || cat out
spared plan s.sbatch
"$AIPM" sweep s.yaml --set window=15,20 -o one.yaml >out 2>&1 || cat out
spared sweep one.yaml
