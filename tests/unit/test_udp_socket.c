// UDP sockets by themselves: delivery, reading, refusals, connection.
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

// --- Delivery

static void check_delivery(const char *from, const char *to, const char *local)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *sender = udp_open_on(pair.a, from);
    struct socket *receiver = udp_open_on(pair.b, local);
    struct endpoint source = {0}, destination = {0};
    char text[16] = "";
    CHECK_EQUAL(socket_receive(receiver, text, sizeof text, 0), -EAGAIN);
    CHECK_EQUAL(udp_send_to(sender, to, "hello"), 5);
    CHECK_EQUAL(udp_send_to(sender, to, ""), 0);
    udp_run(&pair);
    CHECK(socket_events(receiver) & EVENT_READABLE);
    CHECK_EQUAL(socket_receive_from(receiver, text, sizeof text, 0, &source,
                                    &destination),
                5);
    CHECK_TEXT(text, "hello");
    udp_check_endpoint(&source, from);
    udp_check_endpoint(&destination, to);
    CHECK_EQUAL(socket_receive(receiver, text, sizeof text, 0), 0); // empty
    CHECK_EQUAL(socket_receive(receiver, text, sizeof text, 0), -EAGAIN);
    CHECK_EQUAL(stack_counter(pair.b->stack, COUNT_UDP_IN), 2);
    CHECK_EQUAL(stack_counter(pair.a->stack, COUNT_UDP_OUT), 2);
    net_destroy(pair.net);
}

static void datagrams_arrive_with_their_addresses(void)
{
    check_delivery("10.0.0.1:1000", "10.0.0.2:2000", "10.0.0.2:2000");
    check_delivery("10.0.0.1:1000", "10.0.0.2:2000", "0.0.0.0:2000");
    check_delivery("[2001:db8::1]:1000", "[2001:db8::2]:2000",
                   "[2001:db8::2]:2000");
    check_delivery("[2001:db8::1]:1000", "[2001:db8::2]:2000", "[::]:2000");
}

static void datagrams_reach_their_own_host_by_loopback(void)
{
    static const char *const addresses[] = {"127.0.0.1:7", "10.0.0.1:7",
                                            "[::1]:7", "[2001:db8::1]:7"};
    struct udp_pair pair;
    udp_pair_open(&pair);
    for (unsigned i = 0; i < ARRAY_LENGTH(addresses); i++) {
        struct socket *receiver = udp_open_on(pair.a, addresses[i]);
        struct socket *sender = udp_open_on(
            pair.a, addresses[i][0] == '[' ? "[::]:0" : "0.0.0.0:0");
        CHECK_EQUAL(udp_send_to(sender, addresses[i], "self"), 4);
        CHECK_TEXT(udp_receive(receiver), ""); // not before its time
        udp_run(&pair);
        CHECK_TEXT(udp_receive(receiver), "self");
    }
    CHECK_EQUAL(pair.net->frame_count, 0);
    net_destroy(pair.net);
}

static void the_any_address_as_destination_is_this_host(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *v4 = udp_open_on(pair.a, "127.0.0.1:7");
    struct socket *v6 = udp_open_on(pair.a, "[::1]:7");
    CHECK_EQUAL(
        udp_send_to(udp_open_on(pair.a, "0.0.0.0:0"), "0.0.0.0:7", "four"), 4);
    CHECK_EQUAL(udp_send_to(udp_open_on(pair.a, "[::]:0"), "[::]:7", "six"), 3);
    udp_run(&pair);
    CHECK_TEXT(udp_receive(v4), "four");
    CHECK_TEXT(udp_receive(v6), "six");
    net_destroy(pair.net);
}

static void the_first_datagram_waits_for_the_neighbour(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "10.0.0.2:7");
    struct socket *sender = udp_open_on(pair.a, "0.0.0.0:0");
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQUAL(udp_send_to(sender, "10.0.0.2:7", "x"), 1);
    udp_run(&pair);
    for (unsigned i = 0; i < 3; i++)
        CHECK_TEXT(udp_receive(receiver), "x");
    net_destroy(pair.net);
}

