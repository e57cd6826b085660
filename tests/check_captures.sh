#!/bin/sh
# Opens captures with tshark: accepts no malformed frame, no protocol error, no bad checksum.
#   tests/check_captures.sh FOLDER    looks at every .pcapng and .pcap below it
# A frame that the simulator corrupted on purpose says so in its comment and is not counted.
# SPDX-License-Identifier: MIT
set -u
if ! command -v tshark >/dev/null; then
    echo "captures: tshark is not installed"
    echo "captures: 0 passed, 0 failed, 1 skipped"
    exit 0
fi
# An ICMP error quotes the beginning of a packet (RFC 1812 4.3.2.3, RFC 4443 3): tshark sums up what
# is there and finds it wrong, as it must. So the checksum of a quoted transport is not judged;
# those of the message itself and of both IP headers are.
quoting='(icmp.type == 3 || icmp.type == 11 || icmp.type == 12 ||
    (icmpv6.type && icmpv6.type < 128))'
bad="_ws.malformed || _ws.short || _ws.expert.group == \"Malformed\" ||
    _ws.expert.group == \"Protocol\" || (ip && !(ip.checksum.status == \"Good\")) ||
    (icmp.type && !(icmp.checksum.status == \"Good\")) ||
    (icmpv6.type && !(icmpv6.checksum.status == \"Good\")) ||
    (!$quoting && (_ws.expert.group == \"Checksum\" || _ws.expert.severity == \"Error\" ||
        (tcp && !(tcp.checksum.status == \"Good\")) ||
        (udp && !(udp.checksum.status == \"Good\"))))"
errors=$(mktemp) || exit 3
list=$(mktemp) || exit 3
trap 'rm -f "$errors" "$list"' EXIT
find "$1" -name '*.pcapng' -o -name '*.pcap' | sort >"$list"
passed=0 failed=0
while read -r file; do
    found=$(tshark -n -r "$file" \
        -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
        -o udp.check_checksum:TRUE -o tcp.desegment_tcp_streams:FALSE \
        -T fields -e frame.number -e frame.protocols -e _ws.expert.message \
        -Y "($bad) && !(frame.comment contains \"corrupted\")" </dev/null 2>"$errors")
    if [ $? -ne 0 ]; then
        echo "$file: $(grep -v 'Running as user' "$errors" | tail -n 1)"
        failed=$((failed + 1))
    elif [ -n "$found" ]; then
        echo "$found" | sed "s|^|$file: frame |" | head -n 10
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
done <"$list"
echo "captures: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
