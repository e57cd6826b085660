// IPv4 between its own files: fragmentation, forwarding.
// SPDX-License-Identifier: MIT
#ifndef NET_IPV4_H
#define NET_IPV4_H

#include "stack/net/ip.h"

// Sends a packet whose window is a whole IPv4 packet larger than path->mtu as
// fragments (RFC 791 3.2). Consumes. -ENOBUFS: all of it is dropped; -EMSGSIZE:
// the MTU has no room for eight bytes of data.
int ipv4_fragment(struct stack *stack, struct ip_path *path,
                  struct packet *packet);

// A packet for somebody else, window at the IP header (RFC 1812 5.2). Consumes.
void ipv4_forward(struct stack *stack, struct packet *packet);

#endif
