#!/usr/bin/env bash
# Names that mean harm: files whose models, universes and studies are called what gnuplot, a shell, a browser, LaTeX, a spreadsheet or a
# terminal would obey. Whoever looks at somebody else's results runs none of it.
. "$(dirname "$0")/lib.sh"
mkdir "$WORK/home" && cd "$WORK" || exit 1
relabel=$TESTS_BUILT/tools/relabel
export HOME=$WORK/home     # where commands in names leave their traces

cat >s.yaml <<'Y'
study: escape
panel: p.h5
output: r.h5
window: 24
universes: [all, large]
save_weights: true
ridge: {from: -2, to: 1}
models:
  - {name: bsv, kind: bsv}
  - {name: lt, kind: linear_transformer, heads: [1, 2]}
  - {name: net, kind: mlp, hidden: [4], epochs: [2, 3]}
Y
"$AIPM" synth -o p.h5 --assets 30 --characteristics 4 --periods 66 --seed 3 2>/dev/null && "$AIPM" run s.yaml 2>/dev/null || exit 1
cp r.h5 hostile.h5
while IFS='|' read -r old new; do
    "$relabel" hostile.h5 move "models/$old" "$(printf '%b' "$new")" || bad "relabel $old"
done <<'T'
all/bsv|a`touch PWNED-1` "`touch PWNED-2`; system("touch PWNED-3") #
all/lt|x\\'; system('touch PWNED-4') '\n!touch PWNED-5\n\\\\write18{touch PWNED-6}\t@y
all/net.epochs=2|[%s%n%d <script>alert(1)<script> &amp; ![x](y) *_{}^~@&
all/net.epochs=3|\033]0;PWNED\007\033[2J\377\303( \0342\0200\0256 =1
large|=HYPERLINK("l`touch PWNED-7`\t"'%d
T
"$relabel" hostile.h5 text study_name "$(printf 's\033[2J`touch PWNED-8`\n#SBATCH --x')"
mkdir page; : >said.txt; before=$(ls -A; ls -A home)
"$AIPM" report hostile.h5 -o page --bootstrap 20 2>said.txt
check "report: exit 0" test $? = 0
check "report: no command in a name is run" bash -c "! find . -name 'PWNED*' | grep ."
check "report: nothing is written outside its folder" test "$before" = "$(ls -A; ls -A home)"
check "report: file names are plain" bash -c "! find page | grep '[^a-zA-Z0-9_=./-]'"
if command -v gnuplot >/dev/null; then
    check "report: every figure is drawn" bash -c "! ls page/figures | grep log && ! grep 'Not drawn' page/index.html"
    check "report: gnuplot shows names as they are" grep -qF '[%s%n%d &lt;script>alert(1)' page/figures/cumulative-all.svg
else skip "gnuplot is not installed (Debian: gnuplot-nox): 2 checks that figures of hostile names are drawn"; fi

# a batch script from a study and files of any name
script='$(touch PWNED-9)"; touch PWNED-10; ".yaml'
sed 's/^study: .*/study: "a b`touch PWNED-11`$x"/' s.yaml >"$script"
cp p.h5 "p'\$(touch PWNED-12).h5"
"$AIPM" plan "./$script" --ranks 2 --panel "p'\$(touch PWNED-12).h5" --sbatch=plan.sbatch >/dev/null
check "plan: a script" test $? = 0
printf '#!/bin/sh\nprintf "%%s\\n" "$@" >got\n' >job && chmod +x job
AIPM_JOB=./job bash plan.sbatch last
check "plan: the script passes file names as they are" test "$(cat got)" = "$(printf '%s\n' "./$script" --panel "p'\$(touch PWNED-12).h5" last)"
check "plan: no command in a name is run" bash -c "! find . -name 'PWNED*' | grep ."
check "plan: a job's name is plain" grep -qx '#SBATCH --job-name=a_b_touch_PWNED-11__x' plan.sbatch
printf 'a\n#SBATCH --comment=x\ntouch PWNED-13\n' | tr -d '\r' >name && cp s.yaml "$(cat name)"
"$AIPM" plan "$(cat name)" --ranks 1 --sbatch=lines.sbatch >/dev/null && AIPM_JOB=./job bash lines.sbatch
check "plan: a line end in a file name begins no line of the script" bash -c "! find . -name 'PWNED*' | grep . && ! grep -x '#SBATCH --comment=x' <(sed '/^exec/,\$d' lines.sbatch)"
sed 's/^study: .*/study: "a\\ntouch PWNED-14"/' s.yaml >lines.yaml
refuses "a study's name with a line end" 1 "lines.yaml: line 1: study: found a line end" "$AIPM" plan lines.yaml
sed 's/^output: .*/output: "a\\e[2J.h5"/' s.yaml >escape.yaml
refuses "an output with a control character" 1 "escape.yaml: line 3: output: found a line end" "$AIPM" run escape.yaml
sed 's/name: bsv/name: "b\\e[2J"/' s.yaml >model.yaml
refuses "a model's name with a control character" 1 "no control characters" "$AIPM" run model.yaml

# tables, terminal, page
"$AIPM" info hostile.h5 >info.txt; "$AIPM" report "no"$'\e'"[2Jfile.h5" 2>>info.txt; "$AIPM" sweep --table hostile.h5 >>info.txt
check "a terminal is given no control characters" bash -c "grep -q PWNED info.txt && ! LC_ALL=C grep -P '[\x01-\x08\x0b-\x1f\x7f\xff]' info.txt"
check "a page holds no element of a name" bash -c "grep -q 'alert(1)' page/index.html && ! grep '<script' page/index.html"
check "a CSV file holds no formula of a name" bash -c "grep -q HYPERLINK page/tables/performance.csv && ! grep -E '(^|,)\"?=' page/tables/*.csv"

# every escaping function through the target's own reader; SEED=N replays
seed=${SEED:-$RANDOM} texts=2000
mkdir fuzz && cd fuzz || exit 1
"$TESTS_BUILT/tools/escape_fuzz" "$seed" $texts || bad "escape_fuzz"
bash words.sh >words && check "shell words of seed $seed" cmp texts words
if command -v dash >/dev/null; then dash words.sh >words && check "words of a POSIX shell, seed $seed" cmp texts words; fi
check=$TESTS_BUILT/../../tests/cli/escape_check.py
python=$(command -v python3)
if [ -n "$python" ]; then
    for kind in csv json html markdown latex terminal; do check "$kind of seed $seed" "$python" "$check" $kind; done
    if "$python" -c 'import yaml' 2>/dev/null; then check "yaml of seed $seed" "$python" "$check" yaml
    else skip "PyYAML is not installed (Debian: python3-yaml): 1 check of YAML"; fi
    if command -v gnuplot >/dev/null; then gnuplot strings.gp 2>gnuplot.err; check "gnuplot of seed $seed" "$python" "$check" gnuplot
    else skip "gnuplot is not installed (Debian: gnuplot-nox): 1 check of its strings"; fi
else skip "python3 is not installed: 8 checks that every target's reader gives texts back"; fi
check "no command in a text is run, seed $seed" bash -c "! find .. -name 'PWNED*' | grep ."
