#!/usr/bin/env bash
# Reading a JKP-shaped CSV: aipm ingest on 1 and 2 ranks beside DuckDB (if its node package is found in DUCKDB_NODE, a folder with node_modules)
# and pandas, each parsing the same columns of the same file on the same machine.   GIGABYTES=1 tests/bench/bench_ingest.sh
cd "$(dirname "$0")/../.." || exit 1
. tests/env.sh
gb=${GIGABYTES:-1} folder=$(mktemp -d "${BENCH_FOLDER:-${TMPDIR:-/tmp}}/aipm-bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
f=$folder/usa.csv
mpirun --quiet -n 2 "$AIPM" synth --csv "$f" --assets $(awk -v g="$gb" 'BEGIN { print int(725 * g) }') --periods 240 2>/dev/null || exit 1
bytes=$(stat -c %s "$f")
cat "$f" >/dev/null      # in the page cache for everybody
echo "$((bytes / 1000000)) MB, $(($(wc -l <"$f") - 1)) stock-months of 440 columns; 153 characteristics and 12 other columns wanted"
rate() { awk -v b="$bytes" -v s="$1" -v n="$2" 'BEGIN { printf "%.1f s, %.0f MB/s, %.0f MB/s a core\n", s, b / s / 1e6, b / s / n / 1e6 }'; }
for p in 1 2; do
    for i in 1 2 3; do
        start=$(date +%s.%N)
        mpirun --quiet -n $p "$AIPM" ingest --stocks "$f" -o "$folder/p.h5" 2>"$folder/log" >/dev/null || exit 1
        all=$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { print b - a }')
        said=$(grep '^read ' "$folder/log")
        s=$(sed -n 's/.* in \([0-9.]*\) s on .*/\1/p' <<<"$said")
        echo "aipm ingest, $p rank(s): read, parse, hand over: $(rate "$s" $p); with start, filters, ranks and panel: $(printf '%.1f' "$all") s; $(sed 's/.*); //' <<<"$said")"
    done
done
columns=$(head -n 1 "$f" | tr ',' '\n' | awk 'NR >= 36 && NR <= 188' | paste -sd,)
wanted="id,eom,size_grp,obs_main,exch_main,primary_sec,excntry,common,crsp_exchcd,me,ret_exc,ret_exc_lead1m,$columns"
if [ -n "${DUCKDB_NODE:-}" ] && command -v node >/dev/null; then
    sum=$(tr , '\n' <<<"$wanted" | sed 's/.*/count("&")/' | paste -sd,)
    cat >"$folder/duck.js" <<J
const { DuckDBInstance } = require('@duckdb/node-api');
(async () => {
    const c = await (await DuckDBInstance.create(':memory:')).connect();
    console.log('DuckDB ' + (await (await c.runAndReadAll('select version()')).getRows())[0][0]);
    for (const n of [1, 2]) for (let i = 0; i < 3; i++) {
        await c.run('set threads=' + n);
        const start = process.hrtime.bigint();
        await c.run(\`create or replace temp table t as select $wanted from read_csv('$f', header=true, sample_size=20000, all_varchar=false)\`);
        console.log('duckdb ' + n + ' ' + Number(process.hrtime.bigint() - start) / 1e9);
    }
})().catch(e => { console.log('DuckDB failed: ' + e); process.exit(1); });
J
    NODE_PATH=$DUCKDB_NODE/node_modules node "$folder/duck.js" | while read -r a n s; do
        if [ "$a" = duckdb ]; then echo "DuckDB, $n thread(s), into a table: $(rate "$s" "$n")"; else echo "$a $n $s"; fi
    done
else echo "DuckDB: not measured (npm install @duckdb/node-api somewhere and set DUCKDB_NODE to that folder)"; fi
/usr/bin/python3 - "$f" "$wanted" <<'P' 2>/dev/null || echo "pandas: not measured (not installed)"
import sys, time, os
import pandas as pd
for engine in ("c",):
    start = time.time()
    d = pd.read_csv(sys.argv[1], usecols=sys.argv[2].split(","), engine=engine)
    s = time.time() - start
    print("pandas %s, %s engine, 1 thread: %.1f s, %.0f MB/s" % (pd.__version__, engine, s, os.path.getsize(sys.argv[1]) / s / 1e6))
P
