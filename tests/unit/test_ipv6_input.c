// IPv6 packets: whose they are, fragments, forwarding, source addresses.
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "stack/net/ip.h"
#include "stack/net/ipv6/ipv6.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ipv4.h"
#include "tests/unit/ipv6_fixture.h"
#include "tests/unit/unit.h"

static uint64_t drops(struct v6 *v6, enum drop_reason reason)
{
    return stack_drops(v6->host->stack, reason);
}

static struct socket *listen_on(struct net_host *host, uint16_t port)
{
    struct socket *socket = NULL;
    struct endpoint local = {.addr = ip_addr_any(IP_V6), .port = port};
    CHECK_EQUAL(socket_open(host->stack, SOCKET_DATAGRAM, IP_V6, 0, &socket),
                0);
    CHECK_EQUAL(socket_bind(socket, &local), 0);
    return socket;
}

static bool has_received(struct socket *socket)
{
    char text[16];
    return socket_receive(socket, text, sizeof text, 0) >= 0;
}

static void send_udp(struct v6 *v6, const char *from, const char *to)
{
    struct v6_frame frame = v6_begin(v6, from, to, IP_PROTOCOL_UDP, 9);
    v6_put_udp(&frame, 1, 7, "x", 1);
    v6_send(v6, &frame);
}

// --- Headers and addresses

static void impossible_headers_are_dropped(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct v6_frame frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_NO_NEXT, 9);
    v6_finish(&frame);
    frame.bytes[V6_IP] = 0x40;
    v6_inject(&v6, &frame); // version
    frame.bytes[V6_IP] = 0x60;
    put_be16(frame.bytes + V6_IP + 4, 1);
    v6_inject(&v6, &frame); // longer than it is
    put_be16(frame.bytes + V6_IP + 4, 0);
    frame.length -= 1;
    v6_inject(&v6, &frame); // shorter than the header
    CHECK_EQUAL(drops(&v6, DROP_IP_BAD_HEADER), 3);
    v6_close(&v6);
}

static void padding_behind_the_packet_is_cut_off(void)
{
    struct v6 v6;
    char text[16];
    v6_init(&v6);
    v6_open(&v6);
    struct socket *socket = listen_on(v6.host, 7);
    struct v6_frame frame = v6_begin(&v6, V6_PEER, V6_HOST, IP_PROTOCOL_UDP, 9);
    v6_put_udp(&frame, 1, 7, "x", 1);
    v6_finish(&frame);
    v6_put_zeros(&frame, 20);
    v6_inject(&v6, &frame);
    CHECK_EQUAL(socket_receive(socket, text, sizeof text, 0), 1);
    v6_close(&v6);
}

static void addresses_that_no_packet_may_carry_are_refused(void)
{
    static const struct {
        const char *from, *to;
        enum drop_reason reason;
    } rows[] = {
        {"ff02::1", V6_HOST, DROP_IP_BAD_SOURCE},
        {"::1", V6_HOST, DROP_IP_BAD_SOURCE},
        {"::ffff:10.0.0.1", V6_HOST, DROP_IP_BAD_SOURCE},
        {V6_PEER, "::", DROP_IP_BAD_DESTINATION},
        {V6_PEER, "::1", DROP_IP_BAD_DESTINATION},
        {V6_PEER, "::ffff:10.0.0.1", DROP_IP_BAD_DESTINATION},
        {V6_PEER, "ff00::1", DROP_IP_BAD_DESTINATION},
        {V6_PEER, "ff01::1", DROP_IP_BAD_DESTINATION},
        {V6_PEER, "2001:db8::3", DROP_IP_NOT_LOCAL},
        {V6_PEER, "fe80::3", DROP_IP_NOT_LOCAL},
        {V6_PEER, "ff02::2", DROP_IP_NOT_OUR_GROUP},
        // Same lowest 16 bits as an address of ours, but not the same 24.
        {V6_PEER, "ff02::1:ff01:2", DROP_IP_NOT_OUR_GROUP},
    };
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct v6 v6;
        struct v6_answer answer;
        v6_init(&v6);
        v6_open(&v6);
        send_udp(&v6, rows[i].from, rows[i].to);
        CHECK_EQUAL(drops(&v6, rows[i].reason), 1);
        CHECK(!v6_next(&v6, &answer));
        v6_close(&v6);
    }
}

