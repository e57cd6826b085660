// IPv6 input: for us, for somebody else, or for nobody (RFC 8200).
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "stack/net/ip.h"
#include "stack/net/ipv6/ipv6.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv6.h"

// --- Fragments

// Bytes of headers that are taken in front of a fragment's payload: more is no
// honest sender's (RFC 8504 5.3).
enum { MAX_UNFRAGMENTABLE = 128 };

// RFC 8200 4.5: all but the last are multiples of 8, and the whole fits in the
// 16 bits of a payload length. Returns false when the packet is gone.
static bool check_fragment(struct stack *stack, struct packet *packet,
                           const struct ipv6_fragment *fragment)
{
    size_t length = packet->length - IPV6_FRAGMENT_SIZE;
    uint32_t at = (uint32_t)(packet->data - packet_network_header(packet));
    if (fragment->more && (length % 8 != 0 || length == 0)) {
        icmpv6_send_problem(stack, packet, ICMP6_BAD_HEADER, 4,
                            DROP_FRAGMENT_BAD);
        return false;
    }
    if (fragment->offset + length > UINT16_MAX) {
        icmpv6_send_problem(stack, packet, ICMP6_BAD_HEADER, at + 2,
                            DROP_FRAGMENT_BAD);
        return false;
    }
    return true;
}

// RFC 7112 5: the first fragment holds every header up to the transport's
// first, so that nobody has to guess what the rest belongs to.
static bool check_first(struct stack *stack, struct packet *packet,
                        const struct ipv6_fragment *fragment)
{
    uint8_t next = fragment->next_header;
    size_t length = packet->length - IPV6_FRAGMENT_SIZE;
    if (fragment->offset != 0 || next == IPV6_NO_NEXT)
        return true;
    int at =
        ipv6_skip_extensions(packet->data + IPV6_FRAGMENT_SIZE, length, &next);
    if (at >= 0 && (next == IPV6_NO_NEXT || (size_t)at < length))
        return true;
    icmpv6_send_problem(stack, packet, ICMP6_SHORT_HEADER_CHAIN, 0,
                        DROP_FRAGMENT_BAD);
    return false;
}

// The IPv6 header that the whole packet would have come with: what errors about
// it quote and raw sockets see. The headers before the fragment header have
// been obeyed and are gone.
static void write_whole_header(struct packet *packet)
{
    struct ipv6_header header = {.traffic_class = packet->ip.tos,
                                 .payload_length = (uint16_t)packet->length,
                                 .next_header = packet->ip.protocol,
                                 .hop_limit = packet->ip.ttl,
                                 .source = packet->ip.source,
                                 .destination = packet->ip.destination};
    ipv6_emit(&header, packet_push(packet, IPV6_HEADER_SIZE));
    packet_set_network_header(packet);
    packet_pull(packet, IPV6_HEADER_SIZE);
}

// Data is at a fragment header. Returns the packet to go on with: an atomic
// fragment by itself (RFC 6946), or one that is whole now; NULL when more must
// come or it was bad.
static struct packet *input_fragment(struct stack *stack, struct packet *packet,
                                     struct ipv6_walk *walk)
{
    struct ipv6_fragment fragment;
    if (ipv6_fragment_parse(packet->data, packet->length, &fragment) < 0) {
        stack_drop(stack, packet, DROP_FRAGMENT_BAD);
        return NULL;
    }
    size_t before = (size_t)(packet->data - packet_network_header(packet));
    if (before > MAX_UNFRAGMENTABLE) {
        stack_drop(stack, packet, DROP_IP_EXTENSION_LIMIT);
        return NULL;
    }
    packet->flags |= PACKET_HAS_FRAGMENT_HEADER;
    if (!check_fragment(stack, packet, &fragment) ||
        !check_first(stack, packet, &fragment))
        return NULL;
    walk->next = fragment.next_header;
    walk->field = (uint16_t)before;
    packet->ip.protocol = fragment.next_header;
    packet_pull(packet, IPV6_FRAGMENT_SIZE);
    if (fragment.offset == 0 && !fragment.more) {
        walk->count++;
        return packet;
    }
    struct fragment_key key = {.source = packet->ip.source,
                               .destination = packet->ip.destination,
                               .id = fragment.id};
    packet =
        reassembly_input(stack, &key, fragment.offset, fragment.more, packet);
    if (!packet)
        return NULL;
    // The next header that counts is the first fragment's (RFC 8200 4.5).
    write_whole_header(packet);
    walk->next = packet->ip.protocol;
    walk->field = 6;
    walk->count++;
    return packet;
}

// --- For us

