#!/bin/sh
# Proves the README's two commands on a bare Debian 12: debootstraps a minbase, copies the
# project's tracked files into it, runs each command there in a copy of its own.
#   tests/check_fresh.sh [PARENT]    works in a new folder there (default /tmp); needs root, debootstrap and Debian's packages
# MIRROR names another mirror; the machine's own apt settings are used inside.
# SPDX-License-Identifier: MIT
set -eu
[ "$(id -u)" -eq 0 ] || {
    echo "check_fresh.sh: debootstrap and chroot need root" >&2
    exit 3
}
command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap
mkdir -p "${1:-/tmp}"
folder=$(mktemp -d "${1:-/tmp}/fresh.XXXXXX")
trap 'rm -rf "$folder"' EXIT
root=$folder/root
debootstrap --variant=minbase bookworm "$root" ${MIRROR:+"$MIRROR"} >"$folder/debootstrap.log" 2>&1 || {
    tail -n 5 "$folder/debootstrap.log"
    exit 3
}
# How this machine reaches Debian's packages is its own affair; the chroot does the same.
cp -r /etc/apt/. "$root/etc/apt/"
cp /etc/resolv.conf "$root/etc/resolv.conf"
if [ -d /usr/local/share/ca-certificates ]; then
    mkdir -p "$root/etc/ssl/certs"
    cp -rL /etc/ssl/certs/. "$root/etc/ssl/certs/" 2>/dev/null || true
fi

# The commands are read from the README: the first two fenced lines that begin with "sh setup.sh".
passed=0 failed=0
grep '^sh setup.sh' README.md | head -n 2 >"$folder/commands"
[ "$(wc -l <"$folder/commands")" -eq 2 ]
while read -r command; do
    mkdir -p "$root/src"
    git archive HEAD | tar -x -C "$root/src"
    echo "== $command"
    started=$(date +%s)
    if chroot "$root" sh -c "cd /src && $command" >"$folder/log" 2>&1 </dev/null; then
        passed=$((passed + 1))
    else
        tail -n 30 "$folder/log"
        failed=$((failed + 1))
    fi
    echo "   $(($(date +%s) - started)) s"
    rm -rf "$root/src"
done <"$folder/commands"
echo "fresh: $passed passed, $failed failed"
[ $failed -eq 0 ]
