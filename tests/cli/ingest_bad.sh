#!/usr/bin/env bash
# Bad stock files: each refused on every rank with file, line, column, what was found and what is needed; nothing is left behind.
. "$(dirname "$0")/lib.sh"
head='id,eom,ret_exc_lead1m,be_me,age'
good() { for i in $(seq 40); do echo "$i,20010131,0.0$i,1.$i,$i"; done; }
f=$WORK/s.csv
# try NAME TEXT [OPTION...]: refused with TEXT, no output, no temporary file. try2: on two ranks too
try2() {
    try "$@"
    refuses "$1 (2 ranks)" 1 "$2" mpirun --oversubscribe --quiet -n 2 "$AIPM" ingest --stocks "$f" -o "$WORK/out/p.h5" "${@:3}"
    check "$1 (2 ranks): nothing is left" test -z "$(ls -A "$WORK/out" 2>/dev/null)"
}
try() {
    refuses "$1" 1 "$2" "$AIPM" ingest --stocks "$f" -o "$WORK/out/p.h5" "${@:3}"
    check "$1: nothing is left" test -z "$(ls -A "$WORK/out" 2>/dev/null)"
}
{ echo "$head"; good; echo "41,20010131,0.1,1"; } >"$f"; try2 "a short row" "$f:42:4: column be_me: found 4 fields; needed are 5"
{ echo "$head"; good; echo "41,20010131,0.1,1,2,3"; } >"$f"; try "a long row" "$f:42:6: found 6 fields; needed are 5"
{ echo "$head"; good; echo "41,20010131,0.1,abc,2"; } >"$f"; try2 "text in a number" "$f:42:4: column be_me: found 'abc'; needed is a number"
{ echo "$head"; good; echo "41,20010131,inf,1,2"; } >"$f"; try "an infinite return" "$f:42:3: column ret_exc_lead1m: found 'inf'"
{ echo "$head"; good; echo "41,20010131,1e999,1,2"; } >"$f"; try "a number too large" "$f:42:3: column ret_exc_lead1m: found '1e999'"
{ echo "$head"; for i in $(seq 2100); do echo "$i,20010131,0.1,1,2"; done; echo "x,20010131,0.1,1,2"; } >"$f"; try "text among numeric identifiers" "$f:2102:1: column id: found 'x'; needed is a whole number"
{ echo "$head"; good; echo "41,20010132,0.1,1,2"; } >"$f"; try "no such day" "$f:42:2: column eom: found '20010132'; needed is a date"
{ echo "$head"; good; echo '41,20010131,0.1,1"0",2'; } >"$f"; try "a quote in a field" "$f:42:4: column be_me: found '1\"0\"'; needed is a field without quotes"
{ echo "$head"; good; echo '41,20010131,"0.1,1,2'; good | sed 's/^/1/'; } >"$f"; try "an open quote" "$f:42:3: column ret_exc_lead1m"
{ echo "$head"; good; echo '41,20010131,"0.1,1,2'; yes 1,2,3,4,5 | head -n 400000; } >"$f"; try2 "an open quote in a large file" "$f:42: a row longer than"
{ echo "$head"; good | sed 's/$/\r/'; printf '41,20010131,0.1,1x,2\r\n'; } >"$f"; try "text in a number, CRLF" "$f:42:4: column be_me: found '1x'"
{ echo "$head"; good; good | tail -n 1; } >"$f"; try "the same stock and month twice" "$f:42:1: stock 40 has a second row dated 20010131 (the first is line 41)"
{ echo "${head/id/ticker}"; good | sed 's/^/A/'; echo "A7,20010115,1,1,1"; } >"$f"; try2 "the same ticker and month twice" "$f:42:1: stock A7 has a second row dated 20010131 (the first is line 8)"
: >"$f"; try2 "an empty file" "$f: the file is empty"
printf '\xef\xbb\xbf' >"$f"; try "a byte-order mark alone" "$f: the file is empty"
echo "$head" >"$f"; try2 "a header alone" "no row is left"
printf '%s' "$head" >"$f"; try "half a header" "the header is not followed by a line end"
{ echo "${head//,/;}"; good | tr , ';'; } >"$f"; try "semicolons" "$f:1: the header is separated by semicolons"
{ echo "id,eom,be_me,age"; echo 1,20010131,1,1; } >"$f"; try "no return column" "$f:1: no column holds the excess return; needed is one named ret_exc_lead1m, ret_exc"
{ echo "eom,ret_exc_lead1m,be_me"; echo 20010131,1,1; } >"$f"; try "no identifier" "no column holds the stock's identifier"
{ echo "$head,age"; good | sed 's/$/,1/'; } >"$f"; try "a column twice" "$f:1:6: column 'age' is there twice"
{ echo "$head"; good; } >"$f"
try "an unknown characteristic" "characteristic 'nope'" --characteristics be_me,nope
try "an unknown return" "there is no column 'r'" --return r
{ echo "$head"; good | sed 's/,[^,]*,[^,]*$/,,/'; } >"$f"; try "nothing but missing values" "every one of the 2 characteristics is missing in more than 30%"
{ echo "$head"; good | sed 's/,0\.0[0-9]*,/,,/'; } >"$f"; try "no return at all" "no row is left"
{ echo "$head"; good; } | gzip | head -c 200 >"$f"; try2 "a truncated .gz" "the gzip data end in the middle"
{ echo "$head"; good; } | gzip >"$f"; printf '\x55\x55\x55' | dd of="$f" bs=1 seek=60 conv=notrunc 2>/dev/null; try "a damaged .gz" "damaged gzip data"
printf 'PAR1xxxx' >"$f"; try "Parquet" "is a Parquet file"
head -c 3000 /dev/urandom | tr '\n"' 'xx' >"$f"; echo >>"$f"; try "no text at all" "$f:1"
rm "$f"; try2 "no such file" "$f: cannot be opened"
f=$WORK; try "a folder" "is not a regular file"
f=$WORK/s.csv
{ echo "$head"; for i in $(seq 20000); do echo "$i,20010131,0.1,1.$i,$i"; done; } >"$f"
mkdir "$WORK/out"
if mount -t tmpfs -o size=100k tmpfs "$WORK/out" 2>/dev/null; then
    refuses "a full disk" 1 "no room on the disk" mpirun --oversubscribe --quiet -n 2 "$AIPM" ingest --any-volatility --stocks "$f" -o "$WORK/out/p.h5"
    check "a full disk: nothing is left" test -z "$(ls -A "$WORK/out")"
    refuses "a full disk for temporary rows" 1 "writing temporary rows failed" mpirun --oversubscribe --quiet -n 2 "$AIPM" ingest --any-volatility --stocks "$f" -o "$WORK/out/p.h5" --memory-mb 0.1
    check "a full disk for temporary rows: nothing is left" test -z "$(ls -A "$WORK/out")"
    umount "$WORK/out"
else skip "a full disk: no tmpfs may be mounted here"; fi
refuses "usage: no output" 2 "needed: -o PANEL" "$AIPM" ingest --stocks "$f"
refuses "usage: no such policy" 2 "needed: stop or skip" "$AIPM" ingest --stocks "$f" -o x --on-bad-row ignore
