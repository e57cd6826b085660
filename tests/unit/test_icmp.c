// Tests of ICMP headers of both families.
// SPDX-License-Identifier: MIT
#include "stack/wire/icmp.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "tests/unit/unit.h"

static const uint8_t echo[12] = {8,    0,    0x12, 0x34, 0xab, 0xcd,
                                 0x00, 0x07, 'p',  'i',  'n',  'g'};

static void parse_reads_each_field(void)
{
    struct icmp_header h;
    CHECK_EQUAL(icmp_parse(echo, sizeof echo, &h), 8);
    CHECK_EQUAL(h.type, ICMP4_ECHO);
    CHECK_EQUAL(h.code, 0);
    CHECK_EQUAL(h.checksum, 0x1234);
    CHECK_EQUAL(h.rest, 0xabcd0007);
}

static void parse_refuses_every_shorter_length(void)
{
    struct icmp_header h = {.type = 99};
    for (size_t length = 0; length < 8; length++)
        CHECK_EQUAL(icmp_parse(echo, length, &h), -EINVAL);
    CHECK_EQUAL(h.type, 99);
}

static void emit_gives_back_what_was_parsed(void)
{
    struct icmp_header h;
    uint8_t out[8];
    icmp_parse(echo, sizeof echo, &h);
    CHECK_EQUAL(icmp_emit(&h, out), 8);
    CHECK_BYTES(out, echo, 8);
}

static void checksum_over_ipv4_has_no_pseudo_header(void)
{
    uint8_t message[12];
    memcpy(message, echo, sizeof message);
    CHECK(!icmp_checksum_is_good(message, 12, NULL, NULL));
    icmp_fill_checksum(message, 12, NULL, NULL);
    // ~(0800 + abcd + 0007 + 7069 + 6e67)
    CHECK_EQUAL(get_be16(message + 2), 0x6d5a);
    CHECK(icmp_checksum_is_good(message, 12, NULL, NULL));
}

static void checksum_over_ipv6_covers_the_addresses(void)
{
    struct ip_addr a, b;
    uint8_t message[12];
    ip_addr_parse("fe80::1", &a);
    ip_addr_parse("fe80::2", &b);
    memcpy(message, echo, sizeof message);
    icmp_fill_checksum(message, 12, &a, &b);
    CHECK(icmp_checksum_is_good(message, 12, &a, &b));
    CHECK(!icmp_checksum_is_good(message, 12, &a, &a));
    CHECK(!icmp_checksum_is_good(message, 12, NULL, NULL));
    message[11] ^= 1;
    CHECK(!icmp_checksum_is_good(message, 12, &a, &b));
}

static void errors_are_told_from_queries(void)
{
    for (unsigned type = 0; type < 256; type++) {
        bool is_v4_error = (type >= 3 && type <= 5) || type == 11 || type == 12;
        CHECK_EQUAL(icmp_is_error(IP_V4, (uint8_t)type), is_v4_error);
        bool is_v6_error = type < 128 || type == 137;
        CHECK_EQUAL(icmp_is_error(IP_V6, (uint8_t)type), is_v6_error);
    }
}

static void names_are_those_of_tcpdump(void)
{
    CHECK_TEXT(icmp_type_name(IP_V4, 8, 0), "echo request");
    CHECK_TEXT(icmp_type_name(IP_V6, 128, 0), "echo request");
    CHECK_TEXT(icmp_type_name(IP_V4, 0, 0), "echo reply");
    CHECK_TEXT(icmp_type_name(IP_V4, 3, 3), "port unreachable");
    CHECK_TEXT(icmp_type_name(IP_V4, 3, 4), "unreachable - need to frag");
    CHECK_TEXT(icmp_type_name(IP_V4, 3, 200), "unreachable");
    CHECK_TEXT(icmp_type_name(IP_V4, 11, 0), "time exceeded in-transit");
    CHECK_TEXT(icmp_type_name(IP_V6, 2, 0), "packet too big");
    CHECK_TEXT(icmp_type_name(IP_V6, 135, 0), "neighbor solicitation");
    CHECK_TEXT(icmp_type_name(IP_V6, 200, 0), "unknown");
}

const struct unit_test suite_icmp[] = {
    UNIT(parse_reads_each_field),
    UNIT(parse_refuses_every_shorter_length),
    UNIT(emit_gives_back_what_was_parsed),
    UNIT(checksum_over_ipv4_has_no_pseudo_header),
    UNIT(checksum_over_ipv6_covers_the_addresses),
    UNIT(errors_are_told_from_queries),
    UNIT(names_are_those_of_tcpdump),
    {0},
};
