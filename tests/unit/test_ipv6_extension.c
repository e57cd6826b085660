// The walk along IPv6 extension headers, and what ends it.
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "stack/net/ipv6/ipv6.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ipv4.h"
#include "tests/unit/ipv6_fixture.h"
#include "tests/unit/unit.h"

static struct socket *listen_on(struct v6 *v6, uint16_t port)
{
    struct socket *socket = NULL;
    struct endpoint local = {.addr = ip_addr_any(IP_V6), .port = port};
    CHECK_EQUAL(
        socket_open(v6->host->stack, SOCKET_DATAGRAM, IP_V6, 0, &socket), 0);
    CHECK_EQUAL(socket_bind(socket, &local), 0);
    return socket;
}

static bool has_received(struct socket *socket)
{
    char text[16];
    return socket_receive(socket, text, sizeof text, 0) >= 0;
}

// An extension header of 8 bytes whose content is `content`.
static void put_extension(struct v6_frame *frame, uint8_t next,
                          const char content[6])
{
    uint8_t header[8] = {next, 0};
    memcpy(header + 2, content, 6);
    v6_put(frame, header, sizeof header);
}

// Six bytes: an option of the given type with two bytes of data, padded.
static void put_option(struct v6_frame *frame, uint8_t next, uint8_t type)
{
    const char content[6] = {(char)type, 2, 0, 0, 1, 0};
    put_extension(frame, next, content);
}

static void put_padding(struct v6_frame *frame, uint8_t next)
{
    put_extension(frame, next, "\1\4\0\0\0\0"); // PadN of four zeros
}

static uint64_t drops(struct v6 *v6, enum drop_reason reason)
{
    return stack_drops(v6->host->stack, reason);
}

// The host has answered with a parameter problem, and nothing else.
static void check_problem(struct v6 *v6, uint8_t code, uint32_t pointer)
{
    struct v6_answer answer;
    CHECK_FATAL(v6_next(v6, &answer));
    CHECK_EQUAL(answer.ip.next_header, IP_PROTOCOL_ICMPV6);
    CHECK_EQUAL(answer.icmp.type, ICMP6_PARAMETER_PROBLEM);
    CHECK_EQUAL(answer.icmp.code, code);
    CHECK_EQUAL(answer.icmp.rest, pointer);
    CHECK(!v6_next(v6, &answer));
}

static void check_silence(struct v6 *v6)
{
    struct v6_answer answer;
    CHECK(!v6_next(v6, &answer));
}

// --- What is passed

static void every_header_is_walked_to_the_transport(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct socket *socket = listen_on(&v6, 7);
    struct v6_frame frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_HOP_BY_HOP, 9);
    put_extension(&frame, IPV6_DESTINATION, "\5\2\0\0\1\0"); // router alert
    put_padding(&frame, IPV6_ROUTING);
    put_extension(&frame, IPV6_DESTINATION, "\0\0\0\0\0\0"); // none left
    put_extension(&frame, IP_PROTOCOL_UDP, "\0\0\0\0\0\0");  // six Pad1
    v6_put_udp(&frame, 1, 7, "x", 1);
    v6_send(&v6, &frame);
    CHECK(has_received(socket));
    check_silence(&v6);
    v6_close(&v6);
}

static void a_packet_without_a_next_header_just_ends(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    uint64_t before = stack_counter(v6.host->stack, COUNT_DELIVERED);
    struct v6_frame frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_NO_NEXT, 9);
    v6_put(&frame, "what follows is ignored", 23);
    v6_send(&v6, &frame);
    frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_DESTINATION, 9);
    put_padding(&frame, IPV6_NO_NEXT);
    v6_send(&v6, &frame);
    CHECK_EQUAL(stack_counter(v6.host->stack, COUNT_DELIVERED), before + 2);
    check_silence(&v6);
    v6_close(&v6);
}

// --- What is refused

static void hop_by_hop_is_refused_anywhere_but_first(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct v6_frame frame =
        v6_begin(&v6, V6_PEER, V6_HOST, IPV6_DESTINATION, 9);
    put_padding(&frame, IPV6_HOP_BY_HOP);
    put_padding(&frame, IPV6_NO_NEXT);
    v6_send(&v6, &frame);
    check_problem(&v6, ICMP6_BAD_NEXT_HEADER, 40); // where it was named
    CHECK_EQUAL(drops(&v6, DROP_IP_BAD_OPTION), 1);
    frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_HOP_BY_HOP, 9);
    put_padding(&frame, IPV6_HOP_BY_HOP);
    put_padding(&frame, IPV6_NO_NEXT);
    v6_send(&v6, &frame);
    check_problem(&v6, ICMP6_BAD_NEXT_HEADER, 40);
    v6_close(&v6);
}

