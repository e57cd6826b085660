// Tests of ARP packets.
// SPDX-License-Identifier: MIT
#include "stack/wire/arp.h"

#include <errno.h>

#include "tests/unit/unit.h"

static const uint8_t request[ARP_SIZE] = {
    0x00, 0x01, 0x08, 0x00, 6,    4, 0x00, 0x01, // Ethernet, IPv4, request
    0x02, 0x00, 0x00, 0x00, 0x00, 1, 10,   0,    0, 1, // sender
    0xff, 0xfe, 0xfd, 0xfc, 0xfb, 2, 10,   0,    0, 2, // target
};

static void parse_reads_each_field(void)
{
    struct arp_header h;
    CHECK_EQUAL(arp_parse(request, sizeof request, &h), 0);
    CHECK_EQUAL(h.operation, ARP_REQUEST);
    CHECK_BYTES(h.sender_mac.bytes, request + 8, 6);
    CHECK_BYTES(h.target_mac.bytes, request + 18, 6);
    struct ip_addr sender = ip_addr_v4(10, 0, 0, 1),
                   target = ip_addr_v4(10, 0, 0, 2);
    CHECK(ip_addr_equal(&h.sender_ip, &sender));
    CHECK(ip_addr_equal(&h.target_ip, &target));
}

static void parse_ignores_padding(void)
{
    uint8_t padded[46] = {0};
    struct arp_header h;
    memcpy(padded, request, sizeof request);
    CHECK_EQUAL(arp_parse(padded, sizeof padded, &h), 0);
}

static void parse_refuses_every_shorter_length(void)
{
    struct arp_header h = {.operation = 9};
    for (size_t length = 0; length < ARP_SIZE; length++)
        CHECK_EQUAL(arp_parse(request, length, &h), -EINVAL);
    CHECK_EQUAL(h.operation, 9);
}

static void parse_refuses_other_hardware_and_protocols(void)
{
    for (size_t at = 0; at < 6; at++) {
        uint8_t bytes[ARP_SIZE];
        struct arp_header h = {.operation = 9};
        memcpy(bytes, request, sizeof bytes);
        bytes[at] ^= 0x10;
        CHECK_EQUAL(arp_parse(bytes, sizeof bytes, &h), -EPROTONOSUPPORT);
        CHECK_EQUAL(h.operation, 9);
    }
}

static void emit_gives_back_what_was_parsed(void)
{
    struct arp_header h;
    uint8_t bytes[ARP_SIZE];
    arp_parse(request, sizeof request, &h);
    CHECK_EQUAL(arp_emit(&h, bytes), ARP_SIZE);
    CHECK_BYTES(bytes, request, ARP_SIZE);
    h.operation = ARP_REPLY;
    arp_emit(&h, bytes);
    CHECK_EQUAL(bytes[7], 2);
}

const struct unit_test suite_arp[] = {
    UNIT(parse_reads_each_field),
    UNIT(parse_ignores_padding),
    UNIT(parse_refuses_every_shorter_length),
    UNIT(parse_refuses_other_hardware_and_protocols),
    UNIT(emit_gives_back_what_was_parsed),
    {0},
};
