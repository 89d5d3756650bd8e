#!/usr/bin/env bash
# aipm synth: the same file for any number of ranks, wrong usage, a full disk, and what models make of its parts.
. "$(dirname "$0")/lib.sh"
for p in 1 2 3 5; do mpi $p "$AIPM" synth -q -o "$WORK/p$p.h5" --assets 70 --characteristics 57 --periods 13 || bad "on $p ranks"; done
for p in 2 3 5; do check "the same bytes on $p ranks as on one" cmp "$WORK/p1.h5" "$WORK/p$p.h5"; done
"$AIPM" synth -q -o "$WORK/alone.h5" --assets 70 --characteristics 57 --periods 13
check "the same bytes without mpirun" cmp "$WORK/p1.h5" "$WORK/alone.h5"
mpi 5 "$AIPM" synth -q -o "$WORK/few.h5" --assets 70 --characteristics 57 --periods 3 || bad "more ranks than periods"
check "more ranks than periods" bash -c "'$AIPM' info '$WORK/few.h5' >/dev/null"
"$AIPM" synth -q -o "$WORK/other.h5" --assets 70 --characteristics 57 --periods 13 --seed 2
check "another seed, another panel" bash -c "! cmp -s '$WORK/p1.h5' '$WORK/other.h5'"
check "says what it will write" bash -c "'$AIPM' synth -o '$WORK/said.h5' --assets 70 --periods 13 2>&1 | grep -qE '[0-9]+ rows of 12 characteristics over 13 months, [0-9.]+ kB'"
check "help teaches" bash -c "'$AIPM' synth --help | grep -q cross-share"

refuses "no output" 2 "-o PANEL and --csv FILE is needed" "$AIPM" synth
refuses "unknown option" 2 "--help" "$AIPM" synth -o "$WORK/x.h5" --stocks 3
refuses "an argument too many" 2 "'y.h5'" "$AIPM" synth -o "$WORK/x.h5" y.h5
refuses "text for a number" 2 "--assets: found 'many'; needed: a whole number, 1 to" "$AIPM" synth -o "$WORK/x.h5" --assets many
refuses "a number with a tail" 2 "--sharpe: found '3x'; needed: a number" "$AIPM" synth -o "$WORK/x.h5" --sharpe 3x
refuses "no number" 2 "--sharpe: found 'nan'; needed: a number" "$AIPM" synth -o "$WORK/x.h5" --sharpe nan
if [ -e /dev/full ]; then refuses "help that cannot be printed" 1 "could not be written: No space" bash -c "'$AIPM' synth --help >/dev/full"; fi
refuses "too few assets" 2 "3 assets: 10 to" "$AIPM" synth -o "$WORK/x.h5" --assets 3
refuses "no such month" 2 "199013" "$AIPM" synth -o "$WORK/x.h5" --start 199013
refuses "shares beyond 1" 2 "0.3 + 0.3 + 0.9" "$AIPM" synth -o "$WORK/x.h5" --cross-share 0.9
refuses "on three ranks" 2 "3 assets" mpi 3 "$AIPM" synth -o "$WORK/x.h5" --assets 3
check "said once" test "$(mpi 3 "$AIPM" synth -o "$WORK/x.h5" --assets 3 2>&1 | grep -c '3 assets')" = 1
refuses "a folder that cannot be" 1 "/proc/aipm" mpi 2 "$AIPM" synth -o /proc/aipm/x.h5
refuses "no room for petabytes" 1 "no room on the disk" "$AIPM" synth -q -o "$WORK/x.h5" --assets 300000 --characteristics 10000 --periods 200 --sharpe 1 --factor-share 0 --own-share 0 --cross-share 0
check "nothing left" test -z "$(find "$WORK" -name 'x.h5*')"

# a full disk: known before the work from the free space; met while writing rows; met at the file's end; and room enough
if [ "$(id -u)" = 0 ] && mkdir "$WORK/small" && mount -t tmpfs -o size=1m none "$WORK/small" 2>/dev/null; then
    for p in 1 3; do
        for k in 136 140 144 148 156 180; do
            mount -o remount,size=${k}k "$WORK/small"
            case $k in 136 | 140) says="no room on the disk" ;; *) says="No space left on device" ;; esac
            refuses "a disk of $k kB, $p ranks" 1 "$says" mpi $p "$AIPM" synth -q -o "$WORK/small/x.h5" --assets 70 --periods 32
            check "a disk of $k kB, $p ranks: nothing left" test -z "$(ls "$WORK/small")"
        done
        mount -o remount,size=300k "$WORK/small"
        check "a disk of 300 kB, $p ranks" mpi $p "$AIPM" synth -q -o "$WORK/small/x.h5" --assets 70 --periods 32
        rm -f "$WORK/small/x.h5"
    done
    umount "$WORK/small"
else
    skip "full disk: needs root and tmpfs"
fi

# the linear transformer earns an alpha over BSV from the cross-asset part, and none without it; nothing beats the truth
cat >"$WORK/s.yaml" <<Y
window: 60
models:
  - {name: bsv, kind: bsv}
  - {name: linear, kind: linear_transformer}
Y
alpha_t() {      # seed, options: the t statistic of linear's alpha against bsv
    "$AIPM" synth -q -o "$WORK/a.h5" --seed "$@" && "$AIPM" run --quiet "$WORK/s.yaml" --panel "$WORK/a.h5" -o "$WORK/a-r.h5" >/dev/null &&
        "$AIPM" analyze "$WORK/a-r.h5" -o "$WORK/tables" >/dev/null 2>&1 && awk -F, '$2 == "linear" && $3 == "bsv" {print $5}' "$WORK/tables/alphas.csv"
    rm -rf "$WORK"/a.h5 "$WORK"/a-r.h5*
}
sharpe_of() { awk -F, -v m="$1" '$2 == m {print $6}' "$WORK/tables/performance.csv"; }
for seed in 1 2 3 4 5; do
    t=$(alpha_t $seed)
    check "seed $seed: alpha with the cross-asset part, t $t > 2" awk "BEGIN {exit !($t > 2)}"
    check "seed $seed: no model beats the truth" awk "BEGIN {exit !($(sharpe_of truth) > $(sharpe_of linear) && $(sharpe_of truth) > $(sharpe_of bsv))}"
    t=$(alpha_t $seed --cross-share 0)
    check "seed $seed: no alpha without it, t $t < 2" awk "BEGIN {exit !($t < 2)}"
done
