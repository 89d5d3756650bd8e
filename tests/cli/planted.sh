#!/usr/bin/env bash
# aipm synth --planted: the same file for any number of ranks, groups and names in it, options that do not belong together, and a
# study that runs on it and does not beat the truth.
. "$(dirname "$0")/lib.sh"
for kind in lead_lag sectors; do
    args=(--planted "$kind" --assets 23 --periods 37 --absent 0.2 --seed 5)
    "$AIPM" synth -q -o "$WORK/alone.h5" "${args[@]}" || bad "$kind"
    mpi 1 "$AIPM" synth -q -o "$WORK/p1.h5" "${args[@]}" || bad "$kind on one rank"
    for p in 2 3 5; do
        mpi $p "$AIPM" synth -q -o "$WORK/p$p.h5" "${args[@]}" || bad "$kind on $p ranks"
        check "$kind: the same bytes on $p ranks as on one" cmp "$WORK/p1.h5" "$WORK/p$p.h5"
    done
    check "$kind: the same bytes without mpirun" cmp "$WORK/p1.h5" "$WORK/alone.h5"
    "$AIPM" synth -q -o "$WORK/other.h5" "${args[@]}" --seed 6
    check "$kind: another seed, another panel" bash -c "! cmp -s '$WORK/p1.h5' '$WORK/other.h5'"
done
info=$("$AIPM" info "$WORK/alone.h5")
check "info: names of assets" grep -q "asset names     23, A00 to A22" <<<"$info"
check "info: group columns" grep -q "group column    sector: 4 labels" <<<"$info"
check "info: labels" grep -q "sector_0, sector_1, sector_2, sector_3" <<<"$info"
check "info: frequency" grep -q "37, daily (252 a year), formation dates 20000103 to 20000222" <<<"$info"
check "help teaches" bash -c "'$AIPM' synth --help | grep -q 'lead - 1'"

refuses "no such link" 2 "'leader': lead_lag, sectors, momentum, reversal or noise" "$AIPM" synth -o "$WORK/x.h5" --planted leader
refuses "an option of stocks" 2 "--cross-share makes no sense with --planted lead_lag" "$AIPM" synth -o "$WORK/x.h5" --cross-share 0 --planted lead_lag
refuses "a CSV file" 2 "--csv makes no sense with --planted" "$AIPM" synth --csv "$WORK/x.csv" --planted sectors
refuses "an option of the other link" 2 "--lead makes no sense with --planted sectors" "$AIPM" synth -o "$WORK/x.h5" --planted sectors --lead 3
refuses "sectors of lead_lag" 2 "--sectors makes no sense with --planted lead_lag" "$AIPM" synth -o "$WORK/x.h5" --planted lead_lag --sectors 3
refuses "an option of planted panels" 2 "--strength: needed: --planted" "$AIPM" synth -o "$WORK/x.h5" --strength 0.3
refuses "too strong" 2 "strength 1:" "$AIPM" synth -o "$WORK/x.h5" --planted lead_lag --strength 1
refuses "a month to start" 2 "200001" "$AIPM" synth -o "$WORK/x.h5" --planted lead_lag --start 200001
refuses "a day to start stocks" 2 "a month YYYYMM" "$AIPM" synth -o "$WORK/x.h5" --start 20000103
check "nothing left" test -z "$(find "$WORK" -name 'x.*')"

# asset 0's own characteristics say nothing of the others to a model of one period: nothing beats the truth
cat >"$WORK/s.yaml" <<Y
window: 60
models:
  - {name: bsv, kind: bsv}
Y
"$AIPM" synth -q -o "$WORK/p.h5" --planted lead_lag --periods 400 --frequency monthly --periods-per-year 13 &&
    "$AIPM" run --quiet "$WORK/s.yaml" --panel "$WORK/p.h5" -o "$WORK/r.h5" >/dev/null &&
    "$AIPM" analyze "$WORK/r.h5" -o "$WORK/tables" >/dev/null 2>&1
sharpe_of() { awk -F, -v m="$1" '$2 == m {print $6}' "$WORK/tables/performance.csv"; }
check "bsv finds nothing" awk "BEGIN {s = $(sharpe_of bsv); exit !(s < 3 * sqrt(13 / 340))}"
check "the truth earns what theory says" awk "BEGIN {exit !(($(sharpe_of truth) - 1.298 * sqrt(13)) ^ 2 < (4 * sqrt(13 * 1.843 / 340)) ^ 2)}"
