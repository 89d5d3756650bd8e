#!/usr/bin/env bash
# aipm signal: its figures against the formulas in plain Python, its tables, and files that cannot be read.
. "$(dirname "$0")/lib.sh"
python=$(command -v python3) || { skip "python3 is not installed"; exit 0; }
tool=$PWD/tests/cli/signal_check.py
export AIPM
cd "$WORK" || exit 1
check "every figure against the formulas: random, short, constant, one asset, thresholds, tilts, history" "$python" "$tool"

printf 'date,BTC,ETH,SOL\n2024-01-01,0.01,0.02,-0.01\n2024-01-02,-0.02,-0.03,0.01\n2024-01-03,0.03,0.02,0.00\n' >r.csv
"$AIPM" signal r.csv --target BTC --matrix --allocate ETH=0.6,BTC=0.4 >out.txt 2>err.txt
check "tables" bash -c "grep -q 'What BTC attends to at 2024-01-03' out.txt && grep -q '^ETH  *0.50' out.txt && grep -q 'dominant driver ETH' out.txt &&
    grep -q 'regime trending   risk moderate' out.txt && grep -q 'Allocation tilted' out.txt"
check "without a target: the matrix" bash -c "'$AIPM' signal r.csv | grep -q 'Attention of each asset'"
check "help teaches" bash -c "'$AIPM' signal --help | grep -q 'crisis_correlated'"
printf 'date,BTC,ETH,SOL\n2024-01-01,0.01,0.02,\n2024-01-02,-0.02,-0.03,0.01\n2024-01-03,0.03,NA,0.00\n2024-01-04,0.01,0.01,0.01\n' >gap.csv
refuses "a gap" 1 "gap.csv:2:4: column SOL: found nothing" "$AIPM" signal gap.csv
refuses "a gap later" 1 "gap.csv:4:3: column ETH: found 'NA'; needed is a return: this asset has earlier ones" "$AIPM" signal gap.csv --short
check "rows dropped and counted" bash -c "'$AIPM' signal gap.csv --drop-missing --json 2>&1 | grep -q '\"rows_dropped\": 2'"
printf 'date,BTC\n2024-01-02,1\n2024-01-01,2\n' >order.csv
printf 'date,BTC\n2024-01-02,1\n2024-01-02,2\n' >twice.csv
printf 'date,BTC,ETH\n2024-01-02,1,x\n' >word.csv
printf 'date,BTC,ETH\n2024-01-02,1\n' >narrow.csv
printf 'date,BTC,ETH\n2024-01-02,1e300,1e300\n' >huge.csv
printf '2024-01-01,0.1,0.2\n2024-01-02,1,2\n' >headless.csv
printf 'date,BTC,ETH\n' >empty.csv; : >nothing.csv
refuses "dates that descend" 1 "order.csv:3:1: found date 2024-01-01 after 2024-01-02" "$AIPM" signal order.csv
refuses "a date twice" 1 "each once" "$AIPM" signal twice.csv
refuses "a word" 1 "word.csv:2:3: column ETH: found 'x'" "$AIPM" signal word.csv
refuses "a narrow row" 1 "narrow.csv:2: found 2 fields; needed are 3" "$AIPM" signal narrow.csv
refuses "returns beyond floating point" 1 "beyond floating point" "$AIPM" signal huge.csv --target BTC
refuses "no header" 1 "the name of an asset" "$AIPM" signal headless.csv
refuses "no row" 1 "found no row" "$AIPM" signal empty.csv
refuses "an empty file" 1 "the file is empty" "$AIPM" signal nothing.csv
refuses "no file" 1 "nowhere.csv" "$AIPM" signal nowhere.csv
refuses "no such asset" 1 "has no column 'DOGE'" "$AIPM" signal r.csv --target DOGE
refuses "a share twice" 1 "found ETH twice" "$AIPM" signal r.csv --target BTC --allocate ETH=1,ETH=2
refuses "no share" 1 "found 'ETH'; needed: NAME=SHARE" "$AIPM" signal r.csv --target BTC --allocate ETH
refuses "an allocation without a target" 2 "needed: --target" "$AIPM" signal r.csv --allocate ETH=1
refuses "a tilt too far" 2 "--tilt: found '2'" "$AIPM" signal r.csv --target BTC --tilt 2
refuses "no lookback" 2 "--lookback: found '0'" "$AIPM" signal r.csv --lookback 0
check "nothing half-written" test -z "$(find . -name '*.tmp')"
