#!/usr/bin/env bash
# aipm report on sequence models: planted attention is read back, collapse is said, figures are drawn, bad records are refused.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
"$python" -c 'import numpy, h5py' 2>/dev/null || { skip "python3-numpy and python3-h5py are not installed"; exit 0; }
tool=$PWD/tests/cli/reading_check.py
cd "$WORK" || exit 1
"$python" "$tool" make r.h5 || exit 1
"$AIPM" report r.h5 --bootstrap 20 2>err.txt
check "report" test $? = 0
check "every figure against numpy" "$python" "$tool" check r.h5 r.report
check "collapse: said on the terminal" grep -q 'collapsed, all: its attention has collapsed: BTC takes 9[0-9]% of all attention' err.txt
check "collapse: of no other model" test "$(grep -c 'has collapsed' err.txt)" = 1
check "collapse: in the page" grep -q 'class="warn">collapsed, all: its attention has collapsed: BTC' r.report/index.html
check "in the page" bash -c "grep -q 'Attention of sequence models' r.report/index.html && grep -q 'id=\"lag_weights\"' r.report/index.html && grep -q 'id=\"leaders\"' r.report/index.html"
if command -v gnuplot >/dev/null; then
    for g in map-all-leader heads-all-leader time-all-leader map-all-collapsed map-small-narrow time-small-narrow lags-small-narrow sectors-all-sectors; do
        [ -s "r.report/figures/attention-$g.svg" ] && [ -s "r.report/figures/attention-$g-phone.svg" ] && grep -q "id=\"figure-attention-$g\"" r.report/index.html || bad "no figure attention-$g"
    done
    check "every figure is drawn" bash -c "! grep -q 'Not drawn' r.report/index.html"
    check "no head-by-head map of one head" test ! -e r.report/figures/attention-heads-all-collapsed.svg
    check "names on the axes" grep -q '>ETH<' r.report/figures/attention-map-all-leader.svg
else skip "gnuplot is not installed"; fi
"$AIPM" report r.h5 --bootstrap 20 --attention-date 2002-07-28 -o at 2>/dev/null
check "a date: its matrices" "$python" "$tool" check r.h5 at 20020728
check "a date: in the page" grep -q 'Attention at a date: leader, all' at/index.html
"$AIPM" report r.h5 --bootstrap 20 --from 20020101 --to 20021231 -o part 2>/dev/null
check "a part of the dates" test "$(grep -c '^all,leader' part/tables/attention.csv)" = 12
for kind in short assets sectors; do "$python" "$tool" spoil r.h5 $kind.h5 $kind; done
refuses "a short record" 1 "models/all/leader/attention: found" "$AIPM" report short.h5
refuses "other assets" 1 "leader/attention: found 7 entries along asset; needed: 5" "$AIPM" report assets.h5
refuses "sectors that are no square" 1 "needed: a square" "$AIPM" report sectors.h5
refuses "a date that is not there" 1 "found no date 20020701" "$AIPM" report r.h5 --attention-date 20020701 -o nodate
refuses "no date" 2 "--attention-date: found 'now'" "$AIPM" report r.h5 --attention-date now
check "refusals leave no page" bash -c "! ls short.report/index.html assets.report/index.html nodate/index.html 2>/dev/null && test -z \"\$(find . -name '*.tmp')\""
