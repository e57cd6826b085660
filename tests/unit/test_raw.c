// Raw sockets: copies in, packets made by hand out.
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/ipv4.h"
#include "tests/unit/ipv6_fixture.h"
#include "tests/unit/unit.h"

// --- Two hosts, both families

struct pair {
    struct stack_settings settings;
    struct net *net;
    struct net_host *a, *b;
};

static void pair_open(struct pair *pair)
{
    pair->settings = stack_settings_default;
    pair->settings.ip_dad_transmits = 0;
    pair->net = net_create(1);
    pair->a = net_add_stack(pair->net, "a", &pair->settings);
    pair->b = net_add_stack(pair->net, "b", &pair->settings);
    net_add_iface(pair->a, 0, "eth0", 0, "10.0.0.1/24");
    net_add_iface(pair->b, 0, "eth0", 0, "10.0.0.2/24");
    net_add_address(pair->a->eth, "2001:db8::1/64");
    net_add_address(pair->b->eth, "2001:db8::2/64");
}

static struct socket *open_raw(struct net_host *host, uint8_t family,
                               uint8_t protocol)
{
    struct socket *socket = NULL;
    CHECK_EQUAL(socket_open(host->stack, SOCKET_RAW, family, protocol, &socket),
                0);
    CHECK_FATAL(socket != NULL);
    return socket;
}

static struct endpoint at(const char *address)
{
    return (struct endpoint){.addr = net_addr(address)};
}

static int64_t send_to(struct socket *socket, const char *to, const void *bytes,
                       size_t length)
{
    struct endpoint endpoint = at(to);
    return socket_send_to(socket, bytes, length, 0, &endpoint);
}

static void run(struct pair *pair) { net_run(pair->net, NS_PER_S / 10); }

static size_t make_echo(uint8_t *bytes, uint8_t type, size_t size)
{
    struct icmp_header header = {.type = type, .rest = 0x00010002};
    memset(bytes, 0x61, ICMP_HEADER_SIZE + size);
    icmp_emit(&header, bytes);
    icmp_fill_checksum(bytes, ICMP_HEADER_SIZE + size, NULL, NULL);
    return ICMP_HEADER_SIZE + size;
}

// --- Ping

static void ping_over_ipv4_shows_the_ip_header(void)
{
    struct pair pair;
    uint8_t echo[64], got[128];
    struct endpoint from, to;
    pair_open(&pair);
    struct socket *raw = open_raw(pair.a, IP_V4, IP_PROTOCOL_ICMP);
    size_t length = make_echo(echo, ICMP4_ECHO, 20);
    CHECK_EQUAL(send_to(raw, "10.0.0.2", echo, length), length);
    run(&pair);
    CHECK_EQUAL(socket_receive_from(raw, got, sizeof got, 0, &from, &to),
                20 + length);
    struct ipv4_header header;
    CHECK_EQUAL(ipv4_parse(got, 20 + length, &header), 20);
    CHECK(ip_addr_equal(&header.source, &from.addr));
    CHECK(ip_addr_equal(&header.destination, &to.addr));
    CHECK_EQUAL(from.port, 0);
    CHECK_EQUAL(got[20], ICMP4_ECHO_REPLY);
    CHECK_BYTES(got + 24, echo + 4, length - 4);
    net_destroy(pair.net);
}

static void ping_over_ipv6_gets_its_checksum_from_the_stack(void)
{
    struct pair pair;
    uint8_t echo[64], got[128];
    pair_open(&pair);
    struct socket *raw = open_raw(pair.a, IP_V6, IP_PROTOCOL_ICMPV6);
    size_t length = make_echo(echo, ICMP6_ECHO, 20);
    CHECK_EQUAL(send_to(raw, "2001:db8::2", echo, length), length);
    run(&pair);
    int64_t size;
    bool has_reply = false;
    while ((size = socket_receive(raw, got, sizeof got, 0)) > 0)
        if (got[0] == ICMP6_ECHO_REPLY) { // neighbour discovery comes too
            has_reply = true;
            CHECK_EQUAL(size, length);
            CHECK_BYTES(got + 4, echo + 4, length - 4);
        }
    CHECK(has_reply);
    CHECK_EQUAL(send_to(raw, "2001:db8::2", echo, 3), -EINVAL);
    net_destroy(pair.net);
}

