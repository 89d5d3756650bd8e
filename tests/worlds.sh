# Sourced: planted worlds on which the verdict of aipm trial must be right.
# world NAME SEED PANEL STUDY: the panel and a study of it.
world() {
    local -a planted=(-N 60 -D 4 -T 150 --volatility 0.1 --seed "$2")
    case $1 in
    nothing) planted+=(--frequency monthly --planted reversal --strength 0) ;;
    momentum) planted+=(-T 240 --frequency monthly --planted momentum --strength 0.4) ;;
    reversal) planted+=(--frequency monthly --planted reversal --strength 0.3) ;;
    noise) planted+=(--frequency monthly --planted noise --strength 0.6) ;;
    premia) planted+=(--sharpe 4 --cross-share 0 --factor-share 1 --own-share 0) ;;
    link) planted+=(--sharpe 8 --cross-share 1 --factor-share 0 --own-share 0) ;;
    esac
    "$AIPM" synth -q -o "$3" "${planted[@]}" || return
    cat >"$4" <<Y
study: $1
panel: $3
output: $3.results.h5
window: 24
factor_scale: root
models:
  - {name: linear, kind: linear_transformer}
Y
}
# verdict DIR: of the first model of the trial in DIR.
verdict() { awk -F, 'NR == 2 {print $3}' "$1/tables/verdicts.csv"; }
# right WORLD VERDICT. A true link and premia that never change have no other explanation, whatever few doubts there are.
right() {
    case $1 in
    link | premia) [ "$2" = stands ] ;;
    noise) [ "$2" = market ] ;;
    *) [ "$2" = "$1" ] ;;
    esac
}
