#!/bin/sh
# discard, chargen and echo answer as RFC 862 to 864 say.
# SPDX-License-Identifier: MIT
need python3
host_up --serve echo,discard,chargen
"$PEER" echo $US4 7 1000
"$PEER" send $US4 9 100000
python3 - $US4 <<'END'
import socket, sys
s = socket.create_connection((sys.argv[1], 19), timeout=5)
data = b""
while len(data) < 74 * 200:
    data += s.recv(65536)
s.close()
lines = data.split(b"\r\n")
assert all(len(line) == 72 for line in lines[:200]), lines[0]
assert lines[0][1:] == lines[1][:-1]
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.settimeout(5)
u.sendto(b"x", (sys.argv[1], 19))
assert u.recv(1000).endswith(b"\r\n")
END
stop
