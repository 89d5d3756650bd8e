#!/usr/bin/env bash
# data/fetch-bybit.sh and fetch-yahoo.sh against a local server that answers as the APIs do: pages, patience, what is there is not fetched
# again, a run that was stopped; aipm ingest reads what they write.
. "$(dirname "$0")/lib.sh"
if ! command -v curl >/dev/null || ! command -v python3 >/dev/null; then skip "fetch scripts: no curl or python3"; exit; fi
log=$WORK/requests
python3 tests/cli/fetch_server.py "$WORK/port" "$log" 2>"$WORK/server.err" &
server=$!
trap 'kill $server; wait $server 2>/dev/null; finish' EXIT
for _ in $(seq 100); do [ -s "$WORK/port" ] && break; sleep 0.1; done
export BYBIT_URL=http://127.0.0.1:$(cat "$WORK/port") YAHOO_URL=http://127.0.0.1:$(cat "$WORK/port")/download FETCH_WAIT=0.1 no_proxy=127.0.0.1
asked() { [ -e "$log" ] && grep -c "$1" "$log" || echo 0; }
bybit() { data/fetch-bybit.sh -o "$WORK/b" "$@" 2>"$WORK/say"; }
bars() { grep -o '\["[0-9]*"' "$WORK/b/$1.json" | sort | uniq -c | awk -v n="$2" '{ if ($1 != 1) exit 1 } END { exit NR != n }'; }
check "a symbol" bybit --from 2019-06-01 --to 2026-08-31 AUSDT
check "a 429 and a rate limit in the answer are waited out" grep -q "HTTP status 429: again in 1 s" "$WORK/say"
check "the rate limit in the answer" grep -q "the answer asks for patience: again in 0.2 s" "$WORK/say"
check "Retry-After is kept" awk 'NR == 1 { t = $1 } NR == 2 { exit $1 - t < 1 }' "$log"
to=$(($(date +%s) / 86400)) end=$(($(date -u -d 2026-08-31 +%s) / 86400)) start=$(($(date -u -d 2020-01-01 +%s) / 86400))
[ $((to - 1)) -lt $end ] && end=$((to - 1))
n=$((end - start + 1))
check "every day once" bars AUSDT $n
check "answers of 1000, one a line, the last empty" test "$(wc -l <"$WORK/b/AUSDT.json") $(asked symbol=AUSDT)" = "$(((n + 999) / 1000 + 1)) $(((n + 999) / 1000 + 3))"
before=$(asked .)
check "again" bybit --from 2019-06-01 --to 2026-08-31 AUSDT
check "asks for nothing" test "$(asked .)" = "$before"
# newer and older bars
check "a year" bybit --from 2022-01-01 --to 2022-12-31 BUSDT
check "365 days" bars BUSDT 365
check "later ones" bybit --from 2022-01-01 --to 2023-03-31 BUSDT
check "455 days" bars BUSDT 455
check "only these were asked for" grep -q "symbol=BUSDT.*start=1672444800001&end=1680307199999" "$log"
check "earlier ones" bybit --from 2021-12-01 --to 2023-03-31 BUSDT
check "486 days" bars BUSDT 486
# stopped and taken up
refuses "a server that fails" 1 "HTTP status 500 after 3 tries" env FETCH_TRIES=3 data/fetch-bybit.sh -o "$WORK/b" --to 2024-12-31 BREAKS
check "no file, but its pages" test ! -e "$WORK/b/BREAKS.json" -a "$(ls "$WORK/b/BREAKS.part"/*.json | wc -l)" = 2
check "taken up" bybit --to 2024-12-31 BREAKS
check "all days" bars BREAKS $(($(date -u -d 2024-12-31 +%s) / 86400 - start + 1))
check "no page was asked for again after it had come" test "$(grep -o 'symbol=BREAKS.*' "$log" | sort | uniq -c | awk '$1 > 1' | wc -l)" = 1
check "nothing is left beside" test -z "$(ls -d "$WORK"/b/*.part "$WORK"/b/.*tmp 2>/dev/null)"
# what is refused
refuses "an unknown symbol" 1 "NOPE: HTTP status 200, retCode 10001: {\"retCode\":10001,\"retMsg\":\"params error: Symbol Is Invalid\"" data/fetch-bybit.sh -o "$WORK/b" NOPE
check "does not stop the others" eval '! bybit --from 2024-01-01 --to 2024-02-29 NOPE CUSDT && bars CUSDT 60'
check "and leaves no file" test ! -e "$WORK/b/NOPE.json"
refuses "nothing in that time" 1 "no bars between 2018-01-01 and 2019-01-31" data/fetch-bybit.sh -o "$WORK/b" --to 2019-01-31 DUSDT
refuses "no date" 2 "--from: found '2021'; needed: YYYY-MM-DD" data/fetch-bybit.sh --from 2021 AUSDT
refuses "no interval" 2 "--interval: found '7'" data/fetch-bybit.sh --interval 7 AUSDT
refuses "no symbol" 2 "needed: a symbol" data/fetch-bybit.sh
refuses "no server" 1 "HTTP status 000 after 2 tries" env FETCH_TRIES=2 data/fetch-bybit.sh --url http://127.0.0.1:9 -o "$WORK/b" EUSDT
check "help" grep -q "usage: fetch-bybit.sh" <<<"$(data/fetch-bybit.sh --help)"
# Yahoo
yahoo() { data/fetch-yahoo.sh -o "$WORK/y" --from 2021-01-01 "$@" 2>"$WORK/say"; }
check "Yahoo: symbols" yahoo AAPL ^GSPC BRK-B
check "the symbol's name in the address" grep -q "/download/%5EGSPC?period1=1609459200&" "$log"
check "50 rows" test "$(grep -c ^2021 "$WORK/y/AAPL.csv")" = 50
before=$(asked .)
check "again" yahoo AAPL
check "asks for nothing" test "$(asked .)" = "$before"
check "busy" yahoo BUSY
check "is asked again" test "$(asked /BUSY)" = 2
refuses "unknown" 1 "NONE: HTTP status 404: 404 Not Found: No data found" data/fetch-yahoo.sh -o "$WORK/y" NONE
check "and leaves nothing" test -z "$(find "$WORK/y" -name '*NONE*')"
# what they write is what ingest reads
"$AIPM" ingest --ohlcv "$WORK/b" -o "$WORK/p.h5" >"$WORK/table" 2>"$WORK/say"; check "ingest reads them" test $? = 0
check "under the exchange's names, all bars" grep -qE "^AUSDT +20200101 +[0-9]+ +$n " "$WORK/table"
check "daily" grep -q "(daily, 365 a year)" "$WORK/say"
