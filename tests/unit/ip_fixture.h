// IP packets and pings of a test's own, with a transport that remembers.
// SPDX-License-Identifier: MIT
#ifndef TESTS_IP_FIXTURE_H
#define TESTS_IP_FIXTURE_H

#include "stack/net/ip.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "tests/unit/net_fixture.h"

enum { SINK_PROTOCOL = 253 }; // RFC 3692: for experiments

// A transport protocol registered with a stack. Remembers the last packet and
// the last error, counts all.
struct sink {
    unsigned count, errors;
    size_t length;
    uint8_t bytes[65536];
    struct packet_ip ip;
    uint32_t flags;
    struct icmp_error error; // its transport pointer is not to be followed
};
struct sink *sink_open(struct net_host *host); // never NULL
void sink_close(struct sink *sink);            // after the net is gone

// Sends `size` bytes i, i + 1, ... to the sink protocol. Returns what
// ip_path_find, ip_prepare or ip_output said.
int ip_send(struct net_host *host, const char *to, size_t size, uint32_t flags);
bool is_pattern(const uint8_t *bytes, size_t length);

// An echo request of size bytes after the ICMP header.
int ping(struct net_host *host, const char *to, size_t size);

// Writes an Ethernet frame with an IPv4 packet; header->total_length 0: right.
// Returns the frame's length.
size_t ipv4_frame(uint8_t *out, const struct iface *to,
                  const struct ipv4_header *header, const void *payload,
                  size_t length);
// Records of IPv4 frames with a protocol number, counted from 0 in order; NULL:
// fewer. *out gets the header, *payload the rest.
const struct net_record *record_find(const struct net *net, uint8_t protocol,
                                     unsigned n, struct ipv4_header *out,
                                     const uint8_t **payload, size_t *length);
unsigned record_count(const struct net *net, uint16_t ethertype);
uint64_t drops(const struct net_host *host, enum drop_reason reason);
uint64_t counts(const struct net_host *host, enum stack_counter counter);

#endif