static void a_large_ping_is_fragmented_and_answered(void)
{
    struct pair pair;
    static uint8_t echo[4000], got[4100];
    pair_open(&pair);
    struct socket *raw = open_raw(pair.a, IP_V4, IP_PROTOCOL_ICMP);
    size_t length = make_echo(echo, ICMP4_ECHO, 3000);
    CHECK_EQUAL(send_to(raw, "10.0.0.2", echo, length), length);
    run(&pair);
    CHECK_EQUAL(socket_receive(raw, got, sizeof got, 0), 20 + length);
    struct ipv4_header header;
    CHECK_EQUAL(ipv4_parse(got, 20 + length, &header), 20);
    CHECK(!header.more_fragments && header.fragment_offset == 0);
    CHECK_BYTES(got + 24, echo + 4, length - 4);
    net_destroy(pair.net);
}

static void ping_to_ourselves_sees_both_messages(void)
{
    struct pair pair;
    uint8_t echo[64], got[128];
    pair_open(&pair);
    struct socket *raw = open_raw(pair.a, IP_V4, IP_PROTOCOL_ICMP);
    size_t length = make_echo(echo, ICMP4_ECHO, 8);
    CHECK_EQUAL(send_to(raw, "127.0.0.1", echo, length), length);
    run(&pair);
    CHECK_EQUAL(socket_receive(raw, got, sizeof got, 0), 20 + length);
    CHECK_EQUAL(got[20], ICMP4_ECHO);
    CHECK_EQUAL(socket_receive(raw, got, sizeof got, 0), 20 + length);
    CHECK_EQUAL(got[20], ICMP4_ECHO_REPLY);
    net_destroy(pair.net);
}

// --- Who gets copies

static void every_matching_socket_gets_a_copy(void)
{
    struct pair pair;
    uint8_t echo[64], got[128];
    pair_open(&pair);
    struct socket *all = open_raw(pair.b, IP_V4, IP_PROTOCOL_ICMP);
    struct socket *bound = open_raw(pair.b, IP_V4, IP_PROTOCOL_ICMP);
    struct socket *elsewhere = open_raw(pair.b, IP_V4, IP_PROTOCOL_ICMP);
    struct socket *connected = open_raw(pair.b, IP_V4, IP_PROTOCOL_ICMP);
    struct socket *stranger = open_raw(pair.b, IP_V4, IP_PROTOCOL_ICMP);
    struct socket *loopback = open_raw(pair.b, IP_V4, IP_PROTOCOL_ICMP);
    struct socket *udp = open_raw(pair.b, IP_V4, IP_PROTOCOL_UDP);
    struct socket *none = open_raw(pair.b, IP_V4, 255);
    struct socket *v6 = open_raw(pair.b, IP_V6, IP_PROTOCOL_ICMP);
    struct endpoint own = at("10.0.0.2"), local = at("127.0.0.1"),
                    peer = at("10.0.0.1"), other = at("10.0.0.9");
    CHECK_EQUAL(socket_bind(bound, &own), 0);
    CHECK_EQUAL(socket_bind(elsewhere, &local), 0);
    CHECK_EQUAL(socket_connect(connected, &peer), 0);
    CHECK_EQUAL(socket_connect(stranger, &other), 0);
    CHECK_EQUAL(socket_set_option(loopback, OPTION_BIND_IFACE, 1), 0);
    struct socket *sender = open_raw(pair.a, IP_V4, IP_PROTOCOL_ICMP);
    send_to(sender, "10.0.0.2", echo, make_echo(echo, ICMP4_ECHO, 8));
    run(&pair);
    struct {
        struct socket *socket;
        bool is_copied;
    } rows[] = {{all, true},       {bound, true},     {elsewhere, false},
                {connected, true}, {stranger, false}, {loopback, false},
                {udp, false},      {none, false},     {v6, false}};
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++)
        CHECK((socket_receive(rows[i].socket, got, sizeof got, 0) > 0) ==
              rows[i].is_copied);
    CHECK_EQUAL(stack_counter(pair.b->stack, COUNT_ICMP_ECHO_IN), 1);
    net_destroy(pair.net);
}

