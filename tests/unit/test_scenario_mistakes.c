// Bad scenarios, and the sentences that answer them.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tests/unit/config_fixture.h"
#include "tests/unit/unit.h"

#define NETWORK                                                                \
    "hosts: {a: , b: }\n"                                                      \
    "links: {wan: {ends: [a, b]}}\n"

static void top_level_keys_and_figures_are_checked(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in("seed: -3\n"
                           "stop: 60\n"
                           "sead: 4\n"
                           "limits: {events: 0, evnts: 3}\n"
                           "hosts: 5\n"
                           "links: [a]\n"
                           "capture: some\n",
                           &m),
               "t.yaml:1:7: seed: '-3' is out of range; expected 0 or more\n"
               "t.yaml:2:7: stop: '60' needs a unit, such as 60ms\n"
               "t.yaml:3:1: unknown key 'sead'; did you mean 'seed'?\n"
               "t.yaml:4:18: events: '0' is out of range; expected 1 or more\n"
               "t.yaml:4:21: unknown key 'evnts'; did you mean 'events'?\n"
               "t.yaml:5:8: hosts: expected a map of names, not '5'\n"
               "t.yaml:6:8: links: expected a map of names, not a list\n"
               "t.yaml:7:10: capture: expected all, none or a list of links, "
               "not 'some'");
}

static void a_scenario_is_a_map(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in("[1, 2]", &m),
               "t.yaml:1:1: scenario: expected a map, not a list");
}

static void a_key_that_is_twice_hides_no_other_mistake(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in("seed: 1\nseed: 2\nstop: 60\n", &m),
               "t.yaml:2:1: key 'seed' is here twice; the first is in line 1\n"
               "t.yaml:3:7: stop: '60' needs a unit, such as 60ms");
}

static void an_unknown_word_without_a_near_one_gets_the_list(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in("limits: {bandwidth: 3}\nhosts: {a: {colour: red}}\n", &m),
        "t.yaml:1:10: unknown key 'bandwidth'; limits has packet-memory, "
        "events\n"
        "t.yaml:2:13: unknown key 'colour'; a host has address, addresses, "
        "mac, mtu, interfaces, gateway, routes, ipv4, ipv6, tcp, udp, ip, "
        "neighbour, limits");
}

static void settings_are_checked_against_the_rows_of_the_stack(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in("hosts:\n"
                    "  a: {tcp: {congestion: cubik, sak: on, min-rto: 5}}\n"
                    "  b: {tcp: {sack: maybe, min-rto: 1h, nagle: }}\n"
                    "  c: {tcp: on, ip: {ttl: 256}}\n",
                    &m),
        "t.yaml:2:25: congestion: unknown word 'cubik'; did you mean 'cubic'?\n"
        "t.yaml:2:32: unknown key 'sak'; did you mean 'sack'?\n"
        "t.yaml:2:50: min-rto: '5' needs a unit, such as 5ms\n"
        "t.yaml:3:19: sack: expected on or off, not 'maybe'\n"
        "t.yaml:3:35: min-rto: '1h' is out of range; expected 1ms to 120s\n"
        "t.yaml:3:46: nagle: expected on or off, not nothing\n"
        "t.yaml:4:12: tcp: expected a map of settings, not 'on'\n"
        "t.yaml:4:26: ttl: '256' is out of range; expected 1 to 255");
}

