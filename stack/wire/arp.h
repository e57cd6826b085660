// ARP for IPv4 over Ethernet (RFC 826).
// SPDX-License-Identifier: MIT
#ifndef WIRE_ARP_H
#define WIRE_ARP_H

#include "stack/wire/address.h"

enum { ARP_SIZE = 28 };
enum { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_header {
    uint16_t operation;
    struct mac_addr sender_mac, target_mac;
    struct ip_addr sender_ip, target_ip; // IPv4
};

// -EINVAL: too short; -EPROTONOSUPPORT: not Ethernet/IPv4.
int arp_parse(const uint8_t *bytes, size_t length, struct arp_header *out);
size_t arp_emit(const struct arp_header *header, uint8_t *bytes);

#endif
