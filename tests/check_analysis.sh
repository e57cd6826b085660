#!/bin/sh
# What tshark says of each TCP flow must agree with what the stacks counted.
#   tests/check_analysis.sh FOLDER SCENARIO...    folders with report.json and captures
# Compared per end, on the capture of that end's host: retransmissions sent, duplicate ACKs
# received, zero windows sent, window probes sent. tshark calls a retransmission that follows
# its original closely "out-of-order", and a window probe without data "keep-alive", so both
# names count there.
# SPDX-License-Identifier: MIT
set -u
folder=$1
shift
for tool in tshark jq; do
    if ! command -v $tool >/dev/null; then
        echo "analysis: $tool is not installed"
        echo "analysis: 0 passed, 0 failed, 1 skipped"
        exit 0
    fi
done

# tshark_counts FILE HOST-PORT PEER-PORT: the four figures of one end.
tshark_counts() {
    tshark -n -r "$1" -o tcp.desegment_tcp_streams:FALSE \
        -Y "tcp.port == $2 && tcp.port == $3" -T fields -E separator='|' \
        -e tcp.srcport -e tcp.analysis.retransmission \
        -e tcp.analysis.out_of_order -e tcp.analysis.duplicate_ack \
        -e tcp.analysis.zero_window -e tcp.analysis.zero_window_probe \
        -e tcp.analysis.keep_alive \
        </dev/null 2>/dev/null |
        awk -F'|' -v own="$2" '
            $1 == own && ($2 != "" || $3 != "") { retransmitted++ }
            $1 != own && $4 != "" { duplicate++ }
            $1 == own && $5 != "" { zero++ }
            $1 == own && ($6 != "" || $7 != "") { probe++ }
            END { printf "%d %d %d %d\n", retransmitted, duplicate, zero, probe }'
}

passed=0 failed=0 compared=0
for scenario; do
    report=$folder/$scenario/report.json
    jq -r '.flows[] | . as $f | ("client", "server") as $side |
        select($f[$side] != null and $f[$side + "-info"] != null) |
        [$f[$side],
         ($f[if $side == "client" then "local" else "remote" end] | sub(".*:"; "")),
         ($f[if $side == "client" then "remote" else "local" end] | sub(".*:"; "")),
         ($f[$side + "-info"] |
          ."segments-retransmitted", ."duplicate-acks-in",
          ."zero-windows-sent", ."zero-window-probes")] | join(" ")' \
        "$report" >"$folder/flows.txt" || exit 3
    good=1 flows=0
    while read -r host port peer ours; do
        file=$folder/$scenario/$host-eth0.pcapng
        [ -e "$file" ] || continue
        theirs=$(tshark_counts "$file" "$port" "$peer")
        flows=$((flows + 1))
        if [ "$ours" != "$theirs" ]; then
            echo "$scenario, $host port $port: retransmitted, duplicate ACKs, zero windows, probes:" \
                "ours $ours, tshark's $theirs"
            good=0
        fi
    done <"$folder/flows.txt"
    compared=$((compared + flows))
    if [ $good -eq 1 ] && [ $flows -gt 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "analysis: $compared ends of flows compared"
echo "analysis: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
