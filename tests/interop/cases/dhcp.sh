#!/bin/sh
# dnsmasq gives our host an address, a router, and the lease again when half of it is over.
# SPDX-License-Identifier: MIT
need dnsmasq
ip tuntap add dev tap0 mode tap
ip link set tap0 up
ip address add $KERNEL4/24 dev tap0
dnsmasq --no-daemon --conf-file=/dev/null --interface=tap0 --bind-interfaces \
    --port=0 --dhcp-range=10.9.0.50,10.9.0.60,120 --dhcp-leasefile="$DIRECTORY/leases" \
    --dhcp-authoritative --no-ping --log-dhcp --user=root --dhcp-option=option:T1,3 \
    --dhcp-option=58,3 >"$DIRECTORY/dnsmasq" 2>&1 &
start host --tap tap0 --dhcp --serve echo --out "$DIRECTORY/out"
wait_for grep -q "has 10.9.0.5.*/24 from 10.9.0.1 for 120 s" "$DIRECTORY/log" ||
    fail "$(cat "$DIRECTORY/dnsmasq")"
address=$(sed -n "s/.*has \(10.9.0.5[0-9]*\)\/24.*/\1/p" "$DIRECTORY/log" | head -1)
"$PEER" echo "$address" 7 100000
ip address add 10.8.0.1/24 dev lo
ping -q -c 1 -W 1 -I 10.8.0.1 "$address" # through the router that it was told
# T1 is 3 s: the lease is renewed by unicast.
sleep 3.5
[ "$(grep -c DHCPACK "$DIRECTORY/dnsmasq")" -ge 2 ] ||
    fail "no renewal: $(cat "$DIRECTORY/dnsmasq")"
"$PEER" echo "$address" 7 1000
stop
wait_for grep -q DHCPRELEASE "$DIRECTORY/dnsmasq"
