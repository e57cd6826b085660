// What a scenario leaves out, and what is chosen for it.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tests/unit/config_fixture.h"
#include "tests/unit/unit.h"

static void shows(const char *yaml, const char *from, const char *to,
                  const char *expected)
{
    struct shown shown;
    struct scenario *s = scenario_of(yaml);
    CHECK_TEXT(show_part(s, from, to, &shown), expected);
    scenario_destroy(s);
}

static void each_link_gets_a_network_of_both_families(void)
{
    shows("hosts: {a: , b: , c: }\n"
          "routers: {r: }\n"
          "links: {l1: [a, r], l2: [r, b], l3: [c, r]}\n",
          "hosts:", "links:",
          "hosts:\n"
          "  a:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.1.1/24\", \"2001:db8:1::1/64\"], "
          "mtu: 1500, link: l1} # addresses chosen\n"
          "  b:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.2.2/24\", \"2001:db8:2::2/64\"], "
          "mtu: 1500, link: l2} # addresses chosen\n"
          "  c:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.3.1/24\", \"2001:db8:3::1/64\"], "
          "mtu: 1500, link: l3} # addresses chosen\n"
          "routers:\n"
          "  r:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.1.2/24\", \"2001:db8:1::2/64\"], "
          "mtu: 1500, link: l1} # addresses chosen\n"
          "      eth1: {addresses: [\"10.0.2.1/24\", \"2001:db8:2::1/64\"], "
          "mtu: 1500, link: l2} # addresses chosen\n"
          "      eth2: {addresses: [\"10.0.3.2/24\", \"2001:db8:3::2/64\"], "
          "mtu: 1500, link: l3} # addresses chosen\n");
}

static void a_switched_network_is_one_network(void)
{
    shows("hosts: {a: , b: , c: }\n"
          "switches: {s: , t: }\n"
          "links: {l1: [a, s], st: [s, t], l2: [b, t], l3: [c, t]}\n",
          "hosts:", "switches:",
          "hosts:\n"
          "  a:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.1.1/24\", \"2001:db8:1::1/64\"], "
          "mtu: 1500, link: l1} # addresses chosen\n"
          "  b:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.1.2/24\", \"2001:db8:1::2/64\"], "
          "mtu: 1500, link: l2} # addresses chosen\n"
          "  c:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.1.3/24\", \"2001:db8:1::3/64\"], "
          "mtu: 1500, link: l3} # addresses chosen\n");
}

// a and c share VLAN 10 over a tagged link, b and d VLAN 1 untagged.
static void vlans_of_one_switch_are_networks_of_their_own(void)
{
    shows("hosts: {a: {ipv6: off}, b: {ipv6: off}, c: {ipv6: off}, d: {ipv6: "
          "off}}\n"
          "switches:\n"
          "  s: {ports: {a: {native: 10}, t: {tagged: [10]}}}\n"
          "  t: {ports: {c: {native: 10}, s: {tagged: [10]}}}\n"
          "links: {l1: [a, s], l2: [b, s], st: [s, t], l3: [c, t], l4: [d, "
          "t]}\n",
          "hosts:", "switches:",
          "hosts:\n"
          "  a:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.1.1/24\"], mtu: 1500, link: l1} # "
          "addresses chosen\n"
          "    ipv6: off\n"
          "  b:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.2.1/24\"], mtu: 1500, link: l2} # "
          "addresses chosen\n"
          "    ipv6: off\n"
          "  c:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.1.2/24\"], mtu: 1500, link: l3} # "
          "addresses chosen\n"
          "    ipv6: off\n"
          "  d:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.2.2/24\"], mtu: 1500, link: l4} # "
          "addresses chosen\n"
          "    ipv6: off\n");
}

// The network of the neighbour is taken over; its number 2 is taken.
static void a_neighbour_with_an_address_says_which_network_it_is(void)
{
    shows("hosts: {a: , b: 192.168.7.2/28, c: }\n"
          "switches: {s: }\n"
          "links: {l1: [a, s], l2: [b, s], l3: [c, s]}\n",
          "hosts:", "switches:",
          "hosts:\n"
          "  a:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"192.168.7.1/28\"], mtu: 1500, link: l1} "
          "# addresses chosen\n"
          "  b:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"192.168.7.2/28\"], mtu: 1500, link: "
          "l2}\n"
          "  c:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"192.168.7.3/28\"], mtu: 1500, link: l3} "
          "# addresses chosen\n");
}

