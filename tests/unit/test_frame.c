// Tests of decoding, describing and filling frames.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/frame/frame.h"
#include "stack/wire/bytes.h"
#include "tests/unit/unit.h"

// An Ethernet frame with an IPv4 datagram of 4 bytes, lengths and checksums
// still zero where frame_fill puts them.
static size_t make_udp4(uint8_t *bytes)
{
    static const uint8_t empty[] = {
        2,    0,    0, 0,  0,  2, 2,    0, 0,   0,   0,   1,
        0x08, 0x00,                                          // Ethernet
        0x45, 0,    0, 32, 0,  7, 0x40, 0, 64,  17,  0,   0, // IPv4
        10,   0,    0, 1,  10, 0, 0,    2,                   //
        0,    5,    0, 7,  0,  0, 0,    0, 'd', 'a', 't', 'a'};
    memcpy(bytes, empty, sizeof empty);
    frame_fill(bytes, sizeof empty, false, FRAME_FILL_ALL);
    return sizeof empty;
}

static size_t make_tcp6(uint8_t *bytes)
{
    struct ipv6_header ip = {
        .payload_length = 24, .next_header = IP_PROTOCOL_TCP, .hop_limit = 64};
    struct tcp_header tcp = {.source_port = 1000,
                             .destination_port = 80,
                             .seq = 5,
                             .header_length = 24,
                             .flags = TCP_SYN,
                             .window = 1024};
    struct tcp_options options = {.has_mss = true, .mss = 1440};
    ip_addr_parse("2001:db8::1", &ip.source);
    ip_addr_parse("2001:db8::2", &ip.destination);
    ipv6_emit(&ip, bytes);
    tcp_emit(&tcp, bytes + 40);
    tcp_options_emit(&options, bytes + 60);
    frame_fill(bytes, 64, true, FRAME_FILL_ALL);
    return 64;
}

static void check_text(const uint8_t *bytes, size_t length, bool is_ip,
                       const char *expected)
{
    char text[256];
    CHECK_TEXT(frame_describe(bytes, length, is_ip, text, sizeof text),
               expected);
}

static void filled_frames_have_good_lengths_and_checksums(void)
{
    uint8_t bytes[128];
    struct frame_fields f;
    frame_decode(bytes, make_udp4(bytes), false, &f);
    CHECK(f.has_ethernet && f.has_ipv4 && f.has_udp);
    CHECK(f.ip_checksum_good && f.transport_checksum_good);
    CHECK_EQUAL(f.ipv4.total_length, 32);
    CHECK_EQUAL(f.udp.length, 12);
    CHECK_EQUAL(f.payload_length, 4);
    CHECK_BYTES(bytes + f.payload_offset, "data", 4);
    frame_decode(bytes, make_tcp6(bytes), true, &f);
    CHECK(!f.has_ethernet && f.has_ipv6 && f.has_tcp);
    CHECK(f.transport_checksum_good);
    CHECK_EQUAL(f.tcp_options.mss, 1440);
    CHECK_EQUAL(f.payload_length, 0);
}

static void wrong_checksums_are_told_and_decoded_on(void)
{
    uint8_t bytes[128];
    struct frame_fields f;
    size_t length = make_udp4(bytes);
    bytes[14 + 8] = 63; // TTL
    bytes[length - 1] ^= 1;
    frame_decode(bytes, length, false, &f);
    CHECK(f.has_udp && !f.ip_checksum_good && !f.transport_checksum_good);
    CHECK_EQUAL(f.udp.destination_port, 7);
    check_text(bytes, length, false,
               "IP 10.0.0.1.5 > 10.0.0.2.7: UDP, bad cksum, length 4, bad IP "
               "cksum 0x26c4");
    frame_fill(bytes, length, false,
               FRAME_FILL_IP_CHECKSUM | FRAME_FILL_TRANSPORT_CHECKSUM);
    frame_decode(bytes, length, false, &f);
    CHECK(f.ip_checksum_good && f.transport_checksum_good);
}

static void padding_behind_the_packet_is_no_payload(void)
{
    uint8_t bytes[128] = {0};
    struct frame_fields f;
    size_t length = make_udp4(bytes);
    memset(bytes + length, 0xff, 20);
    frame_decode(bytes, length + 20, false, &f);
    CHECK_EQUAL(f.payload_length, 4);
    CHECK_EQUAL(f.ip_end, length);
    CHECK(f.transport_checksum_good && !f.is_truncated);
}

static void cut_frames_end_where_they_end(void)
{
    uint8_t bytes[128];
    struct frame_fields f;
    size_t length = make_udp4(bytes);
    frame_decode(bytes, length - 1, false, &f);
    CHECK(f.has_ipv4 && f.is_truncated);
    frame_decode(bytes, 33, false, &f);
    CHECK(f.has_ethernet && !f.has_ipv4 && !f.has_udp);
    frame_decode(bytes, 13, false, &f);
    CHECK(!f.has_ethernet && f.is_truncated);
    for (size_t n = 0; n <= length; n++) {
        frame_decode(bytes, n, false, &f);
        CHECK(f.payload_offset + f.payload_length <= n);
    }
}