static void an_unbound_sender_gets_a_port_and_keeps_it(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *sender = udp_open_on(pair.a, "0.0.0.0:0");
    CHECK_EQUAL(udp_send_to(sender, "10.0.0.2:7", "x"), 1);
    struct endpoint local = socket_local(sender);
    CHECK(local.port >= 32768 && local.port <= 60999);
    CHECK(ip_addr_is_any(&local.addr));
    CHECK_EQUAL(udp_send_to(sender, "10.0.0.3:7", "x"), 1);
    CHECK_EQUAL(socket_local(sender).port, local.port);
    net_destroy(pair.net);
}

// --- Reading

static void peeking_leaves_and_truncation_tells_the_length(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "10.0.0.2:7");
    char text[4] = "";
    int64_t unread = 0;
    udp_send_to(udp_open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "abcdef");
    udp_run(&pair);
    CHECK_EQUAL(socket_get_option(receiver, OPTION_UNREAD, &unread), 0);
    CHECK_EQUAL(unread, 6);
    CHECK_EQUAL(socket_receive(receiver, text, 3, MESSAGE_PEEK), 3);
    CHECK_TEXT(text, "abc");
    CHECK_EQUAL(
        socket_receive(receiver, text, 3, MESSAGE_PEEK | MESSAGE_TRUNCATE), 6);
    CHECK_EQUAL(socket_receive(receiver, NULL, 0, MESSAGE_PEEK), 0);
    CHECK_EQUAL(socket_receive(receiver, text, 3, MESSAGE_URGENT), -EOPNOTSUPP);
    CHECK_EQUAL(socket_receive(receiver, text, 3, 0), 3);
    CHECK_EQUAL(socket_receive(receiver, text, 3, 0), -EAGAIN); // rest is gone
    net_destroy(pair.net);
}

static void a_datagram_can_be_taken_by_reference(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "10.0.0.2:7");
    struct packet *packet = NULL;
    CHECK_EQUAL(socket_receive_packet(receiver, &packet), -EAGAIN);
    udp_send_to(udp_open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "abc");
    udp_run(&pair);
    CHECK_EQUAL(stack_held(pair.b->stack), 1);
    CHECK_EQUAL(socket_receive_packet(receiver, &packet), 3);
    CHECK_FATAL(packet != NULL);
    CHECK_EQUAL(packet->length, 3);
    CHECK_BYTES(packet->data, "abc", 3);
    CHECK_EQUAL(stack_held(pair.b->stack), 0);
    packet_free(packet);
    net_destroy(pair.net);
}

static void what_exceeds_the_receive_buffer_is_dropped_and_counted(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "10.0.0.2:7");
    struct socket *sender = udp_open_on(pair.a, "0.0.0.0:0");
    CHECK_EQUAL(socket_set_option(receiver, OPTION_RECEIVE_BUFFER, 256), 0);
    for (unsigned i = 0; i < 5; i++)
        udp_send_to(sender, "10.0.0.2:7", "x");
    udp_run(&pair);
    // One is always taken, whatever a buffer's true size is.
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_SOCKET_QUEUE_FULL), 4);
    CHECK_TEXT(udp_receive(receiver), "x");
    CHECK_TEXT(udp_receive(receiver), "");
    udp_send_to(sender, "10.0.0.2:7", "y");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(receiver), "y");
    net_destroy(pair.net);
}

static void the_receive_buffer_bounds_empty_datagrams_too(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "10.0.0.2:7");
    struct socket *sender = udp_open_on(pair.a, "0.0.0.0:0");
    CHECK_EQUAL(socket_set_option(receiver, OPTION_RECEIVE_BUFFER, 10000), 0);
    for (unsigned i = 0; i < 100; i++) {
        udp_send_to(sender, "10.0.0.2:7", "");
        udp_run(&pair);
    }
    uint64_t full = stack_drops(pair.b->stack, DROP_SOCKET_QUEUE_FULL);
    CHECK(full > 50 && full < 99);
    net_destroy(pair.net);
}