static void networks_that_were_written_are_not_chosen_again(void)
{
    shows("hosts: {a: 10.0.1.9/24, b: , c: , d: }\n"
          "links: {l1: [a, b], l2: [c, d]}\n",
          "  c:", "  d:",
          "  c:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.2.1/24\", \"2001:db8:1::1/64\"], "
          "mtu: 1500, link: l2} # addresses chosen\n");
}

static void an_mtu_too_small_for_ipv6_means_ipv4_alone(void)
{
    shows("hosts: {a: , b: }\nlinks: {l: {ends: [a, b], mtu: 576}}\n",
          "  a:", "  b:",
          "  a:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.1.1/24\"], mtu: 576, link: l} # "
          "addresses chosen\n");
}

static void a_peer_of_a_31_gets_the_other_address(void)
{
    shows("hosts: {a: 10.0.0.0/31, b: }\nlinks: {l: [a, b]}\n",
          "  b:", "links:",
          "  b:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.0.0.1/31\"], mtu: 1500, link: l} # "
          "addresses chosen\n");
}

static void addresses_that_mean_something_else_are_not_chosen(void)
{
    shows("hosts: {a: '::ef03/64', b: }\nlinks: {l: [a, b]}\n",
          "  b:", "links:",
          "  b:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"::2/64\"], mtu: 1500, link: l} # "
          "addresses chosen\n");
}

// Named ports and interfaces that name their link go first.
static void ends_without_a_port_take_what_is_left(void)
{
    shows("hosts:\n"
          "  a:\n"
          "    interfaces: {wan0: {link: l3}, lan0: 10.5.0.1/24}\n"
          "  b: 10.6.0.1/24\n"
          "links: {l1: [a, b], l2: [a, b:eth0], l3: [b, a], l4: [a, b]}\n",
          "hosts:", "links:",
          "hosts:\n"
          "  a:\n"
          "    interfaces:\n"
          "      wan0: {addresses: [\"10.0.1.2/24\", \"2001:db8:1::2/64\"], "
          "mtu: 1500, link: l3} # addresses chosen\n"
          "      lan0: {addresses: [\"10.5.0.1/24\"], mtu: 1500, link: l1}\n"
          "      eth0: {addresses: [\"10.6.0.2/24\"], mtu: 1500, link: l2} # "
          "addresses chosen\n"
          "      eth1: {addresses: [\"10.0.2.1/24\", \"2001:db8:2::1/64\"], "
          "mtu: 1500, link: l4} # addresses chosen\n"
          "  b:\n"
          "    interfaces:\n"
          "      eth0: {addresses: [\"10.6.0.1/24\"], mtu: 1500, link: l2}\n"
          "      eth1: {addresses: [\"10.5.0.2/24\"], mtu: 1500, link: l1} # "
          "addresses chosen\n"
          "      eth2: {addresses: [\"10.0.1.1/24\", \"2001:db8:1::1/64\"], "
          "mtu: 1500, link: l3} # addresses chosen\n"
          "      eth3: {addresses: [\"10.0.2.2/24\", \"2001:db8:2::2/64\"], "
          "mtu: 1500, link: l4} # addresses chosen\n");
}

static void directions_that_are_alike_are_shown_once(void)
{
    shows("hosts: {a: , b: }\n"
          "links:\n"
          "  l:\n"
          "    ends: [a, b]\n"
          "    rate: 1.5Mbit\n"
          "    loss: 1%\n"
          "    from-b: {rate: 1.5Mbit}\n",
          "links:", NULL,
          "links:\n"
          "  l:\n"
          "    ends: [a:eth0, b:eth0]\n"
          "    rate: 1.5Mbit\n"
          "    queue: {packets: 1000}\n"
          "    loss: {probability: 1%}\n");
}

static void a_direction_overrides_what_both_have(void)
{
    shows("hosts: {a: , b: }\n"
          "links:\n"
          "  l:\n"
          "    ends: [a, b]\n"
          "    rate: 1Mbit\n"
          "    delay: 10ms\n"
          "    jitter: 1ms\n"
          "    queue: {packets: 5, bytes: 9kB}\n"
          "    from-b: {rate: unlimited, delay: 30ms, queue: {time: 50ms}}\n"
          "    up: off\n",
          "links:", NULL,
          "links:\n"
          "  l:\n"
          "    ends: [a:eth0, b:eth0]\n"
          "    up: off\n"
          "    from-a:\n"
          "      rate: 1Mbit\n"
          "      delay: 10ms\n"
          "      jitter: 1ms\n"
          "      queue: {packets: 5, bytes: 9kB}\n"
          "    from-b:\n"
          "      delay: 30ms\n"
          "      jitter: 1ms\n"
          "      queue: {time: 50ms}\n");
}

