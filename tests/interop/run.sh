#!/bin/sh
# Runs the interoperation tests against this machine's kernel.
# SPDX-License-Identifier: MIT
#
# Usage: run.sh WIREBED PEER [CASE...]
#
# Each case runs in namespaces of its own (unshare; as root of a user namespace
# where the caller is not root), so that it cannot touch the machine's own
# interfaces and nothing is left when it ends, however it ends. A case that takes
# longer than 30 s has failed. Ends with `N passed, N failed, N skipped`.

here=$(cd "$(dirname "$0")" && pwd)
WIREBED=$(realpath "$1") PEER=$(realpath "$2")
shift 2
[ $# -gt 0 ] || set -- "$here"/cases/*.sh
passed=0 failed=0 skipped=0

enter="unshare --net --mount --pid --fork --kill-child --mount-proc"
[ "$(id -u)" -eq 0 ] || enter="$enter --user --map-root-user"

reason=
[ -e /dev/net/tun ] || reason="there is no /dev/net/tun"
[ -z "$reason" ] && ! $enter true 2>/dev/null &&
    reason="no namespaces may be made here"
[ -z "$reason" ] && ! $enter ip tuntap add dev t0 mode tap 2>/dev/null &&
    reason="no TAP may be made in a namespace here"
if [ -n "$reason" ]; then
    echo "interop: skipped: $reason"
    echo "0 passed, 0 failed, $# skipped"
    exit 0
fi

SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
trap 'exit 130' INT TERM
export WIREBED PEER SCRATCH

for path; do
    name=$(basename "$path" .sh)
    $enter timeout -k 2 30 sh -c '
        ip link set lo up
        mount -t tmpfs tmpfs /run
        mkdir -p /run/netns
        . "$1/lib.sh"
        . "$2"' sh "$here" "$(realpath "$path")" >"$SCRATCH/output" 2>&1
    status=$?
    case $status in
    0) passed=$((passed + 1)) && echo "ok      $name" ;;
    77) skipped=$((skipped + 1)) &&
        echo "skipped $name: $(sed -n 's/^skipped: //p' "$SCRATCH/output")" ;;
    *)
        failed=$((failed + 1))
        echo "FAILED  $name: status $status: $(sed -n 2p "$path")"
        sed 's/^/    /' "$SCRATCH/output"
        ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
