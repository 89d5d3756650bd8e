#!/usr/bin/env bash
# aipm report: its figures are there, its page needs nothing beside it and says what the tables say, and bad input is refused.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
"$python" -c 'import numpy, h5py' 2>/dev/null || { skip "python3-numpy and python3-h5py are not installed"; exit 0; }
tool=$PWD/tests/cli/results.py
cd "$WORK" || exit 1
"$python" "$tool" make demo.h5 || exit 1
command -v gnuplot >/dev/null || skip "gnuplot is not installed: figures are not drawn"

"$AIPM" report demo.h5 2>err.txt
check "report" test $? = 0
check "page, figures, uncertainty, trading against numpy" "$python" "$tool" page demo.h5 demo.report
check "nothing half-written" test -z "$(find . -name '*.tmp')"
check "a second sample" test -s demo.report/tables/table1-performance-since-2003.tex -a -s demo.report/tables/since-2003/alphas.csv
check "a heading once" test "$(grep -c '<h3>Since 2003' demo.report/index.html)" = 1
"$AIPM" report demo.h5 -o again 2>/dev/null
check "the same tables again" diff -r demo.report/tables again/tables
check "the tables of analyze" bash -c "'$AIPM' analyze demo.h5 -o tables >/dev/null 2>&1 && for t in tables/*; do cmp \$t demo.report/\$t || exit 1; done"