static void our_addresses_and_groups_receive(void)
{
    static const char *const rows[] = {V6_HOST, "ff02::1", "ff02::1:ff00:2"};
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct v6 v6;
        v6_init(&v6);
        v6_open(&v6);
        struct socket *socket = listen_on(v6.host, 7);
        send_udp(&v6, V6_PEER, rows[i]);
        CHECK(has_received(socket));
        v6_close(&v6);
    }
}

static void a_tentative_address_receives_nothing(void)
{
    struct v6 v6;
    struct v6_answer answer;
    v6_init(&v6);
    v6.settings.ip_dad_transmits = 1;
    v6_open(&v6);
    struct socket *socket = listen_on(v6.host, 7);
    send_udp(&v6, V6_PEER, V6_HOST);
    CHECK(!has_received(socket));
    CHECK_EQUAL(drops(&v6, DROP_IP_NOT_LOCAL), 1);
    CHECK(!v6_next(&v6, &answer));
    net_run(v6.net, 3 * NS_PER_S);
    send_udp(&v6, V6_PEER, V6_HOST);
    CHECK(has_received(socket));
    v6_close(&v6);
}

static void a_link_local_address_is_one_of_its_link(void)
{
    struct v6 v6;
    char text[IP_ADDR_TEXT_SIZE];
    v6_init(&v6);
    v6_open(&v6);
    struct socket *socket = listen_on(v6.host, 7);
    struct iface *other = net_add_iface(v6.host, 1, "eth1", 0, NULL);
    ip_addr_format(&v6.link_local, text);
    struct v6_frame frame = v6_begin(&v6, "fe80::1", text, IP_PROTOCOL_UDP, 9);
    v6_put_udp(&frame, 1, 7, "x", 1);
    v6_send(&v6, &frame);
    CHECK(has_received(socket));
    struct mac_addr mac = iface_mac(other);
    memcpy(frame.bytes, mac.bytes, 6);
    net_inject(v6.host, other, frame.bytes, frame.length);
    CHECK(!has_received(socket));
    CHECK_EQUAL(drops(&v6, DROP_IP_NOT_LOCAL), 1);
    v6_close(&v6);
}

// --- Fragments

// Fragments of a UDP datagram with 40 bytes of payload: 48 bytes in all.
struct datagram {
    uint8_t bytes[48];
};

static struct datagram make_datagram(const struct v6 *v6)
{
    struct datagram d;
    struct v6_frame frame = v6_begin(v6, V6_PEER, V6_HOST, IP_PROTOCOL_UDP, 9);
    uint8_t payload[40];
    for (unsigned i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)i;
    v6_put_udp(&frame, 1, 7, payload, sizeof payload);
    memcpy(d.bytes, frame.bytes + V6_PAYLOAD, sizeof d.bytes);
    return d;
}

static void send_fragment(struct v6 *v6, const uint8_t *bytes, unsigned offset,
                          unsigned length, bool more)
{
    struct ipv6_fragment header = {.next_header = IP_PROTOCOL_UDP,
                                   .offset = (uint16_t)offset,
                                   .more = more,
                                   .id = 77};
    uint8_t emitted[8];
    struct v6_frame frame = v6_begin(v6, V6_PEER, V6_HOST, IPV6_FRAGMENT, 9);
    v6_put(&frame, emitted, ipv6_fragment_emit(&header, emitted));
    v6_put(&frame, bytes + offset, length);
    v6_send(v6, &frame);
}

static void check_problem(struct v6 *v6, uint8_t code, uint32_t pointer)
{
    struct v6_answer answer;
    CHECK_FATAL(v6_next(v6, &answer));
    CHECK_EQUAL(answer.icmp.type, ICMP6_PARAMETER_PROBLEM);
    CHECK_EQUAL(answer.icmp.code, code);
    CHECK_EQUAL(answer.icmp.rest, pointer);
    CHECK(!v6_next(v6, &answer));
}

