// UDP sockets beside each other: binding, groups, errors, many of them.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/internal.h"
#include "stack/socket/socket_table.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/udp.h"
#include "tests/unit/malloc_fixture.h"
#include "tests/unit/udp_fixture.h"
#include "tests/unit/unit.h"

// --- Binding

static int bind_result(struct net_host *host, const char *local, bool reuse,
                       unsigned iface)
{
    struct endpoint endpoint = net_endpoint(local);
    struct socket *socket = NULL;
    CHECK_EQUAL(socket_open(host->stack, SOCKET_DATAGRAM, endpoint.addr.family,
                            0, &socket),
                0);
    socket_set_option(socket, OPTION_REUSE_ADDRESS, reuse);
    socket_set_option(socket, OPTION_BIND_IFACE, iface);
    int error = socket_bind(socket, &endpoint);
    if (error) {
        CHECK_EQUAL(socket_local(socket).port, 0);
        socket_close(socket);
    }
    return error;
}

static void a_port_is_taken_by_those_who_would_share_it(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct net_host *a = pair.a;
    CHECK_EQUAL(bind_result(a, "10.0.0.1:7", false, 0), 0);
    CHECK_EQUAL(bind_result(a, "10.0.0.1:7", false, 0), -EADDRINUSE);
    CHECK_EQUAL(bind_result(a, "0.0.0.0:7", false, 0), -EADDRINUSE);
    CHECK_EQUAL(bind_result(a, "127.0.0.1:7", false, 0), 0);
    CHECK_EQUAL(bind_result(a, "[::]:7", false, 0), 0); // the other family
    CHECK_EQUAL(bind_result(a, "[2001:db8::1]:7", false, 0), -EADDRINUSE);
    CHECK_EQUAL(bind_result(a, "10.0.0.1:8", true, 0), 0);
    CHECK_EQUAL(bind_result(a, "10.0.0.1:8", false, 0), -EADDRINUSE);
    CHECK_EQUAL(bind_result(a, "10.0.0.1:8", true, 0), 0);
    CHECK_EQUAL(bind_result(a, "0.0.0.0:8", true, 0), 0);
    CHECK_EQUAL(bind_result(a, "0.0.0.0:9", false, 1), 0);
    CHECK_EQUAL(bind_result(a, "0.0.0.0:9", false, 2), 0);
    CHECK_EQUAL(bind_result(a, "0.0.0.0:9", false, 0), -EADDRINUSE);
    net_destroy(pair.net);
}

static void of_sockets_that_share_an_address_the_last_bound_hears(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *sockets[3];
    struct endpoint local = net_endpoint("10.0.0.2:7");
    for (unsigned i = 0; i < 3; i++) {
        sockets[i] = udp_open_on(pair.b, "10.0.0.2:0");
        socket_set_option(sockets[i], OPTION_REUSE_ADDRESS, 1);
        CHECK_EQUAL(socket_bind(sockets[i], &local), 0);
    }
    // Growing the table must not turn the order round.
    for (unsigned port = 1000; port < 1100; port++) {
        char text[32];
        snprintf(text, sizeof text, "10.0.0.2:%u", port);
        udp_open_on(pair.b, text);
    }
    struct socket *sender = udp_open_on(pair.a, "0.0.0.0:0");
    udp_send_to(sender, "10.0.0.2:7", "x");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(sockets[2]), "x");
    socket_close(sockets[2]);
    udp_send_to(sender, "10.0.0.2:7", "y");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(sockets[1]), "y");
    CHECK_TEXT(udp_receive(sockets[0]), "");
    net_destroy(pair.net);
}

static void a_socket_of_an_interface_hears_that_interface(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *loopback = udp_open_on(pair.b, "0.0.0.0:0");
    struct socket *ethernet = udp_open_on(pair.b, "0.0.0.0:0");
    struct endpoint local = net_endpoint("0.0.0.0:7");
    socket_set_option(loopback, OPTION_BIND_IFACE, 1);
    socket_set_option(ethernet, OPTION_BIND_IFACE, iface_index(pair.b->eth));
    CHECK_EQUAL(socket_bind(loopback, &local), 0);
    CHECK_EQUAL(socket_bind(ethernet, &local), 0);
    udp_send_to(udp_open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "wire");
    udp_send_to(udp_open_on(pair.b, "0.0.0.0:0"), "127.0.0.1:7", "self");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(ethernet), "wire");
    CHECK_TEXT(udp_receive(loopback), "self");
    CHECK_TEXT(udp_receive(ethernet), "");
    socket_close(ethernet);
    udp_send_to(udp_open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "wire");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(loopback), "");
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_UDP_NO_SOCKET), 1);
    net_destroy(pair.net);
}

