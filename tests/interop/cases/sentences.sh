#!/bin/sh
# What is wrong with a device is said in a sentence of its own.
# SPDX-License-Identifier: MIT
try() {
    expected=$1
    shift
    if "$WIREBED" host --address 10.9.0.2/24 --for 1s "$@" >"$DIRECTORY/log" 2>&1; then
        fail "no refusal: $*"
    else
        status=$?
    fi
    [ $status -eq 3 ] || fail "status $status: $(cat "$DIRECTORY/log")"
    log_has "$expected"
}
ip tuntap add dev tun9 mode tun
ip tuntap add dev tap9 mode tap
ip link add v0 type veth peer name v1
try "is a TUN, not a TAP" --tap tun9
try "is a TAP, not a TUN" --tap tap9 --kind tun
try "interface of another kind" --tap v0
try "there is no interface 'none0'" --tap none0 --kind packet
start host --tap tap9 --address 10.9.0.3/24
sleep 0.3
try "in use by another program" --tap tap9
stop
# As other users, where this is root indeed; with a /dev/net/tun for everybody.
command -v setpriv >/dev/null || exit 0
setpriv --reuid 65533 --clear-groups true 2>/dev/null || exit 0
as_user() {
    setpriv --reuid "$1" --regid 65534 --clear-groups --inh-caps=-all \
        --bounding-set=-all "$WIREBED" host --address 10.9.0.2/24 \
        --for 300ms --tap "$2" 2>&1
}
[ "$(stat -c %a /dev/net/tun)" = 666 ] || {
    as_user 65533 tap9 | grep -q "/dev/net/tun may not be opened by this user"
    mknod -m 666 /run/tun c 10 200
    mount --bind /run/tun /dev/net/tun
}
ip tuntap add dev tapu mode tap user 65534
ip link set tapu up
as_user 65533 tapu | grep -q "belongs to the user nobody, and this is 65533"
ip tuntap add dev tapg mode tap group 4
as_user 65533 tapg | grep -q "for a group that the user 65533 is not in"
as_user 65533 new0 | grep -q "making one needs root"
as_user 65534 tapu | grep -q "lateness"
