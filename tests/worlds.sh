# Sourced: planted worlds on which the verdict of aipm trial must be right.
# world NAME SEED PANEL STUDY: the panel and a study of it.
world() {
    local -a link
    case $1 in
    nothing) link=(reversal --strength 0) ;;
    momentum) link=(momentum --strength 0.3) ;;
    reversal) link=(reversal --strength 0.2) ;;
    link) link=(sectors --strength 0.5) ;;
    noise) link=(noise --strength 0.5) ;;
    esac
    "$AIPM" synth -q -o "$3" --planted "${link[@]}" --frequency monthly -N 60 -D 4 -T 240 --volatility 0.1 --seed "$2" || return
    cat >"$4" <<Y
study: $1
panel: $3
output: $3.results.h5
window: 36
factor_scale: root
models:
  - {name: linear, kind: linear_transformer}
Y
}
# right WORLD VERDICT. A true link is one where no other explanation is found: `fragile` says that it rests on a theme or on choices.
right() {
    case $1 in
    link) [ "$2" = stands ] || [ "$2" = fragile ] ;;
    noise) [ "$2" = market ] ;;
    *) [ "$2" = "$1" ] ;;
    esac
}