static void fragments_in_any_order_make_the_datagram(void)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned i = 0; i < ARRAY_LENGTH(orders); i++) {
        struct v6 v6;
        uint8_t got[64];
        v6_init(&v6);
        v6_open(&v6);
        struct socket *socket = listen_on(v6.host, 7);
        struct datagram d = make_datagram(&v6);
        for (unsigned k = 0; k < 3; k++) {
            unsigned part = orders[i][k];
            CHECK_EQUAL(socket_receive(socket, got, sizeof got, 0), -EAGAIN);
            send_fragment(&v6, d.bytes, 16 * part, 16, part < 2);
        }
        CHECK_EQUAL(socket_receive(socket, got, sizeof got, 0), 40);
        CHECK_BYTES(got, d.bytes + 8, 40);
        CHECK_EQUAL(stack_counter(v6.host->stack, COUNT_IP_FRAGMENTS_IN), 3);
        v6_close(&v6);
    }
}

static void an_atomic_fragment_meets_no_other(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct socket *socket = listen_on(v6.host, 7);
    struct datagram d = make_datagram(&v6);
    send_fragment(&v6, d.bytes, 16, 32, false); // the same identification
    send_fragment(&v6, d.bytes, 0, 48, false);
    CHECK(has_received(socket)); // RFC 6946
    send_fragment(&v6, d.bytes, 0, 16, true);
    CHECK(has_received(socket)); // the others were left in peace
    v6_close(&v6);
}

static void fragments_of_odd_length_are_refused(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct datagram d = make_datagram(&v6);
    send_fragment(&v6, d.bytes, 0, 17, true);
    check_problem(&v6, ICMP6_BAD_HEADER, 4);
    send_fragment(&v6, d.bytes, 16, 0, true);
    check_problem(&v6, ICMP6_BAD_HEADER, 4);
    CHECK_EQUAL(drops(&v6, DROP_FRAGMENT_BAD), 2);
    v6_close(&v6);
}

static void fragments_beyond_the_largest_packet_are_refused(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct datagram d = make_datagram(&v6);
    struct v6_frame frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_FRAGMENT, 9);
    v6_put(&frame, "\x11\0\xff\xf8\0\0\0\1", 8);
    v6_put(&frame, d.bytes, 8);
    v6_send(&v6, &frame);
    check_problem(&v6, ICMP6_BAD_HEADER, 42);
    CHECK_EQUAL(drops(&v6, DROP_FRAGMENT_BAD), 1);
    v6_close(&v6);
}

static void the_first_fragment_names_its_transport(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct v6_frame frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_FRAGMENT, 9);
    v6_put(&frame, "\x3c\0\0\1\0\0\0\1", 8); // destination options follow,
    v6_put(&frame, "\x11\1\1\4\0\0\0\0", 8); // of 16 bytes, half of them here
    v6_send(&v6, &frame);
    check_problem(&v6, ICMP6_SHORT_HEADER_CHAIN, 0);
    CHECK_EQUAL(drops(&v6, DROP_FRAGMENT_BAD), 1);
    frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_FRAGMENT, 9);
    v6_put(&frame, "\x11\0\0\1", 4); // not even a fragment header
    v6_send(&v6, &frame);
    CHECK_EQUAL(drops(&v6, DROP_FRAGMENT_BAD), 2);
    v6_close(&v6);
}

static void overlapping_fragments_end_the_datagram(void)
{
    struct v6 v6;
    struct v6_answer answer;
    v6_init(&v6);
    v6_open(&v6);
    struct socket *socket = listen_on(v6.host, 7);
    struct datagram d = make_datagram(&v6);
    send_fragment(&v6, d.bytes, 0, 24, true);
    send_fragment(&v6, d.bytes, 16, 32, false);
    send_fragment(&v6, d.bytes, 24, 24, false); // would complete it
    CHECK(!has_received(socket));
    CHECK_EQUAL(drops(&v6, DROP_FRAGMENT_OVERLAP), 3);
    CHECK(!v6_next(&v6, &answer)); // RFC 5722: silently
    v6_close(&v6);
}

