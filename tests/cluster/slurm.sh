# Sourced after hosts.sh: a private SLURM on the hosts: the controller and its clients on h0, a slurmd on each of h1 .. hN.
export PATH=$PATH:/usr/sbin:/sbin

slurm_conf() {     # nodes, cores a node
    local i
    cat <<C
ClusterName=aipm
SlurmctldHost=h0($(host_address h0))
SlurmctldPort=16831
SlurmdPort=16832
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$LAB/munge/socket,cred_expire=10
CredType=cred/munge
TmpFS=$LAB/tmp/%n
StateSaveLocation=$LAB/state
SlurmdSpoolDir=$LAB/spool/%n
SlurmctldPidFile=$LAB/slurmctld.pid
SlurmdPidFile=$LAB/slurmd.%n.pid
SlurmctldLogFile=$LAB/slurmctld.log
SlurmdLogFile=$LAB/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
# everything in seconds rather than minutes
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmctldTimeout=10
SlurmdTimeout=10
MessageTimeout=5
KillWait=5
CompleteWait=0
ReturnToService=2
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobCompType=jobcomp/filetxt
JobCompLoc=$LAB/jobs.txt
MpiDefault=none
C
    for ((i = 1; i <= $1; i++)); do echo "NodeName=h$i NodeAddr=$(host_address h$i) CPUs=$2 RealMemory=2000"; done
    echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=10 PreemptMode=REQUEUE GraceTime=2"
    echo "PartitionName=urgent Nodes=ALL MaxTime=INFINITE PriorityTier=100 PreemptMode=OFF"
}

start_slurmd() { on "$1" slurmd -N "$1"; }
kill_slurmd() { kill -KILL "$(cat "$LAB/slurmd.$1.pid")"; }
nodes_idle() { [ "$(on h0 sinfo -h -p main -t idle -o %D 2>/dev/null)" = "$1" ]; }

slurm_up() {       # nodes, cores a node
    local i
    mkdir -p "$LAB"/{munge,state,spool}
    for ((i = 1; i <= $1; i++)); do mkdir -p "$LAB/spool/h$i" "$LAB/tmp/h$i"; done
    head -c 1024 /dev/urandom >"$LAB/munge/key"
    chmod 600 "$LAB/munge/key"
    munged --force --key-file="$LAB/munge/key" --socket="$LAB/munge/socket" --pid-file="$LAB/munge/pid" --log-file="$LAB/munge/log" --seed-file="$LAB/munge/seed"
    slurm_conf "$1" "$2" >"$LAB/slurm.conf"
    export SLURM_CONF=$LAB/slurm.conf
    on h0 slurmctld -c
    for ((i = 1; i <= $1; i++)); do start_slurmd "h$i"; done
    for ((i = 0; i < 100; i++)); do nodes_idle "$1" && return; sleep 0.2; done
    echo "the nodes did not come up; logs in $LAB" >&2
    return 1
}

slurm_down() {
    local f i live
    timeout 10 nsenter --net="/run/netns/$TAG-h0" scancel -f -u root 2>/dev/null
    for f in "$LAB"/slurmd.*.pid "$LAB/slurmctld.pid"; do [ -s "$f" ] && kill "$(cat "$f")" 2>/dev/null; done
    for ((i = 0; i < 30; i++)); do
        live=
        for f in "$LAB"/slurmd.*.pid "$LAB/slurmctld.pid"; do [ -s "$f" ] && kill -0 "$(cat "$f")" 2>/dev/null && live=1; done
        [ -n "$live" ] || break
        sleep 0.2
    done
    munged --stop --socket="$LAB/munge/socket" 2>/dev/null
}
