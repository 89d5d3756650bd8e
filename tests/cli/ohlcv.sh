#!/usr/bin/env bash
# aipm ingest --ohlcv: the panel that formulas in numpy give from files with gaps, duplicates, splits and late listings; no look-ahead; the
# same bytes on any number of ranks and in any order of the files; hours; what is refused, and how.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3 py=tests/cli/ohlcv.py
o=$WORK/o
mkdir "$o"
panel() { "$AIPM" ingest --quiet --ohlcv "$@" >"$WORK/table" 2>"$WORK/log"; }
if "$python" -c 'import numpy, h5py' 2>/dev/null; then
    "$python" $py make "$o"
    check "a folder of five files" panel "$o" -o "$WORK/p.h5"
    check "features, ranks, returns and rows as in numpy" "$python" $py check "$o" "$WORK/p.h5" ranks 1
    check "duplicates, conflicts, bad prices, gaps are counted" grep -qE '^GAPS +20210301 +20210728 +146 +1 +1 +1 ' "$WORK/table"
    count() { awk -v a="$1" -v c="$2" 'NR == 1 { for (k = 1; k <= NF; k++) if ($k == c) n = k } $1 == a { print $n }' "$WORK/table"; }
    check "gaps" test "$(count GAPS gaps)" = 7
    check "the split" test "$(count ADJ splits)" = 1
    check "the dividend" test "$(count ADJ dividends)" = 1
    check "an unsorted file" test "$(count all unsorted)" = 1
    check "pages that overlap" test "$(count JSON.P duplicates)" = 2
    check "a conflict is named" grep -q "GAPS: 1 rows give other values for a date that is there twice.*20210619" "$WORK/log"
    "$python" - "$WORK/wild.csv" <<'Y'
import datetime, sys
with open(sys.argv[1], "w") as f:
    f.write("Date,Open,High,Low,Close,Adj Close,Volume\n")
    for i in range(60):
        close = {40: 1e300, 50: 101.05}.get(i, 100 + i % 3)  # far above its bar's high; above it by rounding
        f.write(f"{datetime.date(2021, 1, 1) + datetime.timedelta(i)},100,{103 if i != 50 else 101},99,{close},{close},5\n")
Y
    check "prices far outside their bar" panel "$WORK/wild.csv" -o "$WORK/wild.h5"
    check "are bad, not a return; rounding is not" test "$(count wild bad_prices)" = 1
    for h in 2 7; do
        check "horizon $h" panel "$o" --horizon $h -o "$WORK/h.h5"
        check "horizon $h as in numpy" "$python" $py check "$o" "$WORK/h.h5" ranks $h
    done
    check "ranks among the past" panel "$o" --standardise history --history 40 -o "$WORK/past.h5"
    check "as in numpy" "$python" $py check "$o" "$WORK/past.h5" 40 1
    for cut in 80 101; do
        mkdir "$WORK/cut$cut"
        "$python" $py make "$WORK/cut$cut" $cut
        for mode in ranks history; do
            panel "$WORK/cut$cut" --standardise $mode -o "$WORK/c.h5" && panel "$o" --standardise $mode -o "$WORK/whole.h5"
            check "cut after day $cut, $mode: the rows before do not change" "$python" $py prefix "$WORK/whole.h5" "$WORK/c.h5"
        done
    done
    mkdir "$WORK/shock"
    "$python" $py make "$WORK/shock" 107 3
    for mode in ranks history; do
        panel "$WORK/shock" --standardise $mode -o "$WORK/c.h5" && panel "$o" --standardise $mode -o "$WORK/whole.h5"
        check "a shock on day 107, $mode: nothing dated before knows of it, but returns" "$python" $py prefix "$WORK/whole.h5" "$WORK/c.h5" shocked
    done
    panel "$o/QUIET.csv" "$o/renamed.json" "$o/LATE.csv" "$o/GAPS.csv.gz" "$o/ADJ.csv" -o "$WORK/order.h5"
    check "files in another order" cmp "$WORK/p.h5" "$WORK/order.h5"
    for p in 2 3; do
        mpi $p "$AIPM" ingest --quiet --ohlcv "$o" --standardise history --history 40 -o "$WORK/r$p.h5" >"$WORK/table$p" 2>/dev/null
        check "the same file from $p ranks" cmp "$WORK/past.h5" "$WORK/r$p.h5"
    done
    panel "$o" --standardise history --history 40 -o "$WORK/r1.h5"
    check "the same table from 3 ranks" cmp "$WORK/table" "$WORK/table3"
    # a year of 50.4 periods: 252 trading days in fives
    mkdir "$WORK/week"
    "$python" - "$WORK/week" <<'Y'