static void a_protocol_that_only_a_raw_socket_knows_is_known(void)
{
    struct pair pair;
    struct socket_icmp_error seen;
    uint8_t got[64];
    pair_open(&pair);
    struct socket *sender = open_raw(pair.a, IP_V4, 200);
    CHECK_EQUAL(send_to(sender, "10.0.0.2", "hello", 5), 5);
    run(&pair);
    CHECK(socket_take_icmp_error(sender, &seen));
    CHECK_EQUAL(seen.type, ICMP4_UNREACHABLE);
    CHECK_EQUAL(seen.code, ICMP4_PROTOCOL_UNREACHABLE);
    struct socket *receiver = open_raw(pair.b, IP_V4, 200);
    CHECK_EQUAL(send_to(sender, "10.0.0.2", "hello", 5), 5);
    run(&pair);
    CHECK_EQUAL(socket_receive(receiver, got, sizeof got, 0), 25);
    CHECK_BYTES(got + 20, "hello", 5);
    CHECK(!socket_take_icmp_error(sender, &seen));
    net_destroy(pair.net);
}

static void copies_leave_the_packet_itself_alone(void)
{
    struct pair pair;
    char text[8] = "";
    uint8_t got[64];
    pair_open(&pair);
    struct socket *raw = open_raw(pair.b, IP_V4, IP_PROTOCOL_UDP);
    struct socket *udp = NULL, *sender = NULL;
    struct endpoint local = net_endpoint("10.0.0.2:7");
    socket_open(pair.b->stack, SOCKET_DATAGRAM, IP_V4, 0, &udp);
    socket_open(pair.a->stack, SOCKET_DATAGRAM, IP_V4, 0, &sender);
    CHECK_EQUAL(socket_bind(udp, &local), 0);
    CHECK_EQUAL(socket_send_to(sender, "abc", 3, 0, &local), 3);
    run(&pair);
    CHECK_EQUAL(socket_receive(raw, got, sizeof got, 0), 31);
    CHECK_BYTES(got + 28, "abc", 3);
    CHECK_EQUAL(socket_receive(udp, text, sizeof text, 0), 3);
    CHECK_TEXT(text, "abc");
    net_destroy(pair.net);
}

static void a_full_or_failing_copy_is_only_a_copy(void)
{
    struct pair pair;
    uint8_t echo[64];
    pair_open(&pair);
    struct socket *raw = open_raw(pair.b, IP_V4, IP_PROTOCOL_ICMP);
    struct socket *sender = open_raw(pair.a, IP_V4, IP_PROTOCOL_ICMP);
    CHECK_EQUAL(socket_set_option(raw, OPTION_RECEIVE_BUFFER, 256), 0);
    size_t length = make_echo(echo, ICMP4_ECHO, 8);
    for (unsigned i = 0; i < 3; i++)
        send_to(sender, "10.0.0.2", echo, length);
    run(&pair);
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_SOCKET_QUEUE_FULL), 2);
    CHECK_EQUAL(stack_counter(pair.b->stack, COUNT_ICMP_ECHO_IN), 3);
    socket_close(raw);
    CHECK_EQUAL(stack_drops(pair.b->stack, DROP_SOCKET_CLOSED), 1);
    net_destroy(pair.net);
}

static void a_copy_without_a_buffer_is_left_out(void)
{
    struct pair pair;
    uint8_t echo[128];
    pair_open(&pair);
    struct socket *raw = open_raw(pair.b, IP_V4, IP_PROTOCOL_ICMP);
    struct ipv4_header ip = {.total_length = 36,
                             .ttl = 64,
                             .protocol = IP_PROTOCOL_ICMP,
                             .source = net_addr("10.0.0.1"),
                             .destination = net_addr("10.0.0.2")};
    uint8_t frame[14 + 36] = {2, 0, 0, 0, 0, 2, [12] = 8};
    ipv4_emit(&ip, frame + 14);
    make_echo(frame + 34, ICMP4_ECHO, 8);
    struct packet *packet = net_packet(pair.net, frame, sizeof frame);
    packet_pool_fail_after(pair.net->pool, 1);
    iface_input(pair.b->eth, packet);
    CHECK_EQUAL(socket_receive(raw, echo, sizeof echo, 0), -EAGAIN);
    CHECK_EQUAL(stack_counter(pair.b->stack, COUNT_ICMP_ECHO_IN), 1);
    net_destroy(pair.net);
}