static void impossible_addresses_are_refused(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in("hosts:\n"
                    "  a: 10.0.0.1\n"
                    "  b: 10.0.0.256/24\n"
                    "  c: [10.0.0.0/24, 10.0.0.255/24, 224.0.0.1/24]\n"
                    "  d: ['::1/128', '::/64', 127.0.0.1/8, '2001:db8::1']\n"
                    "  e: {address: {x: 1}, mac: 01:00:00:00:00:00}\n"
                    "  f: {mac: 2:3, mtu: 10}\n",
                    &m),
        "t.yaml:2:6: a: '10.0.0.1' needs the length of its prefix, such as "
        "10.0.0.1/24\n"
        "t.yaml:3:6: b: '10.0.0.256/24' is not an address with the length of "
        "its prefix, such as 10.0.0.1/24\n"
        "t.yaml:4:7: c: '10.0.0.0/24': this is the address of the network "
        "itself\n"
        "t.yaml:4:20: c: '10.0.0.255/24': this is the broadcast address of its "
        "network\n"
        "t.yaml:4:35: c: '224.0.0.1/24': a multicast address belongs to no "
        "interface\n"
        "t.yaml:5:7: d: '::1/128': a loopback address belongs to no link\n"
        "t.yaml:5:18: d: '::/64': the unspecified address belongs to nobody\n"
        "t.yaml:5:27: d: '127.0.0.1/8': a loopback address belongs to no link\n"
        "t.yaml:5:40: d: '2001:db8::1' needs the length of its prefix, such as "
        "2001:db8::1/64\n"
        "t.yaml:6:16: address: expected an address such as 10.0.0.1/24, not a "
        "map\n"
        "t.yaml:6:29: mac: '01:00:00:00:00:00' is not the address of one "
        "interface; the lowest bit of its first byte must be 0\n"
        "t.yaml:7:12: mac: expected a hardware address such as "
        "02:00:00:00:00:01, not '2:3'\n"
        "t.yaml:7:22: mtu: '10' is out of range; expected 68 to 65535");
}

static void both_addresses_of_a_31_are_fine(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in("hosts: {a: 10.0.0.0/31, b: 10.0.0.1/31}\n"
                           "links: {l: [a, b]}\n",
                           &m),
               "");
}

static void names_are_words(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in("hosts: {a/b: , '': , -x: }\n"
                           "routers: {r: }\n"
                           "switches: {r: }\n",
                           &m),
               "t.yaml:1:9: 'a/b' cannot be the name of a node; expected 1 to "
               "63 letters, digits, '-', '_' and '.', of which the first is a "
               "letter or digit\n"
               "t.yaml:1:16: '' cannot be the name of a node; expected 1 to "
               "63 letters, digits, '-', '_' and '.', of which the first is a "
               "letter or digit\n"
               "t.yaml:1:22: '-x' cannot be the name of a node; expected 1 to "
               "63 letters, digits, '-', '_' and '.', of which the first is a "
               "letter or digit\n"
               "t.yaml:3:12: 'r' is the name of a router already");
}

static void links_need_two_ends_that_exist(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in("hosts: {client: , server: }\n"
                    "links:\n"
                    "  l1: [client, sever]\n"
                    "  l2: [client]\n"
                    "  l3:\n"
                    "  l4: {rate: 1Mbit}\n"
                    "  l5: {ends: client}\n"
                    "  l6: [client, 'server:']\n"
                    "  l7: [client:eth9, client:eth9]\n"
                    "  l8: [client:abcdefghijklmnop, server]\n",
                    &m),
        "t.yaml:3:16: ends: no host, router or switch is called 'sever'; did "
        "you mean 'server'?\n"
        "t.yaml:4:7: ends: a link has two ends, here are 1\n"
        "t.yaml:5:3: link 'l3' needs its ends, such as ends: [client, server]\n"
        "t.yaml:6:3: link 'l4' needs its ends, such as ends: [client, server]\n"
        "t.yaml:7:14: ends: expected a list of two nodes such as [client, "
        "server], not 'client'\n"
        "t.yaml:8:16: ends: expected NAME or NAME:PORT, such as client:eth1, "
        "not 'server:'\n"
        "t.yaml:9:21: ends: 'client:eth9' is at link 'l7' already\n"
        "t.yaml:10:8: 'abcdefghijklmnop' cannot be the name of an interface; "
        "expected at most 15 characters, and not lo");
}

