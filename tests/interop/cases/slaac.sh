#!/bin/sh
# A router advertisement gives our host an address and a way out.
# SPDX-License-Identifier: MIT
need dnsmasq
ip tuntap add dev tap0 mode tap
ip link set tap0 up
ip -6 address add fd00:1::1/64 dev tap0 nodad
ip -6 address add fd00:2::1/128 dev lo
sysctl -qw net.ipv6.conf.all.forwarding=1
dnsmasq --no-daemon --conf-file=/dev/null --interface=tap0 --bind-interfaces \
    --port=0 --enable-ra --dhcp-range=fd00:1::,ra-only --user=root \
    --dhcp-leasefile="$DIRECTORY/leases" --ra-param=tap0,4,60 \
    >"$DIRECTORY/dnsmasq" 2>&1 &
start host --tap tap0 --mac 02:00:00:00:00:42 --address 10.9.0.2/24 --serve echo \
    --out "$DIRECTORY/out"
for _ in $(seq 100); do
    ping -q -c 1 -W 1 fd00:1::ff:fe00:42 >/dev/null 2>&1 && break
    sleep 0.1
done
"$PEER" echo fd00:1::ff:fe00:42 7 100000
# Through the router: the answer needs the default route.
ping -q -c 1 -W 1 -I fd00:2::1 fd00:1::ff:fe00:42
stop