static void an_unknown_option_is_treated_as_its_type_says(void)
{
    static const struct {
        const char *destination;
        uint8_t type;
        bool is_dropped, is_answered;
    } rows[] = {
        {V6_HOST, 0x1e, false, false},   {V6_HOST, 0x5e, true, false},
        {V6_HOST, 0x9e, true, true},     {V6_HOST, 0xde, true, true},
        {"ff02::1", 0x1e, false, false}, {"ff02::1", 0x5e, true, false},
        {"ff02::1", 0x9e, true, true},   {"ff02::1", 0xde, true, false},
    };
    static const uint8_t headers[] = {IPV6_HOP_BY_HOP, IPV6_DESTINATION};
    for (unsigned i = 0; i < 2 * ARRAY_LENGTH(rows); i++) {
        struct v6 v6;
        v6_init(&v6);
        v6_open(&v6);
        struct socket *socket = listen_on(&v6, 7);
        unsigned row = i / 2;
        struct v6_frame frame =
            v6_begin(&v6, V6_PEER, rows[row].destination, headers[i % 2], 9);
        put_option(&frame, IP_PROTOCOL_UDP, rows[row].type);
        v6_put_udp(&frame, 1, 7, "x", 1);
        v6_send(&v6, &frame);
        CHECK(has_received(socket) == !rows[row].is_dropped);
        CHECK_EQUAL(drops(&v6, DROP_IP_BAD_OPTION), rows[row].is_dropped);
        if (rows[row].is_answered)
            check_problem(&v6, ICMP6_BAD_OPTION, 42);
        check_silence(&v6);
        v6_close(&v6);
    }
}

static void a_routing_header_with_segments_left_is_refused(void)
{
    static const char *const contents[] = {"\0\1\0\0\0\0", "\2\1\0\0\0\0",
                                           "\4\1\0\0\0\0"};
    for (unsigned i = 0; i < ARRAY_LENGTH(contents); i++) {
        struct v6 v6;
        v6_init(&v6);
        v6_open(&v6);
        struct v6_frame frame =
            v6_begin(&v6, V6_PEER, V6_HOST, IPV6_ROUTING, 9);
        put_extension(&frame, IPV6_NO_NEXT, contents[i]);
        v6_send(&v6, &frame);
        check_problem(&v6, ICMP6_BAD_HEADER, 42); // the routing type
        v6_close(&v6);
    }
}

static void an_unknown_next_header_is_pointed_at(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct v6_frame frame = v6_begin(&v6, V6_PEER, V6_HOST, 200, 9);
    v6_put(&frame, "?", 1);
    v6_send(&v6, &frame);
    check_problem(&v6, ICMP6_BAD_NEXT_HEADER, 6);
    frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_HOP_BY_HOP, 9);
    put_padding(&frame, IPV6_DESTINATION);
    put_padding(&frame, 200);
    v6_send(&v6, &frame);
    check_problem(&v6, ICMP6_BAD_NEXT_HEADER, 48);
    CHECK_EQUAL(drops(&v6, DROP_IP_UNKNOWN_PROTOCOL), 2);
    v6_close(&v6);
}

static void headers_that_are_cut_off_are_dropped(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct v6_frame frame =
        v6_begin(&v6, V6_PEER, V6_HOST, IPV6_DESTINATION, 9);
    v6_send(&v6, &frame); // nothing there
    v6_put(&frame, "\x3b\0\1\4\0\0\0", 7);
    v6_send(&v6, &frame); // one byte short
    frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_ROUTING, 9);
    v6_put(&frame, "\x3b\1\0\0\0\0\0\0", 8);
    v6_send(&v6, &frame); // longer than the packet
    CHECK_EQUAL(drops(&v6, DROP_IP_BAD_HEADER), 3);
    frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_DESTINATION, 9);
    put_extension(&frame, IPV6_NO_NEXT, "\x1e\5\0\0\0\0");
    v6_send(&v6, &frame); // an option longer than its header
    frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_HOP_BY_HOP, 9);
    put_extension(&frame, IPV6_NO_NEXT, "\1\3\0\0\0\x1e");
    v6_send(&v6, &frame); // an option without its length
    CHECK_EQUAL(drops(&v6, DROP_IP_BAD_OPTION), 2);
    check_silence(&v6);
    v6_close(&v6);
}

// --- Limits

