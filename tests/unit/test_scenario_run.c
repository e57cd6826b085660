// Scenarios that are built, changed while they run, and judged.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/config_fixture.h"
#include "tests/unit/unit.h"

#define PAIR                                                                   \
    "hosts: {a: , b: }\n"                                                      \
    "links: {wan: {ends: [a, b], rate: 10Mbit, delay: 5ms}}\n"

// A tree as a script's table would give it.
static struct value *table(struct scenario *s, const char *yaml)
{
    struct diagnostics *d = diagnostics_create();
    struct value *value =
        yaml_load_text(scenario_document(s), "s.lua", yaml, strlen(yaml), d);
    diagnostics_destroy(d);
    CHECK_FATAL(value != NULL);
    return value;
}

static int apply(struct scenario *s, const char *section, const char *yaml,
                 struct mistakes *m)
{
    struct diagnostics *d = diagnostics_create();
    int error = scenario_apply(s, section, table(s, yaml), d);
    mistakes_format(d, m);
    diagnostics_destroy(d);
    return error;
}

static int settle(struct scenario *s, struct mistakes *m)
{
    struct diagnostics *d = diagnostics_create();
    int error = scenario_settle(s, d);
    mistakes_format(d, m);
    diagnostics_destroy(d);
    return error;
}

static int change(struct scenario *s, const char *link, int direction,
                  const char *yaml, struct mistakes *m)
{
    struct diagnostics *d = diagnostics_create();
    int error = scenario_change_link(s, sim_find_link(scenario_sim(s), link),
                                     direction, table(s, yaml), d);
    mistakes_format(d, m);
    diagnostics_destroy(d);
    return error;
}

static const struct link_direction_config *
direction(struct scenario *s, const char *link, unsigned n)
{
    return link_get(sim_find_link(scenario_sim(s), link), n);
}

static void run(struct scenario *s, ns_t until)
{
    sim_run(scenario_sim(s), until);
}

// --- Building ---------------------------------------------------------------

static void a_scenario_becomes_hosts_links_and_routes(void)
{
    struct scenario *s = built_scenario_of(
        "hosts: {a: {mac: 02:00:00:00:00:99, ipv6: off, tcp: {sack: off}}, "
        "b: }\n"
        "routers: {r: }\n"
        "links:\n"
        "  l1: {ends: [a, r], mtu: 1400, rate: 1Mbit, from-r: {rate: 2Mbit}}\n"
        "  l2: {ends: [r, b], type: point-to-point, up: off}\n");
    struct sim *sim = scenario_sim(s);
    struct host *a = sim_find_host(sim, "a");
    CHECK_FATAL(a != NULL);
    struct iface *eth0 = iface_find(a->stack, "eth0");
    CHECK_FATAL(eth0 != NULL);
    CHECK_EQUAL(iface_mtu(eth0), 1400);
    CHECK_EQUAL(iface_mac(eth0).bytes[5], 0x99);
    CHECK_EQUAL(stack_get_settings(a->stack)->tcp_sack, 0);
    CHECK_EQUAL(stack_get_settings(sim_find_host(sim, "r")->stack)->ip_forward,
                1);
    struct ip_addr address;
    char text[IP_ADDR_TEXT_SIZE];
    CHECK_EQUAL(sim_resolve(sim, "a", IP_NONE, &address), 0);
    CHECK_TEXT(ip_addr_format(&address, text), "10.0.1.1");
    CHECK_EQUAL(direction(s, "l1", 0)->rate_bps, 1000000);
    CHECK_EQUAL(direction(s, "l1", 1)->rate_bps, 2000000);
    CHECK(sim_find_link(sim, "l2")->is_point_to_point);
    CHECK(!sim_find_link(sim, "l2")->is_up);
    struct route route;
    bool has_default = false;
    for (size_t n = 0; stack_get_route(a->stack, n, &route); n++)
        has_default |= route.destination.length == 0;
    CHECK(has_default);
    scenario_destroy(s);
}