static void what_is_unread_at_closing_is_a_drop(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "10.0.0.2:7");
    udp_send_to(udp_open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "x");
    udp_run(&pair);
    CHECK_EQUAL(stack_held(pair.b->stack), 1);
    socket_close(receiver);
    CHECK_EQUAL(stack_held(pair.b->stack), 0);
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_SOCKET_CLOSED), 1);
    net_destroy(pair.net);
}

static void unread_datagrams_outlive_their_interface(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct net_host *b = pair.b;
    struct iface *second = net_add_iface(b, 1, "eth1", 0, "10.0.1.2/24");
    struct net_host *c = net_add_stack(pair.net, "c", &pair.settings);
    net_add_iface(c, 1, "eth0", 0, "10.0.1.3/24");
    struct socket *receiver = udp_open_on(b, "0.0.0.0:7");
    udp_send_to(udp_open_on(c, "0.0.0.0:0"), "10.0.1.2:7", "x");
    udp_run(&pair);
    iface_set_up(second, false);
    CHECK_TEXT(udp_receive(receiver), "x");
    net_destroy(pair.net);
}

// --- Refusals of sending

static void sending_says_why_it_cannot(void)
{
    static char big[70000];
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *v4 = udp_open_on(pair.a, "0.0.0.0:0");
    struct socket *v6 = udp_open_on(pair.a, "[::]:0");
    struct endpoint to4 = net_endpoint("10.0.0.2:7");
    struct endpoint to6 = net_endpoint("[2001:db8::2]:7");
    CHECK_EQUAL(socket_send(v4, "x", 1, 0), -EDESTADDRREQ);
    CHECK_EQUAL(udp_send_to(v4, "10.0.0.2:0", "x"), -EINVAL);
    CHECK_EQUAL(udp_send_to(v4, "99.0.0.1:7", "x"), -ENETUNREACH);
    CHECK_EQUAL(udp_send_to(v6, "[3001::1]:7", "x"), -ENETUNREACH);
    CHECK_EQUAL(socket_send_to(v4, "x", 1, MESSAGE_MORE, &to4), -EOPNOTSUPP);
    CHECK_EQUAL(socket_send_to(v4, big, 65508, 0, &to4), -EMSGSIZE);
    CHECK_EQUAL(socket_send_to(v6, big, 65528, 0, &to6), -EMSGSIZE);
    CHECK_EQUAL(socket_send_to(v4, big, 65507, 0, &to4), 65507);
    CHECK_EQUAL(socket_send_to(v6, big, 65527, 0, &to6), 65527);
    net_destroy(pair.net);
}

static void broadcasting_needs_permission(void)
{
    static const char *const addresses[] = {"10.0.0.255:7",
                                            "255.255.255.255:7"};
    struct udp_pair pair;
    udp_pair_open(&pair);
    for (unsigned i = 0; i < ARRAY_LENGTH(addresses); i++) {
        struct socket *socket = udp_open_on(pair.a, "0.0.0.0:0");
        CHECK_EQUAL(udp_send_to(socket, addresses[i], "x"), -EACCES);
        CHECK_EQUAL(udp_connect_to(socket, addresses[i]), -EACCES);
        CHECK_EQUAL(socket_set_option(socket, OPTION_BROADCAST, 1), 0);
        CHECK_EQUAL(udp_send_to(socket, addresses[i], "x"), 1);
    }
    net_destroy(pair.net);
}

