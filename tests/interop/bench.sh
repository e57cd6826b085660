#!/bin/sh
# Measures what a tap carries, beside what the kernel does alone.
# SPDX-License-Identifier: MIT
#
# Usage: bench.sh WIREBED PEER [BYTES]
#
# In namespaces of its own, as run.sh. Rates are of TCP payload; everything,
# both ends and the peer, shares the machine's processors.

if [ -z "$BENCH_INSIDE" ]; then
    enter="unshare --net --mount --pid --fork --kill-child --mount-proc"
    [ "$(id -u)" -eq 0 ] || enter="$enter --user --map-root-user"
    if ! [ -e /dev/net/tun ] || ! $enter ip tuntap add dev t0 mode tap 2>/dev/null; then
        echo "bench-bridge: skipped: no TAP may be made in a namespace here"
        exit 0
    fi
    BENCH_INSIDE=1 exec $enter sh "$0" "$@"
fi

set -eu
WIREBED=$1 PEER=$2 BYTES=${3:-3000000000}
DIRECTORY=$(mktemp -d)
pid=
trap 'rm -rf "$DIRECTORY"' EXIT
ip link set lo up
mount -t tmpfs tmpfs /run
mkdir -p /run/netns

stop() {
    kill -TERM "$pid"
    wait "$pid" || true
    sed -n "s/^lateness: /  /p" "$DIRECTORY/log"
}
latency() {
    ping -q -c 500 -i 0.002 "$1" | sed -n 's/^rtt [^=]*= \([^/]*\)\/\([^/]*\)\/.*/  ping: least \1 ms, mean \2 ms/p'
}

# host OFFLOAD: our stack on a TAP.
host() {
    cat >"$DIRECTORY/host.yaml" <<END
hosts: {us: 10.9.0.2/24}
taps: {tap0: {offload: $1}}
links: {lan: [us, tap0]}
capture: none
apps:
  - {host: us, tcp-sink: 9}
  - {host: us, tcp-bulk: "10.9.0.1:9000", bytes: $BYTES, start: 500ms}
END
    echo "our stack on a TAP, offload $1"
    "$PEER" receive 9000 "$BYTES" >"$DIRECTORY/out" &
    receiver=$!
    "$WIREBED" bridge "$DIRECTORY/host.yaml" >"$DIRECTORY/log" 2>&1 &
    pid=$!
    sleep 0.3
    ip address add 10.9.0.1/24 dev tap0
    wait $receiver
    sed 's/^receive/  ours to the kernel:/' "$DIRECTORY/out"
    "$PEER" send 10.9.0.2 9 "$BYTES" | sed 's/^send/  the kernel to ours:/'
    sleep 0.2
    latency 10.9.0.2
    stop
}

# Two veth pairs, of which the inner ends are joined by nothing yet.
pairs() {
    ip netns add far
    ip link add v0 type veth peer name w0
    ip link add v1 type veth peer name w1
    ip link set w0 up
    ip link set w1 up
    ip link set v1 netns far
    ip netns exec far sh -c "ip link set lo up; ip link set v1 up; ip address add 10.7.0.2/24 dev v1"
    ip link set v0 up
    ip address add 10.7.0.1/24 dev v0
}
between_kernels() {
    ip netns exec far "$PEER" receive 9000 "$BYTES" >/dev/null &
    receiver=$!
    sleep 0.2
    "$PEER" send 10.7.0.2 9000 "$BYTES" | sed 's/^send/  kernel to kernel:/'
    wait $receiver
    latency 10.7.0.2
}

host on
host off
pairs
echo "wire between two kernels"
"$WIREBED" wire --a packet:w0 --b packet:w1 >"$DIRECTORY/log" 2>&1 &
pid=$!
sleep 0.5
between_kernels
stop
echo "the kernel's bridge in its place"
ip link add br0 type bridge
ip link set w0 master br0
ip link set w1 master br0
ip link set br0 up
sleep 0.2
between_kernels
