#!/usr/bin/env bash
# The verdict of aipm trial on SEEDS (100) panels of every planted world, from seed FIRST (1): right in 95 of 100. Two trials at a time,
# each of 26 to 31 runs on 60 assets, 4 characteristics and 150 months (momentum: 240), about 1.5 s of processor time. WORLDS=NAMES: these only.
# On a study of realistic size: what a trial costs, and what was forecast of it.
# TRIALS=DIR keeps panels and runs there; done again, only verdicts are: so are changed rules held against the same runs.
. "$(dirname "$0")/../cli/lib.sh"
. tests/worlds.sh
trials=${TRIALS:-$WORK/trials}
worlds=${WORLDS-nothing momentum reversal link noise premia} first=${FIRST:-1} n=${SEEDS:-100}
mkdir -p "$trials" && cd "$trials" || exit 1
export XDG_CACHE_HOME=$trials/cache
one() { # WORLD SEED: the verdict into WORLD-SEED/verdict
    local at=$1-$2
    mkdir -p "$at" && rm -f "$at/verdict"
    [ -e "$at/panel.h5" ] || world "$1" "$2" "$at/panel.h5" "$at/study.yaml" || return
    nice -n 5 "$AIPM" trial "$at/study.yaml" -o "$at" --quiet >/dev/null || return
    [ -z "${TRIALS:-}" ] && rm -rf "$at/runs" "$at/panel.h5"
    verdict "$at" >"$at/verdict"
}
for world in $worlds; do
    for seed in $(seq "$first" 2 $((first + n - 1))); do
        one "$world" "$seed" &
        [ $((seed + 1)) -ge $((first + n)) ] || one "$world" $((seed + 1))
        wait
    done
    hits=0 verdicts=
    for seed in $(seq "$first" $((first + n - 1))); do
        found=$(cat "$world-$seed/verdict" 2>/dev/null || echo none)
        verdicts+="$found"$'\n'
        if right "$world" "$found"; then hits=$((hits + 1)); else echo "$world, seed $seed: $found"; fi
    done
    check "$world: right in $hits of $n ($(sort <<<"${verdicts%?}" | uniq -c | tr -s ' \n' ' '))" test "$((100 * hits))" -ge "$((95 * n))"
done

"$AIPM" synth -q -N 1000 -D 24 -T 300 --seed 3 -o cost.h5
cat >cost.yaml <<Y
study: cost
panel: cost.h5
output: cost.results.h5
window: 60
factor_scale: root
models:
  - {name: bsv, kind: bsv}
  - {name: linear, kind: linear_transformer, heads: [1, 2, 4, 8, 16, 24]}
Y
TIMEFORMAT='%U %S'
processor() { { time "$@" >/dev/null; } 2>&1 | awk 'END {print $1 + $2}'; }
rm -rf cost cost.results.h5
own=$(processor "$AIPM" run cost.yaml --quiet)
forecast=$("$AIPM" trial cost.yaml --plan | awk '/^all/ && $5 == "s" {print $4}')
took=$(processor "$AIPM" trial cost.yaml -o cost --quiet)
check "a trial took $took s of processor time, the study $own s" awk "BEGIN {exit !($took <= 30 * $own)}"
check "forecast: $forecast s" awk "BEGIN {exit !($forecast <= 2 * $took && $took <= 2 * $forecast)}"