static void a_datagram_that_must_not_be_fragmented_has_to_fit(void)
{
    static char big[2000];
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *v4 = udp_open_on(pair.a, "0.0.0.0:0");
    struct socket *v6 = udp_open_on(pair.a, "[::]:0");
    struct endpoint to4 = net_endpoint("10.0.0.2:7");
    struct endpoint to6 = net_endpoint("[2001:db8::2]:7");
    CHECK_EQUAL(socket_set_option(v4, OPTION_DONT_FRAGMENT, 1), 0);
    CHECK_EQUAL(socket_set_option(v6, OPTION_DONT_FRAGMENT, 1), 0);
    CHECK_EQUAL(socket_send_to(v4, big, 1472, 0, &to4), 1472);
    CHECK_EQUAL(socket_send_to(v4, big, 1473, 0, &to4), -EMSGSIZE);
    CHECK_EQUAL(socket_send_to(v6, big, 1452, 0, &to6), 1452);
    CHECK_EQUAL(socket_send_to(v6, big, 1453, 0, &to6), -EMSGSIZE);
    net_destroy(pair.net);
}

static void sending_without_buffers_is_refused_and_leaks_nothing(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "10.0.0.2:7");
    struct socket *sender = udp_open_on(pair.a, "0.0.0.0:0");
    udp_send_to(sender, "10.0.0.2:7", "warm");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(receiver), "warm");
    packet_pool_fail_after(pair.net->pool, 1);
    CHECK_EQUAL(udp_send_to(sender, "10.0.0.2:7", "x"), -ENOBUFS);
    CHECK_EQUAL(udp_send_to(sender, "10.0.0.2:7", "y"), 1);
    udp_run(&pair);
    CHECK_TEXT(udp_receive(receiver), "y");
    net_destroy(pair.net);
}

static void fragments_leave_together_or_not_at_all(void)
{
    static const char *const targets[] = {"10.0.0.2:7", "[2001:db8::2]:7"};
    static char big[5000];
    for (unsigned i = 0; i < ARRAY_LENGTH(targets); i++)
        for (unsigned n = 1; n <= 5; n++) {
            struct udp_pair pair;
            udp_pair_open(&pair);
            struct socket *sender =
                udp_open_on(pair.a, i ? "[::]:0" : "0.0.0.0:0");
            struct endpoint to = net_endpoint(targets[i]);
            udp_send_to(sender, targets[i], "warm");
            udp_run(&pair);
            unsigned before = pair.net->frame_count;
            packet_pool_fail_after(pair.net->pool, n);
            int64_t sent = socket_send_to(sender, big, sizeof big, 0, &to);
            packet_pool_fail_after(pair.net->pool, 0);
            CHECK(sent == -ENOBUFS || sent == sizeof big);
            CHECK((pair.net->frame_count == before) == (sent < 0));
            CHECK_EQUAL(stack_held(pair.a->stack), 0);
            net_destroy(pair.net);
        }
}

static void the_first_send_survives_every_failure_of_memory(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "10.0.0.2:7");
    struct socket *sender = udp_open_on(pair.a, "0.0.0.0:0");
    unsigned n = 0;
    do {
        malloc_fail_after(++n);
        udp_send_to(sender, "10.0.0.2:7", "x");
    } while (malloc_has_failed());
    malloc_fail_after(0);
    CHECK(n > 1);
    udp_run(&pair);
    CHECK_TEXT(udp_receive(receiver), "x");
    net_destroy(pair.net);
}

// --- Large datagrams

static void check_large(const char *to, size_t length)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct endpoint endpoint = net_endpoint(to);
    struct socket *receiver = udp_open_on(pair.b, to);
    struct socket *sender =
        udp_open_on(pair.a, to[0] == '[' ? "[::]:0" : "0.0.0.0:0");
    uint8_t *sent = malloc(length), *received = malloc(length);
    CHECK_FATAL(sent && received);
    for (size_t i = 0; i < length; i++)
        sent[i] = (uint8_t)(i * 7 + i / 256);
    CHECK_EQUAL(socket_send_to(sender, sent, length, 0, &endpoint), length);
    udp_run(&pair);
    CHECK_EQUAL(socket_receive(receiver, received, length, 0), length);
    CHECK(memcmp(sent, received, length) == 0);
    CHECK_EQUAL(stack_counter(pair.b->stack, COUNT_IP_REASSEMBLED), 1);
    free(sent);
    free(received);
    net_destroy(pair.net);
}

