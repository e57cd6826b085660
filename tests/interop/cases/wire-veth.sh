#!/bin/sh
# Two kernels talk through a simulated link; its delay, its filter and its captures are real.
# SPDX-License-Identifier: MIT
ip netns add far
ip link add v0 type veth peer name w0
ip link add v1 type veth peer name w1
ip link set w0 up
ip link set w1 up
ip link set v1 netns far
ip netns exec far sh -c "ip link set lo up; ip link set v1 up; ip address add 10.9.0.2/24 dev v1"
ip link set v0 up
ip address add 10.9.0.1/24 dev v0
start wire --a packet:w0 --b packet:w1 --delay 20ms --drop "2:icmp[icmptype] == 8" \
    --out "$DIRECTORY/out"
sleep 0.5
ping -c 4 -i 0.1 -W 1 10.9.0.2 >"$DIRECTORY/ping" || true
grep -q "4 packets transmitted, 3 received" "$DIRECTORY/ping" ||
    fail "$(cat "$DIRECTORY/ping")"
sed -n 's/.*time=\([0-9]*\).*/\1/p' "$DIRECTORY/ping" | tail -1 |
    { read -r ms; [ "$ms" -ge 40 ] && [ "$ms" -le 60 ]; } ||
    fail "not 40 ms: $(cat "$DIRECTORY/ping")"
timeout 20 ip netns exec far "$PEER" receive 9000 2000000 &
receiver=$!
sleep 0.3
"$PEER" send 10.9.0.2 9000 2000000
wait $receiver
stop
if command -v tshark >/dev/null; then
    tshark -r "$DIRECTORY/out/a-eth0.pcapng" -Y "frame.comment contains \"lost\"" 2>/dev/null |
        grep -q "Echo (ping) request"
fi