static void a_gateway_by_name_becomes_the_default_route(void)
{
    struct scenario *s =
        built_scenario_of("hosts: {a: {gateway: r2}}\n"
                          "routers: {r1: , r2: }\n"
                          "switches: {s: }\n"
                          "links: {l1: [r1, s], l2: [r2, s], l3: [a, s]}\n");
    struct route route;
    char text[IP_ADDR_TEXT_SIZE];
    unsigned count = 0;
    struct stack *stack = sim_find_host(scenario_sim(s), "a")->stack;
    for (size_t n = 0; stack_get_route(stack, n, &route); n++)
        if (route.destination.length == 0) {
            CHECK_TEXT(ip_addr_format(&route.gateway, text),
                       route.gateway.family == IP_V4 ? "10.0.1.2"
                                                     : "2001:db8:1::2");
            count++;
        }
    CHECK_EQUAL(count, 2);
    scenario_destroy(s);
}

static void options_go_before_the_file(void)
{
    struct diagnostics *d = diagnostics_create();
    static const char yaml[] = "seed: 5\nstop: 3s\n";
    struct scenario_options options = {
        .has_seed = true, .seed = 9, .has_until = true, .until = 7};
    struct scenario *s =
        scenario_load_text("x/y.z.yaml", yaml, sizeof yaml - 1, &options, d);
    CHECK_FATAL(s != NULL);
    CHECK_EQUAL(scenario_seed(s), 9);
    CHECK_EQUAL(scenario_stop(s), 7);
    CHECK_TEXT(scenario_name(s), "y.z");
    CHECK(scenario_is_empty(s));
    CHECK(!scenario_captures(s));
    scenario_destroy(s);
    s = scenario_of(yaml);
    CHECK_EQUAL(scenario_seed(s), 5);
    CHECK_EQUAL(scenario_stop(s), 3 * NS_PER_S);
    scenario_destroy(s);
    s = scenario_of("{}");
    CHECK_EQUAL(scenario_seed(s), 1);
    CHECK_EQUAL(scenario_stop(s), NS_NEVER);
    scenario_destroy(s);
    diagnostics_destroy(d);
}

// --- The timetable ----------------------------------------------------------

static void the_timetable_changes_links_at_its_times(void)
{
    struct scenario *s = built_scenario_of(
        PAIR "at:\n"
             "  - {time: 1s, link: wan, loss: 5%, from-b: {delay: 9ms}}\n"
             "  - {time: 2s, link: wan, rate: 1Mbit, queue: {packets: 3}}\n"
             "  - {time: 3s, link: wan, up: off, loss: 0%}\n");
    run(s, NS_PER_S - 1);
    CHECK_EQUAL(direction(s, "wan", 0)->impairment_count, 0);
    run(s, NS_PER_S);
    CHECK_EQUAL(direction(s, "wan", 0)->impairment_count, 1);
    CHECK_EQUAL(direction(s, "wan", 0)->delay, 5 * NS_PER_MS);
    CHECK_EQUAL(direction(s, "wan", 1)->delay, 9 * NS_PER_MS);
    run(s, 2 * NS_PER_S);
    CHECK_EQUAL(direction(s, "wan", 1)->rate_bps, 1000000);
    CHECK_EQUAL(direction(s, "wan", 1)->delay, 9 * NS_PER_MS);
    CHECK_EQUAL(direction(s, "wan", 1)->queue.limit_packets, 3);
    CHECK_EQUAL(direction(s, "wan", 1)->impairment_count, 1);
    CHECK(sim_find_link(scenario_sim(s), "wan")->is_up);
    run(s, 3 * NS_PER_S);
    CHECK(!sim_find_link(scenario_sim(s), "wan")->is_up);
    CHECK_EQUAL(direction(s, "wan", 1)->impairment_count, 0);
    scenario_destroy(s);
}

static void the_timetable_starts_and_stops_applications(void)
{
    struct scenario *s =
        built_scenario_of(PAIR "apps:\n"
                               "  - {host: a, ping: b, name: p}\n"
                               "  - {host: a, ping: b, name: q, start: 1s}\n"
                               "at:\n"
                               "  - {time: 2s, start: p}\n"
                               "  - {time: 5s, stop: p}\n"
                               "  - {time: 6s, stop: q}\n");
    run(s, 10 * NS_PER_S);
    struct app *p = sim_find_app(scenario_sim(s), "p");
    struct app *q = sim_find_app(scenario_sim(s), "q");
    CHECK_FATAL(p && q);
    CHECK_EQUAL(app_get_stats(p).started_at, 2 * NS_PER_S);
    CHECK_EQUAL(app_get_stats(p).finished_at, 5 * NS_PER_S);
    CHECK_EQUAL(app_get_stats(q).started_at, NS_PER_S);
    CHECK_EQUAL(app_get_stats(q).finished_at, 6 * NS_PER_S);
    scenario_destroy(s);
}