static void large_datagrams_are_fragmented_and_put_together(void)
{
    check_large("10.0.0.2:7", 1473);
    check_large("10.0.0.2:7", 65507);
    check_large("[2001:db8::2]:7", 1453);
    check_large("[2001:db8::2]:7", 10001);
    check_large("[2001:db8::2]:7", 65527);
}

// --- Checksums

static uint16_t checksum_on_wire(const struct net *net, size_t network)
{
    const struct net_record *last = &net->records[net->record_count - 1];
    return get_be16(last->bytes + 14 + network + 6);
}

static void checksums_can_be_left_out_over_ipv4_only(void)
{
    struct udp_pair pair;
    struct stack_settings settings = stack_settings_default;
    settings.udp_checksum = 0;
    udp_pair_open_with(&pair, &settings);
    struct socket *v4 = udp_open_on(pair.b, "10.0.0.2:7");
    struct socket *v6 = udp_open_on(pair.b, "[2001:db8::2]:7");
    net_record(pair.net);
    udp_send_to(udp_open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "x");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(v4), "x");
    CHECK_EQUAL(checksum_on_wire(pair.net, 20), 0);
    udp_send_to(udp_open_on(pair.a, "[::]:0"), "[2001:db8::2]:7", "x");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(v6), "x");
    CHECK(checksum_on_wire(pair.net, 40) != 0);
    net_destroy(pair.net);
}

// A sum of zero is sent as its other form, since zero means "none" (RFC 768).
static void a_checksum_of_zero_is_sent_as_all_ones(void)
{
    static const char *const targets[] = {"10.0.0.2:7", "[2001:db8::2]:7"};
    for (unsigned i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct udp_pair pair;
        uint8_t payload[2] = {0, 0};
        udp_pair_open(&pair);
        struct endpoint to = net_endpoint(targets[i]);
        struct socket *receiver = udp_open_on(pair.b, targets[i]);
        struct socket *sender = udp_open_on(pair.a, i ? "[::]:0" : "0.0.0.0:0");
        net_record(pair.net);
        CHECK_EQUAL(socket_send_to(sender, payload, 2, 0, &to), 2);
        udp_run(&pair);
        put_be16(payload, checksum_on_wire(pair.net, i ? 40 : 20));
        CHECK_EQUAL(socket_send_to(sender, payload, 2, 0, &to), 2);
        udp_run(&pair);
        CHECK_EQUAL(checksum_on_wire(pair.net, i ? 40 : 20), 0xffff);
        CHECK_EQUAL(socket_receive(receiver, payload, 2, 0), 2);
        CHECK_EQUAL(socket_receive(receiver, payload, 2, 0), 2);
        net_destroy(pair.net);
    }
}

static void malformed_datagrams_are_dropped_with_their_reason(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "10.0.0.2:7");
    struct crafted c = craft_v4(pair.b, "good");
    net_inject(pair.b, pair.b->eth, c.bytes, c.length);
    CHECK_TEXT(udp_receive(receiver), "good");
    c.bytes[c.udp + 8] ^= 1;
    net_inject(pair.b, pair.b->eth, c.bytes, c.length);
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_UDP_BAD_CHECKSUM), 1);
    c = craft_v4(pair.b, "good");
    put_be16(c.bytes + c.udp + 4, 13); // longer than the packet
    net_inject(pair.b, pair.b->eth, c.bytes, c.length);
    put_be16(c.bytes + c.udp + 4, 7); // shorter than the header
    net_inject(pair.b, pair.b->eth, c.bytes, c.length);
    c = craft_v4(pair.b, "good");
    put_be16(c.bytes + c.udp + 2, 0); // port 0
    net_inject(pair.b, pair.b->eth, c.bytes, c.length);
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_UDP_BAD), 3);
    CHECK_TEXT(udp_receive(receiver), "");
    net_destroy(pair.net);
}

