#!/usr/bin/env bash
# Limits on addresses (ulimit -v) under which OpenBLAS would ask for its buffers for ever: told within seconds, before anything of it is
# called. A study that does not fit under them is refused by the plan.
. "$(dirname "$0")/lib.sh"
"$AIPM" synth -q -o "$WORK/p.h5" --assets 40 --characteristics 5 --periods 60
cat >"$WORK/s.yaml" <<Y
panel: $WORK/p.h5
window: 24
models: [{name: bsv, kind: bsv}]
Y
sed 's/{name.*}/{name: mlp, kind: mlp, hidden: [12000, 12000], epochs: 1}/' "$WORK/s.yaml" >"$WORK/large.yaml"
under() { local v=$1 threads=$2; shift 2; echo "unset OPENBLAS_NUM_THREADS; export OPENBLAS_NUM_THREADS=$threads; ulimit -v $v; exec $*"; }
if grep -q sanitize <<<"$BUILD"; then skip "limits on addresses: the sanitizers map terabytes"; else
for threads in 1 2 8; do
    for v in 150000 250000 400000; do
        refuses "run, $threads threads, ulimit -v $v" 1 "of addresses (ulimit -v, ulimit -d); needed: " \
            bash -c "$(under $v $threads "$AIPM" run "$WORK/s.yaml" -o "$WORK/r.h5")"
    done
done
refuses "info" 1 "limited to 205 MB of addresses" bash -c "$(under 200000 1 "$AIPM" info "$WORK/p.h5")"
refuses "three ranks" 1 "needed: " bash -c "ulimit -v 400000; mpirun --oversubscribe --quiet -n 3 '$AIPM' run '$WORK/s.yaml' -o '$WORK/r.h5'"
refuses "ulimit -d" 1 "of addresses" bash -c "ulimit -d 100000; exec '$AIPM' run '$WORK/s.yaml' -o '$WORK/r.h5'"
check "nothing is left" test -z "$(find "$WORK" -name 'r.h5*')"
check "enough for one thread" bash -c "$(under 600000 1 "$AIPM" run --quiet "$WORK/s.yaml" -o "$WORK/r.h5")"
refuses "a model that is too large for the limit" 1 "(ulimit -v or -d, " bash -c "$(under 1200000 1 "$AIPM" run "$WORK/large.yaml" -o "$WORK/q.h5")"
check "nothing of it is left" test -z "$(find "$WORK" -name 'q.h5*' ! -name '*.log')"
fi
