// Tests of UDP headers.
// SPDX-License-Identifier: MIT
#include "stack/wire/udp.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "tests/unit/unit.h"

static const uint8_t datagram[12] = {0x12, 0x34, 0x00, 0x35, 0x00, 0x0c,
                                     0xbe, 0xef, 'a',  'b',  'c',  'd'};

static void parse_reads_each_field(void)
{
    struct udp_header h;
    CHECK_EQUAL(udp_parse(datagram, sizeof datagram, &h), 8);
    CHECK_EQUAL(h.source_port, 0x1234);
    CHECK_EQUAL(h.destination_port, 53);
    CHECK_EQUAL(h.length, 12);
    CHECK_EQUAL(h.checksum, 0xbeef);
}

static void parse_rejects_a_length_beyond_the_buffer(void)
{
    struct udp_header h = {.length = 1};
    for (size_t length = 0; length < sizeof datagram; length++)
        CHECK_EQUAL(udp_parse(datagram, length, &h), -EINVAL);
    CHECK_EQUAL(h.length, 1);
}

static void parse_rejects_a_length_below_the_header(void)
{
    uint8_t bytes[12];
    struct udp_header h;
    memcpy(bytes, datagram, sizeof bytes);
    for (uint16_t length = 0; length <= 13; length++) {
        put_be16(bytes + 4, length);
        CHECK_EQUAL(udp_parse(bytes, sizeof bytes, &h),
                    length >= 8 && length <= 12 ? 8 : -EINVAL);
    }
}

static void emit_gives_back_what_was_parsed(void)
{
    struct udp_header h;
    uint8_t out[8];
    udp_parse(datagram, sizeof datagram, &h);
    CHECK_EQUAL(udp_emit(&h, out), 8);
    CHECK_BYTES(out, datagram, 8);
}

static void checksum_covers_header_payload_and_addresses(void)
{
    struct ip_addr a = ip_addr_v4(10, 0, 0, 1), b = ip_addr_v4(10, 0, 0, 2),
                   c = ip_addr_v4(10, 0, 0, 3);
    uint8_t bytes[12];
    memcpy(bytes, datagram, sizeof bytes);
    udp_fill_checksum(bytes, sizeof bytes, &a, &b);
    CHECK(udp_checksum_is_good(bytes, sizeof bytes, &a, &b));
    CHECK(!udp_checksum_is_good(bytes, sizeof bytes, &a, &c));
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!udp_checksum_is_good(bytes, sizeof bytes, &a, &b));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void a_zero_checksum_is_good_over_ipv4_alone(void)
{
    struct ip_addr v4 = ip_addr_v4(10, 0, 0, 1), v6;
    ip_addr_parse("2001:db8::1", &v6);
    uint8_t bytes[12];
    memcpy(bytes, datagram, sizeof bytes);
    put_be16(bytes + 6, 0);
    CHECK(udp_checksum_is_good(bytes, sizeof bytes, &v4, &v4));
    CHECK(!udp_checksum_is_good(bytes, sizeof bytes, &v6, &v6));
}

static void a_sum_of_zero_is_sent_as_ones(void)
{
    struct ip_addr a = ip_addr_v4(10, 0, 0, 1);
    uint8_t bytes[10] = {0, 0, 0, 0, 0, 10, 0, 0, 0, 0};
    // Put what the sum lacks into the payload.
    udp_fill_checksum(bytes, sizeof bytes, &a, &a);
    put_be16(bytes + 8, get_be16(bytes + 6));
    udp_fill_checksum(bytes, sizeof bytes, &a, &a);
    CHECK_EQUAL(get_be16(bytes + 6), 0xffff);
    CHECK(udp_checksum_is_good(bytes, sizeof bytes, &a, &a));
}

const struct unit_test suite_udp[] = {
    UNIT(parse_reads_each_field),
    UNIT(parse_rejects_a_length_beyond_the_buffer),
    UNIT(parse_rejects_a_length_below_the_header),
    UNIT(emit_gives_back_what_was_parsed),
    UNIT(checksum_covers_header_payload_and_addresses),
    UNIT(a_zero_checksum_is_good_over_ipv4_alone),
    UNIT(a_sum_of_zero_is_sent_as_ones),
    {0},
};