// --- Sending

static void refusals_say_why(void)
{
    static uint8_t big[70000];
    struct pair pair;
    pair_open(&pair);
    struct socket *raw = open_raw(pair.a, IP_V4, 200);
    struct endpoint to = at("10.0.0.2"), nobody = {0};
    CHECK_EQUAL(socket_send(raw, "x", 1, 0), -EDESTADDRREQ);
    CHECK_EQUAL(socket_send_to(raw, "x", 1, MESSAGE_MORE, &to), -EOPNOTSUPP);
    CHECK_EQUAL(send_to(raw, "99.0.0.1", "x", 1), -ENETUNREACH);
    CHECK_EQUAL(send_to(raw, "10.0.0.255", "x", 1), -EACCES);
    CHECK_EQUAL(send_to(raw, "10.0.0.2", big, 65516), -EMSGSIZE);
    CHECK_EQUAL(send_to(raw, "10.0.0.2", big, 65515), 65515);
    CHECK_EQUAL(socket_set_option(raw, OPTION_DONT_FRAGMENT, 1), 0);
    CHECK_EQUAL(send_to(raw, "10.0.0.2", big, 1481), -EMSGSIZE);
    CHECK_EQUAL(send_to(raw, "10.0.0.2", big, 1480), 1480);
    CHECK_EQUAL(socket_connect(raw, &to), 0);
    CHECK_EQUAL(socket_send(raw, "x", 1, 0), 1);
    CHECK_EQUAL(socket_shutdown(raw, SHUTDOWN_SEND), 0);
    CHECK_EQUAL(socket_send(raw, "x", 1, 0), -EPIPE);
    CHECK_EQUAL(socket_connect(raw, &nobody), 0);
    CHECK_EQUAL(socket_send(raw, "x", 1, 0), -EDESTADDRREQ);
    to = at("99.0.0.1");
    CHECK_EQUAL(socket_connect(raw, &to), -ENETUNREACH);
    run(&pair);
    packet_pool_fail_after(pair.net->pool, 1);
    CHECK_EQUAL(send_to(raw, "10.0.0.2", "x", 1), -ENOBUFS);
    net_destroy(pair.net);
}

static void the_header_can_be_made_by_hand(void)
{
    struct pair pair;
    uint8_t bytes[64], got[64];
    pair_open(&pair);
    struct socket *raw = open_raw(pair.a, IP_V4, 255);
    struct socket *receiver = open_raw(pair.b, IP_V4, 200);
    int64_t value = 0;
    CHECK_EQUAL(socket_get_option(raw, OPTION_HEADER_INCLUDED, &value), 0);
    CHECK_EQUAL(value, 1); // always with protocol 255
    CHECK_EQUAL(socket_get_option(raw, OPTION_UNREAD, &value), 0);
    struct ipv4_header header = {.tos = 0x20,
                                 .total_length = 9999, // filled in
                                 .id = 0x1234,
                                 .ttl = 17,
                                 .protocol = 200,
                                 .source = ip_addr_any(IP_V4),
                                 .destination = net_addr("10.0.0.2")};
    size_t size = ipv4_emit(&header, bytes);
    memcpy(bytes + size, "hello", 5);
    CHECK_EQUAL(send_to(raw, "10.0.0.2", bytes, size + 5), size + 5);
    header.source = net_addr("10.0.0.77"); // and not replaced when given
    header.id = 0;
    ipv4_emit(&header, bytes);
    CHECK_EQUAL(send_to(raw, "10.0.0.2", bytes, size + 5), size + 5);
    run(&pair);
    CHECK_EQUAL(socket_receive(receiver, got, sizeof got, 0), 25);
    CHECK_EQUAL(ipv4_parse(got, 25, &header), 20);
    CHECK_EQUAL(header.tos, 0x20);
    CHECK_EQUAL(header.ttl, 17);
    CHECK_EQUAL(header.id, 0x1234);
    CHECK_EQUAL(header.total_length, 25);
    struct ip_addr own = net_addr("10.0.0.1"), forged = net_addr("10.0.0.77");
    CHECK(ip_addr_equal(&header.source, &own));
    CHECK_BYTES(got + 20, "hello", 5);
    CHECK_EQUAL(socket_receive(receiver, got, sizeof got, 0), 25);
    CHECK_EQUAL(ipv4_parse(got, 25, &header), 20);
    CHECK(ip_addr_equal(&header.source, &forged));
    CHECK(header.id != 0);
    net_destroy(pair.net);
}