static void a_datagram_without_checksum_is_good_over_ipv4(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "10.0.0.2:7");
    struct crafted c = craft_v4(pair.b, "good");
    put_be16(c.bytes + c.udp + 6, 0);
    net_inject(pair.b, pair.b->eth, c.bytes, c.length);
    CHECK_TEXT(udp_receive(receiver), "good");
    net_destroy(pair.net);
}

static enum net_verdict clear_checksum(void *context, struct net_frame *frame)
{
    uint8_t *udp = frame->packet->data + 14 + 40;
    (void)context;
    if (frame->packet->length > 60 &&
        get_be16(frame->packet->data + 12) == 0x86dd &&
        frame->packet->data[14 + 6] == IP_PROTOCOL_UDP)
        put_be16(udp + 6, 0);
    return NET_PASS;
}

static void a_datagram_without_checksum_is_bad_over_ipv6(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "[2001:db8::2]:7");
    net_set_hook(pair.net, clear_checksum, NULL);
    udp_send_to(udp_open_on(pair.a, "[::]:0"), "[2001:db8::2]:7", "x");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(receiver), "");
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_UDP_BAD_CHECKSUM), 1);
    net_destroy(pair.net);
}

static void what_follows_the_datagram_in_its_packet_is_cut_off(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *receiver = udp_open_on(pair.b, "10.0.0.2:7");
    struct crafted c = craft_v4(pair.b, "abcdef");
    struct ip_addr source = net_addr("10.0.0.1"), to = net_addr("10.0.0.2");
    put_be16(c.bytes + c.udp + 4, 8 + 3);
    udp_fill_checksum(c.bytes + c.udp, 8 + 3, &source, &to);
    net_inject(pair.b, pair.b->eth, c.bytes, c.length);
    CHECK_TEXT(udp_receive(receiver), "abc");
    net_destroy(pair.net);
}

// --- Connected sockets

static void a_connected_socket_hears_its_peer_alone(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *server = udp_open_on(pair.b, "10.0.0.2:7");
    struct socket *client = udp_open_on(pair.a, "0.0.0.0:0");
    struct socket *stranger = udp_open_on(pair.b, "10.0.0.2:8");
    CHECK_EQUAL(udp_connect_to(client, "10.0.0.2:7"), 0);
    struct endpoint local = socket_local(client),
                    remote = socket_remote(client);
    char text[ENDPOINT_TEXT_SIZE];
    CHECK_TEXT(ip_addr_format(&local.addr, text), "10.0.0.1");
    udp_check_endpoint(&remote, "10.0.0.2:7");
    CHECK_EQUAL(socket_send(client, "ask", 3, 0), 3);
    udp_run(&pair);
    CHECK_TEXT(udp_receive(server), "ask");
    endpoint_format(&local, text);
    CHECK_EQUAL(udp_send_to(stranger, text, "no"), 2);
    CHECK_EQUAL(udp_send_to(server, text, "yes"), 3);
    udp_run(&pair);
    CHECK_TEXT(udp_receive(client), "yes");
    CHECK_TEXT(udp_receive(client), "");
    CHECK_EQUAL(stack_drops(pair.a->stack, DROP_UDP_NO_SOCKET), 1);
    net_destroy(pair.net);
}

