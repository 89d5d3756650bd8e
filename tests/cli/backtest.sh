#!/usr/bin/env bash
# aipm backtest: a real study's saved weights against a ledger kept in numpy; rules, ranges, holes, and what is refused.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
"$python" -c 'import numpy, h5py' 2>/dev/null || { skip "python3-numpy and python3-h5py are not installed"; exit 0; }
tool=$PWD/tests/cli/backtest_check.py
cd "$WORK" || exit 1
"$AIPM" synth -o panel.h5 --assets 80 --characteristics 5 --periods 80 --seed 3 2>/dev/null || exit 1
cat >study.yaml <<Y
study: held
panel: panel.h5
output: held.h5
window: 24
save_weights: true
universes: [all, small]
models:
  - {name: bsv, kind: bsv}
  - {name: mlp, kind: mlp, hidden: [8], seeds: 3, epochs: 2}
Y
"$AIPM" run study.yaml >/dev/null 2>&1 || exit 1

"$AIPM" backtest held.h5 >out.txt 2>err.txt
check "backtest" test $? = 0
check "every figure against the ledger" "$python" "$tool" check held.h5 panel.h5 held.backtest
check "on the terminal" grep -q '^all *equal_weight' out.txt
check "Markdown and LaTeX" test -s held.backtest/backtest.md -a -s held.backtest/backtest.tex
if command -v gnuplot >/dev/null; then check "drawn" test -s held.backtest/figures/backtest-all.svg; else skip "gnuplot is not installed"; fi
"$AIPM" backtest held.h5 -o k5 --rebalance 5 --cost 25 --gross 1.5 >/dev/null 2>&1
check "every fifth date, 25 bp, 1.5 gross" "$python" "$tool" check held.h5 panel.h5 k5 5 25 1.5
"$AIPM" backtest held.h5 -o part --from 19980101 --to 2000-06-30 --rebalance 3 >/dev/null 2>&1
check "a part of the dates" "$python" "$tool" check held.h5 panel.h5 part 3 10 1 19980101 20000630
"$AIPM" backtest held.h5 -o plain --gross 0 --cost 0 >/dev/null 2>&1
check "as they are, costless, every date: the models' returns" "$python" "$tool" plain held.h5 plain
"$AIPM" backtest held.h5 -o against --against bsv >/dev/null 2>&1
check "against another model" "$python" -c "
import csv; rows = {(r['universe'], r['model']): r for r in csv.DictReader(open('against/backtest.csv'))}
assert rows['all', 'bsv']['t_against'] == '' and float(rows['all', 'bsv']['sharpe_less_equal_weight']) == -float(rows['all', 'equal_weight']['sharpe_less_against'])
assert abs(float(rows['small', 'mlp']['sharpe_less_against']) - float(rows['small', 'mlp']['sharpe_net']) + float(rows['small', 'bsv']['sharpe_net'])) < 1e-12"
"$python" "$tool" spoil held.h5 holes.h5 holes
"$AIPM" backtest holes.h5 --rebalance 2 -o holes >/dev/null 2>&1
check "a model that begins late" "$python" "$tool" check holes.h5 panel.h5 holes 2
"$AIPM" backtest holes.h5 -o holes1 >holes.txt 2>&1
check "a date without weights: holdings are kept, and it is said" bash -c "'$python' '$tool' check holes.h5 panel.h5 holes1 && grep -q 'mlp: no weights at 1 rebalance, where what was held was kept' holes.txt"

"$AIPM" report held.h5 -o page --bootstrap 20 2>/dev/null
check "in the report" bash -c "cmp page/tables/backtest.csv held.backtest/backtest.csv && grep -q 'id=\"backtest\"' page/index.html"
mv panel.h5 away.h5
check "in the report: without the panel it is left out, and said" bash -c "'$AIPM' report held.h5 -o away --bootstrap 20 2>/dev/null && grep -q 'backtest (the panel' away/index.html && ! test -e away/tables/backtest.csv"
refuses "no panel" 1 "panel.h5" "$AIPM" backtest held.h5
check "a panel elsewhere" bash -c "'$AIPM' backtest held.h5 --panel away.h5 -o again >/dev/null 2>&1 && diff -r held.backtest/backtest.csv again/backtest.csv"
mv away.h5 panel.h5
"$AIPM" synth -o other.h5 --assets 80 --characteristics 5 --periods 80 --seed 4 2>/dev/null
for kind in digest dates stranger order bare; do "$python" "$tool" spoil held.h5 $kind.h5 $kind; done
refuses "another panel" 1 "other.h5: found the panel" "$AIPM" backtest held.h5 --panel other.h5 -o x
refuses "a panel that changed" 1 "needed: 0badcafe" "$AIPM" backtest digest.h5 -o x
refuses "dates that the panel lacks" 1 "does not have the results' date" "$AIPM" backtest dates.h5 -o x
refuses "an asset that the panel lacks" 1 "holds assets on" "$AIPM" backtest stranger.h5 -o x
refuses "ids out of order" 1 "needed: ids that ascend" "$AIPM" backtest order.h5 -o x
refuses "no weights" 1 "save_weights: true" "$AIPM" backtest bare.h5 -o x
refuses "no such model" 1 "found no model 'ridge'" "$AIPM" backtest held.h5 --against ridge -o x
refuses "no date in range" 1 "no formation date" "$AIPM" backtest held.h5 --from 20500101 -o x
refuses "no rebalance" 2 "--rebalance: found '0'" "$AIPM" backtest held.h5 --rebalance 0
refuses "a negative cost" 2 "--cost: found '-1'" "$AIPM" backtest held.h5 --cost=-1
refuses "no file" 2 "needed: a results file" "$AIPM" backtest
check "refusals leave nothing" test ! -e x -a -z "$(find . -name '*.tmp')"