static void the_ipv6_header_can_be_made_by_hand_too(void)
{
    struct pair pair;
    uint8_t bytes[64], got[64];
    pair_open(&pair);
    struct socket *raw = open_raw(pair.a, IP_V6, 200);
    struct socket *receiver = open_raw(pair.b, IP_V6, 200);
    CHECK_EQUAL(socket_set_option(raw, OPTION_HEADER_INCLUDED, 1), 0);
    CHECK_EQUAL(socket_set_option(raw, OPTION_HEADER_INCLUDED, 2), -EINVAL);
    struct ipv6_header header = {.next_header = 200,
                                 .hop_limit = 9,
                                 .source = ip_addr_any(IP_V6),
                                 .destination = net_addr("2001:db8::2")};
    size_t size = ipv6_emit(&header, bytes);
    memcpy(bytes + size, "hello", 5);
    CHECK_EQUAL(send_to(raw, "2001:db8::2", bytes, size + 5), size + 5);
    run(&pair);
    struct endpoint from = {0}, own = at("2001:db8::1");
    CHECK_EQUAL(socket_receive_from(receiver, got, sizeof got, 0, &from, NULL),
                5);
    CHECK(ip_addr_equal(&from.addr, &own.addr));
    CHECK_BYTES(got, "hello", 5);
    net_destroy(pair.net);
}

static void impossible_headers_made_by_hand_are_refused(void)
{
    static uint8_t bytes[2000];
    struct pair pair;
    pair_open(&pair);
    struct socket *v4 = open_raw(pair.a, IP_V4, 255);
    struct socket *v6 = open_raw(pair.a, IP_V6, 255);
    bytes[0] = 0x45;
    CHECK_EQUAL(send_to(v4, "10.0.0.2", bytes, 19), -EINVAL); // too short
    CHECK_EQUAL(send_to(v4, "10.0.0.2", bytes, 1501), -EMSGSIZE);
    bytes[0] = 0x44; // header of 16 bytes
    CHECK_EQUAL(send_to(v4, "10.0.0.2", bytes, 40), -EINVAL);
    bytes[0] = 0x4f; // header longer than the packet
    CHECK_EQUAL(send_to(v4, "10.0.0.2", bytes, 40), -EINVAL);
    bytes[0] = 0x65; // version
    CHECK_EQUAL(send_to(v4, "10.0.0.2", bytes, 40), -EINVAL);
    CHECK_EQUAL(send_to(v6, "2001:db8::2", bytes, 39), -EINVAL);
    CHECK_EQUAL(send_to(v6, "2001:db8::2", bytes, 1501), -EMSGSIZE);
    CHECK_EQUAL(stack_held(pair.a->stack), 0);
    net_destroy(pair.net);
}

// --- Errors

static void errors_come_to_those_who_have_sent(void)
{
    struct pair pair;
    struct socket_icmp_error seen;
    pair_open(&pair);
    struct socket *raw = open_raw(pair.a, IP_V4, 200);
    struct socket *connected = open_raw(pair.a, IP_V4, 200);
    struct socket *elsewhere = open_raw(pair.a, IP_V4, 200);
    struct socket *bound = open_raw(pair.a, IP_V4, 200);
    struct socket *other = open_raw(pair.a, IP_V4, 201);
    struct endpoint to = at("10.0.0.2"), local = at("127.0.0.1"),
                    stranger = at("10.0.0.9");
    CHECK_EQUAL(socket_connect(connected, &to), 0);
    CHECK_EQUAL(socket_connect(elsewhere, &stranger), 0);
    CHECK_EQUAL(socket_bind(bound, &local), 0);
    CHECK_EQUAL(socket_send(connected, "x", 1, 0), 1);
    run(&pair);
    CHECK(socket_take_icmp_error(raw, &seen)); // whose it was cannot be told
    CHECK_EQUAL(seen.to.port, 0);
    CHECK_EQUAL(socket_take_error(raw), 0);
    CHECK(socket_take_icmp_error(connected, &seen));
    CHECK_EQUAL(socket_take_error(connected), -ENOPROTOOPT);
    CHECK(!socket_take_icmp_error(elsewhere, &seen));
    CHECK(!socket_take_icmp_error(bound, &seen));
    CHECK(!socket_take_icmp_error(other, &seen));
    CHECK_EQUAL(socket_send(connected, "x", 1, 0), 1);
    run(&pair);
    CHECK_EQUAL(socket_send(connected, "x", 1, 0), -ENOPROTOOPT);
    net_destroy(pair.net);
}

