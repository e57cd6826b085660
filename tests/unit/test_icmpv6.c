// ICMPv6: echo, errors sent, errors believed.
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

static uint64_t counter(struct v6 *v6, enum stack_counter which)
{
    return stack_counter(v6->host->stack, which);
}

static void open_host(struct v6 *v6)
{
    v6_init(v6);
    v6_open(v6);
}

static void check_source(const struct v6_answer *answer, const char *expected)
{
    char text[IP_ADDR_TEXT_SIZE];
    CHECK_TEXT(ip_addr_format(&answer->ip.source, text), expected);
}

static void check_destination(const struct v6_answer *answer,
                              const char *expected)
{
    char text[IP_ADDR_TEXT_SIZE];
    CHECK_TEXT(ip_addr_format(&answer->ip.destination, text), expected);
}

static struct v6_frame echo(const struct v6 *v6, const char *from,
                            const char *to)
{
    struct v6_frame frame = v6_begin(v6, from, to, IP_PROTOCOL_ICMPV6, 3);
    v6_put_icmp(&frame, ICMP6_ECHO, 0, 0x12340001);
    v6_put(&frame, "payload", 7);
    return frame;
}

// --- Echo

static void echo_is_answered_with_the_same_bytes(void)
{
    struct v6 v6;
    struct v6_answer answer;
    open_host(&v6);
    struct v6_frame frame = echo(&v6, V6_PEER, V6_HOST);
    put_be32(frame.bytes + V6_IP, 0x6b300000); // DSCP and ECT(1) and CE
    v6_send(&v6, &frame);
    CHECK_FATAL(v6_next(&v6, &answer));
    check_source(&answer, V6_HOST);
    check_destination(&answer, V6_PEER);
    CHECK_EQUAL(answer.icmp.type, ICMP6_ECHO_REPLY);
    CHECK_EQUAL(answer.icmp.code, 0);
    CHECK_EQUAL(answer.icmp.rest, 0x12340001);
    CHECK_EQUAL(answer.ip.hop_limit, 64);
    CHECK_EQUAL(answer.ip.traffic_class, 0xb0); // ECN is not for answers
    CHECK_EQUAL(answer.length, 15);
    CHECK_BYTES(answer.payload + 8, "payload", 7);
    CHECK_EQUAL(counter(&v6, COUNT_ICMP_ECHO_IN), 1);
    v6_close(&v6);
}

static void echo_from_a_link_local_address_is_answered_on_its_link(void)
{
    struct v6 v6;
    struct v6_answer answer;
    char text[IP_ADDR_TEXT_SIZE];
    open_host(&v6);
    ip_addr_format(&v6.link_local, text);
    struct v6_frame frame = echo(&v6, "fe80::1", text);
    v6_send(&v6, &frame);
    CHECK_FATAL(v6_next(&v6, &answer));
    check_source(&answer, text);
    check_destination(&answer, "fe80::1");
    v6_close(&v6);
}

static void echo_to_a_group_is_answered_when_the_setting_says_so(void)
{
    for (int is_on = 0; is_on <= 1; is_on++) {
        struct v6 v6;
        struct v6_answer answer;
        v6_init(&v6);
        v6.settings.ip_accept_broadcast_echo = is_on;
        v6_open(&v6);
        struct v6_frame frame = echo(&v6, V6_PEER, "ff02::1");
        v6_send(&v6, &frame);
        CHECK(v6_next(&v6, &answer) == is_on);
        if (is_on)
            check_source(&answer, V6_HOST); // never the group
        CHECK_EQUAL(drops(&v6, DROP_ICMP_UNWANTED), !is_on);
        v6_close(&v6);
    }
}

static void echo_from_nobody_is_not_answered(void)
{
    struct v6 v6;
    struct v6_answer answer;
    open_host(&v6);
    struct v6_frame frame = echo(&v6, "::", V6_HOST);
    v6_send(&v6, &frame);
    CHECK(!v6_next(&v6, &answer));
    CHECK_EQUAL(drops(&v6, DROP_ICMP_UNWANTED), 1);
    v6_close(&v6);
}