static void parameters_of_links_are_checked(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in("hosts: {client: , server: }\n"
                    "links:\n"
                    "  wan:\n"
                    "    ends: [client, server]\n"
                    "    rate: 10Mbps\n"
                    "    delay: 20\n"
                    "    loss: 120%\n"
                    "    dely: 3ms\n"
                    "    mtu: 10\n"
                    "    queue: 100\n"
                    "    jitter: -3ms\n"
                    "    up: perhaps\n"
                    "    type: ethernt\n"
                    "    duplicate: 0.5\n"
                    "    from-clinet: {loss: 2%}\n"
                    "    from-server: {los: 2%, rate: 0, queue: {packets: 0}}\n"
                    "    jitter-distribution: normel\n",
                    &m),
        "t.yaml:5:11: rate: expected a rate in bits a second, such as 10Mbit, "
        "not '10Mbps'\n"
        "t.yaml:6:12: delay: '20' needs a unit, such as 20ms\n"
        "t.yaml:7:11: loss: '120%' is out of range; expected 0% to 100%\n"
        "t.yaml:8:5: unknown key 'dely'; did you mean 'delay'?\n"
        "t.yaml:9:10: mtu: '10' is out of range; expected 68 to 65535\n"
        "t.yaml:10:12: queue: expected a map such as {packets: 100}, {bytes: "
        "64KiB} or {time: 50ms}, not '100'\n"
        "t.yaml:11:13: jitter: '-3ms' is out of range; expected 0s to 86400s\n"
        "t.yaml:12:9: up: expected on or off, not 'perhaps'\n"
        "t.yaml:13:11: type: unknown word 'ethernt'; did you mean 'ethernet'?\n"
        "t.yaml:14:16: duplicate: '0.5' needs a unit, such as 0.5%\n"
        "t.yaml:15:5: unknown key 'from-clinet'; did you mean 'from-client'?\n"
        "t.yaml:16:19: unknown key 'los'; did you mean 'loss'?\n"
        "t.yaml:16:34: rate: '0' is out of range; expected 1bit to 1000Tbit\n"
        "t.yaml:16:54: packets: '0' is out of range; expected 1 to 100000000\n"
        "t.yaml:17:26: jitter-distribution: unknown word 'normel'; did you "
        "mean 'normal'?");
}

static void impairments_are_checked(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in(NETWORK
                    "at:\n"
                    "  - time: 1s\n"
                    "    link: wan\n"
                    "    impairments:\n"
                    "      - {drop: 5%, filter: tcp prt 80}\n"
                    "      - {delay: all}\n"
                    "      - {nth: 3}\n"
                    "      - {drop: all, copies: 3, nth: [3, 1, x]}\n"
                    "      - {corrupt: yes}\n"
                    "      - {drop: 5%, probability: 3%}\n"
                    "      - {drop: all, mark: all}\n"
                    "      - {drop: all, from: 3s, until: 2s}\n"
                    "      - {drop: all, filter: host a}\n"
                    "      - {drop: all, filter: tcp and and}\n"
                    "      - {drop: all, p: 1%}\n"
                    "      - {drop: all, p: 1%, r: 1%, probability: 3%}\n"
                    "      - 5%\n"
                    "    loss: {correlation: 3%}\n"
                    "    corrupt: {probability: 3%, drop: all}\n",
                    &m),
        "t.yaml:7:28: filter: 'prt' is no word of pcap-filter(7); did you mean "
        "'port'?\n"
        "t.yaml:8:9: delay: by how much? Write {delay: all, by: 20ms}\n"
        "t.yaml:9:9: which action? An impairment has one of drop, delay, "
        "reorder, duplicate, corrupt, hold, mark\n"
        "t.yaml:10:21: copies: means nothing for lost frames\n"
        "t.yaml:10:44: nth: expected a whole number, such as 10, not 'x'\n"
        "t.yaml:11:19: corrupt: expected all or a chance such as 5% (a filter "
        "goes under filter:), not 'yes'\n"
        "t.yaml:12:16: drop: the chance is here and under probability\n"
        "t.yaml:13:21: mark: one impairment has one action, here it is drop; "
        "write two entries\n"
        "t.yaml:14:9: until must be later than from\n"
        "t.yaml:15:29: filter: 'a' is no word of pcap-filter(7); names are not "
        "looked up, write the address\n"
        "t.yaml:16:29: filter: 'tcp and and' is not a pcap filter: can't parse "
        "filter expression: syntax error\n"
        "t.yaml:17:9: gilbert-elliott needs r, the chance to go from bad to "
        "good\n"
        "t.yaml:18:35: probability: gilbert-elliott has bad and good in its "
        "place\n"
        "t.yaml:19:9: impairments: expected a map such as {drop: all, nth: 3}, "
        "not '5%'\n"
        "t.yaml:20:11: loss: needs a probability, such as {probability: 1%}\n"
        "t.yaml:21:32: drop: the action is corrupt already");
}

