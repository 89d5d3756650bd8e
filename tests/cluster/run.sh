#!/usr/bin/env bash
# aipm under a real SLURM of three hosts on this machine: limits, preemption, requeues, arrays, chains, a dead slurmd, pulled cables. After
# each the results have the bits of an unbroken run. Needs root and slurm-wlm, munge, iproute2, which it installs if it may; skipped with
# a word otherwise. About ten minutes; everything it starts is inside its own namespaces and ends with it.
#   tests/cluster/run.sh [SCENARIO...]      KEEP=1 keeps the logs
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh
need="slurm-wlm munge iproute2"
have() { PATH=$PATH:/usr/sbin:/sbin; for x in slurmctld slurmd munged ip; do command -v $x >/dev/null || return 1; done; }
skip_all() { skip "$1"; exit 0; }
[ "$(id -u)" = 0 ] || skip_all "the cluster: needs root for network namespaces"
have || { DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $need >/dev/null 2>&1; have; } || skip_all "the cluster: needs the packages $need"
unshare --net true 2>/dev/null || skip_all "the cluster: this machine gives no network namespaces"

TAG=aipm$$
LAB=$WORK/lab
mkdir -p "$LAB"
. tests/cluster/hosts.sh
. tests/cluster/slurm.sh
down() {
    [ -z "${KEEP:-}" ] || { cp -r "$WORK" "/tmp/$TAG"; echo "logs in /tmp/$TAG"; }
    slurm_down 2>/dev/null
    hosts_down 2>/dev/null
    finish
}
trap down EXIT
trap 'exit 1' INT TERM
# Open MPI between the hosts: shared memory within, TCP on their one network
export OMPI_MCA_btl=vader,tcp,self OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0
export AIPM_JOB=$PWD/slurm/aipm-job
hosts_up 4 && slurm_up 3 2 || { bad "the lab does not start"; exit 1; }

# ---- a study of about $SECONDS_WANTED seconds on two ranks, and its unbroken results
SECONDS_WANTED=20
"$AIPM" synth -o "$WORK/p.h5" --assets 200 --characteristics 48 --periods 160 --seed 3 2>/dev/null || bad "synth"
study() {          # file, results, windows
    cat >"$1" <<Y
study: lab
panel: $WORK/p.h5
output: $2
ridge: {from: -30, to: 3}
window: $3
models:
  - {name: linear, kind: linear_transformer, heads: [1, 2, 4, 8, 16]}
Y
}
unbroken() { on h0 env OMPI_MCA_btl=vader,self mpirun --quiet --oversubscribe -n 2 "$AIPM" run "$@" >/dev/null 2>&1; }
study "$WORK/probe.yaml" "$WORK/probe.h5" "[30, 31]"
start=$(date +%s%N)
unbroken "$WORK/probe.yaml"
one=$(( ($(date +%s%N) - start) / 2000000 ))
count=$(( SECONDS_WANTED * 1000 / (one + 1) + 2 ))
[ $count -le 60 ] || count=60
WINDOWS="[$(seq -s ', ' 30 $((29 + count)))]"
study "$WORK/whole.yaml" "$WORK/whole.h5" "$WINDOWS"
start=$SECONDS
unbroken "$WORK/whole.yaml"
echo "the study: $count windows, $((SECONDS - start)) s on two ranks unbroken"