// --- Scripts ----------------------------------------------------------------

static struct scenario *empty_scenario(void)
{
    struct diagnostics *d = diagnostics_create();
    struct scenario *s = scenario_create("s.lua", NULL, d);
    CHECK_FATAL(s != NULL);
    CHECK_EQUAL(scenario_build(s), 0);
    diagnostics_destroy(d);
    return s;
}

static void a_script_builds_a_network_piece_by_piece(void)
{
    struct mistakes m;
    struct ip_addr address;
    char text[IP_ADDR_TEXT_SIZE];
    struct scenario *s = empty_scenario();
    struct sim *sim = scenario_sim(s);
    CHECK_EQUAL(apply(s, "hosts", "{a: {}}", &m), 0);
    CHECK(sim_find_host(sim, "a") != NULL);
    CHECK_EQUAL(apply(s, "hosts", "{b: {address: 10.7.0.2/24}}", &m), 0);
    CHECK_EQUAL(apply(s, "links", "{wan: {ends: [a, b], rate: 1Mbit}}", &m), 0);
    CHECK(sim_find_link(sim, "wan") != NULL);
    CHECK_EQUAL(sim_resolve(sim, "b", IP_NONE, &address), 0);
    CHECK_EQUAL(sim_resolve(sim, "a", IP_V4, &address), -ENOENT);
    CHECK_EQUAL(settle(s, &m), 0);
    CHECK_EQUAL(sim_resolve(sim, "a", IP_V4, &address), 0);
    CHECK_TEXT(ip_addr_format(&address, text), "10.7.0.1");
    CHECK_EQUAL(apply(s, "apps", "[{host: a, ping: b, count: 1}]", &m), 0);
    CHECK_EQUAL(apply(s, "apps", "{mine: {host: b, echo: 7}}", &m), 0);
    CHECK(sim_find_app(sim, "mine") != NULL);
    run(s, 3 * NS_PER_S);
    CHECK_EQUAL(app_get_stats(sim_find_app(sim, "a/ping")).messages_received,
                1);
    scenario_destroy(s);
}

static void a_piece_with_a_mistake_leaves_nothing_behind(void)
{
    struct mistakes m;
    struct scenario *s = empty_scenario();
    CHECK_EQUAL(apply(s, "hosts", "{a: {}, b: {colr: 1}}", &m), -EINVAL);
    CHECK(sim_find_host(scenario_sim(s), "a") == NULL);
    CHECK_EQUAL(apply(s, "hosts", "{a: {}, b: {}}", &m), 0);
    CHECK_EQUAL(apply(s, "links", "{l: {ends: [a, c]}}", &m), -EINVAL);
    CHECK_TEXT(m.text, "s.lua:1:16: ends: no host, router or switch is called "
                       "'c'; there is a, b");
    CHECK_EQUAL(apply(s, "links", "{l: {ends: [a, b], rate: 5}}", &m), -EINVAL);
    CHECK_EQUAL(apply(s, "links", "{l: {ends: [a, b]}}", &m), 0);
    CHECK(iface_find(sim_find_host(scenario_sim(s), "a")->stack, "eth0") !=
          NULL);
    CHECK_EQUAL(apply(s, "apps", "[{host: a, ping: nobody}]", &m), -EINVAL);
    CHECK_EQUAL(apply(s, "apps", "[{host: a, ping: b}]", &m), 0);
    CHECK_EQUAL(apply(s, "nodes", "{a: {}}", &m), -EINVAL);
    CHECK_TEXT(m.text, "s.lua:1:1: unknown section 'nodes'; there is hosts, "
                       "routers, switches, taps, links, apps");
    CHECK_EQUAL(settle(s, &m), 0);
    scenario_destroy(s);
}