static void every_key_of_an_impairment_is_taken_over(void)
{
    shows("hosts: {a: , b: }\n"
          "links:\n"
          "  l:\n"
          "    ends: [a, b]\n"
          "    loss: {p: 1%, r: 10%, good: 0.1%, bad: 50%}\n"
          "    duplicate: {probability: 2%, copies: 3, by: 1ms}\n"
          "    corrupt: {probability: 1%, bits: 3, correlation: 25%}\n"
          "    reorder: {probability: 1%, after-frames: 3}\n"
          "    impairments:\n"
          "      - {drop: , nth: [7, 3, 7]}\n"
          "      - {delay: 5%, by: 20ms, jitter: 3ms, distribution: pareto}\n"
          "      - {hold: all, filter: 'tcp port 80', from: 1s, until: 2s}\n"
          "      - {mark: all, every: 10}\n",
          "links:", NULL,
          "links:\n"
          "  l:\n"
          "    ends: [a:eth0, b:eth0]\n"
          "    queue: {packets: 1000}\n"
          "    loss: {model: gilbert-elliott, p: 1%, r: 10%, bad: 50%, good: "
          "0.1%}\n"
          "    corrupt: {probability: 1%, correlation: 25%, bits: 3}\n"
          "    duplicate: {probability: 2%, by: 1ms, copies: 3}\n"
          "    reorder: {probability: 1%, after-frames: 3}\n"
          "    impairments:\n"
          "      - {drop: all, nth: [3, 7]}\n"
          "      - {delay: all, probability: 5%, by: 20ms, jitter: 3ms, "
          "distribution: pareto}\n"
          "      - {hold: all, from: 1s, until: 2s, filter: \"tcp port 80\"}\n"
          "      - {mark: all, every: 10}\n");
}

static void applications_get_names_peers_and_defaults(void)
{
    shows("hosts: {a: , b: {ipv4: off}}\n"
          "links: {l: [a, b]}\n"
          "apps:\n"
          "  - {host: a, tcp-sink: }\n"
          "  - {host: a, echo: }\n"
          "  - {host: b, tcp-bulk: a:9, bytes: 10MB, start: 1s, stop: 2s}\n"
          "  - {host: b, ping: a, count: 3}\n"
          "  - {host: b, ping: a, family: ipv6, name: other}\n"
          "  - {host: b, udp-cbr: '[2001:db8:1::1]:9'}\n"
          "  - {host: b, tcp-bulk: a:9}\n"
          "at: [{time: 3s, start: b/tcp-bulk-2}]\n",
          "apps:", "at:",
          "apps:\n"
          "  - {host: a, name: a/tcp-sink, tcp-sink: 9, start: 0s}\n"
          "  - {host: a, name: a/echo, echo: 7, start: 0s}\n"
          "  - {host: b, name: b/tcp-bulk, tcp-bulk: \"[2001:db8:1::1]:9\", "
          "bytes: 10MB, start: 1s, stop: 2s} # a\n"
          "  - {host: b, name: b/ping, ping: \"2001:db8:1::1\", size: 56, "
          "count: 3, interval: 1s, start: 0s} # a\n"
          "  - {host: b, name: other, ping: \"2001:db8:1::1\", size: 56, "
          "interval: 1s, start: 0s} # a\n"
          "  - {host: b, name: b/udp-cbr, udp-cbr: \"[2001:db8:1::1]:9\", "
          "rate: 1Mbit, size: 1kB, start: 0s} # 2001:db8:1::1\n"
          "  - {host: b, name: b/tcp-bulk-2, tcp-bulk: \"[2001:db8:1::1]:9\"} "
          "# a\n");
}

static void applications_may_be_a_map_by_name(void)
{
    shows("hosts: {a: }\n"
          "links: {l: [a, r]}\n"
          "routers: {r: }\n"
          "apps: {sink: {host: a, tcp-sink: 9}}\n",
          "apps:", NULL,
          "apps:\n"
          "  - {host: a, name: sink, tcp-sink: 9, start: 0s}\n");
}