# ---- doing things to jobs
now() { date +%s%N; }
since() { printf '%d.%d' $(( ($(now) - $1) / 1000000000 )) $(( ($(now) - $1) / 100000000 % 10 )); }
submit() {         # name, sbatch options, -- , script and arguments: prints the job's number
    local name=$1 options=()
    shift
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    on h0 sbatch --parsable --job-name="$name" --output="$WORK/$name.log" --account= --partition=main --mem-per-cpu=100 "${options[@]}" "$@"
}
state() { on h0 scontrol show job "$1" 2>/dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p' | head -n 1; }
batch_host() { on h0 scontrol show job "$1" | sed -n 's/.*BatchHost=\(h[0-9]\).*/\1/p'; }
rows_there() { [ "$(find "$1.parts" -name '*.rows' -printf '%s\n' 2>/dev/null | awk '{s += $1} END {print s + 0}')" -ge "${2:-300000}" ]; }
until_true() {     # seconds, command: waits for it
    local end=$((SECONDS + $1))
    shift
    until "$@" 2>/dev/null; do [ $SECONDS -lt $end ] || return 1; sleep 0.3; done
}
ended() { case $(state "$1") in COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL) return 0 ;; *) return 1 ;; esac; }
finishes() {       # name, job, results: the job completes with the bits of the unbroken run
    until_true 240 ended "$2"
    check "$1: completed (found $(state "$2"))" test "$(state "$2")" = COMPLETED
    check "$1: the bits of an unbroken run" same "$WORK/whole.h5" "$3"
    check "$1: nothing is left beside the results" test ! -e "$3.parts" -a ! -e "$3.lock"
    [ "$FAILED" = "$before_failed" ] || sed 's/^/    /' "$WORK/$1.log" | tail -n 40
}
begin() {          # name: its study and a job on two ranks of two hosts
    before_failed=$FAILED
    NAME=$1 R=$WORK/$1.h5
    study "$WORK/$1.yaml" "$R" "$WINDOWS"
}
two_hosts=(--nodes=2 --ntasks=2 --ntasks-per-node=1)
starts() { "$AIPM" info "$R" | sed -n 's/^ *starts *//p'; }

scenario_launchers() {      # mpirun is what the others use
    begin srun
    job=$(LAUNCHER=srun submit srun "${two_hosts[@]}" -- slurm/study.sbatch "$WORK/srun.yaml")
    finishes srun "$job" "$R"
}

scenario_limit() {
    begin limit
    job=$(submit limit --nodes=1 --ntasks=1 --time=00:01:00 --signal=B:USR1@40 -- slurm/study.sbatch "$WORK/limit.yaml")
    until_true 40 rows_there "$R" || bad "limit: no rows"
    rank=$(pgrep -f "^$AIPM run $WORK/limit.yaml")
    kill -STOP $rank      # held until the signal has come, however fast the machine
    until_true 90 grep -qs "USR1: saving" "$WORK/limit.log"
    kill -CONT $rank
    finishes limit "$job" "$R"
    check "limit: the signal came before the limit" grep -q "USR1: saving" "$WORK/limit.log"
    check "limit: saved and back to the queue" grep -q "exit 75: saved, back to the queue" "$WORK/limit.log"
    check "limit: resumed" grep -qE "resuming: [1-9]" "$WORK/limit.log"
}

scenario_preempt() {
    begin preempt
    job=$(submit preempt "${two_hosts[@]}" -- slurm/study.sbatch "$WORK/preempt.yaml")
    until_true 60 rows_there "$R" || bad "preempt: no rows"
    urgent=$(on h0 sbatch --parsable --partition=urgent --nodes=3 --ntasks=6 --output=/dev/null --wrap "sleep 3")
    finishes preempt "$job" "$R"
    check "preempt: the urgent job ran" test "$(state "$urgent")" = COMPLETED
    check "preempt: two starts (found $(starts))" test "$(starts)" -ge 2
}

scenario_requeue() {
    begin requeue
    job=$(submit requeue "${two_hosts[@]}" -- slurm/study.sbatch "$WORK/requeue.yaml")
    until_true 60 rows_there "$R" || bad "requeue: no rows"
    on h0 scontrol requeue "$job"
    finishes requeue "$job" "$R"
    check "requeue: resumed" grep -qE "resuming: [1-9]" "$WORK/requeue.log"
}

