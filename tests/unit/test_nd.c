// Tests of neighbour discovery messages.
// SPDX-License-Identifier: MIT
#include "stack/wire/nd.h"

#include <errno.h>

#include "stack/wire/icmp.h"
#include "tests/unit/unit.h"

static const uint8_t advertisement[32] = {
    136,  0,    0, 0, 0xe0, 0, 0, 0, // R, S, O
    0xfe, 0x80, 0, 0, 0,    0, 0, 0, 0, 0, 0, 0,
    0,    0,    0, 1, 2,    1, 2, 0, 0, 0, 0, 9, // target link-layer address
};

static void parse_reads_an_advertisement(void)
{
    struct nd_neighbour m;
    CHECK_EQUAL(nd_neighbour_parse(advertisement, 32, &m), 0);
    CHECK_EQUAL(m.type, ICMP6_NEIGHBOUR_ADVERTISEMENT);
    CHECK(m.is_router && m.is_solicited && m.is_override && m.has_link_addr);
    CHECK_BYTES(m.link_addr.bytes, advertisement + 26, 6);
    char text[IP_ADDR_TEXT_SIZE];
    CHECK_TEXT(ip_addr_format(&m.target, text), "fe80::1");
}

static void flags_are_one_bit_each(void)
{
    for (unsigned flags = 0; flags < 256; flags++) {
        uint8_t bytes[24];
        struct nd_neighbour m;
        memcpy(bytes, advertisement, sizeof bytes);
        bytes[4] = (uint8_t)flags;
        CHECK_EQUAL(nd_neighbour_parse(bytes, 24, &m), 0);
        CHECK_EQUAL(m.is_router, (flags & 0x80) != 0);
        CHECK_EQUAL(m.is_solicited, (flags & 0x40) != 0);
        CHECK_EQUAL(m.is_override, (flags & 0x20) != 0);
        CHECK(!m.has_link_addr);
    }
}

static void a_solicitation_has_no_flags_and_tells_the_source(void)
{
    uint8_t bytes[32];
    struct nd_neighbour m;
    memcpy(bytes, advertisement, sizeof bytes);
    bytes[0] = 135;
    CHECK_EQUAL(nd_neighbour_parse(bytes, 32, &m), 0);
    CHECK(!m.is_router && !m.is_solicited && !m.is_override);
    CHECK(!m.has_link_addr); // option 2 is the target's
    bytes[24] = 1;
    CHECK_EQUAL(nd_neighbour_parse(bytes, 32, &m), 0);
    CHECK(m.has_link_addr);
}

static void parse_refuses_every_shorter_length(void)
{
    struct nd_neighbour m = {.type = 1};
    for (size_t length = 0; length < 32; length++)
        if (length != 24)
            CHECK_EQUAL(nd_neighbour_parse(advertisement, length, &m), -EINVAL);
    CHECK_EQUAL(m.type, 1);
}

static void parse_refuses_an_option_of_length_zero(void)
{
    uint8_t bytes[32];
    struct nd_neighbour m = {.type = 1};
    memcpy(bytes, advertisement, sizeof bytes);
    bytes[25] = 0;
    CHECK_EQUAL(nd_neighbour_parse(bytes, 32, &m), -EINVAL);
    bytes[25] = 2; // beyond the message
    CHECK_EQUAL(nd_neighbour_parse(bytes, 32, &m), -EINVAL);
    CHECK_EQUAL(m.type, 1);
}

static void parse_refuses_other_messages(void)
{
    uint8_t bytes[32];
    struct nd_neighbour m;
    memcpy(bytes, advertisement, sizeof bytes);
    for (unsigned type = 0; type < 256; type++) {
        bytes[0] = (uint8_t)type;
        CHECK_EQUAL(nd_neighbour_parse(bytes, 32, &m),
                    type == 135 || type == 136 ? 0 : -EINVAL);
    }
}

static void parse_skips_unknown_options(void)
{
    uint8_t bytes[56] = {0};
    struct nd_neighbour m;
    memcpy(bytes, advertisement, 24);
    bytes[24] = 14; // nonce (RFC 3971), 16 bytes
    bytes[25] = 2;
    bytes[40] = 2; // a link-layer address that is not Ethernet's
    bytes[41] = 1;
    memcpy(bytes + 40, advertisement + 24, 8);
    bytes[48] = 200;
    bytes[49] = 1;
    CHECK_EQUAL(nd_neighbour_parse(bytes, 56, &m), 0);
    CHECK(m.has_link_addr);
    CHECK_EQUAL(m.link_addr.bytes[5], 9);
    bytes[41] = 2; // 14 bytes are no Ethernet address
    CHECK_EQUAL(nd_neighbour_parse(bytes, 56, &m), 0);
    CHECK(!m.has_link_addr);
}

static void emit_gives_back_what_was_parsed(void)
{
    struct nd_neighbour m;
    uint8_t out[32];
    nd_neighbour_parse(advertisement, 32, &m);
    CHECK_EQUAL(nd_neighbour_emit(&m, out), 32);
    CHECK_BYTES(out, advertisement, 32);
    m.has_link_addr = m.is_router = m.is_override = false;
    CHECK_EQUAL(nd_neighbour_emit(&m, out), 24);
    CHECK_EQUAL(out[4], 0x40);
    m.type = ICMP6_NEIGHBOUR_SOLICITATION;
    m.has_link_addr = true;
    CHECK_EQUAL(nd_neighbour_emit(&m, out), 32);
    CHECK_EQUAL(out[4], 0);
    CHECK_EQUAL(out[24], ND_OPTION_SOURCE_LINK_ADDR);
}

const struct unit_test suite_nd[] = {
    UNIT(parse_reads_an_advertisement),
    UNIT(flags_are_one_bit_each),
    UNIT(a_solicitation_has_no_flags_and_tells_the_source),
    UNIT(parse_refuses_every_shorter_length),
    UNIT(parse_refuses_an_option_of_length_zero),
    UNIT(parse_refuses_other_messages),
    UNIT(parse_skips_unknown_options),
    UNIT(emit_gives_back_what_was_parsed),
    {0},
};
