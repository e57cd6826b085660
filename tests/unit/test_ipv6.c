// Tests of IPv6 headers, extension headers and options.
// SPDX-License-Identifier: MIT
#include "stack/wire/ipv6.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "tests/unit/unit.h"

static const uint8_t sample[44] = {
    0x6a, 0xbc, 0xde, 0xf1, 0x00, 0x04, 0x3a, 0x40,             // fixed part
    0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,    0, 0, 0, 0, // source
    0,    0,    0,    0x01,                                     //
    0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,    0, 0, 0, 0, // destination
    0,    0,    0,    0x02,                                     //
    1,    2,    3,    4,                                        // payload
};

static void parse_reads_each_field(void)
{
    struct ipv6_header h;
    CHECK_EQUAL(ipv6_parse(sample, sizeof sample, &h), 40);
    CHECK_EQUAL(h.traffic_class, 0xab);
    CHECK_EQUAL(h.flow_label, 0xcdef1);
    CHECK_EQUAL(h.payload_length, 4);
    CHECK_EQUAL(h.next_header, 58);
    CHECK_EQUAL(h.hop_limit, 64);
    char text[IP_ADDR_TEXT_SIZE];
    CHECK_TEXT(ip_addr_format(&h.source, text), "2001:db8::1");
    CHECK_TEXT(ip_addr_format(&h.destination, text), "2001:db8::2");
}

static void parse_rejects_a_length_beyond_the_buffer(void)
{
    struct ipv6_header h = {.hop_limit = 1};
    for (size_t length = 0; length < sizeof sample; length++)
        CHECK_EQUAL(ipv6_parse(sample, length, &h), -EINVAL);
    CHECK_EQUAL(h.hop_limit, 1);
}

static void parse_rejects_other_versions(void)
{
    uint8_t bytes[sizeof sample];
    struct ipv6_header h;
    memcpy(bytes, sample, sizeof bytes);
    for (unsigned version = 0; version < 16; version++) {
        bytes[0] = (uint8_t)(version << 4 | 0xa);
        CHECK_EQUAL(ipv6_parse(bytes, sizeof bytes, &h),
                    version == 6 ? 40 : -EINVAL);
    }
}

static void quoted_packets_may_be_cut_short(void)
{
    struct ipv6_header h;
    CHECK_EQUAL(ipv6_parse_quoted(sample, 40, &h), 40);
    CHECK_EQUAL(h.payload_length, 4);
    for (size_t length = 0; length < 40; length++)
        CHECK_EQUAL(ipv6_parse_quoted(sample, length, &h), -EINVAL);
}

static void emit_gives_back_what_was_parsed(void)
{
    struct ipv6_header h;
    uint8_t out[40];
    ipv6_parse(sample, sizeof sample, &h);
    CHECK_EQUAL(ipv6_emit(&h, out), 40);
    CHECK_BYTES(out, sample, 40);
}

static void emit_keeps_a_flow_label_to_its_twenty_bits(void)
{
    struct ipv6_header h = {.flow_label = UINT32_MAX};
    uint8_t out[40];
    ipv6_emit(&h, out);
    CHECK_EQUAL(get_be32(out), 0x600fffff);
}

static void fragment_header_both_ways(void)
{
    static const uint8_t bytes[8] = {17, 0, 0x05, 0xc9, 1, 2, 3, 4};
    struct ipv6_fragment f;
    uint8_t out[8];
    CHECK_EQUAL(ipv6_fragment_parse(bytes, 8, &f), 8);
    CHECK_EQUAL(f.next_header, 17);
    CHECK_EQUAL(f.offset, 1480);
    CHECK(f.more);
    CHECK_EQUAL(f.id, 0x01020304);
    CHECK_EQUAL(ipv6_fragment_emit(&f, out), 8);
    CHECK_BYTES(out, bytes, 8);
    for (size_t length = 0; length < 8; length++)
        CHECK_EQUAL(ipv6_fragment_parse(bytes, length, &f), -EINVAL);
}

static void fragment_parse_ignores_reserved_bits(void)
{
    static const uint8_t bytes[8] = {17, 0xff, 0xff, 0xfe};
    struct ipv6_fragment f;
    CHECK_EQUAL(ipv6_fragment_parse(bytes, 8, &f), 8);
    CHECK_EQUAL(f.offset, 65528);
    CHECK(!f.more);
}

static void extension_length_counts_in_units_behind_the_first(void)
{
    uint8_t bytes[2048] = {0};
    CHECK_EQUAL(ipv6_extension_length(bytes, 8), 8);
    CHECK_EQUAL(ipv6_extension_length(bytes, 7), -EINVAL);
    CHECK_EQUAL(ipv6_extension_length(bytes, 0), -EINVAL);
    bytes[1] = 2;
    CHECK_EQUAL(ipv6_extension_length(bytes, 24), 24);
    CHECK_EQUAL(ipv6_extension_length(bytes, 23), -EINVAL);
    bytes[1] = 255;
    CHECK_EQUAL(ipv6_extension_length(bytes, 2048), 2048);
    CHECK_EQUAL(ipv6_extension_length(bytes, 2047), -EINVAL);
}

static void options_are_walked_one_by_one(void)
{
    static const uint8_t bytes[] = {0, 1, 2, 0, 0, 5, 2, 0, 0, 0xc2, 0};
    static const struct {
        int length;
        uint8_t type;
    } expected[] = {{1, 0}, {4, 1}, {4, 5}, {2, 0xc2}};
    const uint8_t *at = bytes;
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        struct ipv6_option option;
        size_t left = (size_t)(bytes + sizeof bytes - at);
        CHECK_EQUAL(ipv6_option_parse(at, left, &option), expected[i].length);
        CHECK_EQUAL(option.type, expected[i].type);
        at += expected[i].length;
    }
    CHECK(at == bytes + sizeof bytes);
}

static void option_parse_refuses_every_shorter_length(void)
{
    static const uint8_t bytes[] = {5, 3, 1, 2, 3};
    struct ipv6_option option = {.type = 9};
    for (size_t length = 0; length < sizeof bytes; length++)
        CHECK_EQUAL(ipv6_option_parse(bytes, length, &option), -EINVAL);
    CHECK_EQUAL(option.type, 9);
    CHECK_EQUAL(ipv6_option_parse(bytes, sizeof bytes, &option), 5);
    CHECK_EQUAL(option.length, 3);
    CHECK(option.data == bytes + 2);
}

const struct unit_test suite_ipv6[] = {
    UNIT(parse_reads_each_field),
    UNIT(parse_rejects_a_length_beyond_the_buffer),
    UNIT(parse_rejects_other_versions),
    UNIT(quoted_packets_may_be_cut_short),
    UNIT(emit_gives_back_what_was_parsed),
    UNIT(emit_keeps_a_flow_label_to_its_twenty_bits),
    UNIT(fragment_header_both_ways),
    UNIT(fragment_parse_ignores_reserved_bits),
    UNIT(extension_length_counts_in_units_behind_the_first),
    UNIT(options_are_walked_one_by_one),
    UNIT(option_parse_refuses_every_shorter_length),
    {0},
};
