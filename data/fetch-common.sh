# Sourced by the fetch scripts: one HTTP request with patience.
say() { echo "$program: $*" >&2; }
usage() { say "$*; $program --help shows the options"; exit 2; }
command -v curl >/dev/null || { say "needs curl"; exit 1; }
tries=${FETCH_TRIES:-8} wait=${FETCH_WAIT:-1}

# epoch DATE WORD: seconds since 1970 of a day (YYYY-MM-DD, UTC)
epoch() {
    case $1 in [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]) ;; *) usage "$2: found '$1'; needed: YYYY-MM-DD" ;; esac
    date -u -d "$1" +%s 2>/dev/null || usage "$2: found '$1'; needed: a day of the calendar"
}

# get FILE URL...: the answer's body to FILE, the status to $status. Where the other side asks for patience (429, 403, 5xx, no answer, or
# what the function `busy FILE` sees in the body) again after Retry-After or 1, 2, 4, ... 60 s, up to FETCH_TRIES times in all.
get() {
    local body=$1 try pause after
    shift
    pause=$wait
    for ((try = 1; ; try++)); do
        status=$(curl -sS -L --compressed --max-time 60 -A 'Mozilla/5.0' -D "$body.head" -o "$body" -w '%{http_code}' "$@" 2>"$body.err") || status=000
        after=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9][0-9]*\).*/\1/p' "$body.head" 2>/dev/null | tail -n 1)
        [ "$status" = 000 ] && say "no answer: $(tail -n 1 "$body.err")"
        rm -f "$body.head" "$body.err"
        case $status in
        429 | 403 | 5?? | 000) why="HTTP status $status" ;;
        200) busy "$body" || return 0; why="the answer asks for patience" ;;
        *) return 0 ;;
        esac
        if [ "$try" -ge "$tries" ]; then say "$why after $tries tries"; return 1; fi
        say "$why: again in ${after:-$pause} s"
        sleep "${after:-$pause}"
        pause=$(awk -v p="$pause" 'BEGIN { p *= 2; print (p > 60 ? 60 : p) }')
    done
}
