#!/usr/bin/env bash
# Fuzz the readers with clang's libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer: each fuzzer for its share of the time, one after
# the other, on one core. Ends with a line for each, inputs and inputs a second, and the total; exit 1 if any found something.
#   tests/fuzz/run.sh [SECONDS [NAME...]]     (default 300 for all of tests/fuzz/fuzz_*.c; needs clang; findings go to build/fuzz)
# What it finds: minimise it (build/fuzz/fuzz_NAME -minimize_crash=1 FILE), mend the reader, keep the file in tests/fuzz/NAME.
set -eu
cd "$(dirname "$0")/../.."
. tests/env.sh
export ASAN_OPTIONS=malloc_context_size=4:detect_leaks=0 # traces as deep as env.sh asks for cost nine tenths of the time; leaks show in memory_blocks
seconds=${1:-300} out=build/fuzz
[ $# = 0 ] || shift
command -v clang >/dev/null || { echo "needs clang (apt-get install clang)"; exit 1; }
[ $# -gt 0 ] || for f in tests/fuzz/fuzz_*.c; do n=${f##*/fuzz_}; set -- "$@" "${n%.c}"; done
OMPI_CC=clang make -s BUILD=$out WARN=-w CFLAGS=-g \
    OPTIMISE="-O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer" "${@/#/$out/fuzz_}"
total=0 bad=0
for n in "$@"; do
    mkdir -p "$out/corpus/$n"
    dictionary=tests/fuzz/$n.dict
    if "$out/fuzz_$n" -max_total_time=$((seconds / $#)) -max_len=4096 -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 -detect_leaks=0 \
        $([ -e "$dictionary" ] && echo "-dict=$dictionary") -artifact_prefix="$out/$n-" "$out/corpus/$n" "tests/fuzz/$n" >"$out/$n.log" 2>&1; then
        found=nothing
    else
        found="FOUND: $(grep -o "$out/$n-.*" "$out/$n.log" | tail -n 1)" bad=1
    fi
    runs=$(sed -n "s/^stat::number_of_executed_units: *//p" "$out/$n.log" | tail -n 1) rate=$(sed -n "s/^stat::average_exec_per_sec: *//p" "$out/$n.log" | tail -n 1)
    printf '%-12s %12d inputs %8d a second   %s\n' "$n" "${runs:-0}" "${rate:-0}" "$found"
    total=$((total + ${runs:-0}))
done
printf '%-12s %12d inputs\n' together "$total"
exit $bad
