#!/usr/bin/env bash
# Factor files in every shape give one panel; wrong units and wrong rows are refused; the factors model against numpy; the public factor models.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
w=$WORK
# the same 100 months of three factors and a risk-free rate from 2000-01 in six shapes; MGMT lacks the first 10 months and one later
awk -v w="$w" 'BEGIN { srand(8)
    print "date,MKT.RF,RF,SMB,MGMT" >w "/iso.csv"; print "year,month,MKT.RF,R_F,SMB,MGMT" >w "/ym.csv"; print ",MKT.RF,SMB,MGMT,RF" >w "/percent.csv"
    print "location,name,freq,weighting,date,ret" >w "/long.csv"
    print "This file was created by hand.\nMissing data are -99.99, and -999.\n\n,MKT.RF,SMB,MGMT,RF" >w "/french.csv"
    print "\"eom\",\"MKT.RF\",\"SMB\",\"MGMT\"\r" >w "/quoted.csv"
    split("31 28 31 30 31 30 31 31 30 31 30 31", last, " ")
    for (t = 0; t < 100; t++) { y = 2000 + int(t / 12); m = t % 12 + 1; d = last[m]; if (m == 2 && y % 4 == 0) d = 29
        a = int(1000 * (rand() - 0.45)); b = int(1000 * (rand() - 0.5)); c = int(800 * (rand() - 0.45)); gone = t < 10 || t == 90
        printf "%d-%02d-%02d,%.4f,0.001,%.4f,%s\n", y, m, d, a / 1e4, b / 1e4, gone ? "" : sprintf("%.4f", c / 1e4) >w "/iso.csv"
        printf "%d,%d,%.4f,0.1,%.4f,%s\n", y, m, a / 100, b / 100, gone ? "-99.99" : sprintf("%.4f", c / 100) >w "/ym.csv"
        printf "%d%02d,%.2f,%.2f,%s,0.10\n", y, m, a / 100, b / 100, gone ? "" : sprintf("%.2f", c / 100) >w "/percent.csv"
        printf "%d%02d,  %.2f,  %.2f,  %s,   0.10\n", y, m, a / 100, b / 100, gone ? "-999" : sprintf("%.2f", c / 100) >w "/french.csv"
        printf "\"%d%02d%02d\",%.4f,%.4f,%s\r\n", y, m, d, a / 1e4, b / 1e4, gone ? "NA" : sprintf("\"%.4f\"", c / 1e4) >w "/quoted.csv"
        printf "usa,SMB,monthly,vw_cap,%d-%02d-%02d,%.4f\nusa,MKT.RF,monthly,vw_cap,%d-%02d-%02d,%.4f\n", y, m, d, b / 1e4, y, m, d, a / 1e4 >w "/long.csv"
        if (!gone) printf "usa,MGMT,monthly,vw_cap,%d-%02d-%02d,%.4f\n", y, m, d, c / 1e4 >w "/long.csv" }
    print "\n Annual Factors: January-December \n,MKT.RF,SMB,MGMT,RF\n  2000,  1.0, 2.0, 3.0, 0.2\n\nCopyright" >w "/french.csv" }'
if "$python" -c 'import numpy, h5py' 2>/dev/null; then
    "$AIPM" ingest --factors A="$w/iso.csv" --factors B="$w/ym.csv,percent" --factors C="$w/percent.csv,percent" --factors D="$w/french.csv,percent" \
        --factors E="$w/quoted.csv" --factors F="$w/long.csv" --test-assets "$w/iso.csv" -o "$w/f.h5" 2>/dev/null
    check "six shapes are read" test $? = 0
    mpi 3 "$AIPM" ingest --factors A="$w/iso.csv" --factors B="$w/ym.csv,percent" --factors C="$w/percent.csv,percent" --factors D="$w/french.csv,percent" \
        --factors E="$w/quoted.csv" --factors F="$w/long.csv" --test-assets "$w/iso.csv" -o "$w/f3.h5" 2>/dev/null
    check "the same file from three ranks" cmp "$w/f.h5" "$w/f3.h5"
    "$python" - "$w" <<'P'
