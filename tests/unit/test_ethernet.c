// Tests of Ethernet headers.
// SPDX-License-Identifier: MIT
#include "stack/wire/ethernet.h"

#include <errno.h>

#include "tests/unit/unit.h"

static const uint8_t plain[] = {0x02, 0, 0, 0, 0, 1,    0x02,
                                0,    0, 0, 0, 2, 0x08, 0x00};
static const uint8_t tagged[] = {0x02, 0,    0,    0,    0,    1,
                                 0x02, 0,    0,    0,    0,    2,
                                 0x81, 0x00, 0xa0, 0x64, 0x86, 0xdd};

static void parse_reads_each_field(void)
{
    struct ethernet_header h;
    CHECK_EQUAL(ethernet_parse(plain, sizeof plain, &h), 14);
    CHECK_BYTES(h.destination.bytes, plain, 6);
    CHECK_BYTES(h.source.bytes, plain + 6, 6);
    CHECK(!h.is_tagged);
    CHECK_EQUAL(h.type, ETHERTYPE_IPV4);
}

static void parse_looks_behind_a_vlan_tag(void)
{
    struct ethernet_header h;
    CHECK_EQUAL(ethernet_parse(tagged, sizeof tagged, &h), 18);
    CHECK(h.is_tagged);
    CHECK_EQUAL(h.vlan, 0xa064); // priority 5, id 100
    CHECK_EQUAL(h.type, ETHERTYPE_IPV6);
}

static void parse_refuses_every_shorter_length(void)
{
    struct ethernet_header h = {.type = 7};
    for (size_t length = 0; length < sizeof plain; length++)
        CHECK_EQUAL(ethernet_parse(plain, length, &h), -EINVAL);
    for (size_t length = 0; length < sizeof tagged; length++)
        CHECK_EQUAL(ethernet_parse(tagged, length, &h), -EINVAL);
    CHECK_EQUAL(h.type, 7);
}

static void emit_gives_back_what_was_parsed(void)
{
    struct ethernet_header h;
    uint8_t bytes[18];
    ethernet_parse(plain, sizeof plain, &h);
    CHECK_EQUAL(ethernet_emit(&h, bytes), 14);
    CHECK_BYTES(bytes, plain, 14);
    ethernet_parse(tagged, sizeof tagged, &h);
    CHECK_EQUAL(ethernet_emit(&h, bytes), 18);
    CHECK_BYTES(bytes, tagged, 18);
}

const struct unit_test suite_ethernet[] = {
    UNIT(parse_reads_each_field),
    UNIT(parse_looks_behind_a_vlan_tag),
    UNIT(parse_refuses_every_shorter_length),
    UNIT(emit_gives_back_what_was_parsed),
    {0},
};
