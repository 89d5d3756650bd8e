#!/usr/bin/env bash
# aipm ingest as its users meet it: the same panel from plain, .gz and .zst text on any number of ranks; the audit; numpy's ranks.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
# JKP-shaped: 80 stocks x 30 months, ties, gaps, nano stocks, flags
awk 'BEGIN { srand(4); print "id,eom,excntry,exch_main,primary_sec,common,obs_main,size_grp,me,ret_exc_lead1m,be_me,age,ret_12_1,sale_gr1,gvkey"
    for (i = 1; i <= 80; i++) for (t = 0; t < 30; t++) { if (rand() < 0.1) continue
        m = t % 12 + 1; y = 2001 + int(t / 12); d = m == 2 ? 28 : (m == 4 || m == 6 || m == 9 || m == 11) ? 30 : 31
        g = i % 5 == 0 ? "nano" : i % 5 == 1 ? "micro" : i % 5 == 2 ? "small" : i % 5 == 3 ? "large" : "mega"
        printf "%d,%04d%02d%02d,%s,%d,1,%d,%d,\"%s\",%g,%s", 10000 + i, y, m, d, i == 7 ? "CAN" : "USA", (i != 9), (i != 11), (rand() > 0.02), g, 10 * i, (rand() < 0.05 ? "" : rand() - 0.5)
        for (c = 0; c < 4; c++) printf ",%s", (rand() < (c == 3 ? 0.5 : 0.15) ? "" : int(20 * rand()) / 4 - 1)
        printf ",001%03d\n", i } }' >"$WORK/s.csv"