static void clashing_addresses_are_found(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in("hosts:\n"
                    "  a: 10.0.0.1/24\n"
                    "  b: 10.0.0.1/24\n"
                    "  c: 10.0.0.9/16\n"
                    "  d: 10.9.0.1/16\n"
                    "  e: 10.9.0.2/24\n"
                    "links:\n"
                    "  l1: [a, b]\n"
                    "  l2: [c, d]\n"
                    "  l3: [e, r]\n"
                    "routers: {r: }\n",
                    &m),
        "t.yaml:3:6: the address 10.0.0.1 belongs to a:eth0 already\n"
        "t.yaml:4:6: 10.0.0.9/16 overlaps 10.0.0.1/24 of a:eth0 on link 'l1'; "
        "each link or switched network needs a prefix of its own\n"
        "t.yaml:6:6: 10.9.0.2/24 overlaps 10.9.0.1/16 of d:eth0 on link 'l2'; "
        "each link or switched network needs a prefix of its own");
}

static void link_local_addresses_may_be_the_same_on_other_links(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in("hosts: {a: 'fe80::1/64', b: 'fe80::2/64', c: "
                           "'fe80::1/64', d: 'fe80::3/64'}\n"
                           "links: {l1: [a, b], l2: [c, d]}\n",
                           &m),
               "");
}

static void a_full_network_is_told(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in("hosts: {a: 10.0.0.1/30, b: , c: }\n"
                           "switches: {s: }\n"
                           "links:\n"
                           "  l1: [a, s]\n"
                           "  l2: [b, s]\n"
                           "  l3: [c, s]\n",
                           &m),
               "t.yaml:6:8: no address of 10.0.0.0/30 is left for 'c' (eth0)");
}

static void gateways_are_on_a_link_of_the_host(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in(
            "hosts:\n"
            "  a: {address: 10.0.0.1/24, gateway: 10.0.9.1}\n"
            "  b: {address: 10.0.0.2/24, gateway: 10.0.0.2}\n"
            "  c: {address: 10.0.0.3/24, gateway: ruter}\n"
            "  d: {address: 10.0.0.4/24, gateway: far}\n"
            "  e: {routes: [{to: 10.1.0.1/16, via: r}, {to: x}, {via: r}]}\n"
            "  f: {routes: [{to: '2001:db8:9::/48', via: 10.0.0.1}]}\n"
            "routers: {router: , far: , r: }\n"
            "switches: {s: }\n"
            "links: {l1: [a, s], l2: [b, s], l3: [c, s], l4: [d, s], l5: "
            "[router, s], l6: [far, r], l7: [e, r], l8: [f, s]}\n",
            &m),
        "t.yaml:2:38: gateway 10.0.9.1 is on no link of 'a'\n"
        "t.yaml:3:38: gateway 10.0.0.2 is an address of 'b' itself\n"
        "t.yaml:4:38: gateway: no host, router or switch is called 'ruter'; "
        "did you mean 'router'?\n"
        "t.yaml:5:38: 'far' has no address on a link of 'd'\n"
        "t.yaml:6:21: to: '10.1.0.1/16' has bits beyond its prefix; the "
        "network is 10.1.0.0/16\n"
        "t.yaml:6:43: a route needs via; write {to: 10.9.0.0/16, via: "
        "10.0.0.2}\n"
        "t.yaml:6:52: a route needs to; write {to: 10.9.0.0/16, via: "
        "10.0.0.2}\n"
        "t.yaml:7:45: gateway 10.0.0.1 is not of the destination's family");
}