import csv, sys, numpy as np, h5py
f = h5py.File(sys.argv[1] + "/f.h5")
rows = list(csv.DictReader(open(sys.argv[1] + "/iso.csv")))
x = np.array([[float(r[k] or "nan") for k in ("MKT.RF", "SMB", "MGMT")] for r in rows])
dates = f["dates"][()]
ok = dates[0] == 19991231 and dates[1] == 20000131 and dates[2] == 20000229 and len(dates) == 100      # held from the month before
for b in "ABCDE": ok &= np.allclose(f["benchmarks/" + b][()], x, rtol=1e-14, atol=0, equal_nan=True)
ok &= np.array_equal(f["benchmarks/A"][()], x, equal_nan=True) and np.array_equal(f["benchmarks/F"][()], x[:, [2, 0, 1]], equal_nan=True)
ok &= [s.decode() if isinstance(s, bytes) else s for s in f["benchmarks/F"].attrs["factor_names"]] == ["MGMT", "MKT.RF", "SMB"]
ok &= np.array_equal(f["test_assets/returns"][()], x, equal_nan=True)
sys.exit(not ok)
P
    check "the same returns from six shapes, on the rows of the months before" test $? = 0
    printf 'study: f\npanel: %s\noutput: %s\nwindow: 24\nmodels:\n  - {name: A, kind: factors}\n  - {name: F, kind: factors}\n' "$w/f.h5" "$w/r.h5" >"$w/s.yaml"
    mpi 2 "$AIPM" run "$w/s.yaml" 2>/dev/null
    "$python" - "$w" <<'P'
import sys, numpy as np, h5py
x, r = h5py.File(sys.argv[1] + "/f.h5")["benchmarks/A"][()], h5py.File(sys.argv[1] + "/r.h5")
T = 24
expected = np.array([x[t] @ np.linalg.lstsq(x[t - T:t], np.ones(T), rcond=None)[0] if np.isfinite(x[t - T:t]).all() else np.nan for t in range(T, len(x))])
a, f = r["models/all/A/returns"][()], r["models/all/F/returns"][()]
n = np.isnan(expected).sum()
sys.exit(not (n == 10 + 10 and np.allclose(a, expected, rtol=1e-10, equal_nan=True) and np.allclose(f, expected, rtol=1e-10, equal_nan=True)))
P
    check "factors: least squares by numpy; no return where a factor lacks one" test $? = 0
