// What links do to the bytes of frames.
// SPDX-License-Identifier: MIT
#ifndef LINK_MANGLE_H
#define LINK_MANGLE_H

#include "stack/packet.h"

// Flips bit `bit` of the frame (bit 0: the most significant of the first byte,
// as RFCs draw headers). 0; -ENOBUFS: nothing changed.
int mangle_flip_bit(struct packet *frame, uint32_t bit);
// Congestion experienced (RFC 3168 5): sets the ECN field of an IPv4 or IPv6
// packet whose transport is capable of it. 0; -EINVAL: it is not, or no IP;
// -ENOBUFS.
int mangle_mark(struct packet *frame, bool starts_with_ip);
// Bytes of the packet in the frame: what an MTU limits.
uint32_t mangle_packet_length(const struct packet *frame, bool starts_with_ip);

#endif