// --- Groups and broadcasts

static void every_socket_of_the_port_gets_a_copy(const char *from,
                                                 const char *to,
                                                 const char *const *locals,
                                                 unsigned count,
                                                 const char *deaf)
{
    struct udp_pair pair;
    struct socket *sockets[4];
    udp_pair_open(&pair);
    for (unsigned i = 0; i < count; i++) {
        struct endpoint local = net_endpoint(locals[i]);
        CHECK_EQUAL(socket_open(pair.b->stack, SOCKET_DATAGRAM,
                                local.addr.family, 0, &sockets[i]),
                    0);
        socket_set_option(sockets[i], OPTION_REUSE_ADDRESS, 1);
        CHECK_EQUAL(socket_bind(sockets[i], &local), 0);
    }
    struct socket *other = udp_open_on(pair.b, deaf);
    struct socket *sender = udp_open_on(pair.a, from);
    struct endpoint endpoint = net_endpoint(to);
    socket_set_option(sender, OPTION_BROADCAST, 1);
    endpoint.scope = (uint16_t)iface_index(pair.a->eth);
    CHECK_EQUAL(socket_send_to(sender, "all", 3, 0, &endpoint), 3);
    udp_run(&pair);
    for (unsigned i = 0; i < count; i++) {
        CHECK_TEXT(udp_receive(sockets[i]), "all");
        CHECK_TEXT(udp_receive(sockets[i]), "");
    }
    CHECK_TEXT(udp_receive(other), "");
    CHECK_EQUAL(stack_counter(pair.b->stack, COUNT_UDP_IN), count);
    net_destroy(pair.net);
}

static void broadcasts_reach_all_sockets_of_the_port(void)
{
    static const char *const limited[] = {"0.0.0.0:7", "0.0.0.0:7",
                                          "255.255.255.255:7"};
    static const char *const directed[] = {"0.0.0.0:7", "10.0.0.255:7"};
    every_socket_of_the_port_gets_a_copy("0.0.0.0:0", "255.255.255.255:7",
                                         limited, 3, "10.0.0.2:8");
    every_socket_of_the_port_gets_a_copy("0.0.0.0:0", "10.0.0.255:7", directed,
                                         2, "0.0.0.0:8");
}

static void groups_reach_all_sockets_of_the_port(void)
{
    static const char *const v4[] = {"0.0.0.0:7", "224.0.0.1:7"};
    static const char *const v6[] = {"[::]:7", "[ff02::1]:7", "[::]:7"};
    every_socket_of_the_port_gets_a_copy("0.0.0.0:0", "224.0.0.1:7", v4, 2,
                                         "0.0.0.0:8");
    every_socket_of_the_port_gets_a_copy("[::]:0", "[ff02::1]:7", v6, 3,
                                         "[::]:8");
}

static void a_broadcast_that_nobody_wants_gets_no_answer(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *sender = udp_open_on(pair.a, "0.0.0.0:0");
    socket_set_option(sender, OPTION_BROADCAST, 1);
    udp_send_to(sender, "10.0.0.255:7", "x");
    udp_send_to(sender, "224.0.0.1:7", "x");
    udp_run(&pair);
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_UDP_NO_SOCKET), 2);
    CHECK_EQUAL(stack_counter(pair.b->stack, COUNT_ICMP_OUT), 0);
    net_destroy(pair.net);
}

static void copies_for_which_no_buffer_is_left_are_skipped(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *sockets[3];
    struct endpoint local = net_endpoint("0.0.0.0:7");
    for (unsigned i = 0; i < 3; i++) {
        sockets[i] = udp_open_on(pair.b, "0.0.0.0:0");
        socket_set_option(sockets[i], OPTION_REUSE_ADDRESS, 1);
        CHECK_EQUAL(socket_bind(sockets[i], &local), 0);
    }
    struct crafted c = craft_v4(pair.b, "x");
    memset(c.bytes, 0xff, 6);
    struct ipv4_header ip;
    CHECK_FATAL(ipv4_parse(c.bytes + 14, c.length - 14, &ip) == 20);
    ip.destination = net_addr("10.0.0.255");
    ipv4_emit(&ip, c.bytes + 14);
    put_be16(c.bytes + c.udp + 6, 0);
    struct packet *frame = net_packet(pair.net, c.bytes, c.length);
    packet_pool_fail_after(pair.net->pool, 1);
    iface_input(pair.b->eth, frame);
    CHECK_TEXT(udp_receive(sockets[2]), ""); // the copy that failed was its
    CHECK_TEXT(udp_receive(sockets[1]), "x");
    CHECK_TEXT(udp_receive(sockets[0]), "x");
    net_destroy(pair.net);
}

