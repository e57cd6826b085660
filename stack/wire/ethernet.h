// Ethernet II header (RFC 894) with an optional 802.1Q tag.
// SPDX-License-Identifier: MIT
#ifndef WIRE_ETHERNET_H
#define WIRE_ETHERNET_H

#include "stack/wire/address.h"

enum {
    ETHERNET_HEADER_SIZE = 14,
    ETHERNET_TAG_SIZE = 4,
    ETHERNET_MIN_FRAME = 60
};
enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_IPV6 = 0x86dd
};

struct ethernet_header {
    struct mac_addr destination, source;
    bool is_tagged;
    uint16_t
        vlan; // 802.1Q TCI: priority 3 bits, DEI 1, VLAN id 12; when tagged
    uint16_t type; // EtherType of what follows
};

// Returns the header's length (14 or 18) or -EINVAL when cut short.
int ethernet_parse(const uint8_t *bytes, size_t length,
                   struct ethernet_header *out);
// Writes 14 or 18 bytes and returns how many.
size_t ethernet_emit(const struct ethernet_header *header, uint8_t *bytes);

#endif