static void a_datagram_that_never_completes_is_reported(void)
{
    struct v6 v6;
    struct v6_answer answer;
    v6_init(&v6);
    v6_open(&v6);
    struct datagram d = make_datagram(&v6);
    send_fragment(&v6, d.bytes, 0, 16, true);
    net_run(v6.net, v6.settings.ip_reassembly_timeout + NS_PER_S);
    CHECK_EQUAL(drops(&v6, DROP_FRAGMENT_TIMEOUT), 1);
    CHECK_FATAL(v6_next(&v6, &answer));
    CHECK_EQUAL(answer.icmp.type, ICMP6_TIME_EXCEEDED);
    CHECK_EQUAL(answer.icmp.code, ICMP_REASSEMBLY_TIMEOUT);
    send_fragment(&v6, d.bytes, 16, 16, true); // without the first: silence
    net_run(v6.net, v6.settings.ip_reassembly_timeout + NS_PER_S);
    CHECK_EQUAL(drops(&v6, DROP_FRAGMENT_TIMEOUT), 2);
    CHECK(!v6_next(&v6, &answer));
    v6_close(&v6);
}

static void an_error_about_a_reassembled_packet_quotes_it_whole(void)
{
    struct v6 v6;
    struct v6_answer answer;
    v6_init(&v6);
    v6_open(&v6);
    struct datagram d = make_datagram(&v6);
    send_fragment(&v6, d.bytes, 0, 16, true);
    send_fragment(&v6, d.bytes, 16, 32, false);
    CHECK_FATAL(v6_next(&v6, &answer));
    CHECK_EQUAL(answer.icmp.code, ICMP6_PORT_UNREACHABLE);
    struct ipv6_header quoted;
    CHECK_FATAL(ipv6_parse(answer.payload + 8, answer.length - 8, &quoted) > 0);
    CHECK_EQUAL(quoted.next_header, IP_PROTOCOL_UDP);
    CHECK_EQUAL(quoted.payload_length, 48);
    CHECK_BYTES(answer.payload + 48, d.bytes, 48);
    v6_close(&v6);
}

static void headers_before_and_inside_fragments_are_walked(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct socket *socket = listen_on(v6.host, 7);
    struct datagram d = make_datagram(&v6);
    for (unsigned i = 0; i < 2; i++) {
        struct v6_frame frame =
            v6_begin(&v6, V6_PEER, V6_HOST, IPV6_HOP_BY_HOP, 9);
        v6_put(&frame, "\x2c\0\1\4\0\0\0\0", 8);
        v6_put(&frame, i ? "\x3c\0\0\x10\0\0\0\5" : "\x3c\0\0\1\0\0\0\5", 8);
        if (i == 0)
            v6_put(&frame, "\x11\0\1\4\0\0\0\0", 8); // destination options
        v6_put(&frame, d.bytes + 8 * i, i ? 40 : 8);
        v6_send(&v6, &frame);
    }
    CHECK(has_received(socket));
    v6_close(&v6);
}

static void too_many_bytes_of_headers_before_a_fragment_are_refused(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct datagram d = make_datagram(&v6);
    struct v6_frame frame =
        v6_begin(&v6, V6_PEER, V6_HOST, IPV6_DESTINATION, 9);
    v6_put(&frame, "\x2c\x0f\1\x7c", 4); // 128 bytes, one option of padding
    v6_put_zeros(&frame, 124);
    v6_put(&frame, "\x11\0\0\1\0\0\0\5", 8);
    v6_put(&frame, d.bytes, 16);
    v6_send(&v6, &frame);
    CHECK_EQUAL(drops(&v6, DROP_IP_EXTENSION_LIMIT), 1);
    v6_close(&v6);
}

static void reassembly_without_buffers_leaks_nothing(void)
{
    for (unsigned n = 1; n <= 3; n++) {
        struct v6 v6;
        v6_init(&v6);
        v6_open(&v6);
        listen_on(v6.host, 7);
        struct datagram d = make_datagram(&v6);
        send_fragment(&v6, d.bytes, 0, 16, true);
        packet_pool_fail_after(v6.net->pool, n + 1); // 1: the fixture's own
        send_fragment(&v6, d.bytes, 16, 32, false);
        v6_close(&v6); // checks the account
    }
}

// --- Forwarding: a (wire 0) r (wire 1) b

struct chain {
    struct stack_settings host, router;
    struct net *net;
    struct net_host *a, *r, *b;
    struct iface *r_b;
};

