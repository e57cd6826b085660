// Paths: kinds of destinations, source addresses, staleness.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "stack/internal.h"
#include "tests/unit/ip_fixture.h"
#include "tests/unit/unit.h"

struct bench {
    struct stack_settings settings;
    struct net *net;
    struct net_host *host;
    struct stack *stack;
    struct iface *eth0, *eth1;
};

static void bench_open(struct bench *b)
{
    b->settings = stack_settings_default;
    b->settings.ip_dad_transmits = 0;
    b->net = net_create(1);
    b->host = net_add_stack(b->net, "host", &b->settings);
    b->stack = b->host->stack;
    b->eth0 = net_add_iface(b->host, 0, "eth0", 0, "10.0.0.1/24");
    b->eth1 = net_add_iface(b->host, 1, "eth1", 1400, "10.0.1.1/24");
    net_add_address(b->eth0, "10.7.0.1/16");
    net_add_address(b->eth0, "2001:db8::1/64");
    net_add_route(b->host, "0.0.0.0/0", "10.0.1.254");
    net_add_route(b->host, "192.0.2.0/24", "10.7.0.9");
}

static void bench_close(struct bench *b) { net_destroy(b->net); }

static int find(struct bench *b, const char *source, const char *to,
                struct iface *iface, struct ip_path *path)
{
    struct ip_addr destination = net_addr(to), from = {.family = IP_NONE};
    if (source)
        from = net_addr(source);
    int error = ip_path_find(b->stack, source ? &from : NULL, &destination,
                             iface, path);
    if (!error)
        CHECK_EQUAL(path->generation, b->stack->path_generation);
    return error;
}

// "source interface next-hop"
static void check_path(struct bench *b, const char *to, const char *expected)
{
    struct ip_path path;
    char text[128] = "none", part[IP_ADDR_TEXT_SIZE];
    if (find(b, NULL, to, NULL, &path) == 0) {
        strcpy(text, ip_addr_format(&path.source, part));
        strcat(text, " ");
        strcat(text, iface_name(path.iface));
        strcat(text, " ");
        strcat(text, ip_addr_format(&path.next_hop, part));
    }
    CHECK_TEXT(text, expected);
}

static void source_interface_and_next_hop_go_together(void)
{
    struct bench b;
    bench_open(&b);
    check_path(&b, "10.0.0.9", "10.0.0.1 eth0 10.0.0.9");
    check_path(&b, "10.7.3.3", "10.7.0.1 eth0 10.7.3.3");
    check_path(&b, "192.0.2.5", "10.7.0.1 eth0 10.7.0.9");
    check_path(&b, "8.8.8.8", "10.0.1.1 eth1 10.0.1.254");
    check_path(&b, "2001:db8::7", "2001:db8::1 eth0 2001:db8::7");
    check_path(&b, "2001:db9::7", "none");
    check_path(&b, "0.0.0.0", "none");
    check_path(&b, "10.0.0.1", "10.0.0.1 lo 10.0.0.1");
    check_path(&b, "127.0.0.9", "127.0.0.1 lo 127.0.0.9");
    check_path(&b, "::1", "::1 lo ::1");
    bench_close(&b);
}

static void what_kind_of_destination_it_is(void)
{
    struct bench b;
    struct ip_path path;
    bench_open(&b);
    CHECK_EQUAL(find(&b, NULL, "10.0.0.9", NULL, &path), 0);
    CHECK(!path.is_local && !path.is_broadcast && !path.is_multicast);
    CHECK(path.neighbour != NULL);
    CHECK_EQUAL(path.mtu, 1500);
    CHECK_EQUAL(ip_head_room(&path), 34);
    CHECK_EQUAL(find(&b, NULL, "10.0.0.255", NULL, &path), 0);
    CHECK(path.is_broadcast && !path.neighbour);
    CHECK_EQUAL(find(&b, NULL, "255.255.255.255", NULL, &path), 0);
    CHECK(path.is_broadcast && !path.neighbour);
    CHECK_EQUAL(find(&b, NULL, "224.0.0.9", NULL, &path), 0);
    CHECK(path.is_multicast && !path.neighbour);
    CHECK_EQUAL(find(&b, NULL, "10.0.1.1", NULL, &path), 0);
    CHECK(path.is_local && !path.neighbour);
    CHECK_EQUAL(path.mtu, 65535);
    bench_close(&b);
}