static void groups_are_not_left_without_being_asked(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *sender = udp_open_on(pair.a, "0.0.0.0:0");
    net_record(pair.net);
    udp_send_to(sender, "224.0.0.1:7", "x");
    socket_set_option(sender, OPTION_TTL, 5);
    udp_send_to(sender, "224.0.0.1:7", "x");
    udp_run(&pair);
    CHECK_FATAL(pair.net->record_count == 2);
    CHECK_EQUAL(pair.net->records[0].bytes[14 + 8], 1); // RFC 1112 6.1
    CHECK_EQUAL(pair.net->records[1].bytes[14 + 8], 5);
    net_destroy(pair.net);
}

static void a_copy_is_only_for_those_whom_the_group_concerns(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *connected = udp_open_on(pair.b, "0.0.0.0:0");
    struct socket *v6 = udp_open_on(pair.b, "[::]:7");
    struct endpoint local = net_endpoint("0.0.0.0:7");
    struct socket *all = udp_open_on(pair.b, "0.0.0.0:0");
    socket_set_option(connected, OPTION_REUSE_ADDRESS, 1);
    socket_set_option(all, OPTION_REUSE_ADDRESS, 1);
    CHECK_EQUAL(socket_bind(connected, &local), 0);
    CHECK_EQUAL(socket_bind(all, &local), 0);
    local = net_endpoint("224.0.0.1:7");
    struct socket *sender = udp_open_on(pair.a, "10.0.0.1:99");
    socket_set_option(connected, OPTION_BROADCAST, 1);
    CHECK_EQUAL(udp_connect_to(connected, "10.0.0.1:98"), 0); // another port
    udp_send_to(sender, "224.0.0.1:7", "x");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(all), "x");
    CHECK_TEXT(udp_receive(connected), "");
    CHECK_TEXT(udp_receive(v6), "");
    net_destroy(pair.net);
}

static void our_own_groups_and_broadcasts_come_back_to_us(void)
{
    static const char *const addresses[] = {"10.0.0.255:7", "224.0.0.1:7"};
    for (unsigned i = 0; i < ARRAY_LENGTH(addresses); i++) {
        struct udp_pair pair;
        udp_pair_open(&pair);
        struct socket *own = udp_open_on(pair.a, "0.0.0.0:7");
        struct socket *sender = udp_open_on(pair.a, "0.0.0.0:0");
        socket_set_option(sender, OPTION_BROADCAST, 1);
        udp_send_to(sender, addresses[i], "x");
        udp_run(&pair);
        CHECK_TEXT(udp_receive(own), "x");
        CHECK_TEXT(udp_receive(own), "");
        net_destroy(pair.net);
    }
}

// --- Link-local addresses

static void link_local_peers_are_known_by_their_interface(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct iface_address own = {0};
    for (size_t n = 0; iface_get_address(pair.b->eth, n, &own); n++)
        if (ip_addr_is_link_local(&own.prefix.addr))
            break;
    CHECK_FATAL(own.prefix.addr.family == IP_V6);
    struct socket *receiver = udp_open_on(pair.b, "[::]:7");
    struct socket *sender = udp_open_on(pair.a, "[::]:0");
    struct endpoint to = {.addr = own.prefix.addr,
                          .port = 7,
                          .scope = (uint16_t)iface_index(pair.a->eth)};
    struct endpoint from = {0};
    char text[4] = "";
    CHECK_EQUAL(socket_send_to(sender, "x", 1, 0, &to), 1);
    udp_run(&pair);
    CHECK_EQUAL(socket_receive_from(receiver, text, 4, 0, &from, NULL), 1);
    CHECK(ip_addr_is_link_local(&from.addr));
    CHECK_EQUAL(from.scope, iface_index(pair.b->eth));
    CHECK_EQUAL(socket_send_to(receiver, "y", 1, 0, &from), 1);
    udp_run(&pair);
    CHECK_TEXT(udp_receive(sender), "y");
    struct socket *bound = NULL;
    struct endpoint local = {.addr = own.prefix.addr, .port = 8};
    CHECK_EQUAL(socket_open(pair.b->stack, SOCKET_DATAGRAM, IP_V6, 0, &bound),
                0);
    CHECK_EQUAL(socket_bind(bound, &local), 0);
    CHECK_EQUAL(socket_local(bound).scope, iface_index(pair.b->eth));
    int64_t index = 0;
    CHECK_EQUAL(socket_get_option(bound, OPTION_BIND_IFACE, &index), 0);
    CHECK_EQUAL(index, iface_index(pair.b->eth));
    net_destroy(pair.net);
}