import datetime, random, sys
random.seed(8)
for k in range(6):
    close, day = 50.0, datetime.date(2018, 1, 1)
    with open(f"{sys.argv[1]}/W{k}.csv", "w") as f:
        f.write("Date,Open,High,Low,Close,Adj Close,Volume\n")
        while day.year < 2020:
            if day.weekday() < 5:
                last, close = close, close * (0.98 + 0.0401 * random.random())
                f.write(f"{day},{last},{1.03 * max(last, close)},{0.97 * min(last, close)},{close},{close},{random.randint(1, 99)}\n")
            day += datetime.timedelta(1)
Y
    "$AIPM" ingest --ohlcv "$WORK/week" --horizon 5 -o "$WORK/week.h5" >/dev/null 2>"$WORK/log"
    check "five trading days: the log" grep -q "50.4 a year)" "$WORK/log"
    check "five trading days: the panel" grep -q "(50.4 a year)" <<<"$("$AIPM" info "$WORK/week.h5")"
    check "a whole number stays an integer" "$python" -c "import h5py; assert h5py.File('$WORK/p.h5').attrs['periods_per_year'].dtype == 'int64'"
    printf 'study: week\npanel: %s\noutput: %s\nwindow: 20\nridge: {from: -3, to: 1}\nmodels:\n  - {name: msrr, kind: linear_transformer}\n' \
        "$WORK/week.h5" "$WORK/week.out.h5" >"$WORK/week.yaml"
    check "a study of it" "$AIPM" run "$WORK/week.yaml" 2>/dev/null
    "$AIPM" analyze "$WORK/week.out.h5" -o "$WORK/week.tables" >/dev/null 2>&1
    "$python" - "$WORK/week.out.h5" "$WORK/week.tables/performance.csv" <<'Y'
import csv, sys, h5py, numpy as np
f = h5py.File(sys.argv[1])
r, row = f["models/all/msrr/returns"][()], next(csv.DictReader(open(sys.argv[2])))
assert f.attrs["periods_per_year"] == 50.4
assert abs(float(row["sharpe"]) / (50.4 ** 0.5 * r.mean() / r.std(ddof=1)) - 1) < 1e-9, row
Y
    check "its Sharpe ratio is of 50.4 periods a year" test $? = 0
    check "info of results" grep -q "(50.4 a year)" <<<"$("$AIPM" info "$WORK/week.out.h5")"
    # groups, names, fewer features, risk-free
    printf 'asset,sector,market\nADJ,tech,us\nGAPS,"coins, small",\nNOBODY,x,y\nLATE,coins,world\n' >"$WORK/g.csv"
    mpi 2 "$AIPM" ingest --ohlcv "$o" --groups "$WORK/g.csv" --risk-free 0.0365 --characteristics rsi,log_return -o "$WORK/g.h5" >/dev/null 2>"$WORK/log"
    check "groups: what has none is told" grep -q "sector: 3 labels, 3 of 5 assets have one" "$WORK/log"
    "$python" - "$WORK/g.h5" "$WORK/p.h5" <<'P'