static void addresses_that_no_host_may_have_are_refused(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in("hosts: {a: 0.1.2.3/8, b: 240.0.0.1/24, c: "
                    "'2001:db8::/64', d: '2001:db8::/127'}\n"
                    "links: {l1: [a, b], l2: [c, d]}\n",
                    &m),
        "t.yaml:1:12: a: '0.1.2.3/8': addresses that begin with 0 belong to "
        "nobody (RFC 1122 3.2.1.3)\n"
        "t.yaml:1:26: b: '240.0.0.1/24': addresses from 240.0.0.0 on are "
        "reserved (RFC 1112 4)\n"
        "t.yaml:1:43: c: '2001:db8::/64': this is the anycast address of the "
        "network's routers (RFC 4291 2.6.1)");
}

static void hardware_addresses_are_unique_on_a_network(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in("hosts:\n"
                           "  a: {mac: 02:00:00:00:00:07}\n"
                           "  b: {mac: 02:00:00:00:00:07}\n"
                           "  c: {mac: 02:00:00:00:00:07}\n"
                           "routers: {r: }\n"
                           "links:\n"
                           "  l1: [a, b]\n"
                           "  l2: [c, r]\n",
                           &m),
               "t.yaml:7:11: b:eth0 has the hardware address "
               "02:00:00:00:00:07 of a:eth0 on the same network");
}

static void routes_are_unique_and_their_gateways_are_hosts(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in("hosts:\n"
                    "  a:\n"
                    "    address: 10.0.0.1/24\n"
                    "    gateway: 10.0.0.2\n"
                    "    routes:\n"
                    "      - {to: default, via: 10.0.0.2}\n"
                    "      - {to: default, via: 10.0.0.2, metric: 5}\n"
                    "      - {to: 10.9.0.0/16, via: 255.255.255.255}\n"
                    "      - {to: '2001:db8:9::/48', via: 'fe80::1'}\n"
                    "  b: {routes: [{to: '2001:db8:9::/48', via: 'fe80::1'}]}\n"
                    "links: {l1: [a, b], l2: [b, a]}\n",
                    &m),
        "t.yaml:6:28: 'a' has this route already\n"
        "t.yaml:8:32: gateway 255.255.255.255 is on no link of 'a'\n"
        "t.yaml:9:38: gateway fe80::1 is on no link of 'a'\n"
        "t.yaml:10:45: gateway fe80::1 is on no link of 'b'");
}

static void written_prefixes_may_leave_no_room(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in("hosts: {a: 10.1.2.3/7, b: '2001:db8::1/20', c: }\n"
                           "routers: {r: }\n"
                           "links: {l1: [a, r], l2: [b, r], l3: [c, r]}\n",
                           &m),
               "t.yaml:3:38: no network is left to choose addresses from");
}

static void loose_ends_of_the_wiring_are_found(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in("hosts:\n"
                    "  a: {interfaces: {eth0: , eth1: {link: wann}}}\n"
                    "  b: {interfaces: {eth0: {link: lan}}}\n"
                    "  c: 10.0.0.1/24\n"
                    "  d: {interfaces: {lo: , a-very-long-name: }}\n"
                    "switches:\n"
                    "  s: {ports: {x: {native: 5000}, a: {tagged: [0]}}}\n"
                    "  s2:\n"
                    "links:\n"
                    "  wan: [a, s]\n"
                    "  lan: [d, s]\n"
                    "  ring1: [s2, s2]\n"
                    "  p: {ends: [d, s], type: point-to-point}\n",
                    &m),
        "t.yaml:2:41: link: no link is called 'wann'; did you mean 'wan'?\n"
        "t.yaml:3:33: link: 'lan' does not end at 'b'\n"
        "t.yaml:4:6: 'c' has an address and is on no link\n"
        "t.yaml:5:20: 'lo' cannot be the name of an interface; expected at "
        "most 15 characters, and not lo\n"
        "t.yaml:5:26: 'a-very-long-name' cannot be the name of an interface; "
        "expected at most 15 characters, and not lo\n"
        "t.yaml:7:15: switch 's' has no port 'x', and no link to a node of "
        "that name\n"
        "t.yaml:7:27: native: '5000' is out of range; expected 0 to 4094\n"
        "t.yaml:7:47: tagged: '0' is out of range; expected 1 to 4094\n"
        "t.yaml:12:3: link 'ring1' has both ends at switch 's2'; its frames "
        "would go round for ever\n"
        "t.yaml:13:3: link 'p' is point-to-point and cannot end at a switch, "
        "which forwards Ethernet frames");
}

