// UDP sockets: delivery, connection, groups, errors, budgets.
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
#include "tests/unit/net_fixture.h"
#include "tests/unit/unit.h"

// --- Two hosts on a wire, each with both families and no DAD

struct pair {
    struct stack_settings settings;
    struct net *net;
    struct net_host *a, *b;
};

static void pair_open_with(struct pair *pair,
                           const struct stack_settings *settings)
{
    pair->settings = *settings;
    pair->settings.ip_dad_transmits = 0;
    pair->net = net_create(1);
    pair->a = net_add_stack(pair->net, "a", &pair->settings);
    pair->b = net_add_stack(pair->net, "b", &pair->settings);
    net_add_iface(pair->a, 0, "eth0", 0, "10.0.0.1/24");
    net_add_iface(pair->b, 0, "eth0", 0, "10.0.0.2/24");
    net_add_address(pair->a->eth, "2001:db8::1/64");
    net_add_address(pair->b->eth, "2001:db8::2/64");
}

static void pair_open(struct pair *pair)
{
    pair_open_with(pair, &stack_settings_default);
}

static struct socket *open_on(struct net_host *host, const char *local)
{
    struct endpoint endpoint = net_endpoint(local);
    struct socket *socket = NULL;
    CHECK_EQUAL(socket_open(host->stack, SOCKET_DATAGRAM, endpoint.addr.family,
                            0, &socket),
                0);
    CHECK_FATAL(socket != NULL);
    if (endpoint.port)
        CHECK_EQUAL(socket_bind(socket, &endpoint), 0);
    return socket;
}

static int64_t send_to(struct socket *socket, const char *to, const char *text)
{
    struct endpoint endpoint = net_endpoint(to);
    return socket_send_to(socket, text, strlen(text), 0, &endpoint);
}

static int connect_to(struct socket *socket, const char *to)
{
    struct endpoint endpoint = net_endpoint(to);
    return socket_connect(socket, &endpoint);
}

static void run(struct pair *pair) { net_run(pair->net, NS_PER_S / 10); }

// The next datagram as text; "" when there is none.
static const char *receive(struct socket *socket)
{
    static char text[256];
    int64_t length = socket_receive(socket, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = 0;
    return text;
}

static void check_endpoint(const struct endpoint *endpoint,
                           const char *expected)
{
    char text[ENDPOINT_TEXT_SIZE];
    CHECK_TEXT(endpoint_format(endpoint, text), expected);
}

// --- Delivery

static void check_delivery(const char *from, const char *to, const char *local)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *sender = open_on(pair.a, from);
    struct socket *receiver = open_on(pair.b, local);
    struct endpoint source = {0}, destination = {0};
    char text[16] = "";
    CHECK_EQUAL(socket_receive(receiver, text, sizeof text, 0), -EAGAIN);
    CHECK_EQUAL(send_to(sender, to, "hello"), 5);
    CHECK_EQUAL(send_to(sender, to, ""), 0);
    run(&pair);
    CHECK(socket_events(receiver) & EVENT_READABLE);
    CHECK_EQUAL(socket_receive_from(receiver, text, sizeof text, 0, &source,
                                    &destination),
                5);
    CHECK_TEXT(text, "hello");
    check_endpoint(&source, from);
    check_endpoint(&destination, to);
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
    struct pair pair;
    pair_open(&pair);
    for (unsigned i = 0; i < ARRAY_LENGTH(addresses); i++) {
        struct socket *receiver = open_on(pair.a, addresses[i]);
        struct socket *sender =
            open_on(pair.a, addresses[i][0] == '[' ? "[::]:0" : "0.0.0.0:0");
        CHECK_EQUAL(send_to(sender, addresses[i], "self"), 4);
        CHECK_TEXT(receive(receiver), ""); // not before its time
        run(&pair);
        CHECK_TEXT(receive(receiver), "self");
    }
    CHECK_EQUAL(pair.net->frame_count, 0);
    net_destroy(pair.net);
}

static void the_any_address_as_destination_is_this_host(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *v4 = open_on(pair.a, "127.0.0.1:7");
    struct socket *v6 = open_on(pair.a, "[::1]:7");
    CHECK_EQUAL(send_to(open_on(pair.a, "0.0.0.0:0"), "0.0.0.0:7", "four"), 4);
    CHECK_EQUAL(send_to(open_on(pair.a, "[::]:0"), "[::]:7", "six"), 3);
    run(&pair);
    CHECK_TEXT(receive(v4), "four");
    CHECK_TEXT(receive(v6), "six");
    net_destroy(pair.net);
}