import sys, h5py, numpy as np
f, p = h5py.File(sys.argv[1]), h5py.File(sys.argv[2])
names = [s.decode() for s in f["asset_names"]]
assert [s.decode() for s in f["characteristic_names"]] == ["log_return", "rsi"]
of = dict(zip(f["asset_ids"][()], f["groups/sector"][()]))
assert {names[k - 1]: v for k, v in of.items()} == {"ADJ": 2, "GAPS": 1, "JSON.P": -1, "LATE": 0, "QUIET": -1}
assert {names[k - 1]: v for k, v in zip(f["asset_ids"][()], f["groups/market"][()])} == {"ADJ": 0, "GAPS": -1, "JSON.P": -1, "LATE": 1, "QUIET": -1}
rows = lambda h: dict(zip(zip(np.repeat(h["dates"][()], np.diff(h["offsets"][()])), h["asset_ids"][()]), h["returns"][()]))
a, b = rows(f), rows(p)
assert len(a) > len(b) and all(abs(a[k] - (b[k] - 0.0001)) < 1e-15 for k in b)
P
    check "labels by asset; fewer features warm up sooner; a risk-free rate comes off" test $? = 0
    real=${AIPM_DATA:-../shared/data}/ohlcv
    if [ -d "$real" ]; then
        few=("$real"/bybit/{BCH,BTC,SOL,UNI}USDT.csv.gz) some=("$real"/yahoo/{ATLX,BABA,CEIX,CMPS,COIN,CVII,DOMH,DXC}.csv.gz)
        check "real coins" panel "${few[@]}" -o "$WORK/real.h5"
        check "as in numpy" "$python" $py real "$WORK/real.h5" "${few[@]}"
        check "real stocks" panel "${some[@]}" -o "$WORK/real.h5"
        check "as in numpy" "$python" $py real "$WORK/real.h5" "${some[@]}"
        check "all coins" panel "$real/bybit" -o "$WORK/real.h5"
        check "20 rows twice, one price of 0" test "$(count all duplicates) $(count all bad_prices) $(count all kept)" = "20 1 31847"
        check "all stocks" panel "$real/yahoo" -o "$WORK/real.h5"
        check "947 dividends, one spin-off" test "$(count all dividends) $(count all splits) $(count all kept)" = "947 1 140114"
    else skip "real prices: no $real"; fi
else skip "the panel against numpy: no numpy or h5py"; fi
# hours, with an offset that changes in the middle: 45 trading days of 7 bars
awk 'BEGIN { srand(3); print "Datetime,Open,High,Low,Close,Adj Close,Volume"; c = 50
    for (d = 1; d <= 45; d++) { if (d % 7 == 6 || d % 7 == 0) continue
        for (h = 9; h < 16; h++) { o = c; c *= 0.99 + 0.02 * rand(); high = 1.02 * o; low = 0.98 * o
            day = sprintf("2021-%02d-%02d", d > 31 ? 4 : 3, d > 31 ? d - 31 : d); zone = d > 14 ? 4 : 5
            printf("%s %02d:30:00-0%d:00,%g,%g,%g,%g,%g,%d\n", day, h, zone, o, high, low, c, c, 100 + d) } } }' >"$WORK/H.csv"
