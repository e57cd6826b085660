#!/bin/sh
# The command line: exit statuses, what is said of mistakes, what is left behind.
#   tests/check_cli.sh PROGRAM
# SPDX-License-Identifier: MIT
set -u
program=$(realpath "$1")
here=$(realpath "$(dirname "$0")/..")
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 3
passed=0 failed=0

# expect STATUS TEXT ARGUMENT...: the exit status, and a text in what is printed.
expect() {
    status=$1 text=$2
    shift 2
    "$program" "$@" >output 2>&1 </dev/null
    got=$?
    if [ $got -eq "$status" ] && { [ -z "$text" ] || grep -qF -- "$text" output; }; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: wirebed $*: status $got, expected $status and \"$text\":"
        head -n 5 output | sed 's/^/    /'
    fi
}

# holds DESCRIPTION COMMAND...
holds() {
    description=$1
    shift
    if "$@" >output 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $description"
        head -n 5 output | sed 's/^/    /'
    fi
}

cat >good.yaml <<EOT
hosts: {a: 10.0.0.1/24, b: 10.0.0.2/24}
links:
  wire: {ends: [a, b], rate: 10Mbit, delay: 5ms}
apps:
  - {host: b, tcp-sink: 9, name: sink}
  - {host: a, tcp-bulk: "b:9", bytes: 100kB}
EOT
{ cat good.yaml && echo 'expect: [{app: sink, bytes-received: 1}]'; } >fails.yaml
sed 's/delay: 5ms/dely: 5ms/' good.yaml >bad.yaml
{ sed 's/bytes: 100kB//' good.yaml && echo 'stop: 1h'; } >long.yaml
echo 'local x = = 1' >syntax.lua
echo 'while true do end' >endless.lua
echo 'local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(1e6) .. i end' >memory.lua
echo 'error("on purpose")' >raises.lua
printf '#!/bin/sh\n' >other.txt

expect 0 'Usage: wirebed COMMAND' --help
expect 0 'wirebed 0' --version
expect 2 'which command' 
expect 2 "did you mean 'run'" rum
for command in run check test packetdrill bridge host wire replay; do
    expect 0 'Usage: wirebed' "$command" --help
done

expect 0 '100 kB' run good.yaml
holds 'a capture per link end' test -s pcap-out/good/a-eth0.pcapng -a -s pcap-out/good/b-eth0.pcapng
holds 'a report beside them' test -s pcap-out/good/report.json
expect 0 '"fingerprint"' run --json --capture none good.yaml
expect 0 'the second run was the same' run --check-determinism good.yaml
expect 0 '' run -q --pcap --out classic good.yaml
holds 'classic pcap where asked for' test -s classic/a-eth0.pcap
expect 0 '' run -q --capture wire --out one good.yaml
expect 0 '50 ms simulated' run --until 50ms --capture none good.yaml
expect 0 'dropped' run --set links.wire.loss=5% --seed 7 --capture none good.yaml
expect 0 '' run -q --record-faults plan.txt --set links.wire.loss=5% --capture none good.yaml
expect 0 'loss' run --replay-faults plan.txt --capture none good.yaml

expect 1 'bytes-received' run --capture none fails.yaml
expect 2 "bad.yaml:3:38: unknown key 'dely'; did you mean 'delay'" run bad.yaml
expect 2 'No such file' run nothere.yaml
expect 2 'neither' run other.txt
expect 2 "unknown option '--sed'; did you mean '--seed'" run --sed 3 good.yaml
expect 2 "needs a value" run --seed
expect 2 "takes no value" run --json=3 good.yaml
expect 2 "unknown option '-x'" run -x good.yaml
expect 2 'such as' run --until 5 good.yaml
expect 2 'number' run --seed -1 good.yaml
expect 2 'nope' run --capture nope good.yaml
expect 2 "did you mean 'wire'" run --set links.wier.loss=1% good.yaml
expect 2 "unknown key 'bogus'" run --set links.wire.bogus=1 good.yaml
expect 2 'syntax.lua:1' run syntax.lua
expect 2 'on purpose' run raises.lua
expect 2 'instructions' run endless.lua
expect 2 'memory' run memory.lua

expect 0 'interfaces:' check good.yaml
expect 2 "did you mean 'delay'" check bad.yaml
expect 2 'syntax.lua:1' check syntax.lua
expect 0 '## links.NAME' check --reference

expect 0 '1 passed, 0 failed, 0 skipped' test good.yaml
expect 1 'repeat with: wirebed run fails.yaml' test fails.yaml
holds 'captures of what failed' test -s pcap-out/test/fails.yaml/a-eth0.pcapng
expect 1 '1 passed, 1 failed, 0 skipped' test good.yaml fails.yaml
expect 1 '0 passed, 1 failed, 0 skipped' test --rerun-failed good.yaml fails.yaml
expect 0 'good.yaml' test --list --filter good .
expect 0 '3 passed' test --seeds 4..6 good.yaml
expect 1 'did not end within' test --timeout 300ms long.yaml
expect 1 'not ok 2' test --tap good.yaml fails.yaml
expect 1 '"failed": 1' test --json fails.yaml
expect 1 'FAILED' test --junit junit.xml fails.yaml
holds 'JUnit tells the failure' grep -q '<failure message=' junit.xml
expect 2 'nothing to run' test --filter nowhere .
expect 2 'smaller one first' test --seeds 5..3 good.yaml

# Ctrl-C ends a run cleanly: the summary so far, whole captures, status 130.
"$program" run --out interrupted long.yaml >summary 2>&1 &
run=$!
sleep 1
kill -INT $run
wait $run
holds 'an interrupted run ends with 130' test $? -eq 130
holds 'its summary says so' grep -q 'interrupted, ' summary
holds 'its captures are there' test -s interrupted/a-eth0.pcapng

# The system says no.
if [ -w /dev/full ]; then
    mkdir full && ln -s /dev/full full/a-eth0.pcapng
    expect 3 "'full/a-eth0.pcapng' is not complete: No space left on device" run -q --out full good.yaml
fi
expect 3 'cannot make the folder' run -q --out good.yaml/inside good.yaml
if [ "$(id -u)" -ne 0 ]; then
    mkdir readonly && chmod 555 readonly
    expect 3 'Permission denied' run -q --out readonly/inside good.yaml
fi

cd "$here" || exit 3
echo "cli: $passed passed, $failed failed"
[ $failed -eq 0 ]