static void chain_open(struct chain *chain, uint32_t far_mtu)
{
    chain->host = stack_settings_default;
    chain->host.ip_dad_transmits = 0;
    chain->router = chain->host;
    chain->router.ip_forward = 1;
    chain->net = net_create(1);
    chain->a = net_add_stack(chain->net, "a", &chain->host);
    chain->r = net_add_stack(chain->net, "r", &chain->router);
    chain->b = net_add_stack(chain->net, "b", &chain->host);
    net_add_iface(chain->a, 0, "eth0", 0, "2001:db8:a::1/64");
    net_add_iface(chain->r, 0, "eth0", 0, "2001:db8:a::ff/64");
    chain->r_b =
        net_add_iface(chain->r, 1, "eth1", far_mtu, "2001:db8:b::ff/64");
    net_add_iface(chain->b, 1, "eth0", far_mtu, "2001:db8:b::2/64");
    net_add_route(chain->a, "::/0", "2001:db8:a::ff");
    net_add_route(chain->b, "::/0", "2001:db8:b::ff");
}

static struct socket *open_sender(struct net_host *host)
{
    struct socket *socket = NULL;
    CHECK_EQUAL(socket_open(host->stack, SOCKET_DATAGRAM, IP_V6, 0, &socket),
                0);
    return socket;
}

static int64_t send_to(struct socket *socket, const char *to, size_t length)
{
    static const uint8_t payload[3000];
    struct endpoint endpoint = net_endpoint(to);
    return socket_send_to(socket, payload, length, 0, &endpoint);
}

static void a_router_passes_packets_on(void)
{
    struct chain c;
    uint8_t got[64];
    chain_open(&c, 0);
    struct socket *receiver = listen_on(c.b, 7);
    net_record(c.net);
    CHECK_EQUAL(send_to(open_sender(c.a), "[2001:db8:b::2]:7", 10), 10);
    net_run(c.net, NS_PER_S);
    CHECK_EQUAL(socket_receive(receiver, got, sizeof got, 0), 10);
    CHECK_EQUAL(stack_counter(c.r->stack, COUNT_IP_FORWARDED), 1);
    const struct net_record *last = &c.net->records[c.net->record_count - 1];
    CHECK(last->from == c.r);
    CHECK_EQUAL(last->bytes[V6_IP + 7], 63);
    net_destroy(c.net);
}

static void the_hop_limit_ends_at_a_router_which_says_so(void)
{
    struct chain c;
    struct socket_icmp_error seen;
    chain_open(&c, 0);
    struct socket *socket = open_sender(c.a);
    CHECK_EQUAL(socket_set_option(socket, OPTION_TTL, 1), 0);
    CHECK_EQUAL(socket_set_option(socket, OPTION_ERROR_QUEUE, 1), 0);
    CHECK_EQUAL(send_to(socket, "[2001:db8:b::2]:7", 10), 10);
    net_run(c.net, NS_PER_S);
    CHECK_EQUAL(stack_drops(c.r->stack, DROP_IP_TTL_EXCEEDED), 1);
    CHECK_FATAL(socket_take_icmp_error(socket, &seen));
    CHECK_EQUAL(seen.type, ICMP6_TIME_EXCEEDED);
    struct ip_addr router = net_addr("2001:db8:a::ff");
    CHECK(ip_addr_equal(&seen.from, &router));
    CHECK_EQUAL(socket_set_option(socket, OPTION_TTL, 2), 0);
    CHECK_EQUAL(socket_take_error(socket), -EHOSTUNREACH);
    CHECK_EQUAL(send_to(socket, "[2001:db8:b::2]:7", 10), 10);
    net_run(c.net, NS_PER_S);
    CHECK_FATAL(socket_take_icmp_error(socket, &seen));
    CHECK_EQUAL(seen.type, ICMP6_UNREACHABLE);
    CHECK_EQUAL(seen.code, ICMP6_PORT_UNREACHABLE);
    net_destroy(c.net);
}

static void a_smaller_link_is_learnt_and_then_fragmented_for(void)
{
    struct chain c;
    uint8_t got[1500];
    chain_open(&c, 1300);
    struct socket *receiver = listen_on(c.b, 7);
    struct socket *sender = open_sender(c.a);
    CHECK_EQUAL(send_to(sender, "[2001:db8:b::2]:7", 1452), 1452);
    net_run(c.net, NS_PER_S);
    CHECK_EQUAL(stack_drops(c.r->stack, DROP_IP_TOO_BIG), 1);
    CHECK_EQUAL(socket_receive(receiver, got, sizeof got, 0), -EAGAIN);
    CHECK_EQUAL(send_to(sender, "[2001:db8:b::2]:7", 1452), 1452);
    net_run(c.net, NS_PER_S);
    CHECK_EQUAL(socket_receive(receiver, got, sizeof got, 0), 1452);
    CHECK_EQUAL(stack_counter(c.a->stack, COUNT_IP_FRAGMENTS_OUT), 2);
    CHECK_EQUAL(stack_counter(c.r->stack, COUNT_IP_FRAGMENTS_OUT), 0);
    net_destroy(c.net);
}