// An application wants its peer's address, not a finished network.
static void an_application_may_come_before_the_rest_of_the_network(void)
{
    struct mistakes m;
    struct scenario *s = empty_scenario();
    apply(s, "hosts", "{a: {}, b: {}, c: {address: 10.9.0.1/24, gateway: r}}",
          &m);
    apply(s, "links", "{l: [a, b]}", &m);
    CHECK_EQUAL(apply(s, "apps", "[{host: a, ping: b, count: 1}]", &m), 0);
    CHECK_TEXT(m.text, "");
    CHECK_EQUAL(settle(s, &m), -EINVAL); // c is on no link, and there is no r
    CHECK_EQUAL(apply(s, "routers", "{r: {}}", &m), 0);
    CHECK_EQUAL(apply(s, "links", "{m: [c, r], n: [r, b]}", &m), 0);
    CHECK_EQUAL(apply(s, "apps", "[{host: b, ping: c, count: 1}]", &m), 0);
    CHECK_EQUAL(settle(s, &m), 0);
    CHECK_TEXT(m.text, "");
    CHECK_EQUAL(apply(s, "apps", "[{host: b, ping: a, count: 1}]", &m), 0);
    run(s, 5 * NS_PER_S);
    struct sim *sim = scenario_sim(s);
    CHECK_EQUAL(app_get_stats(sim_find_app(sim, "a/ping")).messages_received,
                1);
    CHECK_EQUAL(app_get_stats(sim_find_app(sim, "b/ping")).messages_received,
                1);
    CHECK_EQUAL(app_get_stats(sim_find_app(sim, "b/ping-2")).messages_received,
                1);
    scenario_destroy(s);
}

static void addresses_of_a_script_are_not_chosen_over(void)
{
    struct mistakes m;
    struct ip_prefix prefix;
    struct ip_addr address;
    char text[IP_ADDR_TEXT_SIZE];
    struct scenario *s = empty_scenario();
    struct sim *sim = scenario_sim(s);
    apply(s, "hosts", "{a: {}, b: {}}", &m);
    apply(s, "links", "{l: [a, b]}", &m);
    CHECK_EQUAL(ip_prefix_parse("10.8.0.9/24", &prefix), 0);
    struct stack *stack = sim_find_host(sim, "a")->stack;
    CHECK_EQUAL(iface_add_address(iface_find(stack, "eth0"), &prefix), 0);
    CHECK_EQUAL(settle(s, &m), 0);
    CHECK_EQUAL(sim_resolve(sim, "b", IP_V4, &address), 0);
    CHECK_TEXT(ip_addr_format(&address, text), "10.8.0.1");
    CHECK_EQUAL(sim_resolve(sim, "a", IP_V4, &address), 0);
    CHECK_TEXT(ip_addr_format(&address, text), "10.8.0.9");
    scenario_destroy(s);
}

static void a_change_says_nothing_about_what_it_does_not_name(void)
{
    struct mistakes m;
    struct scenario *s = built_scenario_of(
        "hosts: {a: , b: }\n"
        "links: {wan: {ends: [a, b], rate: 10Mbit, delay: 5ms, loss: 1%, "
        "impairments: [{drop: all, nth: 3}]}}\n");
    CHECK_EQUAL(change(s, "wan", -1, "{delay: 7ms}", &m), 0);
    CHECK_EQUAL(direction(s, "wan", 0)->delay, 7 * NS_PER_MS);
    CHECK_EQUAL(direction(s, "wan", 0)->rate_bps, 10000000);
    CHECK_EQUAL(direction(s, "wan", 0)->impairment_count, 2);
    CHECK_EQUAL(change(s, "wan", 1, "{loss: 0%}", &m), 0);
    CHECK_EQUAL(direction(s, "wan", 0)->impairment_count, 2);
    CHECK_EQUAL(direction(s, "wan", 1)->impairment_count, 1);
    CHECK_EQUAL(change(s, "wan", -1, "{from-a: {impairments: {}}}", &m), 0);
    CHECK_EQUAL(direction(s, "wan", 0)->impairment_count, 1);
    CHECK_EQUAL(direction(s, "wan", 1)->impairment_count, 1);
    CHECK_EQUAL(change(s, "wan", -1, "{up: off}", &m), 0);
    CHECK(!sim_find_link(scenario_sim(s), "wan")->is_up);
    scenario_destroy(s);
}

static bool choose_nothing(void *context, struct link *link,
                           unsigned direction_number,
                           const struct packet *frame)
{
    (void)context, (void)link, (void)direction_number, (void)frame;
    return false;
}

