// One IPv6 host on a wire, IPv6 frames made by hand, a look at its answers.
// SPDX-License-Identifier: MIT
#ifndef TESTS_IPV6_FIXTURE_H
#define TESTS_IPV6_FIXTURE_H

#include "stack/internal.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv6.h"
#include "tests/unit/net_fixture.h"

// The host is 2001:db8::2/64 with the link-local address of its MAC; the test
// plays 2001:db8::1, fe80::1 and whoever it likes, whose hardware address the
// host knows. No DAD unless `dad_transmits` is set before v6_open.
struct v6 {
    struct stack_settings settings;
    struct net *net;
    struct net_host *host;
    struct ip_addr link_local; // the host's
    unsigned seen;             // records that v6_next has given out
};

#define V6_PEER "2001:db8::1"
#define V6_HOST "2001:db8::2"

void v6_init(struct v6 *v6); // default settings without DAD
void v6_open(struct v6 *v6);
void v6_close(struct v6 *v6);

// A frame in the making.
struct v6_frame {
    uint8_t bytes[2000];
    size_t length;
    struct ip_addr source, destination;
    size_t icmp; // where the ICMPv6 message starts; 0: none
};
enum { V6_IP = 14, V6_PAYLOAD = 54 }; // offsets in the frame

// To the host's hardware address, or the group's.
struct v6_frame v6_begin(const struct v6 *v6, const char *source,
                         const char *destination, uint8_t next,
                         uint8_t hop_limit);
void v6_put(struct v6_frame *frame, const void *bytes, size_t length);
void v6_put_zeros(struct v6_frame *frame, size_t length);
// ICMPv6 header, the message goes on with v6_put.
void v6_put_icmp(struct v6_frame *frame, uint8_t type, uint8_t code,
                 uint32_t rest);
// A UDP datagram with a right checksum.
void v6_put_udp(struct v6_frame *frame, uint16_t source, uint16_t destination,
                const void *bytes, size_t length);
// Fills in the lengths and the ICMPv6 checksum, and gives it to the host.
void v6_send(struct v6 *v6, struct v6_frame *frame);
void v6_finish(struct v6_frame *frame); // the same without giving it
void v6_inject(struct v6 *v6, const struct v6_frame *frame);

// The next IPv6 frame that the host has sent since v6_open, decoded; false:
// there is none. Checks lengths and the ICMPv6 checksum.
struct v6_answer {
    struct ipv6_header ip;
    struct icmp_header icmp; // when ip.next_header is ICMPv6
    const uint8_t *payload;  // after the IPv6 header
    size_t length;
    struct mac_addr to;
};
bool v6_next(struct v6 *v6, struct v6_answer *answer);

#endif