static void a_router_without_a_route_says_so(void)
{
    struct chain c;
    struct socket_icmp_error seen;
    chain_open(&c, 0);
    struct socket *socket = open_sender(c.a);
    CHECK_EQUAL(send_to(socket, "[3001::1]:7", 10), 10);
    net_run(c.net, NS_PER_S);
    CHECK_FATAL(socket_take_icmp_error(socket, &seen));
    CHECK_EQUAL(seen.error, -ENETUNREACH);
    CHECK_EQUAL(stack_drops(c.r->stack, DROP_IP_NO_ROUTE), 1);
    net_destroy(c.net);
}

static void a_router_whose_neighbour_is_silent_says_so(void)
{
    struct chain c;
    struct socket_icmp_error seen;
    chain_open(&c, 0);
    struct socket *socket = open_sender(c.a);
    CHECK_EQUAL(send_to(socket, "[2001:db8:b::77]:7", 10), 10);
    net_run(c.net, 10 * NS_PER_S);
    CHECK_FATAL(socket_take_icmp_error(socket, &seen));
    CHECK_EQUAL(seen.code, ICMP6_ADDRESS_UNREACHABLE);
    CHECK_EQUAL(stack_drops(c.r->stack, DROP_NEIGHBOUR_FAILED), 1);
    net_destroy(c.net);
}

static void our_own_silent_neighbour_is_an_error_too(void)
{
    struct chain c;
    struct socket_icmp_error seen;
    chain_open(&c, 0);
    struct socket *socket = open_sender(c.a);
    CHECK_EQUAL(send_to(socket, "[2001:db8:a::77]:7", 10), 10);
    net_run(c.net, 10 * NS_PER_S);
    CHECK_FATAL(socket_take_icmp_error(socket, &seen));
    CHECK_EQUAL(seen.error, -EHOSTUNREACH);
    net_destroy(c.net);
}

static void what_belongs_to_a_link_is_not_forwarded(void)
{
    static const struct {
        const char *from, *to;
        enum drop_reason reason;
    } rows[] = {
        {"fe80::1", "2001:db8:b::2", DROP_IP_BAD_SOURCE},
        {"::", "2001:db8:b::2", DROP_IP_BAD_SOURCE},
        {V6_PEER, "fe80::2", DROP_IP_NOT_LOCAL},
        {V6_PEER, "ff0e::1", DROP_IP_NOT_OUR_GROUP},
    };
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct v6 v6;
        v6_init(&v6);
        v6.settings.ip_forward = 1;
        v6_open(&v6);
        net_add_iface(v6.host, 1, "eth1", 0, "2001:db8:b::1/64");
        send_udp(&v6, rows[i].from, rows[i].to);
        CHECK_EQUAL(drops(&v6, rows[i].reason), 1);
        CHECK_EQUAL(stack_counter(v6.host->stack, COUNT_IP_FORWARDED), 0);
        v6_close(&v6);
    }
}

static void a_packet_in_a_group_frame_is_not_forwarded(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6.settings.ip_forward = 1;
    v6_open(&v6);
    net_add_iface(v6.host, 1, "eth1", 0, "2001:db8:b::1/64");
    struct v6_frame frame =
        v6_begin(&v6, V6_PEER, "2001:db8:b::2", IP_PROTOCOL_UDP, 9);
    v6_put_udp(&frame, 1, 7, "x", 1);
    memset(frame.bytes, 0xff, 6);
    v6_send(&v6, &frame);
    CHECK_EQUAL(drops(&v6, DROP_IP_NOT_LOCAL), 1);
    v6_close(&v6);
}

