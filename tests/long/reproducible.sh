#!/usr/bin/env bash
# The same source, built twice in folders of different names and at different times, gives the same bytes.
. "$(dirname "$0")/../cli/lib.sh"
for copy in first second/deeper; do
    mkdir -p "$WORK/$copy"
    git ls-files -z Makefile src include .ci | xargs -0 cp --parents -t "$WORK/$copy"
    REVISION=$(git rev-parse --short HEAD 2>/dev/null)
    check "built in $copy" make -s -j2 -C "$WORK/$copy" REVISION="$REVISION" build/aipm >"$WORK/log" 2>&1
done
check "the same bytes" cmp "$WORK/first/build/aipm" "$WORK/second/deeper/build/aipm"
check "no path of the building machine inside" bash -c '! grep -qaF "$1" "$2"' - "$WORK" "$WORK/first/build/aipm"