static void deliver(struct stack *stack, struct packet *packet,
                    struct ipv6_walk *walk)
{
    enum ipv6_step step;
    while ((step = ipv6_walk(stack, packet, walk)) == IPV6_STEP_FRAGMENT) {
        if (walk->count >= stack->settings->ip_extension_limit) {
            stack_drop(stack, packet, DROP_IP_EXTENSION_LIMIT);
            return;
        }
        packet = input_fragment(stack, packet, walk);
        if (!packet)
            return;
    }
    if (step == IPV6_STEP_ENDED)
        return;
    if (walk->next == IPV6_NO_NEXT) {
        stack_deliver(stack, packet);
        return;
    }
    packet->ip.protocol = walk->next;
    packet_set_transport_header(packet);
    ip_deliver(stack, packet);
}

// --- Whose is it?

static bool is_v4_mapped(const struct ip_addr *a)
{
    return a->words[0] == 0 && a->words[1] == 0 &&
           get_be32(a->bytes + 8) == 0xffff;
}

static bool is_outside_loopback(const struct packet *packet)
{
    return !(packet->iface->flags & IFACE_IS_LOOPBACK);
}

static bool has_bad_source(const struct packet *packet)
{
    const struct ip_addr *source = &packet->ip.source;
    return ip_addr_is_multicast(source) || is_v4_mapped(source) ||
           (ip_addr_is_loopback(source) && is_outside_loopback(packet));
}

// RFC 4291 2.5.2, 2.5.3, 2.7: no packet may carry these across a link.
static bool has_bad_destination(const struct packet *packet)
{
    const struct ip_addr *to = &packet->ip.destination;
    if (ip_addr_is_any(to) || is_v4_mapped(to))
        return true;
    if (ip_addr_is_loopback(to))
        return is_outside_loopback(packet);
    return ip_addr_is_multicast(to) &&
           (ipv6_scope(to) == 0 || (ipv6_scope(to) == IPV6_SCOPE_INTERFACE &&
                                    is_outside_loopback(packet)));
}

// RFC 4862 5.4: an address that is not ours for sure receives nothing; what
// duplicate detection needs comes to groups. A link-local address is one on the
// link it came by.
static bool is_for_us(struct stack *stack, const struct packet *packet)
{
    const struct ip_addr *to = &packet->ip.destination;
    if (ip_addr_is_multicast(to))
        return iface_is_in_group(packet->iface, to);
    struct iface_addr *own =
        ip_addr_is_link_local(to) && is_outside_loopback(packet)
            ? iface_address_find(packet->iface, to)
            : stack_address_find(stack, to);
    return own && own->state == ADDRESS_PREFERRED;
}

static bool may_forward(const struct stack *stack, const struct packet *packet)
{
    return stack->settings->ip_forward &&
           !ip_addr_is_multicast(&packet->ip.destination) &&
           !ip_addr_is_link_local(&packet->ip.destination) &&
           !(packet->flags &
             (PACKET_LINK_BROADCAST | PACKET_LINK_MULTICAST | PACKET_LOOPED));
}

static bool parse(struct stack *stack, struct packet *packet)
{
    struct ipv6_header header;
    if (ipv6_parse(packet->data, packet->length, &header) < 0) {
        stack_drop(stack, packet, DROP_IP_BAD_HEADER);
        return false;
    }
    packet_trim(packet, IPV6_HEADER_SIZE + (size_t)header.payload_length);
    packet_set_network_header(packet);
    packet->ip = (struct packet_ip){.source = header.source,
                                    .destination = header.destination,
                                    .protocol = header.next_header,
                                    .ttl = header.hop_limit,
                                    .tos = header.traffic_class};
    return true;
}

static void forward(struct stack *stack, struct packet *packet,
                    const uint8_t *network)
{
    packet_push(packet, (size_t)(packet->data - network));
    ipv6_forward(stack, packet);
}

static void ipv6_input(struct stack *stack, struct packet *packet)
{
    stack_count(stack, COUNT_IP_IN);
    if (!parse(stack, packet))
        return;
    if (has_bad_source(packet)) {
        stack_drop(stack, packet, DROP_IP_BAD_SOURCE);
        return;
    }
    if (has_bad_destination(packet)) {
        stack_drop(stack, packet, DROP_IP_BAD_DESTINATION);
        return;
    }
    bool is_ours = is_for_us(stack, packet);
    if (!is_ours && !may_forward(stack, packet)) {
        stack_drop(stack, packet, ip_not_ours_reason(packet));
        return;
    }
    struct ipv6_walk walk = {.next = packet->ip.protocol, .field = 6};
    packet_pull(packet, IPV6_HEADER_SIZE);
    if (!ipv6_walk_hop_by_hop(stack, packet, &walk))
        return;
    if (is_ours)
        deliver(stack, packet, &walk);
    else
        forward(stack, packet, packet_network_header(packet));
}

const struct network_protocol ipv6_protocol = {.name = "ipv6",
                                               .ethertype = ETHERTYPE_IPV6,
                                               .family = IP_V6,
                                               .input = ipv6_input};
