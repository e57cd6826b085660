// Tests of nodes and hosts: ports, interfaces, frames between stacks.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <stdio.h>

#include "tests/unit/host_fixture.h"
#include "tests/unit/unit.h"

static void names_are_unique_and_found(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false), *again;
    struct node *sw;

    CHECK_EQUAL(sim_add_host(sim, &(struct host_config){.name = "a"}, &again),
                -EEXIST);
    CHECK_EQUAL(sim_add_switch(sim, &(struct switch_config){.name = "a"}, &sw),
                -EEXIST);
    CHECK_EQUAL(sim_add_switch(sim, &(struct switch_config){.name = "s"}, &sw),
                0);
    CHECK(sim_find_node(sim, "a") == &a->node);
    CHECK(sim_find_host(sim, "a") == a);
    CHECK(sim_find_node(sim, "s") == sw);
    CHECK(sim_find_host(sim, "s") == NULL);
    CHECK(sim_find_node(sim, "b") == NULL);
    CHECK(stack_as_host(a->stack) == a);
    CHECK_TEXT(node_kind_name(a->node.kind), "host");
    host_fixture_destroy(sim);
}

static void many_names_are_found(void)
{
    struct sim *sim = host_fixture_create(1);
    char name[16];

    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "host%u", i);
        host_fixture_add(sim, name, false);
    }
    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "host%u", i);
        struct host *host = sim_find_host(sim, name);
        CHECK_FATAL(host != NULL);
        CHECK_TEXT(host->node.name, name);
        CHECK_EQUAL(host->node.number, i + 1);
    }
    host_fixture_destroy(sim);
}

static void a_link_makes_an_interface_on_each_host(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);
    struct link *link = host_fixture_join(sim, &a->node, NULL, &b->node, NULL);
    struct iface *iface = iface_find(a->stack, "eth0");

    CHECK(iface != NULL && iface == link->ends[0]->iface);
    CHECK_EQUAL(iface_mtu(iface), 1500);
    struct mac_addr mac = iface_mac(iface);
    CHECK(mac_addr_equal(&mac, &link->ends[0]->mac));
    CHECK(iface_context(iface) == link->ends[0]);
    host_fixture_destroy(sim);
}

static void an_impossible_mtu_is_refused_with_a_sentence(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);
    struct link_config config = {.ends = {&a->node, &b->node}, .iface_mtu = 10};
    struct link *link;

    CHECK_EQUAL(sim_add_link(sim, &config, &link), -EINVAL);
    CHECK_TEXT(sim_error(sim), "a:eth0 cannot have an MTU of 10");
    CHECK(a->node.ports == NULL && b->node.ports == NULL);
    config.iface_mtu = 9000;
    CHECK_EQUAL(sim_add_link(sim, &config, &link), 0);
    CHECK_EQUAL(iface_mtu(link->ends[1]->iface), 9000);
    host_fixture_destroy(sim);
}

static void hosts_talk_over_a_link(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);
    struct link *link = host_fixture_join(sim, &a->node, "10.0.0.1/24",
                                          &b->node, "10.0.0.2/24");

    CHECK_EQUAL(host_fixture_talk(sim, a, b, "10.0.0.2"), 5);
    CHECK(link->ends[0]->frames_out >= 2); // ARP and the datagram
    CHECK(link->ends[0]->frames_out == link->ends[1]->frames_in);
    host_fixture_destroy(sim);
}

static void hosts_talk_over_ipv6(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);

    host_fixture_join(sim, &a->node, "2001:db8::1/64", &b->node,
                      "2001:db8::2/64");
    sim_run(sim, 3 * NS_PER_S); // duplicate address detection
    CHECK_EQUAL(host_fixture_talk(sim, a, b, "2001:db8::2"), 5);
    host_fixture_destroy(sim);
}

static void a_point_to_point_link_carries_bare_packets(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);
    struct host_config only4 = {.name = "c", .no_ipv6 = true};
    struct link_config config = {.ends = {&a->node, &b->node},
                                 .is_point_to_point = true};
    struct link *link;
    struct host *c;

    CHECK_EQUAL(sim_add_link(sim, &config, &link), 0);
    host_fixture_address(link->ends[0], "10.0.0.1/30");
    host_fixture_address(link->ends[1], "10.0.0.2/30");
    CHECK_EQUAL(host_fixture_talk(sim, a, b, "10.0.0.2"), 5);
    CHECK_EQUAL(sim_add_host(sim, &only4, &c), 0);
    host_fixture_destroy(sim);
}

static void a_switch_refuses_a_point_to_point_link(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false);
    struct node *sw;
    struct link *link;

    CHECK_EQUAL(sim_add_switch(sim, &(struct switch_config){.name = "s"}, &sw),
                0);
    struct link_config config = {.ends = {&a->node, sw},
                                 .is_point_to_point = true};
    CHECK_EQUAL(sim_add_link(sim, &config, &link), -EINVAL);
    CHECK(a->node.ports == NULL && sw->ports == NULL);
    host_fixture_destroy(sim);
}

static void settings_are_copied(void)
{
    struct sim *sim = host_fixture_create(1);
    struct stack_settings settings = stack_settings_default;
    struct host_config config = {
        .name = "r", .is_router = true, .settings = &settings};
    struct host *r;

    settings.ip_ttl = 33;
    CHECK_EQUAL(sim_add_host(sim, &config, &r), 0);
    settings.ip_ttl = 44;
    CHECK_EQUAL(stack_get_settings(r->stack)->ip_ttl, 33);
    CHECK_EQUAL(stack_get_settings(r->stack)->ip_forward, 1);
    CHECK_TEXT(node_kind_name(r->node.kind), "router");
    host_fixture_destroy(sim);
}

static void count_trace(void *context, const struct stack_trace *event)
{
    if (event->kind == TRACE_IFACE_OUT)
        ++*(unsigned *)context;
}

static void a_listener_hears_the_events_it_asked_for(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);
    unsigned heard = 0;

    host_fixture_join(sim, &a->node, "10.0.0.1/24", &b->node, "10.0.0.2/24");
    host_set_trace(a, 1 << TRACE_IFACE_OUT, count_trace, &heard);
    host_fixture_talk(sim, a, b, "10.0.0.2");
    CHECK(heard >= 2);
    unsigned before = heard;
    host_set_trace(a, 0, NULL, NULL);
    host_fixture_talk(sim, a, b, "10.0.0.2");
    CHECK_EQUAL(heard, before);
    host_fixture_destroy(sim);
}

const struct unit_test suite_node[] = {
    UNIT(names_are_unique_and_found),
    UNIT(many_names_are_found),
    UNIT(a_link_makes_an_interface_on_each_host),
    UNIT(an_impossible_mtu_is_refused_with_a_sentence),
    UNIT(hosts_talk_over_a_link),
    UNIT(hosts_talk_over_ipv6),
    UNIT(a_point_to_point_link_carries_bare_packets),
    UNIT(a_switch_refuses_a_point_to_point_link),
    UNIT(settings_are_copied),
    UNIT(a_listener_hears_the_events_it_asked_for),
    {0},
};
