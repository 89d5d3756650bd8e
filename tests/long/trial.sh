#!/usr/bin/env bash
# The verdict of aipm trial on SEEDS (100) panels of every planted world, from seed FIRST (1): right in 95 of 100. Two trials at a time,
# each of 33 to 43 runs on 60 assets, 4 characteristics and 150 months (momentum: 240), about 3 s of processor time.
# TRIALS=DIR keeps panels and runs there; done again, only verdicts are: so are changed rules held against the same runs.
. "$(dirname "$0")/../cli/lib.sh"
. tests/worlds.sh
trials=${TRIALS:-$WORK/trials}
worlds=${WORLDS:-nothing momentum reversal link noise premia} first=${FIRST:-1} n=${SEEDS:-100}
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