static void an_echo_in_fragments_is_answered_in_fragments(void)
{
    struct v6 v6;
    struct v6_answer answer;
    open_host(&v6);
    uint8_t message[2000];
    struct ip_addr from = net_addr(V6_PEER), to = net_addr(V6_HOST);
    struct icmp_header header = {.type = ICMP6_ECHO, .rest = 1};
    memset(message, 0x55, sizeof message);
    icmp_emit(&header, message);
    icmp_fill_checksum(message, sizeof message, &from, &to);
    for (unsigned i = 0; i < 2; i++) {
        struct ipv6_fragment fragment = {.next_header = IP_PROTOCOL_ICMPV6,
                                         .offset = (uint16_t)(i * 1000),
                                         .more = i == 0,
                                         .id = 9};
        uint8_t bytes[8];
        struct v6_frame frame =
            v6_begin(&v6, V6_PEER, V6_HOST, IPV6_FRAGMENT, 3);
        v6_put(&frame, bytes, ipv6_fragment_emit(&fragment, bytes));
        v6_put(&frame, message + i * 1000, 1000);
        v6_send(&v6, &frame);
    }
    uint8_t got[2000] = {0};
    for (unsigned i = 0; i < 2; i++) {
        struct ipv6_fragment fragment;
        CHECK_FATAL(v6_next(&v6, &answer));
        CHECK_EQUAL(answer.ip.next_header, IPV6_FRAGMENT);
        CHECK_FATAL(
            ipv6_fragment_parse(answer.payload, answer.length, &fragment) == 8);
        CHECK_FATAL(fragment.offset + answer.length - 8 <= sizeof got);
        CHECK(fragment.more == (i == 0));
        memcpy(got + fragment.offset, answer.payload + 8, answer.length - 8);
    }
    CHECK(icmp_checksum_is_good(got, sizeof got, &to, &from));
    CHECK_EQUAL(got[0], ICMP6_ECHO_REPLY);
    CHECK_BYTES(got + 8, message + 8, sizeof got - 8);
    v6_close(&v6);
}

static void an_echo_to_a_group_needs_an_address_to_answer_from(void)
{
    struct v6 v6;
    struct v6_answer answer;
    v6_init(&v6);
    v6.settings.ip_accept_broadcast_echo = 1;
    v6.settings.ip_dad_transmits = 1;
    v6_open(&v6);
    struct v6_frame frame = echo(&v6, V6_PEER, "ff02::1");
    v6_send(&v6, &frame); // all of them are tentative
    CHECK(!v6_next(&v6, &answer));
    v6_close(&v6);
}

