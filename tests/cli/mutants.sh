#!/usr/bin/env bash
# Every change of the mutants' table still fits the source, and a table that does not is refused (make check-mutants tries them all).
. "$(dirname "$0")/lib.sh"
check "every change fits" tests/mutants/run.sh --applies
mkdir -p "$WORK/tests/mutants" "$WORK/tests/unit" "$WORK/src"
cp tests/mutants/run.sh "$WORK/tests/mutants"
touch "$WORK/tests/unit/test_a.c"
printf 'int one = 1;\nint two = 2; /* 1 */\n' >"$WORK/src/a.c"
entry() { printf '%s\t' "${@:1:$#-1}"; printf '%s\n' "${!#}"; }
wrong() {      # NAME TEXT: the table in hand is refused and says TEXT
    refuses "$1" 1 "$2" "$WORK/tests/mutants/run.sh" --applies
}
table=$WORK/tests/mutants/table
entry a-one src/a.c unit/test_a 'int one = 1;' 'int one = 2;' >"$table"
check "one that fits" "$WORK/tests/mutants/run.sh" --applies
entry a-one src/a.c unit/test_a 'int one = 3;' 'int one = 2;' >"$table"
wrong "the text is gone" "a-one: src/a.c holds the old text 0 times"
entry a-one src/a.c unit/test_a '1' '2' >"$table"
wrong "the text is there twice" "holds the old text 2 times"
entry a-one src/b.c unit/test_a 'int' 'long' >"$table"
wrong "the file is gone" "src/b.c holds the old text 0 times"
entry a-one src/a.c unit/test_b 'int one' 'int no' >"$table"
wrong "the test is gone" "there is no test unit/test_b"
entry a-one src/a.c - 'int one' 'int no' >"$table"
wrong "no test and no reason" "neither tests nor a reason"
entry a-one src/a.c unit/test_a 'int one' 'int one' >"$table"
wrong "nothing changes" "the same"
{ entry a-one src/a.c unit/test_a one three; entry b-one src/a.c unit/test_a two four; entry a-one src/a.c unit/test_a two five; } >"$table"
wrong "an id comes twice" "come twice"