scenario_array() {
    begin array
    mkdir "$WORK/members"
    for i in 1 2 3; do study "$WORK/members/$i.yaml" "$WORK/array-$i.h5" "[30, 31]"; done
    sed -i 's/kind: linear_transformer/kind: no_such_kind/' "$WORK/members/2.yaml"
    job=$(on h0 sbatch --parsable --job-name=array --output="$WORK/array_%a.log" --account= --partition=main --mem-per-cpu=100 --ntasks=1 --array=1-3 slurm/array.sbatch "$WORK"/members/*.yaml)
    for i in 1 2 3; do until_true 90 ended "${job}_$i"; done
    check "array: the good members complete, the bad one fails (found $(state "${job}_1") $(state "${job}_2") $(state "${job}_3"))" \
        test "$(state "${job}_1") $(state "${job}_2") $(state "${job}_3")" = "COMPLETED FAILED COMPLETED"
    for i in 1 3; do check "array: member $i has the bits" same "$WORK/probe.h5" "$WORK/array-$i.h5"; done
    check "array: the bad one is not tried again" grep -q "exit 1: a real error, not tried again" "$WORK/array_2.log"
}

scenario_chain() {
    begin chain
    on h0 slurm/chain.sh 3 "$WORK/chain.yaml" "${two_hosts[@]}" --output="$WORK/chain.log" --account= --partition=main --mem-per-cpu=100 >"$WORK/links"
    mapfile -t link < <(sed -n 's/link .*: job //p' "$WORK/links")
    after=$(on h0 sbatch --parsable --dependency="$(tail -n 1 "$WORK/links")" --output="$WORK/after.log" --wrap "test -e $R && echo there")
    until_true 60 rows_there "$R" || bad "chain: no rows"
    on h0 scancel --signal=USR1 --batch "${link[0]}"
    until_true 60 ended "${link[0]}"
    check "chain: the first link stops with 75" test "$(state "${link[0]}")" = FAILED
    finishes chain "${link[1]}" "$R"
    until_true 30 ended "${link[2]}"
    check "chain: the third is not needed (found $(state "${link[2]}"))" test "$(state "${link[2]}")" = CANCELLED
    until_true 30 ended "$after"
    check "chain: what follows runs once the results are there" grep -q there "$WORK/after.log"
}

scenario_slurmd() {
    begin slurmd
    job=$(submit slurmd "${two_hosts[@]}" -- slurm/study.sbatch "$WORK/slurmd.yaml")
    until_true 60 rows_there "$R" || bad "slurmd: no rows"
    ranks=$(pgrep -f "^$AIPM run $WORK/slurmd.yaml")
    kill -STOP $ranks      # held until SLURM has noticed, however fast the machine
    kill_slurmd h2
    when=$(now)
    until_true 120 grep -qs "start 1 of job" "$WORK/slurmd.log" && echo "slurmd of h2 killed: the job starts again after $(since "$when") s" || bad "slurmd: not started again"
    kill -CONT $ranks 2>/dev/null
    start_slurmd h2
    finishes slurmd "$job" "$R"
    until_true 60 nodes_idle 3
}

# A cable pulled (jobs get h1 and h2 first): of a host that only computes, and of the host with the batch script, mpirun, rank 0 and the lock.
cable() {          # name, host
    begin "$1"
    job=$(submit "$1" "${two_hosts[@]}" -- slurm/study.sbatch "$WORK/$1.yaml")
    until_true 60 rows_there "$R" || bad "$1: no rows"
    old=$(pgrep -f "aipm run $WORK/$1.yaml" | tr '\n' ' ')
    pull_cable "$2"
    when=$(now)
    gone() { for p in $old; do ! kill -0 "$p" 2>/dev/null || return 1; done; }
    until_true 90 gone && echo "cable of $2 pulled: every process of the broken start is gone after $(since "$when") s" || bad "$1: the old ranks live on after 90 s"
    until_true 120 grep -qs "start 1 of job" "$WORK/$1.log" && echo "cable of $2 pulled: the job starts again after $(since "$when") s" || bad "$1: not started again"
    plug_cable "$2"
    finishes "$1" "$job" "$R"
    check "$1: resumed" grep -qE "resuming: [1-9]|is complete" "$WORK/$1.log"
    until_true 60 nodes_idle 3
}
scenario_cable() { cable cable h2; }
scenario_cable_batch() { cable cable_batch h1; }

for s in "${@:-launchers array chain requeue preempt limit slurmd cable cable_batch}"; do
    for one in $s; do
        scenario_start=$SECONDS
        "scenario_$one"
        echo "-- $one: $((SECONDS - scenario_start)) s"
    done
done
