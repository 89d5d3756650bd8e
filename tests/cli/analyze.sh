#!/usr/bin/env bash
# aipm analyze and info: every figure of every table against numpy, subsamples, options, and results that cannot be read.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
"$python" -c 'import numpy, h5py' 2>/dev/null || { skip "python3-numpy and python3-h5py are not installed"; exit 0; }
tool=tests/cli/results.py
cd "$WORK" || exit 1
tool=$OLDPWD/$tool
"$python" "$tool" make demo.h5 || exit 1

"$AIPM" analyze demo.h5 >out.txt 2>err.txt
check "analyze" test $? = 0
check "tables beside the results" test -s demo.tables/performance.csv -a -s demo.tables/tangency.tex -a -s demo.tables/heads.md
check "every figure against numpy" "$python" "$tool" check demo.h5 demo.tables
check "the main table on the terminal" grep -q '^all *truth' out.txt
check "nothing half-written" test -z "$(find . -name '*.tmp')"
sharpe=$(awk -F, '$1 == "all" && $2 == "linear" {printf "%.2f", $6}' demo.tables/performance.csv)
check "terminal and CSV agree" grep -Eq "^all +linear .* $sharpe " out.txt
check "Markdown and CSV agree" grep -q "| linear .*| $sharpe |" demo.tables/performance.md
check "LaTeX and CSV agree" grep -q "& linear .*& $sharpe &" demo.tables/performance.tex

"$AIPM" analyze demo.h5 -o sub/a --from 20040101 --to 2010-12-31 --newey-west 4 --hjd-weighting covariance --bootstrap 200 >/dev/null 2>&1
check "subsample, covariance weighting, Newey-West" test $? = 0
check "their figures against numpy" "$python" "$tool" check demo.h5 sub/a 20040101 20101231 4 covariance
"$AIPM" analyze demo.h5 -o root --hjd-root >/dev/null 2>&1
check "the root is the root" "$python" -c "
import csv; a, b = [list(csv.DictReader(open(f + '/performance.csv'))) for f in ('demo.tables', 'root')]
assert all(abs(float(y['hjd']) ** 2 - float(x['hjd'])) < 1e-12 for x, y in zip(a, b))"
"$AIPM" analyze demo.h5 -o again >/dev/null 2>&1
check "the same command, the same bytes" diff -r demo.tables again
"$AIPM" analyze demo.h5 -o seed2 --seed 2 >/dev/null 2>&1
check "another seed moves intervals only" bash -c '! cmp -s demo.tables/tangency.csv seed2/tangency.csv && cmp -s demo.tables/alphas.csv seed2/alphas.csv'

info=$("$AIPM" info demo.h5)
check "info: rows" grep -q '720 of 720 finished' <<<"$info"
check "info: models" grep -q 'all/linear (linear_transformer): 144 of 144 rows, 6 ridges 0.0001 to 10, 3 head counts up to 4' <<<"$info"
check "info: how it was made" grep -q 'panel_digest *0badcafe' <<<"$info"

for kind in future panel missing short long-done many-heads wide-dates no-date dates-back no-year empty; do "$python" "$tool" break demo.h5 $kind.h5 $kind; done
head -c 3000 demo.h5 >truncated.h5; : >nothing.h5; echo 'a text' >text.h5
refuses "no such file" 1 "nowhere.h5" "$AIPM" analyze nowhere.h5
refuses "a version from the future" 1 "99" "$AIPM" analyze future.h5
refuses "a panel" 1 "panel" "$AIPM" analyze panel.h5
refuses "a missing dataset" 1 "models/all/bsv" "$AIPM" analyze missing.h5
refuses "a short dataset" 1 "needed: 144" "$AIPM" analyze short.h5
refuses "flags past the rows" 1 "models/all/bsv/done has 100000 entries; 144 are needed" "$AIPM" analyze long-done.h5
refuses "more heads than returns" 1 "models/all/linear/returns_by_heads: found" "$AIPM" analyze many-heads.h5
refuses "dates in a table" 1 "dataset dates has 2 dimensions; 1 are needed" "$AIPM" analyze wide-dates.h5
refuses "a date that does not exist" 1 "dates, period 7: 20010231 is not a date" "$AIPM" analyze no-date.h5
refuses "a date twice" 1 "dates, period 7: 20010728 follows 20010728; dates must increase" "$AIPM" analyze dates-back.h5
refuses "a year of no periods" 1 "periods_per_year: found -12" "$AIPM" info no-year.h5
for year in nan inf 0.0 2e6; do
    "$python" -c 'import sys, shutil, h5py; shutil.copy("demo.h5", "year.h5"); h5py.File("year.h5", "r+").attrs["periods_per_year"] = float(sys.argv[1])' $year
    refuses "a year of $year periods" 1 "year.h5: attribute periods_per_year: found" "$AIPM" analyze year.h5
done
refuses "no finished row" 1 "no row is finished yet" "$AIPM" analyze empty.h5
refuses "a truncated file" 1 "truncated.h5" "$AIPM" analyze truncated.h5
refuses "an empty file" 1 "nothing.h5" "$AIPM" analyze nothing.h5
refuses "a text file" 1 "text.h5" "$AIPM" analyze text.h5
refuses "info of a text file" 1 "text.h5" "$AIPM" info text.h5
refuses "info of nothing" 1 "nowhere.h5" "$AIPM" info nowhere.h5
refuses "a range that ends before it begins" 1 "ends before it begins" "$AIPM" analyze demo.h5 --from 20050101 --to 20040101
refuses "a range outside the results" 1 "the results run from 20010128" "$AIPM" analyze demo.h5 -o outside --from 20500101
refuses "a range in minutes, of months" 1 "no formation date" "$AIPM" analyze demo.h5 --from 209901010930
refuses "no date" 2 "needed: a date" "$AIPM" analyze demo.h5 --from yesterday
refuses "no number" 2 "--bootstrap: found 'many'" "$AIPM" analyze demo.h5 --bootstrap many
refuses "an unknown weighting" 2 "second-moment or covariance" "$AIPM" analyze demo.h5 --hjd-weighting none
refuses "two files" 2 "found two results files" "$AIPM" analyze demo.h5 demo.h5
refuses "no file" 2 "needed: a results file" "$AIPM" analyze
echo x >infile
refuses "a file in the folder's place" 1 "needed: a folder" "$AIPM" analyze demo.h5 -o infile
check "refusals leave no folder" test ! -e empty.tables -a ! -e outside
if [ -e /dev/full ]; then refuses "a full standard output" 1 "standard output" bash -c "'$AIPM' analyze demo.h5 >/dev/full"; fi
