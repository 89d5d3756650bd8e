# Sourced: kills COUNT SEED kills a run of $kills_study COUNT times at random instants (a rank, mpirun, everything at once), resumes it
# each time on another number of ranks and compares with the unbroken $kills_whole. Needs tests/cli/lib.sh.
kills() {
    local count=$1 i whole right=0 unreadable=0 early=0 late=0 mid=0 ranks run pids out=$WORK/kill.h5 span delay target list
    RANDOM=$2
    "$AIPM" --help >/dev/null      # warm
    whole=$(date +%s%N)
    mpi 2 "$AIPM" run "$kills_study" -o "$WORK/timed.h5" >/dev/null 2>&1
    span=$(( ($(date +%s%N) - whole) / 1000000 ))
    for ((i = 1; i <= count; i++)); do
        rm -rf "$out" "$out".*
        ranks=$((RANDOM % 3 + 1)) target=$((RANDOM % 3)) delay=$(( (RANDOM * 32768 + RANDOM) % span ))
        setsid mpirun --oversubscribe --quiet -n "$ranks" "$AIPM" run "$kills_study" -o "$out" >"$WORK/kill.log" 2>&1 & run=$!
        sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
        mapfile -t pids < <(pgrep -P $run)
        case $target in
        0) [ ${#pids[@]} = 0 ] || kill -KILL "${pids[RANDOM % ${#pids[@]}]}" 2>/dev/null ;;
        1) kill -KILL $run 2>/dev/null ;;
        2) kill -KILL $run "${pids[@]}" 2>/dev/null ;;
        esac
        wait $run 2>/dev/null
        for list in "${pids[@]}"; do      # ranks of a killed mpirun end by themselves; a resume must not meet them
            for _ in $(seq 200); do kill -0 "$list" 2>/dev/null || break; sleep 0.05; done
        done
        if [ -e "$out" ]; then      # too late: the machine is faster now than when the span was taken
            late=$((late + 1)) span=$((span * 95 / 100))
            [ $late -gt "$count" ] || i=$((i - 1))
            continue
        elif ls "$out".parts/*/*.rows >/dev/null 2>&1; then mid=$((mid + 1)); else early=$((early + 1)); fi
        if ! mpi $((RANDOM % 3 + 1)) "$AIPM" run "$kills_study" -o "$out" --resume >"$WORK/kill.log" 2>&1; then
            unreadable=$((unreadable + 1)); sed 's/^/    /' "$WORK/kill.log"
        elif same "$kills_whole" "$out" && [ ! -e "$out.parts" ] && [ ! -e "$out.lock" ]; then right=$((right + 1))
        else echo "kill $i ($ranks ranks, target $target, $delay ms): differs or leaves something behind"; fi
    done
    check "$right of $count kills (of a rank, mpirun, everything) resume to the same bits, $unreadable unreadable; $early before the first row, $mid after it; $late more came too late" \
        test $right = "$count" -a $unreadable = 0
}