static void an_echo_without_a_buffer_is_a_drop(void)
{
    struct v6 v6;
    open_host(&v6);
    struct v6_frame frame = echo(&v6, V6_PEER, V6_HOST);
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

// --- What is bad or unwanted

static void bad_messages_are_dropped_with_their_reason(void)
{
    struct v6 v6;
    struct v6_answer answer;
    open_host(&v6);
    struct v6_frame frame = echo(&v6, V6_PEER, V6_HOST);
    v6_finish(&frame);
    frame.bytes[frame.length - 1] ^= 1;
    v6_inject(&v6, &frame);
    CHECK_EQUAL(drops(&v6, DROP_ICMP_BAD_CHECKSUM), 1);
    frame = v6_begin(&v6, V6_PEER, V6_HOST, IP_PROTOCOL_ICMPV6, 3);
    v6_put(&frame, "\x80\0\0\0\0\0\0", 7);
    v6_send(&v6, &frame);
    CHECK_EQUAL(drops(&v6, DROP_ICMP_BAD), 1);
    frame = v6_begin(&v6, V6_PEER, V6_HOST, IP_PROTOCOL_ICMPV6, 3);
    v6_put_icmp(&frame, 200, 0, 0); // unknown, informational
    v6_send(&v6, &frame);
    frame = v6_begin(&v6, V6_PEER, V6_HOST, IP_PROTOCOL_ICMPV6, 3);
    v6_put_icmp(&frame, ICMP6_ECHO_REPLY, 0, 0); // to nobody's question
    v6_send(&v6, &frame);
    CHECK_EQUAL(drops(&v6, DROP_ICMP_UNWANTED), 2);
    CHECK(!v6_next(&v6, &answer));
    v6_close(&v6);
}

static void a_raw_socket_makes_an_echo_reply_wanted(void)
{
    struct v6 v6;
    struct socket *raw = NULL;
    uint8_t bytes[64];
    open_host(&v6);
    CHECK_EQUAL(socket_open(v6.host->stack, SOCKET_RAW, IP_V6,
                            IP_PROTOCOL_ICMPV6, &raw),
                0);
    struct v6_frame frame =
        v6_begin(&v6, V6_PEER, V6_HOST, IP_PROTOCOL_ICMPV6, 3);
    v6_put_icmp(&frame, ICMP6_ECHO_REPLY, 0, 5);
    v6_send(&v6, &frame);
    CHECK_EQUAL(drops(&v6, DROP_ICMP_UNWANTED), 0);
    CHECK_EQUAL(socket_receive(raw, bytes, sizeof bytes, 0), 8);
    CHECK_EQUAL(bytes[0], ICMP6_ECHO_REPLY);
    v6_close(&v6);
}

// --- Errors sent

static struct v6_frame to_closed_port(const struct v6 *v6, const char *from,
                                      const char *to, size_t length)
{
    static const uint8_t payload[1400];
    struct v6_frame frame = v6_begin(v6, from, to, IP_PROTOCOL_UDP, 3);
    v6_put_udp(&frame, 1, 9, payload, length);
    return frame;
}

static void an_error_quotes_what_it_is_about(void)
{
    struct v6 v6;
    struct v6_answer answer;
    open_host(&v6);
    struct v6_frame frame = to_closed_port(&v6, V6_PEER, V6_HOST, 10);
    v6_send(&v6, &frame);
    CHECK_FATAL(v6_next(&v6, &answer));
    check_source(&answer, V6_HOST);
    check_destination(&answer, V6_PEER);
    CHECK_EQUAL(answer.icmp.type, ICMP6_UNREACHABLE);
    CHECK_EQUAL(answer.icmp.code, ICMP6_PORT_UNREACHABLE);
    CHECK_EQUAL(answer.icmp.rest, 0);
    CHECK_EQUAL(answer.length, 8 + frame.length - V6_IP);
    CHECK_BYTES(answer.payload + 8, frame.bytes + V6_IP, frame.length - V6_IP);
    CHECK_EQUAL(drops(&v6, DROP_UDP_NO_SOCKET), 1);
    v6_close(&v6);
}

static void an_error_is_no_larger_than_the_smallest_mtu(void)
{
    struct v6 v6;
    struct v6_answer answer;
    open_host(&v6);
    struct v6_frame frame = to_closed_port(&v6, V6_PEER, V6_HOST, 1400);
    v6_send(&v6, &frame);
    CHECK_FATAL(v6_next(&v6, &answer));
    CHECK_EQUAL(answer.length + IPV6_HEADER_SIZE, IPV6_MIN_MTU);
    v6_close(&v6);
}

static void nobody_and_groups_get_no_errors(void)
{
    static const struct {
        const char *from, *to;
    } rows[] = {{"::", V6_HOST}, {V6_PEER, "ff02::1"}};
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct v6 v6;
        struct v6_answer answer;
        open_host(&v6);
        struct v6_frame frame =
            to_closed_port(&v6, rows[i].from, rows[i].to, 10);
        v6_send(&v6, &frame);
        CHECK_EQUAL(drops(&v6, DROP_UDP_NO_SOCKET), 1);
        CHECK(!v6_next(&v6, &answer));
        v6_close(&v6);
    }
}

static void a_unicast_packet_in_a_group_frame_gets_no_errors(void)
{
    struct v6 v6;
    struct v6_answer answer;
    open_host(&v6);
    struct v6_frame frame = to_closed_port(&v6, V6_PEER, V6_HOST, 10);
    memset(frame.bytes, 0xff, 6);
    v6_send(&v6, &frame);
    CHECK(!v6_next(&v6, &answer));
    v6_close(&v6);
}