static void the_first_datagram_waits_for_the_neighbour(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "10.0.0.2:7");
    struct socket *sender = open_on(pair.a, "0.0.0.0:0");
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQUAL(send_to(sender, "10.0.0.2:7", "x"), 1);
    run(&pair);
    for (unsigned i = 0; i < 3; i++)
        CHECK_TEXT(receive(receiver), "x");
    net_destroy(pair.net);
}

static void an_unbound_sender_gets_a_port_and_keeps_it(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *sender = open_on(pair.a, "0.0.0.0:0");
    CHECK_EQUAL(send_to(sender, "10.0.0.2:7", "x"), 1);
    struct endpoint local = socket_local(sender);
    CHECK(local.port >= 32768 && local.port <= 60999);
    CHECK(ip_addr_is_any(&local.addr));
    CHECK_EQUAL(send_to(sender, "10.0.0.3:7", "x"), 1);
    CHECK_EQUAL(socket_local(sender).port, local.port);
    net_destroy(pair.net);
}

// --- Reading

static void peeking_leaves_and_truncation_tells_the_length(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "10.0.0.2:7");
    char text[4] = "";
    int64_t unread = 0;
    send_to(open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "abcdef");
    run(&pair);
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
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "10.0.0.2:7");
    struct packet *packet = NULL;
    CHECK_EQUAL(socket_receive_packet(receiver, &packet), -EAGAIN);
    send_to(open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "abc");
    run(&pair);
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
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "10.0.0.2:7");
    struct socket *sender = open_on(pair.a, "0.0.0.0:0");
    CHECK_EQUAL(socket_set_option(receiver, OPTION_RECEIVE_BUFFER, 256), 0);
    for (unsigned i = 0; i < 5; i++)
        send_to(sender, "10.0.0.2:7", "x");
    run(&pair);
    // One is always taken, whatever a buffer's true size is.
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_SOCKET_QUEUE_FULL), 4);
    CHECK_TEXT(receive(receiver), "x");
    CHECK_TEXT(receive(receiver), "");
    send_to(sender, "10.0.0.2:7", "y");
    run(&pair);
    CHECK_TEXT(receive(receiver), "y");
    net_destroy(pair.net);
}

static void the_receive_buffer_bounds_empty_datagrams_too(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "10.0.0.2:7");
    struct socket *sender = open_on(pair.a, "0.0.0.0:0");
    CHECK_EQUAL(socket_set_option(receiver, OPTION_RECEIVE_BUFFER, 10000), 0);
    for (unsigned i = 0; i < 100; i++) {
        send_to(sender, "10.0.0.2:7", "");
        run(&pair);
    }
    uint64_t full = stack_drops(pair.b->stack, DROP_SOCKET_QUEUE_FULL);
    CHECK(full > 50 && full < 99);
    net_destroy(pair.net);
}

static void what_is_unread_at_closing_is_a_drop(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "10.0.0.2:7");
    send_to(open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "x");
    run(&pair);
    CHECK_EQUAL(stack_held(pair.b->stack), 1);
    socket_close(receiver);
    CHECK_EQUAL(stack_held(pair.b->stack), 0);
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_SOCKET_CLOSED), 1);
    net_destroy(pair.net);
}

static void unread_datagrams_outlive_their_interface(void)
{
    struct pair pair;
    pair_open(&pair);
    struct net_host *b = pair.b;
    struct iface *second = net_add_iface(b, 1, "eth1", 0, "10.0.1.2/24");
    struct net_host *c = net_add_stack(pair.net, "c", &pair.settings);
    net_add_iface(c, 1, "eth0", 0, "10.0.1.3/24");
    struct socket *receiver = open_on(b, "0.0.0.0:7");
    send_to(open_on(c, "0.0.0.0:0"), "10.0.1.2:7", "x");
    run(&pair);
    iface_set_up(second, false);
    CHECK_TEXT(receive(receiver), "x");
    net_destroy(pair.net);
}

// --- Refusals of sending

