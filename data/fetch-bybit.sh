#!/usr/bin/env bash
# Klines of Bybit's v5 API, as it answers, one answer a line: what `aipm ingest --ohlcv` reads.
set -u
program=${0##*/}
help() {
    cat <<H
usage: $program [options] SYMBOL...            e.g. $program --interval 60 --from 2023-01-01 -o data/bybit-hourly BTCUSDT ETHUSDT

  --interval I    1 3 5 15 30 60 120 240 360 720 (minutes), D, W or M (default D); a folder for each
  --from DATE     first day, YYYY-MM-DD (default 2018-01-01)
  --to DATE       last day (default: the last bar that is over)
  --category C    linear (default), inverse or spot
  -o FOLDER       SYMBOL.json goes there (default data/bybit)
  --url URL       of the API (default \$BYBIT_URL or https://api.bybit.com)

Pages of 1000 bars are fetched from the newest back to --from or the listing. A symbol's file is written when all of its pages are there;
pages of a run that was stopped wait in FOLDER/SYMBOL.part. What is there is not fetched again: a second run asks for newer bars
only, or for older ones where --from lies before them. Where the exchange asks for patience the script waits (FETCH_WAIT=1 second, doubled
up to 60, FETCH_TRIES=8). A symbol that fails does not stop the others; the exit status is then 1.
H
}
interval=D from=2018-01-01 to='' category=linear folder=data/bybit url=${BYBIT_URL:-https://api.bybit.com} symbols=() page_bars=1000
. "$(dirname "$0")/fetch-common.sh"
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) help; exit 0 ;;
    --interval | --from | --to | --category | -o | --url)
        [ $# -ge 2 ] || usage "$1: a value is needed"
        case $1 in --interval) interval=$2 ;; --from) from=$2 ;; --to) to=$2 ;; --category) category=$2 ;; -o) folder=$2 ;; --url) url=$2 ;; esac
        shift ;;
    -*) usage "found '$1'; needed: an option" ;;
    *) case $1 in *[!A-Za-z0-9_-]*) usage "found symbol '$1'; needed: letters and digits" ;; esac; symbols+=("$1") ;;
    esac
    shift
done
[ ${#symbols[@]} -gt 0 ] || usage "needed: a symbol"
case $interval in
1 | 3 | 5 | 15 | 30 | 60 | 120 | 240 | 360 | 720) bar=$((interval * 60)) ;;
D) bar=86400 ;; W) bar=604800 ;; M) bar=2678400 ;;
*) usage "--interval: found '$interval'; needed: 1 3 5 15 30 60 120 240 360 720 D W M" ;;
esac
first=$(epoch "$from" --from) || exit 2
last=$(($(date +%s) - bar)) # a bar that starts later is not over
if [ -n "$to" ]; then
    t=$(epoch "$to" --to) || exit 2
    [ $((t + 86399)) -lt $last ] && last=$((t + 86399))
fi
first=${first}000 last=${last}999
mkdir -p "$folder" || exit 1

code_of() { grep -o '"retCode" *: *-\{0,1\}[0-9]*' "$1" | head -n 1 | grep -o -- '-\{0,1\}[0-9]*$'; }
busy() { case $(code_of "$1") in 10006 | 10016 | 10018) true ;; *) false ;; esac; }
starts() { grep -oh '\[ *"[0-9]\{10,\}"' "$@" | grep -o '[0-9]*' | sort -n; } # of the bars in files
oldest() { starts "$@" | head -n 1; }
newest() { starts "$@" | tail -n 1; }

# pages SYMBOL LOW HIGH: all bars that start in [LOW, HIGH], newest page first, each a file in SYMBOL.part
pages() {
    local symbol=$1 low=$2 end=$3 part=$folder/$1.part code at
    mkdir -p "$part" || return 1
    while [ "$end" -ge "$low" ]; do
        get "$part/tmp" "$url/v5/market/kline?category=$category&symbol=$symbol&interval=$interval&start=$low&end=$end&limit=$page_bars" || return 1
        code=$(code_of "$part/tmp")
        if [ "$status" != 200 ] || [ "$code" != 0 ]; then
            say "$symbol: HTTP status $status, retCode ${code:-none}: $(head -c 300 "$part/tmp" | tr -d '\n')"
            return 1
        fi
        at=$(oldest "$part/tmp")
        { tr -d '\n' <"$part/tmp" && echo; } >"$part/tmp2" && rm -f "$part/tmp" && mv "$part/tmp2" "$part/$(printf '%015d' "$end").json" || return 1
        [ -n "$at" ] || break # nothing as old as this: the listing
        end=$((at - 1))
    done
}

# join SYMBOL KEEP_EMPTY: the pages behind what the symbol's file has; empty ones, which mark the listing, only if asked
join() {
    local file=$folder/$1.json part=$folder/$1.part page
    {
        [ ! -e "$file" ] || cat "$file" || return 1
        for page in $(ls -r "$part" | grep '^[0-9]*\.json$'); do
            [ "$2" = 0 ] && [ -z "$(oldest "$part/$page")" ] && continue
            cat "$part/$page" || return 1
        done
    } >"$folder/.$1.tmp" && mv "$folder/.$1.tmp" "$file" && rm -r "$part"
}

# fetch SYMBOL: what a stopped run has begun is finished first, so that a file never has a hole
fetch() {
    local file=$folder/$1.json part=$folder/$1.part at low
    if [ -e "$part" ] && at=$(oldest "$part"/[0-9]*.json 2>/dev/null) && [ -n "$at" ]; then
        low=$first
        [ ! -e "$file" ] || [ "$at" -le "$(newest "$file")" ] || low=$(($(newest "$file") + 1))
        say "$1: going on before $(date -u -d "@$((at / 1000))" '+%Y-%m-%d %H:%M')"
        pages "$1" "$low" $((at - 1)) && join "$1" 1 || return 1
    fi
    rm -rf "$part"
    if [ ! -e "$file" ]; then
        pages "$1" "$first" "$last" || return 1
        if [ -z "$(oldest "$part"/*.json)" ]; then say "$1: no bars between $from and ${to:-now}"; rm -r "$part"; return 1; fi
        join "$1" 1 || return 1
    fi
    if [ $(($(newest "$file") + bar * 1000)) -le "$last" ]; then
        pages "$1" $(($(newest "$file") + 1)) "$last" && join "$1" 0 || return 1
    fi
    if [ "$(oldest "$file")" -gt "$first" ] && ! grep -q '"list" *: *\[ *\]' "$file"; then
        pages "$1" "$first" $(($(oldest "$file") - 1)) && join "$1" 1 || return 1
    fi
    say "$1: $(starts "$file" | uniq | wc -l) bars in $file"
}
failed=0
for symbol in "${symbols[@]}"; do fetch "$symbol" || { say "$symbol: failed"; failed=1; }; done
exit $failed
