#!/usr/bin/env bash
# aipm run --placebo: what a panel that was shuffled or shifted beforehand gives, to the bit, on any ranks; nothing is found where there is
# nothing; results say what they are; a run without placebo is not resumed with one.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
"$python" -c 'import numpy, h5py' 2>/dev/null || { skip "python3-numpy and python3-h5py are not installed"; exit 0; }
tool=$PWD/tests/cli/placebo.py same=$PWD/$BUILD/tests/tools/same
cd "$WORK" || exit 1
"$AIPM" synth -o p.h5 -N 90 -D 6 -T 60 --seed 7 -q || bad "no panel"
cat >s.yaml <<Y
study: placebo
panel: p.h5
output: r.h5
window: 30
universes: [all, small]
seed: 3
save_weights: true
models:
  - {name: bsv, kind: bsv}
  - {name: linear, kind: linear_transformer, heads: [1, 2]}
  - {name: dkkm, kind: dkkm, features: 40}
  - {name: tf, kind: transformer, feedforward: 8, epochs: 1, learning_rate: 1.0e-3}
Y
models() { same "$1" "$2"; }
differ() { ! "$same" "$1" "$2" >/dev/null 2>&1; }
check "without a placebo" mpi 1 "$AIPM" run s.yaml
for what in returns characteristics=5 signs periods iid noise=1.5 without=momentum_1,size_1; do
    out="r.placebo-$what.h5"
    check "$what" mpi 1 "$AIPM" run s.yaml --placebo "$what"
    check "$what: the same bits on three ranks" mpi 3 "$AIPM" run s.yaml --placebo "$what" -o three.h5
    check "$what: the same bits on three ranks: compared" "$same" "$out" three.h5
    "$python" "$tool" make p.h5 made.h5 "$what" 3 || bad "$what: not made"
    case $what in noise* | without*) sort=altered ;; *) sort=placebo ;; esac
    check "$what made beforehand" "$AIPM" run s.yaml --panel made.h5 -o made-r.h5
    check "$what: every model, return, weight of a panel made so" models "$out" made-r.h5
    check "$what changes the results" differ r.h5 "$out"
    check "$what: info says so" grep -q '^placebo  ' <("$AIPM" info "$out")
    check "$what: titles say so" grep -q "^Out-of-sample performance ($sort: " <("$AIPM" analyze "$out" -o tables 2>/dev/null)
    check "$what: the panel is named by what it stores" test "$("$AIPM" info "$out" | grep panel_digest)" = "$("$AIPM" info r.h5 | grep panel_digest)"
    check "$what: the synthetic truth is not its truth" grep -q '^true SDF  *unknown' <("$AIPM" info "$out")
done
"$AIPM" report "r.placebo-returns.h5" -o page --bootstrap 20 2>/dev/null
check "the page says so" grep -q 'class="warn">Placebo: returns shuffled within periods' page/index.html
check "a paper's table says so" grep -q 'placebo: returns shuffled' page/tables/table1-performance.tex
sed 's/^seed: 3/seed: 4/' s.yaml >seed.yaml
check "another seed" "$AIPM" run seed.yaml --placebo returns -o seed.h5
check "another shuffle" bash -c "! '$TESTS_BUILT/tools/same' seed.h5 r.placebo-returns.h5 /models/all/bsv/returns"

# resume: the placebo is part of what is computed
sed 's/epochs: 1/epochs: 4000/' s.yaml >slow.yaml
timeout -s USR1 1 "$AIPM" run slow.yaml --placebo returns -o k.h5 >/dev/null 2>&1
refuses "not resumed without it" 1 "before: placebo returns" "$AIPM" run slow.yaml -o k.h5 --resume
refuses "not resumed with another" 1 "now   : placebo characteristics=12" "$AIPM" run slow.yaml -o k.h5 --resume --placebo characteristics
check "a placebo under way says so" grep -q '^placebo  ' <("$AIPM" info k.h5)
refuses "a placebo there is none of" 2 "--placebo: found 'nothing'; needed: returns, signs" "$AIPM" run s.yaml --placebo nothing
refuses "a name that the panel does not have" 1 "without: found 'beauty'" "$AIPM" run s.yaml --placebo without=size_1,beauty
refuses "an empty name" 2 "without=size_1," "$AIPM" run s.yaml --placebo without=size_1,
refuses "no noise" 2 "noise=0" "$AIPM" run s.yaml --placebo noise=0
refuses "no lag" 2 "characteristics=0" "$AIPM" run s.yaml --placebo characteristics=0
refuses "a lag longer than the panel" 1 "needed: fewer than the panel's 60 periods" "$AIPM" run s.yaml --placebo characteristics=60

# a strong SDF that characteristics alone show, and nothing of it once returns are shuffled
"$AIPM" synth -o strong.h5 -N 300 -D 6 -T 120 --sharpe 5 --factor-share 1 --own-share 0 --cross-share 0 --seed 2 -q
sed '/dkkm/d; /name: tf/d; s/, small//; s/p.h5/strong.h5/; s/^window: 30/window: 48/' s.yaml >strong.yaml
"$AIPM" run strong.yaml -o strong-r.h5 2>/dev/null
"$AIPM" run strong.yaml -o strong-0.h5 --placebo returns 2>/dev/null
check "the linear model finds the truth" "$python" "$tool" strong strong-r.h5 bsv
check "and nothing in the placebo" "$python" "$tool" nothing strong-0.h5 bsv linear