static void sending_says_why_it_cannot(void)
{
    static char big[70000];
    struct pair pair;
    pair_open(&pair);
    struct socket *v4 = open_on(pair.a, "0.0.0.0:0");
    struct socket *v6 = open_on(pair.a, "[::]:0");
    struct endpoint to4 = net_endpoint("10.0.0.2:7");
    struct endpoint to6 = net_endpoint("[2001:db8::2]:7");
    CHECK_EQUAL(socket_send(v4, "x", 1, 0), -EDESTADDRREQ);
    CHECK_EQUAL(send_to(v4, "10.0.0.2:0", "x"), -EINVAL);
    CHECK_EQUAL(send_to(v4, "99.0.0.1:7", "x"), -ENETUNREACH);
    CHECK_EQUAL(send_to(v6, "[3001::1]:7", "x"), -ENETUNREACH);
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
    struct pair pair;
    pair_open(&pair);
    for (unsigned i = 0; i < ARRAY_LENGTH(addresses); i++) {
        struct socket *socket = open_on(pair.a, "0.0.0.0:0");
        CHECK_EQUAL(send_to(socket, addresses[i], "x"), -EACCES);
        CHECK_EQUAL(connect_to(socket, addresses[i]), -EACCES);
        CHECK_EQUAL(socket_set_option(socket, OPTION_BROADCAST, 1), 0);
        CHECK_EQUAL(send_to(socket, addresses[i], "x"), 1);
    }
    net_destroy(pair.net);
}

static void a_datagram_that_must_not_be_fragmented_has_to_fit(void)
{
    static char big[2000];
    struct pair pair;
    pair_open(&pair);
    struct socket *v4 = open_on(pair.a, "0.0.0.0:0");
    struct socket *v6 = open_on(pair.a, "[::]:0");
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
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "10.0.0.2:7");
    struct socket *sender = open_on(pair.a, "0.0.0.0:0");
    send_to(sender, "10.0.0.2:7", "warm");
    run(&pair);
    CHECK_TEXT(receive(receiver), "warm");
    packet_pool_fail_after(pair.net->pool, 1);
    CHECK_EQUAL(send_to(sender, "10.0.0.2:7", "x"), -ENOBUFS);
    CHECK_EQUAL(send_to(sender, "10.0.0.2:7", "y"), 1);
    run(&pair);
    CHECK_TEXT(receive(receiver), "y");
    net_destroy(pair.net);
}

static void fragments_leave_together_or_not_at_all(void)
{
    static const char *const targets[] = {"10.0.0.2:7", "[2001:db8::2]:7"};
    static char big[5000];
    for (unsigned i = 0; i < ARRAY_LENGTH(targets); i++)
        for (unsigned n = 1; n <= 5; n++) {
            struct pair pair;
            pair_open(&pair);
            struct socket *sender = open_on(pair.a, i ? "[::]:0" : "0.0.0.0:0");
            struct endpoint to = net_endpoint(targets[i]);
            send_to(sender, targets[i], "warm");
            run(&pair);
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
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "10.0.0.2:7");
    struct socket *sender = open_on(pair.a, "0.0.0.0:0");
    unsigned n = 0;
    do {
        malloc_fail_after(++n);
        send_to(sender, "10.0.0.2:7", "x");
    } while (malloc_has_failed());
    malloc_fail_after(0);
    CHECK(n > 1);
    run(&pair);
    CHECK_TEXT(receive(receiver), "x");
    net_destroy(pair.net);
}

// --- Large datagrams

static void check_large(const char *to, size_t length)
{
    struct pair pair;
    pair_open(&pair);
    struct endpoint endpoint = net_endpoint(to);
    struct socket *receiver = open_on(pair.b, to);
    struct socket *sender =
        open_on(pair.a, to[0] == '[' ? "[::]:0" : "0.0.0.0:0");
    uint8_t *sent = malloc(length), *received = malloc(length);
    CHECK_FATAL(sent && received);
    for (size_t i = 0; i < length; i++)
        sent[i] = (uint8_t)(i * 7 + i / 256);
    CHECK_EQUAL(socket_send_to(sender, sent, length, 0, &endpoint), length);
    run(&pair);
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
    struct pair pair;
    struct stack_settings settings = stack_settings_default;
    settings.udp_checksum = 0;
    pair_open_with(&pair, &settings);
    struct socket *v4 = open_on(pair.b, "10.0.0.2:7");
    struct socket *v6 = open_on(pair.b, "[2001:db8::2]:7");
    net_record(pair.net);
    send_to(open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "x");
    run(&pair);
    CHECK_TEXT(receive(v4), "x");
    CHECK_EQUAL(checksum_on_wire(pair.net, 20), 0);
    send_to(open_on(pair.a, "[::]:0"), "[2001:db8::2]:7", "x");
    run(&pair);
    CHECK_TEXT(receive(v6), "x");
    CHECK(checksum_on_wire(pair.net, 40) != 0);
    net_destroy(pair.net);
}