static void the_head_tells_seed_stop_and_capture(void)
{
    shows("name: other\n"
          "description: \"a: test\"\n"
          "seed: 0x2a\n"
          "stop: 1h\n"
          "hosts: {a: , b: }\n"
          "links: {l: [a, b]}\n"
          "capture: {links: [l], format: pcap, snap-length: 96}\n"
          "limits: {packet-memory: 1GiB, events: 5}\n",
          "#", "hosts:",
          "# t.yaml\n"
          "name: other\n"
          "description: \"a: test\"\n"
          "seed: 42\n"
          "stop: 3600s\n"
          "limits: {packet-memory: 1GiB, events: 5}\n"
          "capture: {links: [l], format: pcap, snap-length: 96}\n");
}

// A network that is shown and read again is the same network.
static void what_is_shown_can_be_read_again(void)
{
    static const char yaml[] =
        "hosts: {a: {tcp: {sack: off, congestion: newreno}}, b: {gateway: r}}\n"
        "routers: {r: {ip: {ttl: 9}}}\n"
        "switches: {s: {ageing: 10s, ports: {b: {native: 7}, r: {native: 7, "
        "tagged: [3]}}}}\n"
        "links:\n"
        "  l1: {ends: [a, r], type: point-to-point, loss: 1%, rate: 3Mbit}\n"
        "  l2: {ends: [b, s], from-s: {impairments: [{drop: all, nth: 3}]}}\n"
        "  l3: [r, s]\n"
        "apps: [{host: a, ping: b}]\n"
        "at: [{time: 1s, link: l1, loss: 0%, from-r: {delay: 1ms}}]\n"
        "expect: [{app: a/ping, messages-received: '> 3'}, {end: 1s..2s}]\n";
    struct shown first, second;
    struct scenario *s = built_scenario_of(yaml);
    show_part(s, "seed:", NULL, &first);
    scenario_destroy(s);
    s = built_scenario_of(first.text);
    show_part(s, "seed:", NULL, &second);
    scenario_destroy(s);
    // The comments say what was chosen and how a peer was called.
    const char *a = first.text, *b = second.text;
    while (*a && *b) {
        size_t n = strcspn(a, "#\n"), m = strcspn(b, "#\n");
        CHECK_EQUAL(n - (a[n] == '#'), m - (b[m] == '#'));
        CHECK(strncmp(a, b, n - (a[n] == '#')) == 0);
        a += strcspn(a, "\n") + 1;
        b += strcspn(b, "\n") + 1;
    }
    CHECK_EQUAL(*a, *b);
}

// Beyond 30,000 domains networks of 256 would not suffice.
static void many_links_get_small_networks(void)
{
    const size_t room = 4000000;
    char *yaml = malloc(room);
    must(yaml);
    size_t used = (size_t)snprintf(yaml, room, "hosts:\n");
    for (int i = 0; i < 70000; i++)
        used += (size_t)snprintf(yaml + used, room - used, " h%d:\n", i);
    used += (size_t)snprintf(yaml + used, room - used, "links:\n");
    for (int i = 0; i < 35000; i++)
        used += (size_t)snprintf(yaml + used, room - used, " l%d: [h%d, h%d]\n",
                                 i, 2 * i, 2 * i + 1);
    struct scenario *s = scenario_of(yaml);
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    scenario_print(s, memory);
    fclose(memory);
    CHECK(strstr(text, "\"10.2.35.221/30\", \"2001:db8:88b8::1/64\"") != NULL);
    free(text);
    free(yaml);
    scenario_destroy(s);
}

const struct unit_test suite_scenario_plan[] = {
    UNIT(each_link_gets_a_network_of_both_families),
    UNIT(a_switched_network_is_one_network),
    UNIT(vlans_of_one_switch_are_networks_of_their_own),
    UNIT(a_neighbour_with_an_address_says_which_network_it_is),
    UNIT(networks_that_were_written_are_not_chosen_again),
    UNIT(an_mtu_too_small_for_ipv6_means_ipv4_alone),
    UNIT(a_peer_of_a_31_gets_the_other_address),
    UNIT(addresses_that_mean_something_else_are_not_chosen),
    UNIT(ends_without_a_port_take_what_is_left),
    UNIT(directions_that_are_alike_are_shown_once),
    UNIT(a_direction_overrides_what_both_have),
    UNIT(every_key_of_an_impairment_is_taken_over),
    UNIT(applications_get_names_peers_and_defaults),
    UNIT(applications_may_be_a_map_by_name),
    UNIT(the_head_tells_seed_stop_and_capture),
    UNIT(what_is_shown_can_be_read_again),
    UNIT(many_links_get_small_networks),
    {0}};