static void a_router_obeys_hop_by_hop_options_and_no_others(void)
{
    static const struct {
        uint8_t header;
        bool is_refused;
    } rows[] = {{IPV6_HOP_BY_HOP, true}, {IPV6_DESTINATION, false}};
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct v6 v6;
        v6_init(&v6);
        v6.settings.ip_forward = 1;
        v6_open(&v6);
        net_add_iface(v6.host, 1, "eth1", 0, "2001:db8:b::1/64");
        struct v6_frame frame =
            v6_begin(&v6, V6_PEER, "2001:db8:b::2", rows[i].header, 9);
        v6_put(&frame, "\x3b\0\x9e\2\0\0\1\0", 8);
        v6_send(&v6, &frame);
        CHECK_EQUAL(drops(&v6, DROP_IP_BAD_OPTION), rows[i].is_refused);
        CHECK_EQUAL(stack_counter(v6.host->stack, COUNT_IP_FORWARDED),
                    !rows[i].is_refused);
        v6_close(&v6);
    }
}

static void forwarding_without_a_buffer_is_a_drop(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6.settings.ip_forward = 1;
    v6_open(&v6);
    net_add_iface(v6.host, 1, "eth1", 0, "2001:db8:b::1/64");
    struct v6_frame frame =
        v6_begin(&v6, V6_PEER, "2001:db8:b::2", IP_PROTOCOL_UDP, 9);
    v6_put_udp(&frame, 1, 7, "x", 1);
    v6_finish(&frame);
    struct packet *packet = net_packet(v6.net, frame.bytes, frame.length);
    struct packet *clone = packet_clone(packet); // so that it must be copied
    packet_pool_fail_after(v6.net->pool, 1);
    iface_input(v6.host->eth, packet);
    CHECK_EQUAL(drops(&v6, DROP_NO_BUFFER), 1);
    CHECK_BYTES(clone->data, frame.bytes, frame.length);
    packet_free(clone);
    v6_close(&v6);
}

static void output_refuses_what_must_not_be_fragmented(void)
{
    struct v6 v6;
    struct ip_path path;
    struct packet *packet;
    struct ip_addr to = net_addr(V6_PEER);
    v6_init(&v6);
    v6_open(&v6);
    CHECK_EQUAL(ip_path_find(v6.host->stack, NULL, &to, NULL, &path), 0);
    CHECK_EQUAL(ip_prepare(v6.host->stack, &path, 200, 0, 0, 0, 1500, &packet),
                0);
    memset(packet_put(packet, 1500), 0, 1500);
    packet->flags |= PACKET_DONT_FRAGMENT;
    CHECK_EQUAL(ip_output(v6.host->stack, &path, packet), -EMSGSIZE);
    CHECK_EQUAL(drops(&v6, DROP_IP_TOO_BIG), 1);
    v6_close(&v6);
}

// --- Source addresses

static void check_source_for(struct v6 *v6, const char *destination,
                             const char *expected)
{
    char text[IP_ADDR_TEXT_SIZE] = "none";
    struct ip_addr to = net_addr(destination);
    const struct iface_addr *own = ipv6_select_source(v6->host->eth, &to);
    if (own)
        ip_addr_format(&own->prefix.addr, text);
    CHECK_TEXT(text, expected);
}

static void the_source_fits_the_destination(void)
{
    struct v6 v6;
    char link_local[IP_ADDR_TEXT_SIZE];
    v6_init(&v6);
    v6_open(&v6);
    ip_addr_format(&v6.link_local, link_local);
    net_add_address(v6.host->eth, "2001:db8:1::2/64");
    net_add_address(v6.host->eth, "3001::2/64");
    check_source_for(&v6, "fe80::9", link_local);
    check_source_for(&v6, "ff02::1", link_local);
    check_source_for(&v6, "2001:db8::9", V6_HOST);
    check_source_for(&v6, "2001:db8:1::9", "2001:db8:1::2");
    check_source_for(&v6, "3001:1::9", "3001::2");
    check_source_for(&v6, "3001::2", "3001::2");   // the destination itself
    check_source_for(&v6, "ff0e::1", V6_HOST);     // the first of equals
    net_add_address(v6.host->eth, "fe80::2:2/64"); // after those of wider scope
    check_source_for(&v6, "fe80::2:9", link_local);
    check_source_for(&v6, "2001:db8::9", V6_HOST);
    v6_close(&v6);
}

