# What the interoperation tests share: a host of ours, a kernel, verdicts.
# SPDX-License-Identifier: MIT
#
# Sourced inside network namespaces of the test's own, by run.sh. A case is a
# shell file whose first line after the shebang says what must be so; it uses
# the functions below and ends with a status other than 0 where it fails (set -e
# is on). US4, US6 are our host's addresses, KERNEL4, KERNEL6 the kernel's.

set -eu
US4=10.9.0.2 US6=fd00::2 KERNEL4=10.9.0.1 KERNEL6=fd00::1
HOST_PID= DIRECTORY=$(mktemp -d "$SCRATCH/case.XXXXXX")

# Its link-local address is of use to the kernel at once.
sysctl -qw net.ipv6.conf.default.accept_dad=0

# Ends what the case started; its namespaces go with the last process.
finish() {
    status=$?
    trap - EXIT
    if [ -n "$HOST_PID" ]; then
        kill -TERM "$HOST_PID" 2>/dev/null || true
        wait "$HOST_PID" 2>/dev/null || status=$?
        HOST_PID=
        [ "$status" -eq 0 ] || sed 's/^/    wirebed: /' "$DIRECTORY/log" >&2
    fi
    exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM

skip() {
    echo "skipped: $*"
    exit 77
}
need() {
    for tool; do
        command -v "$tool" >/dev/null || skip "$tool is not installed"
    done
}
fail() {
    echo "$*" >&2
    exit 1
}

# wait_for COMMAND...: until it succeeds, at most 5 s.
wait_for() {
    for _ in $(seq 100); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.05
    done
    fail "waited in vain for: $*"
}

# start COMMAND...: wirebed in the background, its words in $DIRECTORY/log.
start() {
    "$WIREBED" "$@" >"$DIRECTORY/log" 2>&1 &
    HOST_PID=$!
}

# stop: as Ctrl-C; wirebed must end well.
stop() {
    kill -TERM "$HOST_PID"
    wait "$HOST_PID" || fail "wirebed ended with status $?: $(cat "$DIRECTORY/log")"
    HOST_PID=
}

# The kernel's side of a device: up, with addresses, without duplicate detection.
kernel_side() {
    wait_for ip link show "$1"
    ip link set "$1" up
    kernel_addresses "$1"
}
kernel_addresses() {
    ip address add "$KERNEL4/24" dev "$1"
    ip -6 address add "$KERNEL6/64" dev "$1" nodad
    # The kernel makes the address its own a moment later, in the background.
    wait_for sh -c "ip -6 route show table local | grep -q '^local $KERNEL6 '"
}

# host_up [OPTION...]: our host on tap0, the kernel beside it; no captures.
host_up() {
    start host --tap tap0 --address "$US4/24,$US6/64" \
        --set hosts.host.ip.dad-transmits=0 "$@"
    kernel_side tap0
}

# bridge_up FILE [OPTION...]: the same with a scenario.
bridge_up() {
    start bridge --out "$DIRECTORY/out" "$@"
    kernel_side tap0
}

# A scenario with our host `us` on tap0 behind a link; $1: keys of the link, $2:
# keys of the host, $3: applications, a line each.
scenario() {
    cat >"$DIRECTORY/scenario.yaml" <<END
hosts:
  us:
    addresses: [$US4/24, "$US6/64"]
    ip: {dad-transmits: 0}
$(printf '%s\n' "${2:-}" | sed 's/^/    /')
taps: {tap0: }
links:
  lan: {ends: [us, tap0]$(if [ -n "${1:-}" ]; then echo ", $1"; fi)}
apps:
$(printf '%s\n' "${3:-- {host: us, echo: 7\}}" | sed 's/^/  /')
END
    echo "$DIRECTORY/scenario.yaml"
}

# log_has PATTERN: in wirebed's words.
log_has() {
    grep -q -e "$1" "$DIRECTORY/log" ||
        fail "not in wirebed's words: $1: $(cat "$DIRECTORY/log")"
}
