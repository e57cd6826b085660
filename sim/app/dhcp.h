// The messages of DHCPv4 (RFC 2131), built and read.
// SPDX-License-Identifier: MIT
#ifndef APP_DHCP_H
#define APP_DHCP_H

// OFFSET SIZE MEANING
//      0    1 op: 1 request, 2 reply
//      1    1 hardware type: 1 Ethernet
//      2    1 length of a hardware address: 6
//      4    4 xid
//      8    2 seconds since the client began
//     10    2 flags: 0x8000 answer by broadcast
//     12    4 ciaddr, the client's address if it has one
//     16    4 yiaddr, your address
//     20    4 siaddr    24  4 giaddr
//     28   16 chaddr    44 64 sname    108 128 file
//    236    4 cookie 63 82 53 63
//    240      options

#include "stack/wire/address.h"

enum dhcp_type {
    DHCP_NONE,
    DHCP_DISCOVER,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE
};
enum {
    DHCP_SERVER_PORT = 67,
    DHCP_CLIENT_PORT = 68,
    DHCP_MESSAGE_SIZE = 576, // what every host takes (RFC 2131 2)
    DHCP_DNS_LIMIT = 3
};

struct dhcp_message {
    enum dhcp_type type;
    uint32_t xid;
    uint16_t seconds;
    bool wants_broadcast;
    struct mac_addr mac;
    struct ip_addr client, yours;               // ciaddr, yiaddr
    struct ip_addr requested, server;           // options 50, 54; IP_NONE: none
    const char *host_name;                      // request only; NULL
    struct ip_addr router, dns[DHCP_DNS_LIMIT]; // reply; IP_NONE: none
    unsigned dns_count;
    uint8_t prefix_length; // of option 1; 0: none
    uint16_t mtu;          // 0: none
    // Seconds, 0: not given; UINT32_MAX is for ever.
    uint32_t lease, renewal, rebinding;
};

// Writes at most DHCP_MESSAGE_SIZE bytes; returns how many.
size_t dhcp_emit(const struct dhcp_message *message, uint8_t *bytes);
// A reply. -EINVAL.
int dhcp_parse(const uint8_t *bytes, size_t length, struct dhcp_message *out);

#endif