static void connecting_again_and_dissolving_change_the_peer(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *seven = udp_open_on(pair.b, "10.0.0.2:7");
    struct socket *eight = udp_open_on(pair.b, "10.0.0.2:8");
    struct socket *client = udp_open_on(pair.a, "0.0.0.0:0");
    struct endpoint nobody = {0};
    CHECK_EQUAL(udp_connect_to(client, "10.0.0.2:7"), 0);
    CHECK_EQUAL(socket_send(client, "7", 1, 0), 1);
    CHECK_EQUAL(udp_connect_to(client, "10.0.0.2:8"), 0);
    CHECK_EQUAL(socket_send(client, "8", 1, 0), 1);
    udp_run(&pair);
    CHECK_TEXT(udp_receive(seven), "7");
    CHECK_TEXT(udp_receive(eight), "8");
    CHECK_EQUAL(socket_connect(client, &nobody), 0);
    CHECK_EQUAL(socket_send(client, "x", 1, 0), -EDESTADDRREQ);
    CHECK_EQUAL(socket_local(client).port, 0); // it was not bound by hand
    CHECK_EQUAL(socket_connect(client, &nobody), 0);
    CHECK_EQUAL(udp_connect_to(client, "127.0.0.1:7"), 0);
    struct endpoint local = socket_local(client);
    CHECK(ip_addr_is_loopback(&local.addr)); // chosen anew
    net_destroy(pair.net);
}

static void a_failed_connect_leaves_the_socket_as_it_was(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *server = udp_open_on(pair.b, "10.0.0.2:7");
    struct socket *client = udp_open_on(pair.a, "0.0.0.0:0");
    CHECK_EQUAL(udp_connect_to(client, "99.0.0.1:7"), -ENETUNREACH);
    CHECK_EQUAL(socket_local(client).port, 0);
    CHECK_EQUAL(udp_connect_to(client, "10.0.0.2:7"), 0);
    CHECK_EQUAL(udp_connect_to(client, "99.0.0.1:7"), -ENETUNREACH);
    CHECK_EQUAL(udp_connect_to(client, "10.0.0.2:0"), -EINVAL);
    CHECK_EQUAL(socket_send(client, "x", 1, 0), 1);
    udp_run(&pair);
    CHECK_TEXT(udp_receive(server), "x");
    net_destroy(pair.net);
}

static void connecting_without_a_free_port_is_refused(void)
{
    struct udp_pair pair;
    struct stack_settings settings = stack_settings_default;
    settings.limits_port_min = settings.limits_port_max = 40000;
    udp_pair_open_with(&pair, &settings);
    CHECK_EQUAL(udp_connect_to(udp_open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7"),
                0);
    struct socket *second = udp_open_on(pair.a, "0.0.0.0:0");
    CHECK_EQUAL(udp_connect_to(second, "10.0.0.2:7"), -EADDRINUSE);
    CHECK_EQUAL(udp_send_to(second, "10.0.0.2:7", "x"), -EADDRINUSE);
    struct endpoint local = socket_local(second);
    CHECK(local.port == 0 && local.addr.family == IP_NONE);
    net_destroy(pair.net);
}

static void a_connected_socket_keeps_what_it_was_bound_to(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *client = udp_open_on(pair.a, "10.0.0.1:1234");
    struct endpoint nobody = {0};
    CHECK_EQUAL(udp_connect_to(client, "10.0.0.2:7"), 0);
    CHECK_EQUAL(socket_connect(client, &nobody), 0);
    struct endpoint local = socket_local(client);
    udp_check_endpoint(&local, "10.0.0.1:1234");
    net_destroy(pair.net);
}

static void the_connected_socket_wins_over_the_bound_ones(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *any = udp_open_on(pair.b, "0.0.0.0:0");
    struct socket *specific = udp_open_on(pair.b, "10.0.0.2:0");
    struct socket *connected = udp_open_on(pair.b, "10.0.0.2:0");
    struct socket *const all[] = {any, specific, connected};
    struct endpoint local = net_endpoint("10.0.0.2:7");
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQUAL(socket_set_option(all[i], OPTION_REUSE_ADDRESS, 1), 0);
        if (i > 0)
            CHECK_EQUAL(socket_bind(all[i], &local), 0);
    }
    local.addr = ip_addr_any(IP_V4);
    CHECK_EQUAL(socket_bind(any, &local), 0);
    CHECK_EQUAL(udp_connect_to(connected, "10.0.0.1:100"), 0);
    struct socket *peer = udp_open_on(pair.a, "10.0.0.1:100");
    struct socket *other = udp_open_on(pair.a, "10.0.0.1:101");
    udp_send_to(peer, "10.0.0.2:7", "peer");
    udp_send_to(other, "10.0.0.2:7", "other");
    net_add_address(pair.b->eth, "10.0.0.3/24");
    udp_send_to(other, "10.0.0.3:7", "elsewhere");
    udp_run(&pair);
    CHECK_TEXT(udp_receive(connected), "peer");
    CHECK_TEXT(udp_receive(specific), "other");
    CHECK_TEXT(udp_receive(any), "elsewhere");
    net_destroy(pair.net);
}