static void a_ring_of_switches_is_found(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in("switches: {a: , b: , c: }\n"
                           "links:\n"
                           "  ab: [a, b]\n"
                           "  bc: [b, c]\n"
                           "  ca: [c, a]\n",
                           &m),
               "t.yaml:5:3: link 'ca' closes a ring of switches, in which "
               "broadcasts would go round for ever");
}

static void families_and_mtus_fit_the_addresses(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in("hosts:\n"
                    "  a: {addresses: [10.0.0.1/24, '2001:db8::1/64'], ipv6: "
                    "off}\n"
                    "  b: {address: '2001:db8::2/64', mtu: 1000}\n"
                    "  c: {ipv4: off, ipv6: off}\n"
                    "links: {l: [a, b]}\n",
                    &m),
        "t.yaml:2:32: 'a' does not speak IPv6; see its key ipv6\n"
        "t.yaml:3:16: IPv6 needs an MTU of 1280 or more, and b:eth0 has 1000 "
        "(RFC 8200 5)\n"
        "t.yaml:4:3: 'c' speaks neither IPv4 nor IPv6");
}

static void applications_are_checked(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in(
            "hosts: {client: , server: {ipv6: off}}\n"
            "switches: {s: }\n"
            "links: {l1: [client, s], l2: [server, s]}\n"
            "apps:\n"
            "  - {host: sever, tcp-sink: 9}\n"
            "  - {host: server, tcp-sink: 99999}\n"
            "  - {host: client, tcp-bulk: server, bytes: 10XB, start: 1}\n"
            "  - {host: client, tcp-bulk: nowhere:9, start: 5s, stop: 2s}\n"
            "  - {tcp-bulk: server:9}\n"
            "  - {host: client, ping: server, udp-cbr: server:9, rate: 1Mbit}\n"
            "  - {host: client, ping: server}\n"
            "  - {host: s, tcp-sink: 9}\n"
            "  - {host: server, echo: , name: x, bytes: 3}\n"
            "  - {host: server, responder: , name: x}\n"
            "  - {host: client, ping: server, family: ipv6, interval: 0s}\n"
            "  - {host: client, ping: '2001:db8::9', family: ipv4}\n"
            "  - 9\n",
            &m),
        "t.yaml:5:12: host: no host, router or switch is called 'sever'; did "
        "you mean 'server'?\n"
        "t.yaml:6:30: tcp-sink: expected a port from 1 to 65535, not '99999'\n"
        "t.yaml:7:30: tcp-bulk: expected HOST:PORT, such as server:9, not "
        "'server'\n"
        "t.yaml:7:45: bytes: expected a size in bytes, such as 64KiB, not "
        "'10XB'\n"
        "t.yaml:7:58: start: '1' needs a unit, such as 1ms\n"
        "t.yaml:8:30: tcp-bulk: no host, router or switch is called 'nowhere'; "
        "there is client, server, s\n"
        "t.yaml:8:58: stop: '2s' is not later than the start\n"
        "t.yaml:9:5: host: on which host does it run?\n"
        "t.yaml:10:20: ping: an application has one kind, here it is udp-cbr; "
        "write two entries\n"
        "t.yaml:12:12: host: 's' is a switch; applications run on hosts and "
        "routers\n"
        "t.yaml:13:37: bytes: means nothing for echo\n"
        "t.yaml:14:31: responder: expected a port from 1 to 65535, not "
        "nothing\n"
        "t.yaml:14:39: name: 'x' is the name of another application\n"
        "t.yaml:15:26: ping: 'server' has no IPv6 address\n"
        "t.yaml:15:58: interval: '0s' is out of range; expected more than 0s\n"
        "t.yaml:16:26: ping: '2001:db8::9' is no IPv4 address\n"
        "t.yaml:17:5: apps: expected a map such as {host: server, tcp-sink: "
        "9}, not '9'");
}