// --- ICMP errors

static void a_connected_socket_learns_that_nobody_listens(const char *to)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *client =
        udp_open_on(pair.a, to[0] == '[' ? "[::]:0" : "0.0.0.0:0");
    struct endpoint endpoint = net_endpoint(to);
    struct socket_icmp_error icmp = {0};
    char text[4];
    CHECK_EQUAL(udp_connect_to(client, to), 0);
    CHECK_EQUAL(socket_send(client, "x", 1, 0), 1);
    udp_run(&pair);
    CHECK(socket_events(client) & EVENT_ERROR);
    CHECK_EQUAL(socket_receive(client, text, 4, 0), -ECONNREFUSED);
    CHECK_EQUAL(socket_receive(client, text, 4, 0), -EAGAIN);
    CHECK(socket_take_icmp_error(client, &icmp));
    CHECK(!socket_take_icmp_error(client, &icmp));
    CHECK_EQUAL(icmp.error, -ECONNREFUSED);
    CHECK_EQUAL(icmp.to.port, 7);
    CHECK(ip_addr_equal(&icmp.to.addr, &endpoint.addr));
    CHECK(ip_addr_equal(&icmp.from, &endpoint.addr));
    CHECK_EQUAL(socket_send(client, "x", 1, 0), 1);
    udp_run(&pair);
    CHECK_EQUAL(socket_send(client, "x", 1, 0), -ECONNREFUSED);
    CHECK_EQUAL(socket_send(client, "x", 1, 0), 1);
    net_destroy(pair.net);
}

static void port_unreachable_reaches_the_connected_socket(void)
{
    a_connected_socket_learns_that_nobody_listens("10.0.0.2:7");
    a_connected_socket_learns_that_nobody_listens("[2001:db8::2]:7");
}

static void an_unconnected_socket_hears_errors_when_it_asks_for_them(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *socket = udp_open_on(pair.a, "0.0.0.0:0");
    struct socket_icmp_error icmp = {0};
    char text[4];
    udp_send_to(socket, "10.0.0.2:7", "x");
    udp_run(&pair);
    CHECK_EQUAL(socket_receive(socket, text, 4, 0), -EAGAIN);
    CHECK(socket_take_icmp_error(socket, &icmp)); // recorded all the same
    CHECK_EQUAL(socket_set_option(socket, OPTION_ERROR_QUEUE, 1), 0);
    udp_send_to(socket, "10.0.0.2:7", "x");
    udp_run(&pair);
    struct packet *packet = NULL;
    CHECK_EQUAL(socket_receive_packet(socket, &packet), -ECONNREFUSED);
    CHECK_EQUAL(socket_receive_packet(socket, &packet), -EAGAIN);
    net_destroy(pair.net);
}

static void soft_errors_are_for_those_who_ask_for_them(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct net_host *a = pair.a;
    struct socket *socket = udp_open_on(a, "0.0.0.0:0");
    CHECK_EQUAL(udp_connect_to(socket, "10.0.0.2:7"), 0);
    uint8_t ports[4];
    put_be16(ports, socket_local(socket).port);
    put_be16(ports + 2, 7);
    struct icmp_error error = {.kind = ICMP_ERROR_TTL_EXCEEDED,
                               .reporter = net_addr("10.0.0.9"),
                               .source = net_addr("10.0.0.1"),
                               .destination = net_addr("10.0.0.2"),
                               .transport = ports,
                               .transport_length = 4,
                               .error = -EHOSTUNREACH};
    udp_protocol.error(a->stack, &error);
    CHECK_EQUAL(socket_take_error(socket), 0);
    CHECK_EQUAL(socket_set_option(socket, OPTION_ERROR_QUEUE, 1), 0);
    udp_protocol.error(a->stack, &error);
    CHECK_EQUAL(socket_take_error(socket), -EHOSTUNREACH);
    error.transport_length = 3; // not even the ports
    udp_protocol.error(a->stack, &error);
    CHECK_EQUAL(socket_take_error(socket), 0);
    error.transport_length = 4;
    error.destination = net_addr("10.0.0.3"); // not its peer
    udp_protocol.error(a->stack, &error);
    CHECK_EQUAL(socket_take_error(socket), 0);
    net_destroy(pair.net);
}