// A sum of zero is sent as its other form, since zero means "none" (RFC 768).
static void a_checksum_of_zero_is_sent_as_all_ones(void)
{
    static const char *const targets[] = {"10.0.0.2:7", "[2001:db8::2]:7"};
    for (unsigned i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct pair pair;
        uint8_t payload[2] = {0, 0};
        pair_open(&pair);
        struct endpoint to = net_endpoint(targets[i]);
        struct socket *receiver = open_on(pair.b, targets[i]);
        struct socket *sender = open_on(pair.a, i ? "[::]:0" : "0.0.0.0:0");
        net_record(pair.net);
        CHECK_EQUAL(socket_send_to(sender, payload, 2, 0, &to), 2);
        run(&pair);
        put_be16(payload, checksum_on_wire(pair.net, i ? 40 : 20));
        CHECK_EQUAL(socket_send_to(sender, payload, 2, 0, &to), 2);
        run(&pair);
        CHECK_EQUAL(checksum_on_wire(pair.net, i ? 40 : 20), 0xffff);
        CHECK_EQUAL(socket_receive(receiver, payload, 2, 0), 2);
        CHECK_EQUAL(socket_receive(receiver, payload, 2, 0), 2);
        net_destroy(pair.net);
    }
}

// A datagram from 10.0.0.1 or 2001:db8::1, port 9, to b's port 7.
struct crafted {
    uint8_t bytes[128];
    size_t length;
    size_t udp; // offset
};

static struct crafted craft_v4(struct net_host *to, const char *text)
{
    struct crafted c = {.udp = 14 + 20};
    size_t size = strlen(text);
    struct mac_addr mac = iface_mac(to->eth);
    struct ipv4_header ip = {.total_length = (uint16_t)(28 + size),
                             .ttl = 64,
                             .protocol = IP_PROTOCOL_UDP,
                             .source = net_addr("10.0.0.1"),
                             .destination = net_addr("10.0.0.2")};
    struct udp_header udp = {.source_port = 9,
                             .destination_port = 7,
                             .length = (uint16_t)(8 + size)};
    memcpy(c.bytes, mac.bytes, 6);
    put_be16(c.bytes + 12, 0x0800);
    ipv4_emit(&ip, c.bytes + 14);
    udp_emit(&udp, c.bytes + c.udp);
    memcpy(c.bytes + c.udp + 8, text, size);
    udp_fill_checksum(c.bytes + c.udp, 8 + size, &ip.source, &ip.destination);
    c.length = c.udp + 8 + size;
    return c;
}

static void malformed_datagrams_are_dropped_with_their_reason(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "10.0.0.2:7");
    struct crafted c = craft_v4(pair.b, "good");
    net_inject(pair.b, pair.b->eth, c.bytes, c.length);
    CHECK_TEXT(receive(receiver), "good");
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
    CHECK_TEXT(receive(receiver), "");
    net_destroy(pair.net);
}

static void a_datagram_without_checksum_is_good_over_ipv4(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "10.0.0.2:7");
    struct crafted c = craft_v4(pair.b, "good");
    put_be16(c.bytes + c.udp + 6, 0);
    net_inject(pair.b, pair.b->eth, c.bytes, c.length);
    CHECK_TEXT(receive(receiver), "good");
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
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "[2001:db8::2]:7");
    net_set_hook(pair.net, clear_checksum, NULL);
    send_to(open_on(pair.a, "[::]:0"), "[2001:db8::2]:7", "x");
    run(&pair);
    CHECK_TEXT(receive(receiver), "");
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_UDP_BAD_CHECKSUM), 1);
    net_destroy(pair.net);
}

static void what_follows_the_datagram_in_its_packet_is_cut_off(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *receiver = open_on(pair.b, "10.0.0.2:7");
    struct crafted c = craft_v4(pair.b, "abcdef");
    struct ip_addr source = net_addr("10.0.0.1"), to = net_addr("10.0.0.2");
    put_be16(c.bytes + c.udp + 4, 8 + 3);
    udp_fill_checksum(c.bytes + c.udp, 8 + 3, &source, &to);
    net_inject(pair.b, pair.b->eth, c.bytes, c.length);
    CHECK_TEXT(receive(receiver), "abc");
    net_destroy(pair.net);
}

// --- Connected sockets