static void what_a_script_chose_goes_when_impairments_are_set(void)
{
    struct mistakes m;
    struct scenario *s = built_scenario_of(PAIR);
    struct impairment_config chosen = {.action = IMPAIR_DROP,
                                       .select = {.probability = CHANCE_ALWAYS,
                                                  .until = NS_NEVER,
                                                  .choose = choose_nothing}};
    struct link_direction_config config = *direction(s, "wan", 0);
    config.impairments = &chosen;
    config.impairment_count = 1;
    CHECK_EQUAL(link_set(sim_find_link(scenario_sim(s), "wan"), 0, &config), 0);
    CHECK_EQUAL(change(s, "wan", -1, "{delay: 1ms}", &m), 0);
    CHECK_EQUAL(direction(s, "wan", 0)->impairment_count, 1);
    CHECK(direction(s, "wan", 0)->impairments[0].select.choose ==
          choose_nothing);
    CHECK_EQUAL(change(s, "wan", -1, "{loss: 5%}", &m), 0);
    CHECK_EQUAL(direction(s, "wan", 0)->impairment_count, 1);
    CHECK(!direction(s, "wan", 0)->impairments[0].select.choose);
    scenario_destroy(s);
}

static void a_change_with_a_mistake_changes_nothing(void)
{
    struct mistakes m;
    struct scenario *s = built_scenario_of(PAIR);
    CHECK_EQUAL(change(s, "wan", -1, "{delay: 7ms, loss: 200%, up: off}", &m),
                -EINVAL);
    CHECK_TEXT(m.text, "s.lua:1:20: loss: '200%' is out of range; expected 0% "
                       "to 100%");
    CHECK_EQUAL(change(s, "wan", -1, "{delya: 7ms, ends: [a, b]}", &m),
                -EINVAL);
    CHECK_EQUAL(change(s, "wan", 0, "{from-b: {delay: 7ms}}", &m), -EINVAL);
    CHECK_TEXT(m.text, "s.lua:1:2: from-b: the change is about the other "
                       "direction alone");
    CHECK_EQUAL(direction(s, "wan", 0)->delay, 5 * NS_PER_MS);
    CHECK(sim_find_link(scenario_sim(s), "wan")->is_up);
    scenario_destroy(s);
}

static void settings_are_read_all_or_none(void)
{
    struct mistakes m;
    struct scenario *s = empty_scenario();
    struct stack_settings settings = stack_settings_default;
    struct diagnostics *d = diagnostics_create();
    struct value *good = table(s, "{tcp: {sack: off}, ip: {ttl: 9}}");
    struct value *bad = table(s, "{tcp: {sack: on, nagl: off}, hosts: {}}");
    CHECK_EQUAL(scenario_read_settings(good, &settings, d), 0);
    CHECK_EQUAL(settings.tcp_sack, 0);
    CHECK_EQUAL(settings.ip_ttl, 9);
    CHECK_EQUAL(scenario_read_settings(bad, &settings, d), -EINVAL);
    CHECK_EQUAL(settings.tcp_sack, 0);
    CHECK_TEXT(mistakes_format(d, &m),
               "s.lua:1:30: unknown key 'hosts'; expected one of tcp, udp, ip, "
               "neighbour, limits");
    diagnostics_destroy(d);
    scenario_destroy(s);
}

// --- Expectations -----------------------------------------------------------

static void expectations_that_hold_are_counted(void)
{
    struct scenario *s = built_scenario_of(
        PAIR "apps:\n"
             "  - {host: a, ping: b, count: 3, size: 100}\n"
             "  - {host: b, tcp-sink: 9, name: sink}\n"
             "  - {host: a, tcp-bulk: b:9, bytes: 100kB}\n"
             "expect:\n"
             "  - {app: a/ping, messages-sent: 3, messages-received: 1..3}\n"
             "  - {app: a/ping, rtt-min: '>= 10ms', error: none}\n"
             "  - {app: sink, bytes-received: 100kB, goodput: '<= 10Mbit'}\n"
             "  - {link: wan, dropped: 0, frames-in: '> 100'}\n"
             "  - {link: wan, from: a, dropped.loss: 0}\n"
             "  - {host: b, tcp.passive-opens: 1, dropped.tcp-no-socket: 0}\n"
             "  - {flow: a->b, segments-retransmitted: 0, state: '!= "
             "ESTABLISHED'}\n"
             "  - {flow: 1, side: server, bytes-received: 100kB}\n"
             "  - {end: '<= 100s', flows: 1}\n");
    run(s, 100 * NS_PER_S);
    scenario_check_expectations(s);
    struct sim *sim = scenario_sim(s);
    CHECK_EQUAL(sim->expectations, 16);
    CHECK_EQUAL(sim->failure_count, 0);
    if (sim->failures)
        CHECK_TEXT(sim->failures->text, "");
    scenario_destroy(s);
}