static void shutting_down_stops_each_direction(void)
{
    struct udp_pair pair;
    udp_pair_open(&pair);
    struct socket *socket = udp_open_on(pair.a, "0.0.0.0:0");
    char text[4];
    CHECK_EQUAL(socket_shutdown(socket, SHUTDOWN_BOTH), -ENOTCONN);
    CHECK_EQUAL(udp_connect_to(socket, "10.0.0.2:7"), 0);
    CHECK_EQUAL(socket_shutdown(socket, SHUTDOWN_SEND), 0);
    CHECK_EQUAL(socket_send(socket, "x", 1, 0), -EPIPE);
    CHECK_EQUAL(socket_receive(socket, text, sizeof text, 0), -EAGAIN);
    CHECK_EQUAL(socket_shutdown(socket, SHUTDOWN_RECEIVE), 0);
    CHECK_EQUAL(socket_receive(socket, text, sizeof text, 0), 0);
    struct packet *packet = (struct packet *)text;
    CHECK_EQUAL(socket_receive_packet(socket, &packet), 0);
    CHECK(packet == NULL);
    CHECK(socket_events(socket) & EVENT_READABLE);
    net_destroy(pair.net);
}

const struct unit_test suite_udp_socket[] = {
    UNIT(datagrams_arrive_with_their_addresses),
    UNIT(datagrams_reach_their_own_host_by_loopback),
    UNIT(the_any_address_as_destination_is_this_host),
    UNIT(the_first_datagram_waits_for_the_neighbour),
    UNIT(an_unbound_sender_gets_a_port_and_keeps_it),
    UNIT(peeking_leaves_and_truncation_tells_the_length),
    UNIT(a_datagram_can_be_taken_by_reference),
    UNIT(what_exceeds_the_receive_buffer_is_dropped_and_counted),
    UNIT(the_receive_buffer_bounds_empty_datagrams_too),
    UNIT(what_is_unread_at_closing_is_a_drop),
    UNIT(unread_datagrams_outlive_their_interface),
    UNIT(sending_says_why_it_cannot),
    UNIT(broadcasting_needs_permission),
    UNIT(a_datagram_that_must_not_be_fragmented_has_to_fit),
    UNIT(sending_without_buffers_is_refused_and_leaks_nothing),
    UNIT(the_first_send_survives_every_failure_of_memory),
    UNIT(large_datagrams_are_fragmented_and_put_together),
    UNIT(checksums_can_be_left_out_over_ipv4_only),
    UNIT(malformed_datagrams_are_dropped_with_their_reason),
    UNIT(a_datagram_without_checksum_is_good_over_ipv4),
    UNIT(a_datagram_without_checksum_is_bad_over_ipv6),
    UNIT(what_follows_the_datagram_in_its_packet_is_cut_off),
    UNIT(a_connected_socket_hears_its_peer_alone),
    UNIT(connecting_again_and_dissolving_change_the_peer),
    UNIT(a_failed_connect_leaves_the_socket_as_it_was),
    UNIT(a_connected_socket_keeps_what_it_was_bound_to),
    UNIT(the_connected_socket_wins_over_the_bound_ones),
    UNIT(shutting_down_stops_each_direction),
    UNIT(connecting_without_a_free_port_is_refused),
    UNIT(fragments_leave_together_or_not_at_all),
    UNIT(a_checksum_of_zero_is_sent_as_all_ones),
    {0}};