// The host has no transport 200, so everything that carries it is answered
// unless it is an error itself.
static void errors_are_not_answered_with_errors(void)
{
    static const struct {
        uint8_t type;
        bool is_answered;
    } rows[] = {{ICMP6_UNREACHABLE, false},
                {100, false},
                {ICMP6_REDIRECT, false},
                {ICMP6_ECHO_REPLY, true},
                {200, true}};
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct v6 v6;
        struct v6_answer answer;
        open_host(&v6);
        struct v6_frame frame =
            v6_begin(&v6, V6_PEER, V6_HOST, IPV6_DESTINATION, 3);
        // An option that asks for a problem, in front of the message.
        v6_put(&frame, "\x3a\0\x9e\2\0\0\1\0", 8);
        v6_put_icmp(&frame, rows[i].type, 0, 0);
        v6_send(&v6, &frame);
        CHECK_EQUAL(drops(&v6, DROP_IP_BAD_OPTION), 1);
        CHECK(v6_next(&v6, &answer) == rows[i].is_answered);
        v6_close(&v6);
    }
}

static void errors_are_rate_limited(void)
{
    struct v6 v6;
    struct v6_answer answer;
    unsigned count = 0;
    v6_init(&v6);
    v6.settings.ip_icmp_rate = 10;
    v6.settings.ip_icmp_burst = 3;
    v6_open(&v6);
    struct v6_frame frame = to_closed_port(&v6, V6_PEER, V6_HOST, 10);
    for (unsigned i = 0; i < 10; i++)
        v6_send(&v6, &frame);
    while (v6_next(&v6, &answer))
        count++;
    CHECK_EQUAL(count, 3);
    CHECK_EQUAL(counter(&v6, COUNT_ICMP_RATE_LIMITED), 7);
    net_run(v6.net, NS_PER_S / 10);
    v6_send(&v6, &frame);
    CHECK(v6_next(&v6, &answer));
    v6_close(&v6);
}

static void an_error_without_buffers_is_simply_not_sent(void)
{
    struct v6 v6;
    struct v6_answer answer;
    open_host(&v6);
    struct v6_frame frame = to_closed_port(&v6, V6_PEER, V6_HOST, 10);
    v6_finish(&frame);
    struct packet *packet = net_packet(v6.net, frame.bytes, frame.length);
    struct packet *clone = packet_clone(packet); // so it must be copied
    packet_pool_fail_after(v6.net->pool, 1);
    iface_input(v6.host->eth, packet);
    CHECK(!v6_next(&v6, &answer));
    CHECK_EQUAL(drops(&v6, DROP_UDP_NO_SOCKET), 1);
    packet_free(clone);
    v6_close(&v6);
}

// --- Errors received

// A datagram of the host's from a connected socket, as the host sent it.
struct sent {
    struct socket *socket;
    uint8_t bytes[1500];
    size_t length;
};

static void send_datagram(struct v6 *v6, struct sent *sent, size_t length)
{
    static const uint8_t payload[1452];
    struct v6_answer answer;
    struct endpoint to = {.addr = net_addr(V6_PEER), .port = 7};
    CHECK_EQUAL(
        socket_open(v6->host->stack, SOCKET_DATAGRAM, IP_V6, 0, &sent->socket),
        0);
    CHECK_EQUAL(socket_connect(sent->socket, &to), 0);
    CHECK_EQUAL(socket_send(sent->socket, payload, length, 0), length);
    CHECK_FATAL(v6_next(v6, &answer));
    sent->length = IPV6_HEADER_SIZE + answer.length;
    memcpy(sent->bytes, answer.payload - IPV6_HEADER_SIZE, sent->length);
}

