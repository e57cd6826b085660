// Packets: the buffers that frames live in from sender to receiver.
// SPDX-License-Identifier: MIT
#ifndef STACK_PACKET_H
#define STACK_PACKET_H

// Theory of operation
//
// A packet is a window (data, length) onto a block of bytes. Layers below make
// it longer at the front (packet_push), layers above cut the front off
// (packet_pull). The block is chosen with enough head room at allocation, so
// nothing is ever moved to prepend a header.
//
//      block->bytes     data                    data + length        block->end
//      |--- head room ---|------- window ---------|---- tail room ----|
//
// Ownership. A packet has one owner. A function whose contract says that it
// consumes a packet does so on failure as well. Every other function borrows.
// The links below (next) belong to whoever owns the packet now.
//
// Sharing. packet_clone gives a second packet on the same block. A block with
// more than one packet is read-only; packet_make_writable copies it if it must.
//
// Memory. Blocks come from a pool in three sizes: small (pure ACKs and the
// like), standard (an Ethernet frame of 1,514 bytes with room), large (up to 64
// KiB and room; reassembly, segmentation offload). The pool takes memory from
// malloc by slabs and keeps it; at its limit, allocation fails and the caller
// counts a drop. A pool belongs to one thread and may serve any number of
// stacks: a packet handed from host to host is not copied.
//
// A struct packet lies apart from its block. A block that began with its first
// packet would save an allocation, but then a packet that moves to a block of
// its own (packet_make_writable) leaves half of one behind, and queues of
// packets, which look at the metadata only, would find all of it in the same
// few cache sets.
//
// Invariants, checked by must():
//  P1. block->bytes <= data and data + length <= block->bytes + block->size.
//  P2. The block's reference count is the number of packets on it.
//  P3. pool->live counts the packets allocated and not freed; it is 0 when the
//  pool ends.
//  P4. Debug builds poison freed packets, and find writes into them.

#include "stack/base.h"
#include "stack/wire/address.h"

struct packet_pool;
struct iface;

struct packet_block {
    uint32_t references;
    uint32_t size;       // of bytes
    uint32_t size_class; // packet.c's
    uint32_t spare;
    uint8_t bytes[];
};

// What IP decoded, or will emit. Addresses are final after ip_prepare.
struct packet_ip {
    struct ip_addr source, destination;
    uint8_t protocol; // of the transport header
    uint8_t ttl;      // or hop limit
    uint8_t tos;      // or traffic class; low two bits ECN
};

enum packet_flag {
    PACKET_TO_US = 1 << 0,          // link destination is our hardware address
    PACKET_LINK_BROADCAST = 1 << 1, // link destination was broadcast
    PACKET_LINK_MULTICAST = 1 << 2,
    PACKET_CHECKSUM_GOOD = 1 << 3, // transport checksum is known to be right
    PACKET_DONT_FRAGMENT =
        1 << 4, // IPv4: set DF; both: -EMSGSIZE rather than fragments
    PACKET_HAS_FRAGMENT_HEADER = 1 << 5,
    PACKET_LOOPED = 1 << 6, // own multicast or broadcast coming back
    PACKET_REASSEMBLED = 1 << 7,
    PACKET_FORWARDED = 1 << 8,
    PACKET_ROUTER_ALERT = 1 << 9,
    PACKET_RAW_TOOK = 1 << 10, // a raw socket got a copy
};

struct packet {
    struct packet *next; // the owner's list
    uint8_t *data;
    uint32_t length;
    uint32_t flags; // enum packet_flag
    struct packet_block *block;
    struct packet_pool *pool;
    uint64_t id; // stays the same across hops and in clones; 0: none given yet
    struct iface *iface; // received on, or to be sent on; NULL outside a stack
    struct packet_ip ip;
    uint16_t network_offset;   // of the IP header, from block->bytes
    uint16_t transport_offset; // of the transport header, from block->bytes
    uint16_t gso_size;  // segmentation emulation: payload bytes per segment; 0:
                        // one frame
    uint16_t link_type; // EtherType between IP and the link layer

    // The present owner's scratch space; nothing survives a change of owner.
    union {
        struct { // a TCP receive or out-of-order queue
            uint32_t seq, end_seq;
            uint8_t tcp_flags;
        } tcp;
        struct { // a datagram socket's receive queue
            struct endpoint from, to;
        } datagram;
        struct { // a neighbour's pending queue, an output path
            struct ip_addr next_hop;
        } neighbour;
        struct { // reassembly
            uint32_t offset, end;
        } fragment;
        struct { // a link of the simulator
            ns_t time, sent_at;
            uint32_t record; // of the sender's capture
            uint32_t number;
            uint32_t fate;
            uint32_t spare;
        } link;
    } cb;
};

// --- Pool
// ------------------------------------------------------------------------