static void the_chain_is_as_long_as_the_limit_at_most(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6.settings.ip_extension_limit = 3;
    v6_open(&v6);
    struct socket *socket = listen_on(&v6, 7);
    for (unsigned count = 3; count <= 4; count++) {
        struct v6_frame frame =
            v6_begin(&v6, V6_PEER, V6_HOST, IPV6_DESTINATION, 9);
        for (unsigned i = 1; i <= count; i++)
            put_padding(&frame, i < count ? IPV6_DESTINATION : IP_PROTOCOL_UDP);
        v6_put_udp(&frame, 1, 7, "x", 1);
        v6_send(&v6, &frame);
        CHECK(has_received(socket) == (count == 3));
    }
    CHECK_EQUAL(drops(&v6, DROP_IP_EXTENSION_LIMIT), 1);
    v6_close(&v6);
}

static void atomic_fragments_count_towards_the_limit(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6_open(&v6);
    struct socket *socket = listen_on(&v6, 7);
    for (unsigned count = 8; count <= 9; count++) {
        struct v6_frame frame =
            v6_begin(&v6, V6_PEER, V6_HOST, IPV6_FRAGMENT, 9);
        for (unsigned i = 1; i < count; i++)
            v6_put(&frame, "\x2c\0\0\0\0\0\0\1", 8);
        v6_put(&frame, "\x11\0\0\0\0\0\0\1", 8);
        v6_put_udp(&frame, 1, 7, "x", 1);
        v6_send(&v6, &frame);
        CHECK(has_received(socket) == (count == 8));
    }
    CHECK_EQUAL(drops(&v6, DROP_IP_EXTENSION_LIMIT), 1);
    v6_close(&v6);
}

static void the_options_of_a_header_are_limited_too(void)
{
    struct v6 v6;
    v6_init(&v6);
    v6.settings.ip_extension_limit = 3;
    v6_open(&v6);
    struct v6_frame frame =
        v6_begin(&v6, V6_PEER, V6_HOST, IPV6_DESTINATION, 9);
    // Options without data that may be skipped: three, then four.
    v6_put(&frame, "\x3b\0\x1e\0\x1e\0\x1e\0", 8);
    v6_send(&v6, &frame);
    CHECK_EQUAL(drops(&v6, DROP_IP_EXTENSION_LIMIT), 0);
    frame = v6_begin(&v6, V6_PEER, V6_HOST, IPV6_DESTINATION, 9);
    v6_put(&frame, "\x3b\1\x1e\0\x1e\0\x1e\0\x1e\0\1\4\0\0\0\0", 16);
    v6_send(&v6, &frame);
    CHECK_EQUAL(drops(&v6, DROP_IP_EXTENSION_LIMIT), 1);
    v6_close(&v6);
}

// --- The quiet walk

static void skipping_finds_the_transport_or_says_why_not(void)
{
    static const uint8_t chain[] = {IPV6_DESTINATION, 0, 1, 4, 0, 0, 0, 0,
                                    IPV6_FRAGMENT,    0, 0, 0, 0, 0, 0, 0,
                                    IP_PROTOCOL_TCP,  0, 0, 1, 0, 0, 0, 9};
    uint8_t next = IPV6_ROUTING, later[24];
    CHECK_EQUAL(ipv6_skip_extensions(chain, sizeof chain, &next), 24);
    CHECK_EQUAL(next, IP_PROTOCOL_TCP);
    next = IP_PROTOCOL_UDP;
    CHECK_EQUAL(ipv6_skip_extensions(chain, 0, &next), 0);
    for (size_t cut = 0; cut < sizeof chain; cut++) {
        next = IPV6_ROUTING;
        CHECK_EQUAL(ipv6_skip_extensions(chain, cut, &next), -EINVAL);
    }
    memcpy(later, chain, sizeof chain);
    put_be16(later + 18, 8 | 1); // not the first fragment
    next = IPV6_ROUTING;
    CHECK_EQUAL(ipv6_skip_extensions(later, sizeof later, &next), -ENOENT);
}

const struct unit_test suite_ipv6_extension[] = {
    UNIT(every_header_is_walked_to_the_transport),
    UNIT(a_packet_without_a_next_header_just_ends),
    UNIT(hop_by_hop_is_refused_anywhere_but_first),
    UNIT(an_unknown_option_is_treated_as_its_type_says),
    UNIT(a_routing_header_with_segments_left_is_refused),
    UNIT(an_unknown_next_header_is_pointed_at),
    UNIT(headers_that_are_cut_off_are_dropped),
    UNIT(the_chain_is_as_long_as_the_limit_at_most),
    UNIT(atomic_fragments_count_towards_the_limit),
    UNIT(the_options_of_a_header_are_limited_too),
    UNIT(skipping_finds_the_transport_or_says_why_not),
    {0}};