else skip "no numpy and h5py in $python"; fi
printf 'study: f\npanel: %s\noutput: %s\nwindow: [24, 36]\nmodels: [{name: A, kind: factors}]\n' "$w/f.h5" "$w/swept.h5" >"$w/swept.yaml"
check "factors over a sweep of windows" "$AIPM" run --quiet "$w/swept.yaml"
check "and their plan" "$AIPM" plan --quiet --fresh "$w/swept.yaml"
printf 'id,eom,ret_exc_lead1m,be_me\n1,20000131,0.1,1\n2,20000131,0.1,2\n1,20000229,0.2,1\n' >"$w/s.csv"
check "factors beside stocks" "$AIPM" ingest --stocks "$w/s.csv" --factors A="$w/iso.csv" -o "$w/both.h5" --quiet
no() { refuses "$1" 1 "$2" "$AIPM" ingest -o "$w/out/x.h5" "${@:3}"; check "$1: nothing is left" test -z "$(ls -A "$w/out" 2>/dev/null)"; }
no "percent taken for decimal" "is the file in percent? Then say --factors A=$w/percent.csv,percent" --factors A="$w/percent.csv"
no "decimal taken for percent" "is the file in decimal? Then say --factors A=$w/iso.csv." --factors A="$w/iso.csv,percent"
check "unless insisted" "$AIPM" ingest --factors A="$w/iso.csv,percent" --any-volatility -o "$w/any.h5"
bad_file() { cp "$w/iso.csv" "$w/x.csv"; sed -i "$2" "$w/x.csv"; no "$1" "$3" --factors A="$w/x.csv"; }
bad_file "text for a return" '50s/,[^,]*$/,abc/' "x.csv:50:5: column MGMT: found 'abc'; needed is a return"
bad_file "a short row" '50s/,[^,]*$//' "x.csv:50:4: found 4 fields; needed are 5"
bad_file "a month twice" '50p' "x.csv:51: factor MKT.RF has a second return for 200401 (the first is line 50)"
bad_file "no month" '50s/^[^,]*/soon/' "x.csv:50:1: column date: found 'soon'; needed is a month"
bad_file "a gap of lines" '50s/.*//' "x.csv:51: found a row behind a blank line"
bad_file "no header" '1d' "x.csv:1: found a row of returns where the header should be"
sed -i 's/^.*$/text only/' "$w/x.csv"; no "no table" "found no header followed by a row with a month" --factors A="$w/x.csv"
: >"$w/x.csv"; no "an empty file" "the file is empty" --factors A="$w/x.csv"
sed 's/vw_cap/ew/' "$w/long.csv" | cat "$w/long.csv" - | sed '101,$s/^location.*//' | grep . >"$w/x.csv"
no "two weightings" "has a second return for" --factors A="$w/x.csv"
no "no such file" "cannot be opened" --factors A="$w/none.csv"
no "no themes" "none of them of theme Accruals" --test-assets "$w/long.csv" --themes
refuses "usage: no name" 2 "needed: NAME=FILE" "$AIPM" ingest -o x --factors "$w/iso.csv"
refuses "usage: a name twice" 2 "found 'A' twice" "$AIPM" ingest -o x --factors A=1 --factors A=2
d=${AIPM_DATA:-../shared/data}/factors
if [ -r "$d/jkp_us_factors.csv.gz" ]; then
    "$AIPM" ingest --factors FF6="$d/us_ff5_mom.csv,percent" --factors HXZ="$d/q5_factors_monthly_2023.csv,percent" --factors SY="$d/SY4.monthly.csv" \
        --factors DHS="$d/DHS3.monthly.csv" --test-assets "$d/jkp_us_factors.csv.gz" --themes -o "$w/public.h5" 2>/dev/null
    { printf 'study: public\npanel: %s\noutput: %s\nwindow: 60\nmodels:\n' "$w/public.h5" "$w/public-r.h5"; printf '  - {name: %s, kind: factors}\n' FF6 HXZ SY DHS; } >"$w/public.yaml"
    "$AIPM" run "$w/public.yaml" 2>/dev/null
    "$AIPM" analyze "$w/public-r.h5" --to 20221130 -o "$w/full" >/dev/null 2>&1
    "$AIPM" analyze "$w/public-r.h5" --from 19770630 --to 20161130 -o "$w/common" >/dev/null 2>&1
    near() { awk -F, -v m="$2" -v want="$3" -v c="$4" -v tol="$5" -v a="${6:-}" '$2 == m && (a == "" || $3 == a) { if ($c >= want - tol && $c <= want + tol) ok = 1; else print m, $c, "not", want } END { exit !ok }' "$1"; }
    for x in FF6:0.99 HXZ:1.78 SY:1.47 DHS:1.46; do check "public Sharpe ${x%:*}" near "$w/full/performance.csv" ${x%:*} ${x#*:} 6 0.01; done
    check "public alpha of HXZ on FF6: 1.46% a month" near "$w/common/alphas.csv" HXZ 1.46 4 0.01 FF6
    check "its t: 8.4" near "$w/common/alphas.csv" HXZ 8.4 5 0.05 FF6
    check "474 months" near "$w/common/alphas.csv" HXZ 474 8 0 FF6
    check "13 themes" near "$w/common/performance.csv" HXZ 13 10 0
else skip "no public factors at $d"; fi