static void a_connected_socket_hears_its_peer_alone(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *server = open_on(pair.b, "10.0.0.2:7");
    struct socket *client = open_on(pair.a, "0.0.0.0:0");
    struct socket *stranger = open_on(pair.b, "10.0.0.2:8");
    CHECK_EQUAL(connect_to(client, "10.0.0.2:7"), 0);
    struct endpoint local = socket_local(client),
                    remote = socket_remote(client);
    char text[ENDPOINT_TEXT_SIZE];
    CHECK_TEXT(ip_addr_format(&local.addr, text), "10.0.0.1");
    check_endpoint(&remote, "10.0.0.2:7");
    CHECK_EQUAL(socket_send(client, "ask", 3, 0), 3);
    run(&pair);
    CHECK_TEXT(receive(server), "ask");
    endpoint_format(&local, text);
    CHECK_EQUAL(send_to(stranger, text, "no"), 2);
    CHECK_EQUAL(send_to(server, text, "yes"), 3);
    run(&pair);
    CHECK_TEXT(receive(client), "yes");
    CHECK_TEXT(receive(client), "");
    CHECK_EQUAL(stack_drops(pair.a->stack, DROP_UDP_NO_SOCKET), 1);
    net_destroy(pair.net);
}

static void connecting_again_and_dissolving_change_the_peer(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *seven = open_on(pair.b, "10.0.0.2:7");
    struct socket *eight = open_on(pair.b, "10.0.0.2:8");
    struct socket *client = open_on(pair.a, "0.0.0.0:0");
    struct endpoint nobody = {0};
    CHECK_EQUAL(connect_to(client, "10.0.0.2:7"), 0);
    CHECK_EQUAL(socket_send(client, "7", 1, 0), 1);
    CHECK_EQUAL(connect_to(client, "10.0.0.2:8"), 0);
    CHECK_EQUAL(socket_send(client, "8", 1, 0), 1);
    run(&pair);
    CHECK_TEXT(receive(seven), "7");
    CHECK_TEXT(receive(eight), "8");
    CHECK_EQUAL(socket_connect(client, &nobody), 0);
    CHECK_EQUAL(socket_send(client, "x", 1, 0), -EDESTADDRREQ);
    CHECK_EQUAL(socket_local(client).port, 0); // it was not bound by hand
    CHECK_EQUAL(socket_connect(client, &nobody), 0);
    CHECK_EQUAL(connect_to(client, "127.0.0.1:7"), 0);
    struct endpoint local = socket_local(client);
    CHECK(ip_addr_is_loopback(&local.addr)); // chosen anew
    net_destroy(pair.net);
}

static void a_failed_connect_leaves_the_socket_as_it_was(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *server = open_on(pair.b, "10.0.0.2:7");
    struct socket *client = open_on(pair.a, "0.0.0.0:0");
    CHECK_EQUAL(connect_to(client, "99.0.0.1:7"), -ENETUNREACH);
    CHECK_EQUAL(socket_local(client).port, 0);
    CHECK_EQUAL(connect_to(client, "10.0.0.2:7"), 0);
    CHECK_EQUAL(connect_to(client, "99.0.0.1:7"), -ENETUNREACH);
    CHECK_EQUAL(connect_to(client, "10.0.0.2:0"), -EINVAL);
    CHECK_EQUAL(socket_send(client, "x", 1, 0), 1);
    run(&pair);
    CHECK_TEXT(receive(server), "x");
    net_destroy(pair.net);
}