static void traceroute_learns_every_router(void)
{
    struct stack_settings host = stack_settings_default, router = host;
    host.ip_dad_transmits = router.ip_dad_transmits = 0;
    router.ip_forward = 1;
    struct net *net = net_create(1);
    struct net_host *a = net_add_stack(net, "a", &host);
    struct net_host *r = net_add_stack(net, "r", &router);
    struct net_host *b = net_add_stack(net, "b", &host);
    net_add_iface(a, 0, "eth0", 0, "10.0.0.1/24");
    net_add_iface(r, 0, "eth0", 0, "10.0.0.254/24");
    net_add_iface(r, 1, "eth1", 0, "10.0.1.254/24");
    net_add_iface(b, 1, "eth0", 0, "10.0.1.2/24");
    net_add_route(a, "0.0.0.0/0", "10.0.0.254");
    net_add_route(b, "0.0.0.0/0", "10.0.1.254");
    struct socket *raw = open_raw(a, IP_V4, IP_PROTOCOL_ICMP);
    uint8_t echo[64], got[128];
    struct socket_icmp_error seen;
    struct ip_addr expected = net_addr("10.0.0.254");
    size_t length = make_echo(echo, ICMP4_ECHO, 8);
    CHECK_EQUAL(socket_set_option(raw, OPTION_ERROR_QUEUE, 1), 0);
    CHECK_EQUAL(socket_set_option(raw, OPTION_TTL, 1), 0);
    send_to(raw, "10.0.1.2", echo, length);
    net_run(net, NS_PER_S);
    CHECK_EQUAL(socket_receive(raw, got, sizeof got, 0), -EHOSTUNREACH);
    CHECK_FATAL(socket_take_icmp_error(raw, &seen));
    CHECK_EQUAL(seen.type, ICMP4_TIME_EXCEEDED);
    CHECK(ip_addr_equal(&seen.from, &expected));
    while (socket_receive(raw, got, sizeof got, 0) > 0)
        continue; // the error itself is ICMP too
    CHECK_EQUAL(socket_set_option(raw, OPTION_TTL, 2), 0);
    send_to(raw, "10.0.1.2", echo, length);
    net_run(net, NS_PER_S);
    CHECK_EQUAL(socket_receive(raw, got, sizeof got, 0), 20 + length);
    CHECK_EQUAL(got[20], ICMP4_ECHO_REPLY);
    net_destroy(net);
}

const struct unit_test suite_raw[] = {
    UNIT(ping_over_ipv4_shows_the_ip_header),
    UNIT(ping_over_ipv6_gets_its_checksum_from_the_stack),
    UNIT(a_large_ping_is_fragmented_and_answered),
    UNIT(ping_to_ourselves_sees_both_messages),
    UNIT(every_matching_socket_gets_a_copy),
    UNIT(a_protocol_that_only_a_raw_socket_knows_is_known),
    UNIT(copies_leave_the_packet_itself_alone),
    UNIT(a_full_or_failing_copy_is_only_a_copy),
    UNIT(refusals_say_why),
    UNIT(the_header_can_be_made_by_hand),
    UNIT(the_ipv6_header_can_be_made_by_hand_too),
    UNIT(impossible_headers_made_by_hand_are_refused),
    UNIT(errors_come_to_those_who_have_sent),
    UNIT(traceroute_learns_every_router),
    UNIT(a_copy_without_a_buffer_is_left_out),
    {0}};
