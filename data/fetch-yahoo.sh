#!/usr/bin/env bash
# Prices in Yahoo's CSV form (Date,Open,High,Low,Close,Adj Close,Volume), one file a symbol: what `aipm ingest --ohlcv` reads.
set -u
program=${0##*/}
help() {
    cat <<H
usage: $program [options] SYMBOL...            e.g. $program --from 2000-01-01 -o data/yahoo AAPL MSFT

  --interval I    1d (default), 1wk, 1mo or 1h; a folder for each
  --from DATE     first day, YYYY-MM-DD (default 2000-01-01)
  --to DATE       last day (default: yesterday)
  -o FOLDER       SYMBOL.csv goes there (default data/yahoo)
  --again         fetch symbols whose file is there already
  --url URL       of the download (default \$YAHOO_URL or https://query1.finance.yahoo.com/v7/finance/download);
                  SYMBOL?period1=..&period2=..&interval=..&events=history&includeAdjustedClose=true is put behind it

Yahoo gives this download to subscribers only since 2024: \$YAHOO_COOKIE, where set, is sent as the cookie; --url may point to any server of the
same form. A file is written when it is whole, and not fetched again. On 429, 403 and 5xx the script waits (FETCH_WAIT=1 second,
doubled up to 60, FETCH_TRIES=8). A symbol that fails does not stop the others; the exit status is then 1.
H
}
interval=1d from=2000-01-01 to='' folder=data/yahoo again=0 url=${YAHOO_URL:-https://query1.finance.yahoo.com/v7/finance/download} symbols=()
. "$(dirname "$0")/fetch-common.sh"
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) help; exit 0 ;;
    --again) again=1 ;;
    --interval | --from | --to | -o | --url)
        [ $# -ge 2 ] || usage "$1: a value is needed"
        case $1 in --interval) interval=$2 ;; --from) from=$2 ;; --to) to=$2 ;; -o) folder=$2 ;; --url) url=$2 ;; esac
        shift ;;
    -*) usage "found '$1'; needed: an option" ;;
    *) case $1 in *[!A-Za-z0-9.^=_-]* | .*) usage "found symbol '$1'; needed: letters, digits and . ^ = _ -" ;; esac; symbols+=("$1") ;;
    esac
    shift
done
[ ${#symbols[@]} -gt 0 ] || usage "needed: a symbol"
case $interval in 1d | 1wk | 1mo | 1h) ;; *) usage "--interval: found '$interval'; needed: 1d 1wk 1mo 1h" ;; esac
first=$(epoch "$from" --from) || exit 2
last=$(($(date +%s) / 86400 * 86400)) # today is not over
if [ -n "$to" ]; then
    t=$(epoch "$to" --to) || exit 2
    [ $((t + 86400)) -lt $last ] && last=$((t + 86400))
fi
mkdir -p "$folder" || exit 1
busy() { false; }

fetch() {
    local file=$folder/$1.csv tmp=$folder/.$1.tmp name
    if [ -e "$file" ] && [ $again = 0 ]; then say "$1: $file is there"; return 0; fi
    name=$(printf '%s' "$1" | sed 's/\^/%5E/g; s/=/%3D/g')
    get "$tmp" ${YAHOO_COOKIE:+-b "$YAHOO_COOKIE"} "$url/$name?period1=$first&period2=$last&interval=$interval&events=history&includeAdjustedClose=true" ||
        { rm -f "$tmp"; return 1; }
    if [ "$status" != 200 ] || ! head -n 1 "$tmp" | grep -q '^Date[a-z]*,Open,'; then
        say "$1: HTTP status $status: $(head -c 200 "$tmp" | tr -d '\n')"
        rm -f "$tmp"
        return 1
    fi
    mv "$tmp" "$file" && say "$1: $(grep -c '^[0-9]' "$file") rows in $file"
}
failed=0
for symbol in "${symbols[@]}"; do fetch "$symbol" || { say "$symbol: failed"; failed=1; }; done
exit $failed