static void connecting_without_a_free_port_is_refused(void)
{
    struct pair pair;
    struct stack_settings settings = stack_settings_default;
    settings.limits_port_min = settings.limits_port_max = 40000;
    pair_open_with(&pair, &settings);
    CHECK_EQUAL(connect_to(open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7"), 0);
    struct socket *second = open_on(pair.a, "0.0.0.0:0");
    CHECK_EQUAL(connect_to(second, "10.0.0.2:7"), -EADDRINUSE);
    CHECK_EQUAL(send_to(second, "10.0.0.2:7", "x"), -EADDRINUSE);
    struct endpoint local = socket_local(second);
    CHECK(local.port == 0 && local.addr.family == IP_NONE);
    net_destroy(pair.net);
}

static void a_connected_socket_keeps_what_it_was_bound_to(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *client = open_on(pair.a, "10.0.0.1:1234");
    struct endpoint nobody = {0};
    CHECK_EQUAL(connect_to(client, "10.0.0.2:7"), 0);
    CHECK_EQUAL(socket_connect(client, &nobody), 0);
    struct endpoint local = socket_local(client);
    check_endpoint(&local, "10.0.0.1:1234");
    net_destroy(pair.net);
}

static void the_connected_socket_wins_over_the_bound_ones(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *any = open_on(pair.b, "0.0.0.0:0");
    struct socket *specific = open_on(pair.b, "10.0.0.2:0");
    struct socket *connected = open_on(pair.b, "10.0.0.2:0");
    struct socket *const all[] = {any, specific, connected};
    struct endpoint local = net_endpoint("10.0.0.2:7");
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQUAL(socket_set_option(all[i], OPTION_REUSE_ADDRESS, 1), 0);
        if (i > 0)
            CHECK_EQUAL(socket_bind(all[i], &local), 0);
    }
    local.addr = ip_addr_any(IP_V4);
    CHECK_EQUAL(socket_bind(any, &local), 0);
    CHECK_EQUAL(connect_to(connected, "10.0.0.1:100"), 0);
    struct socket *peer = open_on(pair.a, "10.0.0.1:100");
    struct socket *other = open_on(pair.a, "10.0.0.1:101");
    send_to(peer, "10.0.0.2:7", "peer");
    send_to(other, "10.0.0.2:7", "other");
    net_add_address(pair.b->eth, "10.0.0.3/24");
    send_to(other, "10.0.0.3:7", "elsewhere");
    run(&pair);
    CHECK_TEXT(receive(connected), "peer");
    CHECK_TEXT(receive(specific), "other");
    CHECK_TEXT(receive(any), "elsewhere");
    net_destroy(pair.net);
}

static void shutting_down_stops_each_direction(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *socket = open_on(pair.a, "0.0.0.0:0");
    char text[4];
    CHECK_EQUAL(socket_shutdown(socket, SHUTDOWN_BOTH), -ENOTCONN);
    CHECK_EQUAL(connect_to(socket, "10.0.0.2:7"), 0);
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
    struct pair pair;
    pair_open(&pair);
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
    struct pair pair;
    pair_open(&pair);
    struct socket *sockets[3];
    struct endpoint local = net_endpoint("10.0.0.2:7");
    for (unsigned i = 0; i < 3; i++) {
        sockets[i] = open_on(pair.b, "10.0.0.2:0");
        socket_set_option(sockets[i], OPTION_REUSE_ADDRESS, 1);
        CHECK_EQUAL(socket_bind(sockets[i], &local), 0);
    }
    // Growing the table must not turn the order round.
    for (unsigned port = 1000; port < 1100; port++) {
        char text[32];
        snprintf(text, sizeof text, "10.0.0.2:%u", port);
        open_on(pair.b, text);
    }
    struct socket *sender = open_on(pair.a, "0.0.0.0:0");
    send_to(sender, "10.0.0.2:7", "x");
    run(&pair);
    CHECK_TEXT(receive(sockets[2]), "x");
    socket_close(sockets[2]);
    send_to(sender, "10.0.0.2:7", "y");
    run(&pair);
    CHECK_TEXT(receive(sockets[1]), "y");
    CHECK_TEXT(receive(sockets[0]), "");
    net_destroy(pair.net);
}

static void a_socket_of_an_interface_hears_that_interface(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *loopback = open_on(pair.b, "0.0.0.0:0");
    struct socket *ethernet = open_on(pair.b, "0.0.0.0:0");
    struct endpoint local = net_endpoint("0.0.0.0:7");
    socket_set_option(loopback, OPTION_BIND_IFACE, 1);
    socket_set_option(ethernet, OPTION_BIND_IFACE, iface_index(pair.b->eth));
    CHECK_EQUAL(socket_bind(loopback, &local), 0);
    CHECK_EQUAL(socket_bind(ethernet, &local), 0);
    send_to(open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "wire");
    send_to(open_on(pair.b, "0.0.0.0:0"), "127.0.0.1:7", "self");
    run(&pair);
    CHECK_TEXT(receive(ethernet), "wire");
    CHECK_TEXT(receive(loopback), "self");
    CHECK_TEXT(receive(ethernet), "");
    socket_close(ethernet);
    send_to(open_on(pair.a, "0.0.0.0:0"), "10.0.0.2:7", "wire");
    run(&pair);
    CHECK_TEXT(receive(loopback), "");
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
    struct pair pair;
    struct socket *sockets[4];
    pair_open(&pair);
    for (unsigned i = 0; i < count; i++) {
        struct endpoint local = net_endpoint(locals[i]);
        CHECK_EQUAL(socket_open(pair.b->stack, SOCKET_DATAGRAM,
                                local.addr.family, 0, &sockets[i]),
                    0);
        socket_set_option(sockets[i], OPTION_REUSE_ADDRESS, 1);
        CHECK_EQUAL(socket_bind(sockets[i], &local), 0);
    }
    struct socket *other = open_on(pair.b, deaf);
    struct socket *sender = open_on(pair.a, from);
    struct endpoint endpoint = net_endpoint(to);
    socket_set_option(sender, OPTION_BROADCAST, 1);
    endpoint.scope = (uint16_t)iface_index(pair.a->eth);
    CHECK_EQUAL(socket_send_to(sender, "all", 3, 0, &endpoint), 3);
    run(&pair);
    for (unsigned i = 0; i < count; i++) {
        CHECK_TEXT(receive(sockets[i]), "all");
        CHECK_TEXT(receive(sockets[i]), "");
    }
    CHECK_TEXT(receive(other), "");
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
    struct pair pair;
    pair_open(&pair);
    struct socket *sender = open_on(pair.a, "0.0.0.0:0");
    socket_set_option(sender, OPTION_BROADCAST, 1);
    send_to(sender, "10.0.0.255:7", "x");
    send_to(sender, "224.0.0.1:7", "x");
    run(&pair);
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_UDP_NO_SOCKET), 2);
    CHECK_EQUAL(stack_counter(pair.b->stack, COUNT_ICMP_OUT), 0);
    net_destroy(pair.net);
}

