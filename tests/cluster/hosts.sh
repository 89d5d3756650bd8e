# Sourced: hosts on one machine. Each is a network, name and mount namespace of its own, tied to a switch that is a namespace too; nothing
# touches the real network. Needs root and iproute2. $LAB is the folder everything lives in, $TAG a word that makes names unique.
host_address() { echo "10.99.7.$((10 + ${1#h}))"; }

hosts_up() {       # h0 .. hN-1
    local i
    ip netns add "$TAG-switch"
    ip -n "$TAG-switch" link set lo up
    ip -n "$TAG-switch" link add br0 type bridge
    ip -n "$TAG-switch" link set br0 up
    echo "127.0.0.1 localhost" >"$LAB/hosts"
    for ((i = 0; i < $1; i++)); do
        echo "$(host_address h$i) h$i" >>"$LAB/hosts"
        ip netns add "$TAG-h$i"
        ip -n "$TAG-switch" link add "p$i" type veth peer name eth0 netns "$TAG-h$i"
        ip -n "$TAG-switch" link set "p$i" master br0 up
        ip -n "$TAG-h$i" link set lo up
        ip -n "$TAG-h$i" addr add "$(host_address h$i)/24" dev eth0
        ip -n "$TAG-h$i" link set eth0 up
        mkdir -p "$LAB/shm-h$i"
        mount -t tmpfs -o size=256m aipm-lab "$LAB/shm-h$i"
    done
}

# on HOST COMMAND...: its network, its name, its /etc/hosts, its /dev/shm. (`ip netns exec` would hide /sys/fs/cgroup from slurmd.)
on() {
    local h=$1
    shift
    nsenter --net="/run/netns/$TAG-$h" unshare --uts --mount --propagation private -- bash -c '
        hostname "$1"; mount --bind "$2/hosts" /etc/hosts; mount --bind "$2/shm-$1" /dev/shm; shift 2; exec "$@"' on "$h" "$LAB" "$@"
}

pull_cable() { ip -n "$TAG-switch" link set "p${1#h}" nomaster; }      # packets vanish; the link stays up on both sides
plug_cable() { ip -n "$TAG-switch" link set "p${1#h}" master br0; }

hosts_down() {
    local x p signal
    for signal in TERM KILL; do
        for x in $(ip netns list | awk -v t="$TAG-" 'index($1, t) == 1 {print $1}'); do
            for p in $(ip netns pids "$x"); do kill -$signal "$p" 2>/dev/null; done
        done
        sleep 0.3
    done
    for x in $(ip netns list | awk -v t="$TAG-" 'index($1, t) == 1 {print $1}'); do ip netns del "$x"; done
    for x in "$LAB"/shm-*; do [ ! -d "$x" ] || umount "$x" 2>/dev/null; done
}