static void complain(struct v6 *v6, const struct sent *sent, uint8_t type,
                     uint8_t code, uint32_t rest, size_t quoted)
{
    struct v6_frame frame =
        v6_begin(v6, "2001:db8::99", V6_HOST, IP_PROTOCOL_ICMPV6, 3);
    v6_put_icmp(&frame, type, code, rest);
    v6_put(&frame, sent->bytes, quoted);
    v6_send(v6, &frame);
}

static void errors_reach_the_socket_with_their_meaning(void)
{
    static const struct {
        uint8_t type, code;
        int error;
        bool is_hard;
    } rows[] = {
        {ICMP6_UNREACHABLE, ICMP6_NO_ROUTE, -ENETUNREACH, false},
        {ICMP6_UNREACHABLE, ICMP6_ADMIN_PROHIBITED, -EACCES, true},
        {ICMP6_UNREACHABLE, 2, -EHOSTUNREACH, false},
        {ICMP6_UNREACHABLE, ICMP6_ADDRESS_UNREACHABLE, -EHOSTUNREACH, false},
        {ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE, -ECONNREFUSED, true},
        {ICMP6_UNREACHABLE, 5, -EACCES, true},
        {ICMP6_TIME_EXCEEDED, 0, -EHOSTUNREACH, false},
        {ICMP6_TIME_EXCEEDED, 1, -EHOSTUNREACH, false},
        {ICMP6_PARAMETER_PROBLEM, ICMP6_BAD_NEXT_HEADER, -EPROTO, true},
        {ICMP6_PARAMETER_PROBLEM, 0, -EPROTO, true},
        {100, 0, -EPROTO, false},
    };
    struct v6 v6;
    struct sent sent;
    open_host(&v6);
    send_datagram(&v6, &sent, 10);
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct socket_icmp_error seen;
        complain(&v6, &sent, rows[i].type, rows[i].code, 0, sent.length);
        CHECK_FATAL(socket_take_icmp_error(sent.socket, &seen));
        CHECK_EQUAL(seen.type, rows[i].type);
        CHECK_EQUAL(seen.code, rows[i].code);
        CHECK_EQUAL(seen.error, rows[i].error);
        CHECK_EQUAL(seen.to.port, 7);
        struct ip_addr reporter = net_addr("2001:db8::99");
        CHECK(ip_addr_equal(&seen.from, &reporter));
        CHECK_EQUAL(socket_take_error(sent.socket),
                    rows[i].is_hard ? rows[i].error : 0);
    }
    v6_close(&v6);
}

static void short_or_foreign_quotations_are_not_believed(void)
{
    struct v6 v6;
    struct sent sent;
    struct socket_icmp_error seen;
    open_host(&v6);
    send_datagram(&v6, &sent, 10);
    complain(&v6, &sent, ICMP6_UNREACHABLE, 4, 0, 39);
    CHECK_EQUAL(drops(&v6, DROP_ICMP_BAD), 1);
    complain(&v6, &sent, ICMP6_UNREACHABLE, 4, 0, 43); // ports cut off
    CHECK(!socket_take_icmp_error(sent.socket, &seen));
    sent.bytes[8 + 15] ^= 0x40; // from another host
    complain(&v6, &sent, ICMP6_UNREACHABLE, 4, 0, sent.length);
    CHECK_EQUAL(drops(&v6, DROP_ICMP_UNWANTED), 1);
    CHECK(!socket_take_icmp_error(sent.socket, &seen));
    sent.bytes[8 + 15] ^= 0x40;
    sent.bytes[41] ^= 1; // from another port
    complain(&v6, &sent, ICMP6_UNREACHABLE, 4, 0, sent.length);
    CHECK(!socket_take_icmp_error(sent.socket, &seen));
    v6_close(&v6);
}

static uint32_t path_mtu(struct v6 *v6)
{
    struct ip_addr to = net_addr(V6_PEER);
    return path_mtu_find(v6->host->stack, &to, 1500);
}

