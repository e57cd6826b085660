#!/bin/sh
# Writes the table of TCP state x event, with its holes, as Markdown.
# SPDX-License-Identifier: MIT
#
#   tests/conformance/matrix.sh >docs/tcp-matrix.md
#
# A cell is a script tests/conformance/matrix/STATE/EVENT.pkt; its text is what
# the script's comment says. A dash is a hole: either the event means nothing in
# that state, or nobody has written the script yet.
set -eu
cd "$(dirname "$0")/matrix"

states='closed listen syn-sent syn-received established fin-wait-1 fin-wait-2
close-wait closing last-ack time-wait'
events='syn syn-ack ack ack-of-the-future ack-out-of-window data data-left
data-across data-ahead data-right fin fin-and-ack rst rst-with-ack rst-in-window
rst-out-of-window urg timer close shutdown abort send icmp-error'

echo '# TCP, state by event'
echo
echo 'Made by `tests/conformance/matrix.sh`; each cell is a script below'
echo '`tests/conformance/matrix/`.'
echo
printf '| event |'
for state in $states; do printf ' %s |' "$state"; done
echo
printf '| --- |'
for state in $states; do printf ' --- |'; done
echo
count=0 holes=0
for event in $events; do
    printf '| %s |' "$event"
    for state in $states; do
        if [ -f "$state/$event.pkt" ]; then
            printf ' x |'
            count=$((count + 1))
        else
            printf ' - |'
            holes=$((holes + 1))
        fi
    done
    echo
done
echo
echo "$count scripts, $holes holes."
echo
for state in $states; do
    echo "## $state"
    echo
    for event in $events; do
        [ -f "$state/$event.pkt" ] || continue
        sed -n '/^\/\//!q; s/^\/\/ //p' "$state/$event.pkt" | tr '\n' ' ' |
            sed 's/^[A-Z0-9-]*: \([^.]*\)\. */- **\1**: /; s/ *$//'
        echo
    done
    echo
done