static void fragments_have_no_transport_but_the_first(void)
{
    uint8_t bytes[128];
    struct frame_fields f;
    size_t length = make_udp4(bytes);
    put_be16(bytes + 20, 0x2000); // more follow
    frame_fill(bytes, length, false, FRAME_FILL_IP_CHECKSUM);
    frame_decode(bytes, length, false, &f);
    CHECK(f.has_fragment && f.has_udp && f.fragment.more);
    CHECK(f.transport_checksum_good);
    put_be16(bytes + 20, 2);
    frame_fill(bytes, length, false, FRAME_FILL_IP_CHECKSUM);
    frame_decode(bytes, length, false, &f);
    CHECK(f.has_fragment && !f.has_udp);
    CHECK_EQUAL(f.fragment.offset, 16);
    check_text(bytes, length, false,
               "IP 10.0.0.1 > 10.0.0.2: UDP, length 12, frag (id 7, offset "
               "16)");
}

static void filling_leaves_the_checksum_of_a_fragment_alone(void)
{
    uint8_t bytes[128];
    size_t length = make_udp4(bytes);
    put_be16(bytes + 20, 0x2000);
    put_be16(bytes + 40, 0xabcd);
    frame_fill(bytes, length, false, FRAME_FILL_ALL);
    CHECK_EQUAL(get_be16(bytes + 40), 0xabcd);
}

static void extension_headers_are_walked(void)
{
    uint8_t bytes[128] = {0}, udp[] = {0, 1, 0, 2, 0, 8, 0, 0};
    struct frame_fields f;
    struct ipv6_header ip = {.payload_length = 24, .next_header = 0};
    struct ipv6_fragment fragment = {.next_header = 17, .id = 9};
    ip_addr_parse("::1", &ip.source);
    ip_addr_parse("::2", &ip.destination);
    ipv6_emit(&ip, bytes);
    bytes[40] = IPV6_FRAGMENT; // hop-by-hop header of 8 bytes
    bytes[42] = 1, bytes[43] = 4;
    ipv6_fragment_emit(&fragment, bytes + 48);
    memcpy(bytes + 56, udp, sizeof udp);
    frame_decode(bytes, 64, true, &f);
    CHECK(f.has_fragment && f.has_udp);
    CHECK_EQUAL(f.fragment.id, 9);
    CHECK_EQUAL(f.protocol, 17);
    CHECK_EQUAL(f.transport_offset, 56);
    bytes[41] = 200; // longer than the packet
    frame_decode(bytes, 64, true, &f);
    CHECK(f.has_ipv6 && !f.has_fragment && !f.has_udp);
}

static void descriptions_are_those_of_tcpdump(void)
{
    uint8_t bytes[128];
    size_t length = make_udp4(bytes);
    check_text(bytes, length, false,
               "IP 10.0.0.1.5 > 10.0.0.2.7: UDP, length 4");
    check_text(bytes, make_tcp6(bytes), true,
               "IP6 2001:db8::1.1000 > 2001:db8::2.80: Flags [S], seq 5, win "
               "1024, options [mss 1440], length 0");
    struct ethernet_header ethernet = {.type = ETHERTYPE_ARP};
    struct arp_header arp = {.operation = ARP_REQUEST};
    arp.sender_ip = ip_addr_v4(10, 0, 0, 1);
    arp.target_ip = ip_addr_v4(10, 0, 0, 2);
    ethernet_emit(&ethernet, bytes);
    arp_emit(&arp, bytes + 14);
    check_text(bytes, 42, false,
               "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28");
    ethernet.type = 0x1234;
    ethernet_emit(&ethernet, bytes);
    check_text(bytes, 20, false,
               "00:00:00:00:00:00 > 00:00:00:00:00:00, ethertype 0x1234, "
               "length 20");
    check_text(bytes, 0, false, "0 bytes that are no frame");
}

static void descriptions_are_cut_to_any_size(void)
{
    uint8_t bytes[128];
    char whole[256], text[256];
    size_t length = make_tcp6(bytes);
    frame_describe(bytes, length, true, whole, sizeof whole);
    for (size_t size = 1; size < 120; size++) {
        memset(text, 'x', sizeof text);
        frame_describe(bytes, length, true, text, size);
        CHECK(strlen(text) < size);
        CHECK(text[size] == 'x');
    }
    frame_describe(bytes, length, true, NULL, 0);
}

const struct unit_test suite_frame[] = {
    UNIT(filled_frames_have_good_lengths_and_checksums),
    UNIT(wrong_checksums_are_told_and_decoded_on),
    UNIT(padding_behind_the_packet_is_no_payload),
    UNIT(cut_frames_end_where_they_end),
    UNIT(fragments_have_no_transport_but_the_first),
    UNIT(filling_leaves_the_checksum_of_a_fragment_alone),
    UNIT(extension_headers_are_walked),
    UNIT(descriptions_are_those_of_tcpdump),
    UNIT(descriptions_are_cut_to_any_size),
    {0},
};