static void copies_for_which_no_buffer_is_left_are_skipped(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *sockets[3];
    struct endpoint local = net_endpoint("0.0.0.0:7");
    for (unsigned i = 0; i < 3; i++) {
        sockets[i] = open_on(pair.b, "0.0.0.0:0");
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
    CHECK_TEXT(receive(sockets[2]), ""); // the copy that failed was its
    CHECK_TEXT(receive(sockets[1]), "x");
    CHECK_TEXT(receive(sockets[0]), "x");
    net_destroy(pair.net);
}

static void groups_are_not_left_without_being_asked(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *sender = open_on(pair.a, "0.0.0.0:0");
    net_record(pair.net);
    send_to(sender, "224.0.0.1:7", "x");
    socket_set_option(sender, OPTION_TTL, 5);
    send_to(sender, "224.0.0.1:7", "x");
    run(&pair);
    CHECK_FATAL(pair.net->record_count == 2);
    CHECK_EQUAL(pair.net->records[0].bytes[14 + 8], 1); // RFC 1112 6.1
    CHECK_EQUAL(pair.net->records[1].bytes[14 + 8], 5);
    net_destroy(pair.net);
}

static void a_copy_is_only_for_those_whom_the_group_concerns(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *connected = open_on(pair.b, "0.0.0.0:0");
    struct socket *v6 = open_on(pair.b, "[::]:7");
    struct endpoint local = net_endpoint("0.0.0.0:7");
    struct socket *all = open_on(pair.b, "0.0.0.0:0");
    socket_set_option(connected, OPTION_REUSE_ADDRESS, 1);
    socket_set_option(all, OPTION_REUSE_ADDRESS, 1);
    CHECK_EQUAL(socket_bind(connected, &local), 0);
    CHECK_EQUAL(socket_bind(all, &local), 0);
    local = net_endpoint("224.0.0.1:7");
    struct socket *sender = open_on(pair.a, "10.0.0.1:99");
    socket_set_option(connected, OPTION_BROADCAST, 1);
    CHECK_EQUAL(connect_to(connected, "10.0.0.1:98"), 0); // another port
    send_to(sender, "224.0.0.1:7", "x");
    run(&pair);
    CHECK_TEXT(receive(all), "x");
    CHECK_TEXT(receive(connected), "");
    CHECK_TEXT(receive(v6), "");
    net_destroy(pair.net);
}

static void our_own_groups_and_broadcasts_come_back_to_us(void)
{
    static const char *const addresses[] = {"10.0.0.255:7", "224.0.0.1:7"};
    for (unsigned i = 0; i < ARRAY_LENGTH(addresses); i++) {
        struct pair pair;
        pair_open(&pair);
        struct socket *own = open_on(pair.a, "0.0.0.0:7");
        struct socket *sender = open_on(pair.a, "0.0.0.0:0");
        socket_set_option(sender, OPTION_BROADCAST, 1);
        send_to(sender, addresses[i], "x");
        run(&pair);
        CHECK_TEXT(receive(own), "x");
        CHECK_TEXT(receive(own), "");
        net_destroy(pair.net);
    }
}

// --- Link-local addresses

static void link_local_peers_are_known_by_their_interface(void)
{
    struct pair pair;
    pair_open(&pair);
    struct iface_address own = {0};
    for (size_t n = 0; iface_get_address(pair.b->eth, n, &own); n++)
        if (ip_addr_is_link_local(&own.prefix.addr))
            break;
    CHECK_FATAL(own.prefix.addr.family == IP_V6);
    struct socket *receiver = open_on(pair.b, "[::]:7");
    struct socket *sender = open_on(pair.a, "[::]:0");
    struct endpoint to = {.addr = own.prefix.addr,
                          .port = 7,
                          .scope = (uint16_t)iface_index(pair.a->eth)};
    struct endpoint from = {0};
    char text[4] = "";
    CHECK_EQUAL(socket_send_to(sender, "x", 1, 0, &to), 1);
    run(&pair);
    CHECK_EQUAL(socket_receive_from(receiver, text, 4, 0, &from, NULL), 1);
    CHECK(ip_addr_is_link_local(&from.addr));
    CHECK_EQUAL(from.scope, iface_index(pair.b->eth));
    CHECK_EQUAL(socket_send_to(receiver, "y", 1, 0, &from), 1);
    run(&pair);
    CHECK_TEXT(receive(sender), "y");
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
    struct pair pair;
    pair_open(&pair);
    struct socket *client =
        open_on(pair.a, to[0] == '[' ? "[::]:0" : "0.0.0.0:0");
    struct endpoint endpoint = net_endpoint(to);
    struct socket_icmp_error icmp = {0};
    char text[4];
    CHECK_EQUAL(connect_to(client, to), 0);
    CHECK_EQUAL(socket_send(client, "x", 1, 0), 1);
    run(&pair);
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
    run(&pair);
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
    struct pair pair;
    pair_open(&pair);
    struct socket *socket = open_on(pair.a, "0.0.0.0:0");
    struct socket_icmp_error icmp = {0};
    char text[4];
    send_to(socket, "10.0.0.2:7", "x");
    run(&pair);
    CHECK_EQUAL(socket_receive(socket, text, 4, 0), -EAGAIN);
    CHECK(socket_take_icmp_error(socket, &icmp)); // recorded all the same
    CHECK_EQUAL(socket_set_option(socket, OPTION_ERROR_QUEUE, 1), 0);
    send_to(socket, "10.0.0.2:7", "x");
    run(&pair);
    struct packet *packet = NULL;
    CHECK_EQUAL(socket_receive_packet(socket, &packet), -ECONNREFUSED);
    CHECK_EQUAL(socket_receive_packet(socket, &packet), -EAGAIN);
    net_destroy(pair.net);
}

static void soft_errors_are_for_those_who_ask_for_them(void)
{
    struct pair pair;
    pair_open(&pair);
    struct net_host *a = pair.a;
    struct socket *socket = open_on(a, "0.0.0.0:0");
    CHECK_EQUAL(connect_to(socket, "10.0.0.2:7"), 0);
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
    struct pair pair;
    pair_open(&pair);
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
    send_to(open_on(pair.a, "0.0.0.0:0"), to, "x");
    run(&pair);
    CHECK_TEXT(receive(last), "x");
    while (socket_next(pair.b->stack, NULL))
        socket_close(socket_next(pair.b->stack, NULL));
    CHECK_EQUAL(pair.b->stack->sockets->keys.count, 0);
    CHECK_EQUAL(pair.b->stack->sockets->ports.count, 0);
    net_destroy(pair.net);
}

static void a_table_that_cannot_grow_goes_on(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *sockets[20];
    char text[32];
    for (unsigned i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "10.0.0.2:%u", 100 + i);
        sockets[i] = open_on(pair.b, "10.0.0.2:0");
        struct endpoint local = net_endpoint(text);
        malloc_fail_after(i == 0 ? 0 : 1); // every growth fails
        CHECK_EQUAL(socket_bind(sockets[i], &local), 0);
        malloc_fail_after(0);
    }
    struct socket *sender = open_on(pair.a, "0.0.0.0:0");
    for (unsigned i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "10.0.0.2:%u", 100 + i);
        send_to(sender, text, "x");
    }
    run(&pair);
    for (unsigned i = 0; i < 20; i++)
        CHECK_TEXT(receive(sockets[i]), "x");
    net_destroy(pair.net);
}

static void the_first_bind_survives_every_failure_of_memory(void)
{
    struct pair pair;
    pair_open(&pair);
    struct socket *socket = open_on(pair.b, "10.0.0.2:0");
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
    UNIT(connecting_without_a_free_port_is_refused),
    UNIT(fragments_leave_together_or_not_at_all),
    UNIT(a_checksum_of_zero_is_sent_as_all_ones),
    {0}};
