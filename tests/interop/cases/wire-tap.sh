#!/bin/sh
# A link between two TAPs, one of them moved into another namespace, with rate and loss.
# SPDX-License-Identifier: MIT
ip netns add far
start wire --a tap0 --b tap1 --rate 20Mbit --delay 5ms --queue 100 --from-a loss=1%
wait_for ip link show tap1
ip link set tap1 netns far
ip netns exec far sh -c "ip link set lo up; ip link set tap1 up; ip address add 10.9.0.2/24 dev tap1"
ip address add 10.9.0.1/24 dev tap0
ping -q -c 2 -i 0.1 -W 2 10.9.0.2 || true
timeout 25 ip netns exec far "$PEER" receive 9000 3000000 >"$DIRECTORY/rate" &
receiver=$!
sleep 0.3
"$PEER" send 10.9.0.2 9000 3000000
wait $receiver
# Not more than the link carries.
sed -n 's/^receive \([0-9]*\)\..*/\1/p' "$DIRECTORY/rate" |
    { read -r rate; [ "$rate" -le 20 ]; } || fail "$(cat "$DIRECTORY/rate")"
stop
log_has "1 loss\|[0-9]* loss"