gzip -k "$WORK/s.csv"
same_rows() { for d in "$1" "$2"; do "$python" -c "
import h5py, sys
f = h5py.File('$d')
for k in ('dates', 'offsets', 'asset_ids', 'characteristics', 'returns', 'size_groups', 'audit/rows'): sys.stdout.buffer.write(f[k][()].tobytes())" | md5sum; done | uniq | wc -l | grep -qx 1; }
out=$("$AIPM" ingest --stocks "$WORK/s.csv" -o "$WORK/one.h5" 2>"$WORK/log"); check "one process" test $? = 0
check "three of four characteristics stay" grep -q "3 of 4 characteristics are missing in at most 30%" "$WORK/log"
all=$(grep '^all' <<<"$out")
check "every row is accounted for" awk 'NR == 1 { s = $2; for (k = 3; k <= NF; k++) s -= $k; exit s != 0 }' <<<"$all"
check "the rows of another country are counted" test "$(awk '{ print $3 }' <<<"$all")" = "$(grep -c ',CAN,' "$WORK/s.csv")"
for p in 2 3; do
    mpi $p "$AIPM" ingest --stocks "$WORK/s.csv" -o "$WORK/p$p.h5" >"$WORK/out$p" 2>/dev/null
    check "the same file from $p ranks" cmp "$WORK/one.h5" "$WORK/p$p.h5"
    check "the same table from $p ranks" cmp <(echo "$out") "$WORK/out$p"
done
awk -F, -v OFS=, 'NR > 1 && $10 != "" { $10 = 100 * $10 } 1' "$WORK/s.csv" >"$WORK/percent.csv"
refuses "returns in percent" 1 "is the file in percent? Then say --stocks $WORK/percent.csv,percent" "$AIPM" ingest --stocks "$WORK/percent.csv" -o "$WORK/x.h5"
check "a refused file leaves nothing" test ! -e "$WORK/x.h5"
check "unless insisted" "$AIPM" ingest --quiet --any-volatility --stocks "$WORK/percent.csv" -o "$WORK/x.h5"
check "said to be percent" "$AIPM" ingest --quiet --stocks "$WORK/percent.csv,percent" -o "$WORK/percent.h5"
if "$python" -c 'import numpy, h5py' 2>/dev/null; then
    check "percent is a hundredth" "$python" -c "
import h5py, numpy as np
a, b = h5py.File('$WORK/one.h5'), h5py.File('$WORK/percent.h5')
assert np.allclose(a['returns'][()], b['returns'][()], rtol=1e-5, atol=0) and (a['characteristics'][()] == b['characteristics'][()]).all()"
    mpi 2 "$AIPM" ingest --stocks "$WORK/s.csv.gz" -o "$WORK/gz.h5" >/dev/null 2>&1
    check "gzip" same_rows "$WORK/one.h5" "$WORK/gz.h5"
    if command -v zstd >/dev/null; then
        zstd -q "$WORK/s.csv"
        mpi 2 "$AIPM" ingest --stocks "$WORK/s.csv.zst" -o "$WORK/zst.h5" >/dev/null 2>&1
        check "zstd" same_rows "$WORK/one.h5" "$WORK/zst.h5"
    else skip "zstd: no such program"; fi
    sed 's/$/\r/; 1s/^/\xef\xbb\xbf/' "$WORK/s.csv" >"$WORK/dos.csv"
    "$AIPM" ingest --stocks "$WORK/dos.csv" -o "$WORK/dos.h5" >/dev/null 2>&1
    check "CRLF and a byte-order mark" same_rows "$WORK/one.h5" "$WORK/dos.h5"
    { head -n 1 "$WORK/s.csv" | sed 's/$/,note/'; sed '1d; s/$/,x/' "$WORK/s.csv" | awk 'NR == 40 { sub(/x$/, ""); printf "%s\"", $0; for (i = 0; i < 40000; i++) printf "long, text\n"; print "\""; next } 1'; } >"$WORK/long.csv"
    mpi 2 "$AIPM" ingest --stocks "$WORK/long.csv" --characteristics be_me,age,ret_12_1,sale_gr1 -o "$WORK/long.h5" >/dev/null 2>&1
    check "a row of 440 kB" same_rows "$WORK/one.h5" "$WORK/long.h5"
    "$python" - "$WORK/s.csv" "$WORK/one.h5" <<'P'
import csv, sys, numpy as np, h5py
rows = list(csv.DictReader(open(sys.argv[1])))
rows = [r for r in rows if r["excntry"] == "USA" and r["exch_main"] == r["primary_sec"] == r["common"] == r["obs_main"] == "1"]
chars = ["be_me", "age", "ret_12_1", "sale_gr1"]
x = np.array([[float(r[c] or "nan") for c in chars] for r in rows])
keep = np.isnan(x).mean(axis=0) <= 0.30
x = x[:, keep]
stay = (np.isnan(x).sum(axis=1) <= keep.sum() / 3) & np.array([r["size_grp"] != "nano" for r in rows])
x, rows = x[stay], [r for r, s in zip(rows, stay) if s]
eom, ids = np.array([int(r["eom"]) for r in rows]), np.array([int(r["id"]) for r in rows])
ret = np.array([float(r["ret_exc_lead1m"] or "nan") for r in rows])
out = np.zeros(x.shape, np.float32)
for t in np.unique(eom):
    for c in range(x.shape[1]):
        i = np.where((eom == t) & ~np.isnan(x[:, c]))[0]
        v = x[i, c]
        rank = (v[None, :] < v[:, None]).sum(axis=1) + ((v[None, :] == v[:, None]).sum(axis=1) + 1) / 2
        out[i, c] = ((rank - 1) / (len(i) - 1) - 0.5).astype(np.float32)
o = np.lexsort((ids, eom))
o = o[~np.isnan(ret[o])]
f = h5py.File(sys.argv[2])
ok = [s.decode() for s in f["characteristic_names"]] == [c for c, k in zip(chars, keep) if k]
ok &= (f["characteristics"][()].view("i4") == out[o].view("i4")).all() and (f["asset_ids"][()] == ids[o]).all()
ok &= (f["returns"][()] == ret[o]).all() and (np.repeat(f["dates"][()], np.diff(f["offsets"][()])) == eom[o]).all()
sys.exit(not ok)
P
    check "numpy's ranks, bit by bit" test $? = 0
    "$AIPM" ingest --stocks "$WORK/s.csv" --past-only -o "$WORK/past.h5" >/dev/null 2>&1
    awk -F, -v OFS=, 'NR == 1 || $2 < 20020900' "$WORK/s.csv" >"$WORK/early.csv"
    "$AIPM" ingest --stocks "$WORK/early.csv" --past-only -o "$WORK/early.h5" >/dev/null 2>&1
    "$python" - "$WORK/past.h5" "$WORK/early.h5" <<'P'
import sys, numpy as np, h5py
a, b = (h5py.File(p) for p in sys.argv[1:])
n = b["characteristics"].shape[0]
x = {s.decode(): a["characteristics"][:n, k] for k, s in enumerate(a["characteristic_names"])}
y = {s.decode(): b["characteristics"][:n, k] for k, s in enumerate(b["characteristic_names"])}
sys.exit(not all((x.get(k, np.zeros(n)) == y.get(k, np.zeros(n))).all() for k in set(x) | set(y)))
P
    check "--past-only: later rows change nothing before them" test $? = 0
else skip "no numpy and h5py in $python"; fi
real=${AIPM_DATA:-../shared/data}/us-stocks/stocks_2001_2016.csv.gz
if [ -r "$real" ]; then
    mpi 2 "$AIPM" ingest --stocks "$real" -o "$WORK/us.h5" >"$WORK/us.txt" 2>&1
    check "real stocks: 427,958 rows read, 426,062 kept" grep -Eq '^all +427958 +1896 +426062' "$WORK/us.txt"
else skip "no real stocks at $real"; fi
"$AIPM" synth --csv "$WORK/usa.csv" --assets 40 --periods 60 --csv-columns 200 2>/dev/null
mpi 3 "$AIPM" synth --csv "$WORK/usa3.csv" --assets 40 --periods 60 --csv-columns 200 2>/dev/null
check "synth --csv: the same bytes from three ranks" cmp "$WORK/usa.csv" "$WORK/usa3.csv"
mpi 2 "$AIPM" ingest --stocks "$WORK/usa.csv" -o "$WORK/usa.h5" >"$WORK/usa.txt" 2>&1
check "132 of JKP's 153 characteristics" grep -q "132 of 153 characteristics are missing in at most 30%" "$WORK/usa.txt"
check "every flag of JKP's and nano stocks are counted" awk '/^all/ { for (k = 3; k <= NF; k++) if ($k == 0) exit 1; found = 1 } END { exit !found }' "$WORK/usa.txt"