static void packet_too_big_lowers_the_path_mtu(void)
{
    struct v6 v6;
    struct sent sent;
    struct socket_icmp_error seen;
    struct v6_answer answer;
    static const uint8_t payload[1452];
    open_host(&v6);
    send_datagram(&v6, &sent, 1452);
    complain(&v6, &sent, ICMP6_PACKET_TOO_BIG, 0, 1279, 1232);
    CHECK_EQUAL(drops(&v6, DROP_ICMP_BAD), 1); // RFC 8201 4
    complain(&v6, &sent, ICMP6_PACKET_TOO_BIG, 0, 1500, 1232);
    CHECK_EQUAL(drops(&v6, DROP_ICMP_BAD), 2); // it would have fitted
    CHECK_EQUAL(path_mtu(&v6), 1500);
    complain(&v6, &sent, ICMP6_PACKET_TOO_BIG, 0, 1400, 1232);
    CHECK_EQUAL(path_mtu(&v6), 1400);
    CHECK(socket_take_icmp_error(sent.socket, &seen));
    CHECK_EQUAL(seen.mtu, 1400);
    CHECK_EQUAL(socket_take_error(sent.socket), 0); // it may fragment
    CHECK_EQUAL(socket_send(sent.socket, payload, 1452, 0), 1452);
    CHECK_FATAL(v6_next(&v6, &answer));
    CHECK_EQUAL(answer.ip.next_header, IPV6_FRAGMENT);
    CHECK(answer.length + 40 <= 1400 && answer.length + 40 > 1392);
    CHECK_EQUAL(socket_set_option(sent.socket, OPTION_DONT_FRAGMENT, 1), 0);
    CHECK_EQUAL(socket_send(sent.socket, payload, 1353, 0), -EMSGSIZE);
    CHECK_EQUAL(socket_send(sent.socket, payload, 1352, 0), 1352);
    complain(&v6, &sent, ICMP6_PACKET_TOO_BIG, 0, 1280, 1232);
    CHECK_EQUAL(socket_take_error(sent.socket), -EMSGSIZE);
    CHECK_EQUAL(path_mtu(&v6), 1280);
    net_run(v6.net, v6.settings.ip_path_mtu_timeout + NS_PER_S);
    CHECK_EQUAL(path_mtu(&v6), 1500);
    v6_close(&v6);
}

static void a_later_fragment_can_be_too_big_as_well(void)
{
    struct v6 v6;
    struct sent sent;
    open_host(&v6);
    send_datagram(&v6, &sent, 1452);
    sent.bytes[6] = IPV6_FRAGMENT;
    memcpy(sent.bytes + 40, "\x11\0\5\x99\0\0\0\1", 8);
    complain(&v6, &sent, ICMP6_PACKET_TOO_BIG, 0, 1300, 100);
    CHECK_EQUAL(path_mtu(&v6), 1300);
    v6_close(&v6);
}

const struct unit_test suite_icmpv6[] = {
    UNIT(echo_is_answered_with_the_same_bytes),
    UNIT(echo_from_a_link_local_address_is_answered_on_its_link),
    UNIT(echo_to_a_group_is_answered_when_the_setting_says_so),
    UNIT(echo_from_nobody_is_not_answered),
    UNIT(an_echo_in_fragments_is_answered_in_fragments),
    UNIT(bad_messages_are_dropped_with_their_reason),
    UNIT(a_raw_socket_makes_an_echo_reply_wanted),
    UNIT(an_error_quotes_what_it_is_about),
    UNIT(an_error_is_no_larger_than_the_smallest_mtu),
    UNIT(nobody_and_groups_get_no_errors),
    UNIT(a_unicast_packet_in_a_group_frame_gets_no_errors),
    UNIT(errors_are_not_answered_with_errors),
    UNIT(errors_are_rate_limited),
    UNIT(an_error_without_buffers_is_simply_not_sent),
    UNIT(errors_reach_the_socket_with_their_meaning),
    UNIT(short_or_foreign_quotations_are_not_believed),
    UNIT(packet_too_big_lowers_the_path_mtu),
    UNIT(a_later_fragment_can_be_too_big_as_well),
    UNIT(an_echo_to_a_group_needs_an_address_to_answer_from),
    UNIT(an_echo_without_a_buffer_is_a_drop),
    {0}};
