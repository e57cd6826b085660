// IPv6 output: the header, and fragments where a packet is too big (RFC 8200).
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "stack/net/ip.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv6.h"

enum { FRAGMENT_HEADERS = IPV6_HEADER_SIZE + IPV6_FRAGMENT_SIZE };

static void push_header(struct packet *packet, const struct packet_ip *ip,
                        uint8_t next_header)
{
    struct ipv6_header header = {.traffic_class = ip->tos,
                                 .payload_length = (uint16_t)packet->length,
                                 .next_header = next_header,
                                 .hop_limit = ip->ttl,
                                 .source = ip->source,
                                 .destination = ip->destination};
    ipv6_emit(&header, packet_push(packet, IPV6_HEADER_SIZE));
    packet_set_network_header(packet);
}

// One fragment of `whole`: its bytes from offset on, `length` of them.
static struct packet *make_fragment(struct stack *stack, struct ip_path *path,
                                    const struct packet *whole, uint32_t id,
                                    uint32_t offset, uint32_t length)
{
    struct ipv6_fragment header = {.next_header = whole->ip.protocol,
                                   .offset = (uint16_t)offset,
                                   .more = offset + length < whole->length,
                                   .id = id};
    struct packet *fragment = stack_packet_alloc(
        stack, ip_head_room(path) + FRAGMENT_HEADERS, length);
    if (!fragment)
        return NULL;
    fragment->iface = path->iface;
    fragment->ip = whole->ip;
    memcpy(packet_put(fragment, length), whole->data + offset, length);
    ipv6_fragment_emit(&header, packet_push(fragment, IPV6_FRAGMENT_SIZE));
    push_header(fragment, &fragment->ip, IPV6_FRAGMENT);
    return fragment;
}

// All fragments exist before the first one leaves: half a packet only costs the
// peer's reassembly memory. Consumes the whole.
static int output_fragments(struct stack *stack, struct ip_path *path,
                            struct packet *whole)
{
    uint32_t step = (path->mtu - FRAGMENT_HEADERS) & ~UINT32_C(7);
    uint32_t id = stack_random(stack); // RFC 7739: not to be guessed
    struct packet_queue fragments = {0};
    struct packet *fragment;
    for (uint32_t at = 0; at < whole->length; at += step) {
        fragment = make_fragment(stack, path, whole, id, at,
                                 min_u32(step, whole->length - at));
        if (!fragment)
            break;
        packet_queue_push(&fragments, fragment);
    }
    bool is_complete = (uint64_t)fragments.count * step >= whole->length;
    while ((fragment = packet_queue_pop(&fragments))) {
        if (!is_complete) {
            stack_drop(stack, fragment, DROP_NO_BUFFER);
            continue;
        }
        stack_count(stack, COUNT_IP_FRAGMENTS_OUT);
        ip_link_output(stack, path, fragment);
    }
    if (is_complete)
        stack_deliver(stack, whole);
    else
        stack_drop(stack, whole, DROP_NO_BUFFER);
    return is_complete ? 0 : -ENOBUFS;
}

int ipv6_output(struct stack *stack, struct ip_path *path,
                struct packet *packet)
{
    bool is_too_big = packet->length + IPV6_HEADER_SIZE > path->mtu;
    if (__builtin_expect(!is_too_big, 1)) {
        push_header(packet, &packet->ip, packet->ip.protocol);
        ip_link_output(stack, path, packet);
        return 0;
    }
    if (packet->flags & PACKET_DONT_FRAGMENT || packet->length > UINT16_MAX) {
        stack_drop(stack, packet, DROP_IP_TOO_BIG);
        return -EMSGSIZE;
    }
    return output_fragments(stack, path, packet);
}
