#!/bin/sh
# A hop with a small MTU between us and the kernel: both ends find the path's MTU.
# SPDX-License-Identifier: MIT
timeout 20 "$PEER" receive 9000 2000000 &
receiver=$!
cat >"$DIRECTORY/scenario.yaml" <<END
routers:
  r1: {interfaces: {eth0: {addresses: [10.9.0.254/24, "fd00::fe/64"]}}, ip: {dad-transmits: 0}}
  r2: {ip: {dad-transmits: 0}}
hosts:
  us: {addresses: [10.8.0.2/24, "fd01::2/64"], ip: {dad-transmits: 0}, gateway: [r2]}
taps: {tap0: }
links:
  lan: {ends: [tap0, "r1:eth0"]}
  narrow: {ends: [r1, r2], mtu: 1300}
  inside: {ends: [r2, us]}
apps:
  - {host: us, echo: 7}
  - {host: us, tcp-bulk: "$KERNEL4:9000", bytes: 2MB, start: 500ms}
END
bridge_up "$DIRECTORY/scenario.yaml"
ip route add 10.8.0.0/24 via 10.9.0.254
ip -6 route add fd01::/64 via fd00::fe
"$PEER" echo 10.8.0.2 7 1000000
"$PEER" echo fd01::2 7 1000000
ip route get 10.8.0.2 | grep -q "mtu 1300"
wait $receiver
stop