static void an_application_without_a_kind_gets_the_list_of_kinds(void)
{
    struct mistakes m;
    static const char start[] = "t.yaml:2:8: which kind? An application has "
                                "one of tcp-bulk, tcp-sink, udp-cbr, ";
    mistakes_in("hosts: {a: }\napps: [{host: a}]\n", &m);
    m.text[sizeof start - 1] = '\0';
    CHECK_TEXT(m.text, start);
}

static void entries_of_the_timetable_are_checked(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in(NETWORK "at:\n"
                            "  - {time: 5s, link: wann, loss: 5%}\n"
                            "  - {time: 5s, link: wan, los: 5%}\n"
                            "  - {time: 5, start: bulk}\n"
                            "  - {link: wan}\n"
                            "  - {time: 5s}\n"
                            "  - {time: 5s, loss: 5%, up: on}\n"
                            "  - {time: 5s, link: wan, release: all}\n"
                            "  - 5s\n",
                    &m),
        "t.yaml:4:22: link: no link is called 'wann'; did you mean 'wan'?\n"
        "t.yaml:5:27: unknown key 'los'; did you mean 'loss'?\n"
        "t.yaml:6:12: time: '5' needs a unit, such as 5ms\n"
        "t.yaml:6:22: start: no application is called 'bulk'\n"
        "t.yaml:7:5: time: when does it happen?\n"
        "t.yaml:8:5: what happens? Name a link, or an application to start or "
        "stop\n"
        "t.yaml:9:5: what happens? Name a link, or an application to start or "
        "stop\n"
        "t.yaml:9:16: loss: of which link? Add link: NAME\n"
        "t.yaml:9:26: up: of which link? Add link: NAME\n"
        "t.yaml:10:36: release: unknown word 'all'; expected one of held\n"
        "t.yaml:11:5: at: expected a map such as {time: 5s, link: wan, loss: "
        "5%}, not '5s'");
}