static void failed_expectations_tell_place_wish_and_reality(void)
{
    struct scenario *s = built_scenario_of(
        PAIR "apps: [{host: a, ping: b, count: 3}, {host: b, tcp-sink: 9}]\n"
             "expect:\n"
             "  - {app: a/ping, messages-sent: '> 3'}\n"
             "  - {app: b/tcp-sink, finished: '< 3s', bytes-received: 1MB}\n"
             "  - {link: wan, from: b, dropped: 1..2}\n"
             "  - {flow: a->b, mss: 1460}\n"
             "  - {end: 7s}\n");
    static const char *const texts[] = {
        "t.yaml:5:34: app 'a/ping': messages-sent: expected > 3, saw 3",
        "t.yaml:6:33: app 'b/tcp-sink': finished: expected < 3s, saw never",
        "t.yaml:6:57: app 'b/tcp-sink': bytes-received: expected 1MB, saw 0",
        "t.yaml:7:35: link 'wan' from b: dropped: expected 1..2, saw 0",
        "t.yaml:8:5: flow 'a->b': there was no such connection",
        "t.yaml:9:11: the run: end: expected 7s, saw 5s"};
    run(s, 5 * NS_PER_S);
    scenario_check_expectations(s);
    const struct sim_failure *failure = scenario_sim(s)->failures;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        CHECK_FATAL(failure != NULL);
        CHECK_TEXT(failure->text, texts[i]);
        failure = failure->next;
    }
    CHECK(failure == NULL);
    scenario_destroy(s);
}

// --- Captures ---------------------------------------------------------------

static void the_links_that_are_named_are_captured(void)
{
    char folder[] = "/tmp/wirebed-test-XXXXXX", path[64];
    CHECK_FATAL(mkdtemp(folder) != NULL);
    static const char yaml[] = "hosts: {a: , b: , c: }\n"
                               "links: {l1: [a, b], l2: [b, c]}\n";
    struct scenario_options options = {.capture_dir = folder, .capture = "l2"};
    struct diagnostics *d = diagnostics_create();
    struct scenario *s =
        scenario_load_text("t.yaml", yaml, sizeof yaml - 1, &options, d);
    CHECK_FATAL(s != NULL);
    CHECK(scenario_captures(s));
    CHECK_EQUAL(scenario_build(s), 0);
    CHECK_TEXT(scenario_sim(s)->capture_dir, folder);
    for (struct link *l = scenario_sim(s)->links; l; l = l->next)
        CHECK_EQUAL(l->ends[0]->capture != NULL, strcmp(l->name, "l2") == 0);
    scenario_destroy(s);
    snprintf(path, sizeof path, "%s/b-eth1.pcapng", folder);
    CHECK_EQUAL(remove(path), 0);
    snprintf(path, sizeof path, "%s/c-eth0.pcapng", folder);
    CHECK_EQUAL(remove(path), 0);
    CHECK_EQUAL(remove(folder), 0);
    options.capture = "l3";
    CHECK(scenario_load_text("t.yaml", yaml, sizeof yaml - 1, &options, d) ==
          NULL);
    CHECK_TEXT(diagnostics_text(d, 0),
               "--capture: capture: no link is called 'l3'; there is l1, l2");
    diagnostics_destroy(d);
}

const struct unit_test suite_scenario_run[] = {
    UNIT(a_scenario_becomes_hosts_links_and_routes),
    UNIT(a_gateway_by_name_becomes_the_default_route),
    UNIT(options_go_before_the_file),
    UNIT(the_timetable_changes_links_at_its_times),
    UNIT(the_timetable_starts_and_stops_applications),
    UNIT(a_script_builds_a_network_piece_by_piece),
    UNIT(a_piece_with_a_mistake_leaves_nothing_behind),
    UNIT(an_application_may_come_before_the_rest_of_the_network),
    UNIT(addresses_of_a_script_are_not_chosen_over),
    UNIT(a_change_says_nothing_about_what_it_does_not_name),
    UNIT(what_a_script_chose_goes_when_impairments_are_set),
    UNIT(a_change_with_a_mistake_changes_nothing),
    UNIT(settings_are_read_all_or_none),
    UNIT(expectations_that_hold_are_counted),
    UNIT(failed_expectations_tell_place_wish_and_reality),
    UNIT(the_links_that_are_named_are_captured),
    {0}};