static void tentative_and_duplicated_addresses_are_no_sources(void)
{
    struct v6 v6;
    struct socket *socket = NULL;
    struct endpoint local = net_endpoint("[" V6_HOST "]:5");
    v6_init(&v6);
    v6.settings.ip_dad_transmits = 1;
    v6_open(&v6);
    check_source_for(&v6, V6_PEER, "none");
    CHECK_EQUAL(socket_open(v6.host->stack, SOCKET_DATAGRAM, IP_V6, 0, &socket),
                0);
    CHECK_EQUAL(socket_bind(socket, &local), -EADDRNOTAVAIL);
    CHECK_EQUAL(send_to(socket, "[" V6_PEER "]:7", 1), -EADDRNOTAVAIL);
    net_run(v6.net, 3 * NS_PER_S);
    check_source_for(&v6, V6_PEER, V6_HOST);
    CHECK_EQUAL(socket_bind(socket, &local), 0);
    v6_close(&v6);
}

static void an_interface_borrows_a_global_source_from_another(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct iface *other = net_add_iface(v6.host, 1, "eth1", 0, NULL);
    struct ip_addr global = net_addr("2001:db8::9");
    struct ip_addr local = net_addr("fe80::9");
    char text[IP_ADDR_TEXT_SIZE];
    const struct iface_addr *own = ipv6_select_source(other, &global);
    CHECK_FATAL(own != NULL);
    CHECK_TEXT(ip_addr_format(&own->prefix.addr, text), V6_HOST);
    own = ipv6_select_source(other, &local);
    CHECK_FATAL(own != NULL);
    CHECK(own->iface == other);
    v6_close(&v6);
}

static void scopes_are_what_the_rfc_says(void)
{
    static const struct {
        const char *address;
        unsigned scope;
    } rows[] = {{"::1", 2},     {"fe80::1", 2}, {"2001:db8::1", 14},
                {"ff01::1", 1}, {"ff02::1", 2}, {"ff05::1", 5},
                {"fc00::1", 14}};
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct ip_addr address = net_addr(rows[i].address);
        CHECK_EQUAL(ipv6_scope(&address), rows[i].scope);
    }
}

const struct unit_test suite_ipv6_input[] = {
    UNIT(impossible_headers_are_dropped),
    UNIT(padding_behind_the_packet_is_cut_off),
    UNIT(addresses_that_no_packet_may_carry_are_refused),
    UNIT(our_addresses_and_groups_receive),
    UNIT(a_tentative_address_receives_nothing),
    UNIT(a_link_local_address_is_one_of_its_link),
    UNIT(fragments_in_any_order_make_the_datagram),
    UNIT(an_atomic_fragment_meets_no_other),
    UNIT(fragments_of_odd_length_are_refused),
    UNIT(fragments_beyond_the_largest_packet_are_refused),
    UNIT(the_first_fragment_names_its_transport),
    UNIT(overlapping_fragments_end_the_datagram),
    UNIT(a_datagram_that_never_completes_is_reported),
    UNIT(an_error_about_a_reassembled_packet_quotes_it_whole),
    UNIT(headers_before_and_inside_fragments_are_walked),
    UNIT(too_many_bytes_of_headers_before_a_fragment_are_refused),
    UNIT(reassembly_without_buffers_leaks_nothing),
    UNIT(a_router_passes_packets_on),
    UNIT(the_hop_limit_ends_at_a_router_which_says_so),
    UNIT(a_smaller_link_is_learnt_and_then_fragmented_for),
    UNIT(a_router_without_a_route_says_so),
    UNIT(a_router_whose_neighbour_is_silent_says_so),
    UNIT(our_own_silent_neighbour_is_an_error_too),
    UNIT(what_belongs_to_a_link_is_not_forwarded),
    UNIT(a_packet_in_a_group_frame_is_not_forwarded),
    UNIT(a_router_obeys_hop_by_hop_options_and_no_others),
    UNIT(the_source_fits_the_destination),
    UNIT(tentative_and_duplicated_addresses_are_no_sources),
    UNIT(an_interface_borrows_a_global_source_from_another),
    UNIT(scopes_are_what_the_rfc_says),
    UNIT(forwarding_without_a_buffer_is_a_drop),
    UNIT(output_refuses_what_must_not_be_fragmented),
    {0}};