"$AIPM" ingest --ohlcv "$WORK/H.csv" K="$WORK/H.csv" -o "$WORK/h.h5" >"$WORK/table" 2>"$WORK/log"
check "hours: 252 days of 6.5" grep -q "(hourly, 1638 a year)" "$WORK/log"
check "hours: UTC, summer and winter" grep -qE '^H +202103011430 +202104141930 ' "$WORK/table"
check "hours: the 34th bar is the first" grep -q "formation dates 202103051930 to 202104141830" <<<"$("$AIPM" info "$WORK/h.h5")"
panel "$WORK/H.csv" --horizon 7 -o "$WORK/h7.h5"
check "7 hours from date to date" grep -q "7-hourly (234 a year)" <<<"$("$AIPM" info "$WORK/h7.h5")"
panel "$WORK/H.csv" --periods-per-year 1764 --from 20210401 -o "$WORK/h7.h5"
check "--periods-per-year, --from" grep -q "(1764 a year), formation dates 202104011330" <<<"$("$AIPM" info "$WORK/h7.h5")"
# what is refused
cd "$WORK" || exit 1
head='timestamp,open,high,low,close,volume'
ingest() { refuses "$1" 1 "$2" "$AIPM" ingest --ohlcv "${@:3}" -o "$WORK/none.h5"; }
: >empty.csv; ingest "an empty file" "empty.csv: is empty" empty.csv
echo "$head" >head.csv; ingest "only a header" "head.csv: has no bars" head.csv
head -c 3000 /dev/zero | tr '\0' '\001' >junk.csv; ingest "junk" "junk.csv:1:0: the header is not followed by a line end" junk.csv
head -c 4000 "$AIPM" >junk2.csv; ingest "a program" "junk2.csv:1: the header has NUL bytes" junk2.csv
printf 'a;b\n1;2\n' >semi.csv; ingest "semicolons" "semi.csv:1: the header is separated by semicolons" semi.csv
printf 'timestamp,open,high,low,volume\n1,2,3,4,5\n' >column.csv; ingest "no close" "column.csv:1: found columns timestamp, open, high, low, volume; needed is a column close" column.csv
printf '%s\n1620864000000,1,2,1,x,5\n' "$head" >number.csv; ingest "no number" "number.csv:2:5: found 'x'; needed is a number" number.csv
printf '%s\nyesterday,1,2,1,2,5\n' "$head" >when.csv; ingest "no date" "when.csv:2:1: found 'yesterday'; needed is a date" when.csv
printf '%s\n1620864000000,1,2,1,2,5\n16209504000' "$head" >cut.csv; ingest "cut off in a row" "cut.csv:3: found 1 fields; needed are 6" cut.csv
gzip -c H.csv | head -c 900 >cut.csv.gz; ingest "cut off in gzip" "cut.csv.gz: the gzip data end in the middle" cut.csv.gz
echo '{"retCode":10001,"retMsg":"params error: Symbol Is Invalid","result":{}}' >code.json
ingest "an answer that is an error" "code.json:1: the exchange answered retCode 10001, retMsg 'params error: Symbol Is Invalid'" code.json
page='{"retCode":0,"retMsg":"OK","result":{"symbol":"B","category":"linear","list":[["1670608800000","17071","17073","17027","17055.5","268611","15.7"]]}}'
printf '%s\n%s' "$page" "${page:0:90}" >cut.json; ingest "JSON cut off" "cut.json:2:" cut.json
printf '%s\n%s' "$page" "${page/\"B\"/\"C\"}" >two.json; ingest "two markets in a file" "two.json:2: result.symbol: found 'C' after 'B'" two.json
echo "${page/17027/low}" >low.json; ingest "no number in JSON" "low.json:1: result.list[0][3]: found 'low'; needed is a number" low.json
echo "${page/'"1670608800000",'/}" >short.json; ingest "a short bar" "short.json:1: result.list[0]: found a list of 6; needed is a list [start, open" short.json
echo '[1, 2]' >list.json; ingest "JSON that is no answer" "list.json:1: found no whole number retCode" list.json
echo "$page" >one.json; ingest "one bar" "no file has two dates to tell the frequency by" one.json
ingest "nothing is left" "no row is left" one.json --frequency hourly
cp one.json two2.json
ingest "one asset, two files" "asset B has two files, one.json and two2.json" one.json two2.json --frequency hourly
printf '%s\n2021-03-01,1,2,1,2,5\n2021-03-02,1,2,1,2,5\n' "$head" >daily.csv
ingest "two frequencies" "daily.csv: found daily prices, but hourly ones in H.csv" H.csv daily.csv
ingest "bars are not put together" "H.csv: found hourly prices; needed are daily ones" H.csv --frequency daily
ingest "no such file" "missing.csv: cannot be opened" missing.csv
mkdir nothing; ingest "an empty folder" "nothing: no file with a name in .csv" nothing
printf 'asset,sector\nH,a\nH,b\n' >twice.csv; ingest "an asset twice in the groups" "twice.csv:3:1: found asset H a second time" H.csv --groups twice.csv
refuses "on 3 ranks the error of the first file" 1 "column.csv:1:" mpi 3 "$AIPM" ingest --ohlcv when.csv H.csv number.csv daily.csv column.csv -o none.h5
refuses "no such feature" 1 "characteristics: found 'beta'; needed: some of log_return" "$AIPM" ingest --ohlcv H.csv --characteristics rsi,beta -o none.h5
cp H.csv over.csv
refuses "a panel over its own prices" 1 "over.csv: is one of the price files" "$AIPM" ingest --ohlcv over.csv -o ./over.csv
check "the prices stand" cmp -s H.csv over.csv
refuses "an option of stocks" 2 "--country: found an option of stocks without --stocks" "$AIPM" ingest --ohlcv H.csv --country USA -o none.h5
refuses "stocks and prices" 2 "needed: one or the other" "$AIPM" ingest --ohlcv H.csv --stocks H.csv -o none.h5
refuses "half a value of history" 2 "--history: found '1.5'; needed: a whole number, 2 to 1000000" "$AIPM" ingest --ohlcv H.csv --history 1.5 -o none.h5
refuses "a first date that is none" 2 "--from: found 'monday'; needed: a date as YYYYMMDD" "$AIPM" ingest --ohlcv H.csv --from monday -o none.h5
refuses "a first date out of the calendar" 2 "--from: found '17000101'; needed: a date as YYYYMMDD" "$AIPM" ingest --ohlcv H.csv --from 17000101 -o none.h5
refuses "options of prices without them" 2 "needed: --ohlcv FILE" "$AIPM" ingest --stocks H.csv --horizon 2 -o none.h5
check "nothing half-written is left" test -z "$(ls none.h5* 2>/dev/null)"