static void expectations_are_checked_before_the_run(void)
{
    struct mistakes m;
    CHECK_TEXT(
        mistakes_in(NETWORK
                    "apps: [{host: a, tcp-sink: 9, name: sink}]\n"
                    "expect:\n"
                    "  - {app: sink, bytes-received: '> x'}\n"
                    "  - {app: sink, byts-received: 10MB}\n"
                    "  - {app: sik, bytes-received: 1}\n"
                    "  - {link: wan, from: c, dropped: 1}\n"
                    "  - {end: '< 30'}\n"
                    "  - {flow: a->c, state: '< 3'}\n"
                    "  - {flow: 0, mss: 20..10}\n"
                    "  - {flow: 1, side: left, mss: [1]}\n"
                    "  - {host: a, tcp.retransmited: 1, dropped.nonsense: 1}\n"
                    "  - {app: sink}\n"
                    "  - {app: sink, link: wan, dropped: 1}\n"
                    "  - {ends: 3s}\n",
                    &m),
        "t.yaml:5:33: bytes-received: expected a size in bytes, such as 64KiB, "
        "not 'x'\n"
        "t.yaml:6:17: unknown key 'byts-received'; did you mean "
        "'bytes-received'?\n"
        "t.yaml:7:11: app: no application is called 'sik'; did you mean "
        "'sink'?\n"
        "t.yaml:8:23: from: expected an end of link 'wan', a or b, not 'c'\n"
        "t.yaml:9:11: end: '30' needs a unit, such as 30ms\n"
        "t.yaml:10:12: flow: no host, router or switch is called 'c'; there is "
        "a, b\n"
        "t.yaml:10:25: state: expected a word, or != and a word, not '< 3'\n"
        "t.yaml:11:12: flow: expected CLIENT->SERVER or the number of a flow, "
        "from 1, not '0'\n"
        "t.yaml:11:20: mss: '20..10' is empty; the smaller figure comes first\n"
        "t.yaml:12:21: side: unknown word 'left'; expected one of client, "
        "server\n"
        "t.yaml:12:32: mss: expected a condition such as \"> 0\" or 1..20, not "
        "a list\n"
        "t.yaml:13:15: unknown key 'tcp.retransmited'; did you mean "
        "'tcp.retransmitted'?\n"
        "t.yaml:13:36: unknown key 'dropped.nonsense'\n"
        "t.yaml:14:5: what is expected? Name a quantity and a condition, such "
        "as bytes-received: \"> 0\"\n"
        "t.yaml:15:17: link: one entry is about one thing, here app\n"
        "t.yaml:15:28: unknown key 'dropped'; of app there is bytes-sent, "
        "bytes-received, messages-sent, messages-received, lost, reordered, "
        "duplicated, connections, started, first-byte, last-byte, finished, "
        "rtt-min, rtt-max, rtt-average, jitter, goodput, error\n"
        "t.yaml:16:6: unknown key 'ends'; did you mean 'end'?");
}

static void scripts_and_captures_must_exist(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in(NETWORK "script: not-here.lua\n"
                                   "capture: [wan, wann]\n",
                           &m),
               "t.yaml:3:9: script: 'not-here.lua' cannot be read: No such "
               "file or directory\n"
               "t.yaml:4:16: capture: no link is called 'wann'; did you mean "
               "'wan'?");
    CHECK_TEXT(mistakes_in("script: /\n", &m),
               "t.yaml:1:9: script: '/' is not a file");
}

static void a_flawless_scenario_has_no_mistake(void)
{
    struct mistakes m;
    CHECK_TEXT(mistakes_in(NETWORK, &m), "");
    CHECK_TEXT(mistakes_in("seed: 1\n", &m), "");
}

const struct unit_test suite_scenario_mistakes[] = {
    UNIT(top_level_keys_and_figures_are_checked),
    UNIT(a_scenario_is_a_map),
    UNIT(a_key_that_is_twice_hides_no_other_mistake),
    UNIT(an_unknown_word_without_a_near_one_gets_the_list),
    UNIT(settings_are_checked_against_the_rows_of_the_stack),
    UNIT(impossible_addresses_are_refused),
    UNIT(both_addresses_of_a_31_are_fine),
    UNIT(names_are_words),
    UNIT(links_need_two_ends_that_exist),
    UNIT(parameters_of_links_are_checked),
    UNIT(impairments_are_checked),
    UNIT(clashing_addresses_are_found),
    UNIT(link_local_addresses_may_be_the_same_on_other_links),
    UNIT(a_full_network_is_told),
    UNIT(gateways_are_on_a_link_of_the_host),
    UNIT(addresses_that_no_host_may_have_are_refused),
    UNIT(hardware_addresses_are_unique_on_a_network),
    UNIT(routes_are_unique_and_their_gateways_are_hosts),
    UNIT(written_prefixes_may_leave_no_room),
    UNIT(loose_ends_of_the_wiring_are_found),
    UNIT(a_ring_of_switches_is_found),
    UNIT(families_and_mtus_fit_the_addresses),
    UNIT(applications_are_checked),
    UNIT(an_application_without_a_kind_gets_the_list_of_kinds),
    UNIT(entries_of_the_timetable_are_checked),
    UNIT(expectations_are_checked_before_the_run),
    UNIT(scripts_and_captures_must_exist),
    UNIT(a_flawless_scenario_has_no_mistake),
    {0}};