static void groups_leave_where_the_caller_or_the_source_says(void)
{
    struct bench b;
    struct ip_path path;
    bench_open(&b);
    CHECK_EQUAL(find(&b, NULL, "224.0.0.9", b.eth1, &path), 0);
    CHECK(path.iface == b.eth1);
    CHECK_EQUAL(find(&b, "10.7.0.1", "224.0.0.9", NULL, &path), 0);
    CHECK(path.iface == b.eth0);
    CHECK_EQUAL(find(&b, "10.0.1.1", "255.255.255.255", NULL, &path), 0);
    CHECK(path.iface == b.eth1);
    CHECK_EQUAL(find(&b, NULL, "224.0.0.9", NULL, &path), 0);
    CHECK(path.iface == b.eth1); // by the default route
    bench_close(&b);
}

static void a_source_must_be_ours_and_fit(void)
{
    struct bench b;
    struct ip_path path;
    bench_open(&b);
    CHECK_EQUAL(find(&b, "10.0.0.2", "10.0.0.9", NULL, &path), -EADDRNOTAVAIL);
    CHECK_EQUAL(find(&b, "127.0.0.1", "10.0.0.9", NULL, &path), -EADDRNOTAVAIL);
    CHECK_EQUAL(find(&b, "2001:db8::1", "10.0.0.9", NULL, &path),
                -EADDRNOTAVAIL);
    CHECK_EQUAL(find(&b, "10.0.1.1", "10.0.0.9", NULL, &path), 0); // weak host
    CHECK(path.iface == b.eth0);
    CHECK_EQUAL(find(&b, "0.0.0.0", "10.0.0.9", NULL, &path), 0);
    struct ip_addr own = net_addr("10.0.0.1");
    CHECK(ip_addr_equal(&path.source, &own));
    bench_close(&b);
}

static void an_interface_asked_for_is_kept(void)
{
    struct bench b;
    struct ip_path path;
    bench_open(&b);
    CHECK_EQUAL(find(&b, NULL, "8.8.8.8", b.eth0, &path), -ENETUNREACH);
    CHECK_EQUAL(find(&b, NULL, "8.8.8.8", b.eth1, &path), 0);
    iface_set_up(b.eth1, false);
    CHECK_EQUAL(find(&b, NULL, "8.8.8.8", b.eth1, &path), -ENETDOWN);
    // A bound path does not wander when a better way appears.
    iface_set_up(b.eth1, true);
    CHECK_EQUAL(find(&b, NULL, "8.8.8.8", b.eth1, &path), 0);
    net_add_route(b.host, "8.8.8.0/24", "10.0.0.77");
    struct packet *packet;
    stack_enter(b.stack);
    CHECK_FATAL(
        ip_prepare(b.stack, &path, SINK_PROTOCOL, 0, 0, 0, 4, &packet) == 0);
    CHECK(path.iface == b.eth1);
    CHECK_EQUAL(ip_output(b.stack, &path, packet), 0);
    stack_leave(b.stack);
    bench_close(&b);
}

static void a_host_without_an_address_broadcasts_from_zero(void)
{
    struct net *net = net_create(1);
    struct net_host *host = net_add_stack(net, "host", NULL);
    net_add_iface(host, 0, "eth0", 0, NULL);
    struct ip_addr all = net_addr("255.255.255.255"), to = net_addr("10.0.0.1");
    struct ip_path path;
    CHECK_EQUAL(ip_path_find(host->stack, NULL, &all, NULL, &path), 0);
    CHECK(ip_addr_is_any(&path.source));
    CHECK_EQUAL(ip_path_find(host->stack, NULL, &to, NULL, &path),
                -ENETUNREACH);
    // The address that comes later is used then.
    net_add_address(host->eth, "10.0.0.5/24");
    CHECK_EQUAL(ip_path_refresh(host->stack, &path, NULL), 0);
    struct ip_addr own = net_addr("10.0.0.5");
    CHECK(ip_addr_equal(&path.source, &own));
    net_destroy(net);
}