if command -v pdflatex >/dev/null; then
    { echo '\documentclass{article}\usepackage[utf8]{inputenc}\usepackage{booktabs}\usepackage[landscape]{geometry}\begin{document}'
      for t in demo.report/tables/*.tex; do [ "$(wc -l <"$t")" -lt 60 ] && echo "\\input{$t}\\clearpage"; done; echo '\end{document}'; } >all.tex
    check "LaTeX compiles" bash -c 'pdflatex -interaction=nonstopmode -halt-on-error all.tex >latex.txt'
else skip "pdflatex is not installed"; fi
if command -v gnuplot >/dev/null; then
    (cd demo.report/figures && rm cumulative-all.svg && gnuplot cumulative-all.gp)
    check "a user draws a figure again from its script" test -s demo.report/figures/cumulative-all.svg
fi
mkdir empty-path && ln -s "$(command -v env)" empty-path/env
PATH=empty-path "$AIPM" report demo.h5 -o bare --bootstrap 50 2>bare.txt
check "without gnuplot: exit 0, said" bash -c "test $? = 0 && grep -q 'gnuplot is not installed' bare.txt && grep -q 'Not drawn: gnuplot is not installed' bare/index.html"
check "without gnuplot: data and scripts" test -s bare/figures/cumulative-all.dat -a -s bare/figures/cumulative-all.gp -a ! -e bare/figures/cumulative-all.svg

"$python" "$tool" make other.h5
"$AIPM" report demo.h5 other.h5 -o both --bootstrap 100 2>/dev/null
check "several results" test -s both/demo/tables/alphas.csv -a -s both/other/figures/cumulative-all.dat -a -s both/tables/comparison.csv
check "a file against itself" "$python" -c "
import csv; rows = [r for r in csv.DictReader(open('both/tables/comparison.csv')) if r['results'] == 'other']
assert len(rows) == 5 and all(abs(float(r['correlation_with_first']) - 1) < 1e-12 and abs(float(r['sharpe_difference'])) < 1e-12 for r in rows)"

# a run under way: slow enough to be looked at
"$AIPM" synth -o slow-panel.h5 --assets 60 --characteristics 6 --periods 90 --seed 3 2>/dev/null
cat >slow.yaml <<Y
study: slow
panel: slow-panel.h5
output: slow.h5
window: 40
models:
  - {name: bsv, kind: bsv}
  - {name: mlp, kind: mlp, hidden: [64], seeds: 4, epochs: 400}
Y
"$AIPM" run slow.yaml >/dev/null 2>&1 &
run=$!
for ((i = 0; i < 100; i++)); do "$AIPM" report slow.h5 -o half --bootstrap 50 2>half.txt && break; sleep 0.1; done
if [ -e slow.h5 ]; then skip "the run was over before it was looked at"
else
    check "a run under way is reported" grep -q 'Run under way: [1-9]' half/index.html
    check "and said on the terminal" grep -q 'run under way' half.txt
    check "info and analyze read it, too" bash -c "'$AIPM' info slow.h5 | grep -q 'run under way' && '$AIPM' analyze slow.h5 -o part | grep -q 'Run under way'"
fi
kill -TERM $run 2>/dev/null; wait $run

# attention at a date: what inspect reads, as a heat map of leaders and followers
cat >attention.yaml <<Y
study: attention
panel: slow-panel.h5
output: attention.h5
window: 85
models:
  - {name: tf, kind: transformer, feedforward: 8, epochs: 4, learning_rate: 1.0e-2, save_parameters: true}
  - {name: bare, kind: transformer, feedforward: 8, epochs: 1}
Y
"$AIPM" run attention.yaml 2>/dev/null
date=$(ls attention.h5.parameters/all/tf/seed=0 | sed -n "2s/.h5//p")
"$AIPM" report attention.h5 --attention "$date" --bootstrap 20 2>/dev/null
"$AIPM" inspect attention.h5 --date "$date" --links 20 >/dev/null
a=attention.report/tables/attention-all-tf
check "attention: what inspect reads" bash -c "cmp attention.attention/links.csv $a-links.csv && cmp attention.attention/assets.csv $a-assets.csv"
check "attention: its map" "$python" -c "
import csv
table = lambda name: list(csv.DictReader(open(name)))
cells, assets, links = table('$a-map.csv'), table('$a-assets.csv'), table('$a-links.csv')
leaders, followers = list(dict.fromkeys(c['leader'] for c in cells)), list(dict.fromkeys(c['follower'] for c in cells))
weight = {(c['follower'], c['leader']): c['weight'] for c in cells}
assert len(cells) == 225 and leaders == [r['asset'] for r in assets[:15]], 'leaders receive most'
given = [sum(float(weight[f, l] or 0) for l in leaders) for f in followers]
assert given == sorted(given, reverse=True), 'followers give most, in order'
assert all((c['weight'] == '') == (c['leader'] == c['follower']) for c in cells), 'an asset on itself is left out'
assert all(abs(float(c['times_even']) - len(assets) * float(c['weight'])) < 1e-9 for c in cells if c['weight']), 'multiples of even'
shared = [r for r in links if (r['asset'], r['attends_to']) in weight]
assert len(shared) > 3 and all(weight[r['asset'], r['attends_to']] == r['weight'] for r in shared), 'weights as in the links'"
check "attention: in the page" grep -q "<h3>Attention: tf, all, ${date:0:4}-${date:4:2}-${date:6:2}</h3>" attention.report/index.html
command -v gnuplot >/dev/null && check "attention: drawn" test -s attention.report/figures/attention-all-tf.pdf -a -s attention.report/figures/attention-all-tf.svg -a ! -e attention.report/figures/attention-all-bare.svg
command -v gnuplot >/dev/null && check "five periods, no HJD: every figure is drawn, or says why a panel is empty" bash -c "! grep -qE '^Not drawn|Not drawn:' attention.report/index.html && grep -q 'no HJD in this sample' attention.report/figures/performance.svg"
rm -r attention.h5.parameters
check "attention without parameters: exit 0" "$AIPM" report attention.h5 --attention "$date" -o no-parameters --bootstrap 20
check "attention without parameters: how to get them" grep -q 'no parameters are saved: give the transformer save_parameters: true' no-parameters/index.html
mkdir -p attention.h5.parameters/all/tf/seed=0
refuses "attention: an empty folder of parameters" 1 "attention.h5.parameters/all/tf/seed=0" "$AIPM" report attention.h5 --attention "$date" -o no-file
refuses "attention: a date the panel does not have" 1 "found no date 20991231" "$AIPM" report attention.h5 --attention 20991231 -o no-date
refuses "attention: no date" 2 "--attention: found 'now'" "$AIPM" report attention.h5 --attention now

for kind in future missing empty weights; do "$python" "$tool" break demo.h5 $kind.h5 $kind; done
head -c 3000 demo.h5 >truncated.h5
refuses "no such file" 1 "nowhere.h5" "$AIPM" report nowhere.h5
refuses "a truncated file" 1 "truncated.h5" "$AIPM" report truncated.h5
refuses "a version from the future" 1 "99" "$AIPM" report future.h5
refuses "a missing dataset" 1 "models/all/bsv" "$AIPM" report missing.h5
refuses "no finished row" 1 "no row is finished yet" "$AIPM" report empty.h5
refuses "weights out of order" 1 "needed: offsets in order" "$AIPM" report weights.h5 -o weights
refuses "one bad file of two" 1 "nowhere.h5" "$AIPM" report demo.h5 nowhere.h5 -o two
refuses "no file" 2 "needed: a results file" "$AIPM" report
refuses "no date" 2 "--since: found 'never'" "$AIPM" report demo.h5 --since never
check "refusals leave no page" test ! -e truncated.report -a ! -e empty.report -a ! -e two -a ! -e weights/index.html
