#!/usr/bin/env bash
# The verdict of aipm trial on SEEDS (100) panels of every planted world: right in 95 of 100.
. "$(dirname "$0")/../cli/lib.sh"
/usr/bin/python3 -c 'import numpy, h5py' 2>/dev/null || { skip "python3-numpy and python3-h5py are not installed: 6 checks"; exit; }
. tests/worlds.sh
tool=$PWD/tests/cli/trial.py
cd "$WORK" || exit 1
export XDG_CACHE_HOME=$WORK/cache
for world in ${WORLDS:-nothing momentum reversal link noise premia}; do
    hits=0 n=${SEEDS:-100} verdicts=
    for seed in $(seq "$n"); do
        rm -rf w w.*
        world "$world" "$seed" w.h5 w.yaml && "$AIPM" trial w.yaml -o w --quiet >/dev/null || { bad "$world, seed $seed: no trial"; break; }
        found=$(/usr/bin/python3 "$tool" verdict w/tables linear)
        verdicts+="$found"$'\n'
        if right "$world" "$found"; then hits=$((hits + 1)); else echo "$world, seed $seed: $found"; fi
    done
    check "$world: right in $hits of $n ($(sort <<<"${verdicts%?}" | uniq -c | tr -s ' \n' ' '))" test "$((100 * hits))" -ge "$((95 * n))"
done
