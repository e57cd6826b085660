// Tests of IPv4 headers.
// SPDX-License-Identifier: MIT
#include "stack/wire/ipv4.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "tests/unit/unit.h"

// A UDP packet of 115 bytes with DF, from 192.168.0.1 to 192.168.0.199.
static const uint8_t sample[20] = {0x45, 0x2b, 0x00, 0x73, 0x12, 0x34, 0x40,
                                   0x00, 0x3f, 0x11, 0xa7, 0x02, 0xc0, 0xa8,
                                   0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

static void fix_checksum(uint8_t *bytes)
{
    size_t length = (bytes[0] & 0xfu) * 4;
    put_be16(bytes + 10, 0);
    put_be16(bytes + 10, checksum_finish(checksum_add(0, bytes, length)));
}

// The sample with room behind it for its payload.
static void make(uint8_t *packet, size_t size)
{
    memset(packet, 0, size);
    memcpy(packet, sample, sizeof sample);
    fix_checksum(packet);
}

static void parse_reads_each_field(void)
{
    uint8_t packet[115];
    struct ipv4_header h;
    make(packet, sizeof packet);
    CHECK_EQUAL(ipv4_parse(packet, sizeof packet, &h), 20);
    CHECK_EQUAL(h.header_length, 20);
    CHECK_EQUAL(h.tos, 0x2b);
    CHECK_EQUAL(h.total_length, 115);
    CHECK_EQUAL(h.id, 0x1234);
    CHECK(h.dont_fragment && !h.more_fragments && !h.reserved_flag);
    CHECK_EQUAL(h.fragment_offset, 0);
    CHECK_EQUAL(h.ttl, 63);
    CHECK_EQUAL(h.protocol, IP_PROTOCOL_UDP);
    CHECK_EQUAL(h.checksum, get_be16(packet + 10));
    struct ip_addr source = ip_addr_v4(192, 168, 0, 1),
                   destination = ip_addr_v4(192, 168, 0, 199);
    CHECK(ip_addr_equal(&h.source, &source));
    CHECK(ip_addr_equal(&h.destination, &destination));
}

static void parse_tells_the_fragment_fields_apart(void)
{
    uint8_t packet[115];
    struct ipv4_header h;
    make(packet, sizeof packet);
    put_be16(packet + 6, 0x8000);
    fix_checksum(packet);
    CHECK_EQUAL(ipv4_parse(packet, sizeof packet, &h), 20);
    CHECK(h.reserved_flag && !h.dont_fragment && !h.more_fragments);
    put_be16(packet + 6, 0x2000 | 185);
    fix_checksum(packet);
    CHECK_EQUAL(ipv4_parse(packet, sizeof packet, &h), 20);
    CHECK(!h.reserved_flag && !h.dont_fragment && h.more_fragments);
    CHECK_EQUAL(h.fragment_offset, 1480);
    put_be16(packet + 6, 0x1fff);
    fix_checksum(packet);
    CHECK_EQUAL(ipv4_parse(packet, sizeof packet, &h), 20);
    CHECK_EQUAL(h.fragment_offset, 65528);
}

static void parse_accepts_padding_behind_the_packet(void)
{
    uint8_t packet[200];
    struct ipv4_header h;
    make(packet, sizeof packet);
    CHECK_EQUAL(ipv4_parse(packet, sizeof packet, &h), 20);
    CHECK_EQUAL(h.total_length, 115);
}

static void parse_rejects_a_length_beyond_the_buffer(void)
{
    uint8_t packet[115];
    struct ipv4_header h = {.id = 1};
    make(packet, sizeof packet);
    for (size_t length = 0; length < sizeof packet; length++)
        CHECK_EQUAL(ipv4_parse(packet, length, &h), -EINVAL);
    CHECK_EQUAL(h.id, 1);
}

static void parse_rejects_impossible_headers(void)
{
    uint8_t packet[115];
    struct ipv4_header h;
    make(packet, sizeof packet);
    for (unsigned first = 0; first < 256; first++) {
        packet[0] = (uint8_t)first;
        fix_checksum(packet);
        bool is_possible = first >> 4 == 4 && (first & 15) >= 5;
        CHECK_EQUAL(ipv4_parse(packet, sizeof packet, &h),
                    is_possible ? (int)(first & 15) * 4 : -EINVAL);
    }
    make(packet, sizeof packet);
    put_be16(packet + 2, 19); // total length below the header's
    fix_checksum(packet);
    CHECK_EQUAL(ipv4_parse(packet, sizeof packet, &h), -EINVAL);
    put_be16(packet + 2, 20);
    fix_checksum(packet);
    CHECK_EQUAL(ipv4_parse(packet, sizeof packet, &h), 20);
}

static void parse_finds_every_wrong_bit_of_the_header(void)
{
    uint8_t packet[115];
    struct ipv4_header h = {.id = 1};
    make(packet, sizeof packet);
    // The first four bytes change the shape as well.
    for (size_t bit = 4 * 8; bit < sizeof sample * 8; bit++) {
        packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQUAL(ipv4_parse(packet, sizeof packet, &h), -EBADMSG);
        packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_EQUAL(h.id, 1);
}

static void quoted_packets_may_be_cut_short_and_changed(void)
{
    uint8_t packet[28];
    struct ipv4_header h;
    make(packet, sizeof packet);
    CHECK_EQUAL(ipv4_parse_quoted(packet, sizeof packet, &h), 20);
    CHECK_EQUAL(h.total_length, 115);
    packet[8]--; // TTL without its checksum
    CHECK_EQUAL(ipv4_parse_quoted(packet, sizeof packet, &h), 20);
    for (size_t length = 0; length < 20; length++)
        CHECK_EQUAL(ipv4_parse_quoted(packet, length, &h), -EINVAL);
}

static void emit_gives_back_what_was_parsed(void)
{
    uint8_t packet[115], out[60];
    struct ipv4_header h;
    make(packet, sizeof packet);
    for (unsigned fragment = 0; fragment < 65536; fragment += 509) {
        put_be16(packet + 6, (uint16_t)fragment);
        fix_checksum(packet);
        CHECK_EQUAL(ipv4_parse(packet, sizeof packet, &h), 20);
        CHECK_EQUAL(ipv4_emit(&h, out), 20);
        CHECK_BYTES(out, packet, 20);
    }
}

static void emit_of_length_zero_means_twenty(void)
{
    uint8_t out[60];
    struct ipv4_header h = {.total_length = 20,
                            .source = ip_addr_v4(1, 2, 3, 4),
                            .destination = ip_addr_v4(5, 6, 7, 8)};
    CHECK_EQUAL(ipv4_emit(&h, out), 20);
    CHECK_EQUAL(out[0], 0x45);
    CHECK_EQUAL(ipv4_parse(out, 20, &h), 20);
}

static void emit_carries_options_or_fills_with_their_end(void)
{
    static const uint8_t router_alert[4] = {0x94, 0x04, 0x00, 0x00};
    uint8_t out[60];
    struct ipv4_header h = {
        .header_length = 24, .total_length = 24, .options = router_alert};
    CHECK_EQUAL(ipv4_emit(&h, out), 24);
    CHECK_BYTES(out + 20, router_alert, 4);
    struct ipv4_header parsed;
    CHECK_EQUAL(ipv4_parse(out, 24, &parsed), 24);
    CHECK(parsed.options == out + 20);
    // Emitting over the bytes that the options were parsed from.
    CHECK_EQUAL(ipv4_emit(&parsed, out), 24);
    CHECK_BYTES(out + 20, router_alert, 4);
    h.options = NULL;
    CHECK_EQUAL(ipv4_emit(&h, out), 24);
    CHECK_BYTES(out + 20, "\0\0\0\0", 4);
    CHECK_EQUAL(ipv4_parse(out, 24, &parsed), 24);
}

const struct unit_test suite_ipv4[] = {
    UNIT(parse_reads_each_field),
    UNIT(parse_tells_the_fragment_fields_apart),
    UNIT(parse_accepts_padding_behind_the_packet),
    UNIT(parse_rejects_a_length_beyond_the_buffer),
    UNIT(parse_rejects_impossible_headers),
    UNIT(parse_finds_every_wrong_bit_of_the_header),
    UNIT(quoted_packets_may_be_cut_short_and_changed),
    UNIT(emit_gives_back_what_was_parsed),
    UNIT(emit_of_length_zero_means_twenty),
    UNIT(emit_carries_options_or_fills_with_their_end),
    {0},
};