// limit_bytes bounds what the pool takes from malloc (0: no bound). NULL: out
// of memory.
struct packet_pool *packet_pool_create(size_t limit_bytes);
// Every packet must have been freed.
void packet_pool_destroy(struct packet_pool *pool);

struct packet_pool_stats {
    uint64_t allocated; // packets handed out since creation, clones included
    uint64_t live;      // not yet freed
    uint64_t refused;   // allocations that failed
    size_t bytes, limit_bytes, peak_bytes; // taken from malloc
};
struct packet_pool_stats packet_pool_get_stats(const struct packet_pool *pool);
// For tests: the n-th allocation from now fails (1: the next); 0: none.
void packet_pool_fail_after(struct packet_pool *pool, unsigned n);

// --- Packets
// ---------------------------------------------------------------------

enum { PACKET_MAX_SIZE = 65535 + 256 }; // window and head room together

// An empty packet (length 0, all metadata zero) whose data has head_room bytes
// before it and room for `size` behind. NULL: limit reached or out of memory.
struct packet *packet_alloc(struct packet_pool *pool, size_t head_room,
                            size_t size);
// The same window on the same bytes, with all metadata, next NULL. NULL as
// above.
struct packet *packet_clone(struct packet *packet);
// A packet of its own bytes, with head_room (at least) in front; what lies in
// front of the window (headers already pulled) is copied too. NULL as above.
struct packet *packet_copy(const struct packet *packet, size_t head_room);
// Ends a packet; NULL is fine. Says nothing about why: see stack_drop.
void packet_free(struct packet *packet);

// After it, the bytes may be written and head_room bytes are free in front.
// Returns 0 or -ENOBUFS (nothing changed). The window may move: reload data.
int packet_make_writable(struct packet *packet, size_t head_room);
static inline bool packet_is_shared(const struct packet *packet)
{
    return packet->block->references > 1;
}

static inline size_t packet_head_room(const struct packet *packet)
{
    return (size_t)(packet->data - packet->block->bytes);
}
static inline size_t packet_tail_room(const struct packet *packet)
{
    return packet->block->size - packet_head_room(packet) - packet->length;
}
// Bytes of the pool that this packet keeps busy: what budgets count.
size_t packet_true_size(const struct packet *packet);

// push: n more bytes at the front; returns the new data. put: n more at the
// end; returns where they start. Room is a must. pull and trim return false
// when the window is shorter.
static inline uint8_t *packet_push(struct packet *packet, size_t n)
{
    must(n <= packet_head_room(packet));
    packet->length += (uint32_t)n;
    return packet->data -= n;
}
static inline uint8_t *packet_put(struct packet *packet, size_t n)
{
    must(n <= packet_tail_room(packet));
    uint8_t *end = packet->data + packet->length;
    packet->length += (uint32_t)n;
    return end;
}
static inline bool packet_pull(struct packet *packet, size_t n)
{
    if (n > packet->length)
        return false;
    packet->data += n;
    packet->length -= (uint32_t)n;
    return true;
}
static inline bool packet_trim(struct packet *packet, size_t new_length)
{
    if (new_length > packet->length)
        return false;
    packet->length = (uint32_t)new_length;
    return true;
}

// Headers seen from anywhere, by the offsets above.
static inline uint8_t *packet_network_header(const struct packet *packet)
{
    return packet->block->bytes + packet->network_offset;
}
static inline uint8_t *packet_transport_header(const struct packet *packet)
{
    return packet->block->bytes + packet->transport_offset;
}
// Here, at data, which lies within the block's first 64 KiB.
static inline void packet_set_network_header(struct packet *packet)
{
    must(packet_head_room(packet) <= UINT16_MAX);
    packet->network_offset = (uint16_t)packet_head_room(packet);
}
static inline void packet_set_transport_header(struct packet *packet)
{
    must(packet_head_room(packet) <= UINT16_MAX);
    packet->transport_offset = (uint16_t)packet_head_room(packet);
}

// First in, first out.
struct packet_queue {
    struct packet *head, *tail;
    uint32_t count;
    uint32_t bytes; // sum of length
};
static inline void packet_queue_push(struct packet_queue *queue,
                                     struct packet *packet)
{
    packet->next = NULL;
    if (queue->tail)
        queue->tail->next = packet;
    else
        queue->head = packet;
    queue->tail = packet;
    queue->count++;
    queue->bytes += packet->length;
}
// NULL: empty.
static inline struct packet *packet_queue_pop(struct packet_queue *queue)
{
    struct packet *packet = queue->head;
    if (!packet)
        return NULL;
    queue->head = packet->next;
    if (!queue->head)
        queue->tail = NULL;
    packet->next = NULL;
    queue->count--;
    queue->bytes -= packet->length;
    return packet;
}
void packet_queue_clear(struct packet_queue *queue); // frees all

#endif