static void a_path_that_went_stale_is_looked_up_again_on_the_way(void)
{
    struct bench b;
    struct ip_path path;
    struct packet *packet;
    bench_open(&b);
    CHECK_EQUAL(find(&b, NULL, "192.0.2.5", NULL, &path), 0);
    struct ip_prefix prefix;
    must(ip_prefix_parse("192.0.2.0/24", &prefix) == 0);
    CHECK_EQUAL(stack_remove_route(b.stack, &prefix), 0);
    stack_enter(b.stack);
    CHECK_FATAL(
        ip_prepare(b.stack, &path, SINK_PROTOCOL, 0, 0, 0, 4, &packet) == 0);
    CHECK(path.iface == b.eth1); // by the default route now
    must(ip_prefix_parse("0.0.0.0/0", &prefix) == 0);
    CHECK_EQUAL(stack_remove_route(b.stack, &prefix), 0);
    CHECK_EQUAL(ip_output(b.stack, &path, packet), -ENETUNREACH);
    CHECK_EQUAL(drops(b.host, DROP_IP_NO_ROUTE), 1);
    CHECK_EQUAL(ip_prepare(b.stack, &path, SINK_PROTOCOL, 0, 0, 0, 4, &packet),
                -ENETUNREACH);
    stack_leave(b.stack);
    bench_close(&b);
}

static void a_path_does_not_outlive_the_interface_it_is_bound_to(void)
{
    struct bench b;
    struct ip_path path;
    struct packet *packet;
    bench_open(&b);
    CHECK_EQUAL(find(&b, NULL, "8.8.8.8", b.eth1, &path), 0);
    iface_destroy(b.eth1);
    b.net->wires[1].iface_count = 0;
    CHECK_EQUAL(ip_prepare(b.stack, &path, SINK_PROTOCOL, 0, 0, 0, 4, &packet),
                -ENETUNREACH);
    bench_close(&b);
}

static void a_prepared_packet_has_room_for_all_below(void)
{
    struct bench b;
    struct ip_path path;
    struct packet *packet;
    bench_open(&b);
    CHECK_EQUAL(find(&b, NULL, "10.0.0.9", NULL, &path), 0);
    stack_enter(b.stack);
    CHECK_FATAL(ip_prepare(b.stack, &path, SINK_PROTOCOL, 0x28, 0, 32, 100,
                           &packet) == 0);
    CHECK(packet_head_room(packet) >= 34 + 32);
    CHECK(packet_tail_room(packet) >= 100);
    CHECK_EQUAL(packet->length, 0);
    CHECK_EQUAL(packet->ip.tos, 0x28);
    CHECK_EQUAL(packet->ip.ttl, 64);
    CHECK_EQUAL(packet->ip.protocol, SINK_PROTOCOL);
    stack_drop(b.stack, packet, DROP_UDP_BAD);
    stack_leave(b.stack);
    bench_close(&b);
}

const struct unit_test suite_ip_path[] = {
    UNIT(source_interface_and_next_hop_go_together),
    UNIT(what_kind_of_destination_it_is),
    UNIT(groups_leave_where_the_caller_or_the_source_says),
    UNIT(a_source_must_be_ours_and_fit),
    UNIT(an_interface_asked_for_is_kept),
    UNIT(a_host_without_an_address_broadcasts_from_zero),
    UNIT(a_path_that_went_stale_is_looked_up_again_on_the_way),
    UNIT(a_path_does_not_outlive_the_interface_it_is_bound_to),
    UNIT(a_prepared_packet_has_room_for_all_below),
    {0}};