// --- Scale

static void many_sockets_are_found_and_cost_nothing_when_gone(void)
{
    enum { COUNT = 20000 };
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct endpoint local = net_endpoint("10.0.0.2:0");
    struct socket *last = NULL;
    for (unsigned i = 0; i < COUNT; i++) {
        struct socket *socket = NULL;
        local.port = (uint16_t)(1024 + i);
        CHECK_FATAL(socket_open(pair.b->stack, SOCKET_DATAGRAM, IP_V4, 0,
                                &socket) == 0);
        CHECK_FATAL(socket_bind(socket, &local) == 0);
        last = socket;
    }
    CHECK(pair.b->stack->sockets->keys.size >= COUNT);
    char to[32];
    snprintf(to, sizeof to, "10.0.0.2:%u", 1024 + COUNT - 1);
    udp_send_to(udp_open_on(pair.a, "0.0.0.0:0"), to, "x");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(last), "x");
    while (socket_next(pair.b->stack, NULL))
        socket_close(socket_next(pair.b->stack, NULL));
    CHECK_EQUAL(pair.b->stack->sockets->keys.count, 0);
    CHECK_EQUAL(pair.b->stack->sockets->ports.count, 0);
    net_destroy(pair.net);
}

static void a_table_that_cannot_grow_goes_on(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *sockets[20];
    char text[32];
    for (unsigned i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "10.0.0.2:%u", 100 + i);
        sockets[i] = udp_open_on(pair.b, "10.0.0.2:0");
        struct endpoint local = net_endpoint(text);
        malloc_fail_after(i == 0 ? 0 : 1); // every growth fails
        CHECK_EQUAL(socket_bind(sockets[i], &local), 0);
        malloc_fail_after(0);
    }
    struct socket *sender = udp_open_on(pair.a, "0.0.0.0:0");
    for (unsigned i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "10.0.0.2:%u", 100 + i);
        udp_send_to(sender, text, "x");
    }
    udp_run(&pair);
    for (unsigned i = 0; i < 20; i++)
        CHECK_TEXT(udp_receive(sockets[i]), "x");
    net_destroy(pair.net);
}

static void the_first_bind_survives_every_failure_of_memory(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *socket = udp_open_on(pair.b, "10.0.0.2:0");
    struct endpoint local = net_endpoint("10.0.0.2:7");
    unsigned n = 0;
    int error;
    do {
        malloc_fail_after(++n);
        error = socket_bind(socket, &local);
        CHECK(error == 0 || error == -ENOMEM);
        CHECK_EQUAL(socket_local(socket).port, error ? 0 : 7);
    } while (error);
    malloc_fail_after(0);
    CHECK_EQUAL(n, 3); // two tables, then none is left to allocate
    net_destroy(pair.net);
}

static void sockets_are_small(void)
{
    CHECK(sizeof(struct socket) < 200);
    CHECK(sizeof(struct udp_socket) < 350);
}

const struct unit_test suite_udp_sharing[] = {
    UNIT(a_port_is_taken_by_those_who_would_share_it),
    UNIT(of_sockets_that_share_an_address_the_last_bound_hears),
    UNIT(a_socket_of_an_interface_hears_that_interface),
    UNIT(broadcasts_reach_all_sockets_of_the_port),
    UNIT(groups_reach_all_sockets_of_the_port),
    UNIT(a_broadcast_that_nobody_wants_gets_no_answer),
    UNIT(copies_for_which_no_buffer_is_left_are_skipped),
    UNIT(groups_are_not_left_without_being_asked),
    UNIT(link_local_peers_are_known_by_their_interface),
    UNIT(port_unreachable_reaches_the_connected_socket),
    UNIT(an_unconnected_socket_hears_errors_when_it_asks_for_them),
    UNIT(soft_errors_are_for_those_who_ask_for_them),
    UNIT(many_sockets_are_found_and_cost_nothing_when_gone),
    UNIT(a_table_that_cannot_grow_goes_on),
    UNIT(the_first_bind_survives_every_failure_of_memory),
    UNIT(sockets_are_small),
    UNIT(a_copy_is_only_for_those_whom_the_group_concerns),
    UNIT(our_own_groups_and_broadcasts_come_back_to_us),
    {0}};
