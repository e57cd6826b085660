// Frames as people see them: decoded, described, built by hand.
// SPDX-License-Identifier: MIT
#ifndef FRAME_FRAME_H
#define FRAME_FRAME_H

#include "stack/packet.h"
#include "stack/wire/arp.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"
#include "stack/wire/nd.h"
#include "stack/wire/tcp.h"
#include "stack/wire/udp.h"

// Everything that could be decoded; a layer that is absent or malformed has its
// flag false and ends the walk. Pointers are into the frame's bytes.
struct frame_fields {
    bool has_ethernet, has_arp, has_ipv4, has_ipv6, has_fragment, has_tcp,
        has_udp, has_icmp, has_icmpv6;
    bool ip_checksum_good,
        transport_checksum_good; // true also where there is none
    bool is_truncated;
    struct ethernet_header ethernet;
    struct arp_header arp;
    struct ipv4_header ipv4;
    struct ipv6_header ipv6;
    struct ipv6_fragment fragment;
    struct tcp_header tcp;
    struct tcp_options tcp_options;
    struct udp_header udp;
    struct icmp_header icmp;
    struct ip_addr source, destination; // IP
    uint8_t protocol;
    size_t network_offset, transport_offset, payload_offset, payload_length;
    size_t ip_end; // where IP says that the packet ends; 0: no IP
};
// starts_with_ip: no link header (point-to-point links). Never fails.
void frame_decode(const uint8_t *bytes, size_t length, bool starts_with_ip,
                  struct frame_fields *out);
// One line as tcpdump would say it, cut to size. Returns out.
char *frame_describe(const uint8_t *bytes, size_t length, bool starts_with_ip,
                     char *out, size_t size);

enum frame_fill {
    FRAME_FILL_IP_LENGTH = 1 << 0,
    FRAME_FILL_UDP_LENGTH = 1 << 1,
    FRAME_FILL_IP_CHECKSUM = 1 << 2,
    FRAME_FILL_TRANSPORT_CHECKSUM = 1 << 3, // left alone in fragments
    FRAME_FILL_ALL = 15
};
// Writes the lengths and checksums that the rest of the frame demands, where
// they can be found. Lengths then reach to the end of the bytes, link padding
// included.
void frame_fill(uint8_t *bytes, size_t length, bool starts_with_ip,
                unsigned what);

#endif
