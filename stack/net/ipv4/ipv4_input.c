// IPv4 on the way in: whom a packet is for, fragments.
// SPDX-License-Identifier: MIT
#include "stack/net/ipv4/ipv4.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"

// --- Addresses that may not be there

// No host has such an address (RFC 1122 3.2.1.3, RFC 1812 5.3.7).
static bool is_never_a_source(const struct ip_addr *source)
{
    unsigned first = source->bytes[0];
    return first >= 224 || (first == 0 && !ip_addr_is_any(source));
}

// Ours, or a broadcast address of the link: forged, or our own frame coming
// back.
static bool is_forged_source(struct stack *stack, const struct packet *packet)
{
    const struct ip_addr *source = &packet->ip.source;
    return ip_addr_is_loopback(source) || stack_address_find(stack, source) ||
           iface_is_broadcast(packet->iface, source);
}

// A host that has no address yet talks to everyone (RFC 2131 4.1).
static bool is_bad_source(struct stack *stack, const struct packet *packet)
{
    const struct ip_addr *source = &packet->ip.source;
    if (is_never_a_source(source))
        return true;
    if (ip_addr_is_any(source))
        return !ip_addr_is_broadcast(&packet->ip.destination) &&
               !ip_addr_is_multicast(&packet->ip.destination);
    bool is_from_us = packet->iface->flags & IFACE_IS_LOOPBACK ||
                      packet->flags & PACKET_LOOPED;
    return !is_from_us && is_forged_source(stack, packet);
}

// --- Fragments

// The header of the first fragment describes the whole from now on.
static void mend_header(struct packet *packet)
{
    uint8_t *header = packet_network_header(packet);
    size_t length = (size_t)(packet->data - header);
    put_be16(header + 2, (uint16_t)(length + packet->length));
    put_be16(header + 6, 0);
    put_be16(header + 10, 0);
    put_be16(header + 10, checksum_finish(checksum_add(0, header, length)));
}

// RFC 791 3.2: a packet is reassembled at its destination alone.
static void input_fragment(struct stack *stack, struct packet *packet,
                           const struct ipv4_header *header)
{
    struct fragment_key key = {.source = packet->ip.source,
                               .destination = packet->ip.destination,
                               .id = header->id,
                               .protocol = packet->ip.protocol};
    if ((uint32_t)header->fragment_offset + header->total_length > UINT16_MAX) {
        stack_drop(stack, packet, DROP_FRAGMENT_BAD);
        return;
    }
    packet = reassembly_input(stack, &key, header->fragment_offset,
                              header->more_fragments, packet);
    if (!packet)
        return;
    mend_header(packet);
    packet_set_transport_header(packet);
    ip_deliver(stack, packet);
}

// --- Options (RFC 791 3.1)

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_LOOSE_ROUTE = 131,
    OPTION_STRICT_ROUTE = 137
};

// The offset in the header of an option that must not be skipped (a source
// route, RFC 7126 4.3 and 4.4, or what cannot be one); 0: all is well.
static uint32_t bad_option(const struct ipv4_header *header, bool *is_route)
{
    unsigned size = header->header_length - IPV4_HEADER_SIZE;
    for (unsigned i = 0; i < size && header->options[i] != OPTION_END;) {
        uint8_t type = header->options[i];
        if (type == OPTION_NOP) {
            i++;
            continue;
        }
        unsigned length = i + 1 < size ? header->options[i + 1] : 0;
        *is_route = type == OPTION_LOOSE_ROUTE || type == OPTION_STRICT_ROUTE;
        if (length < 2 || length > size - i || *is_route)
            return IPV4_HEADER_SIZE + i;
        i += length;
    }
    return 0;
}

// false: the packet is gone.
static bool check_options(struct stack *stack, struct packet *packet,
                          const struct ipv4_header *header)
{
    bool is_route = false;
    uint32_t at = bad_option(header, &is_route);
    if (at == 0)
        return true;
    if (is_route)
        stack_drop(stack, packet, DROP_IP_BAD_OPTION);
    else
        ip_send_error(stack, packet, ICMP_ERROR_PARAMETER_PROBLEM, at,
                      DROP_IP_BAD_OPTION);
    return false;
}

// --- Whom it is for

static void input_local(struct stack *stack, struct packet *packet,
                        const struct ipv4_header *header)
{
    packet_pull(packet, header->header_length);
    if (header->more_fragments || header->fragment_offset > 0) {
        input_fragment(stack, packet, header);
        return;
    }
    packet_set_transport_header(packet);
    ip_deliver(stack, packet);
}

static bool is_local(struct stack *stack, const struct packet *packet)
{
    const struct ip_addr *destination = &packet->ip.destination;
    if (iface_address_find(packet->iface, destination))
        return true;
    if (packet->iface->flags & IFACE_IS_LOOPBACK &&
        ip_addr_is_loopback(destination))
        return true;
    return stack_address_find(stack, destination) != NULL;
}

static bool is_impossible_destination(const struct packet *packet)
{
    const struct ip_addr *destination = &packet->ip.destination;
    return destination->bytes[0] == 0 ||
           (ip_addr_is_loopback(destination) &&
            !(packet->iface->flags & IFACE_IS_LOOPBACK));
}

// Unicast must come in a unicast frame (RFC 1122 3.3.6).
static bool is_in_wrong_frame(const struct packet *packet)
{
    return packet->flags & (PACKET_LINK_BROADCAST | PACKET_LINK_MULTICAST);
}

static void input_not_ours(struct stack *stack, struct packet *packet)
{
    if (ip_addr_is_multicast(&packet->ip.destination) ||
        !stack->settings->ip_forward)
        stack_drop(stack, packet, ip_not_ours_reason(packet));
    else
        ipv4_forward(stack, packet);
}

static void route_input(struct stack *stack, struct packet *packet,
                        const struct ipv4_header *header)
{
    const struct ip_addr *destination = &packet->ip.destination;
    if (is_impossible_destination(packet)) {
        stack_drop(stack, packet, DROP_IP_BAD_DESTINATION);
        return;
    }
    bool is_ours = is_local(stack, packet);
    bool is_for_all =
        !is_ours && (iface_is_broadcast(packet->iface, destination) ||
                     (ip_addr_is_multicast(destination) &&
                      iface_is_in_group(packet->iface, destination)));
    bool is_refused = !is_for_all && is_in_wrong_frame(packet) &&
                      !ip_addr_is_multicast(destination);
    if (is_refused)
        stack_drop(stack, packet, DROP_IP_LINK_BROADCAST);
    else if (is_ours || is_for_all)
        input_local(stack, packet, header);
    else
        input_not_ours(stack, packet);
}

static enum drop_reason reason_of(int error)
{
    return error == -EBADMSG ? DROP_IP_BAD_CHECKSUM : DROP_IP_BAD_HEADER;
}

static void ipv4_input(struct stack *stack, struct packet *packet)
{
    struct ipv4_header header;
    stack_count(stack, COUNT_IP_IN);
    int length = ipv4_parse(packet->data, packet->length, &header);
    if (length < 0) {
        stack_drop(stack, packet, reason_of(length));
        return;
    }
    packet_trim(packet, header.total_length); // the link's padding
    packet_set_network_header(packet);
    packet->ip = (struct packet_ip){.source = header.source,
                                    .destination = header.destination,
                                    .protocol = header.protocol,
                                    .ttl = header.ttl,
                                    .tos = header.tos};
    if (is_bad_source(stack, packet)) {
        stack_drop(stack, packet, DROP_IP_BAD_SOURCE);
        return;
    }
    if (header.header_length > IPV4_HEADER_SIZE &&
        !check_options(stack, packet, &header))
        return;
    route_input(stack, packet, &header);
}

const struct network_protocol ipv4_protocol = {.name = "ipv4",
                                               .ethertype = ETHERTYPE_IPV4,
                                               .family = IP_V4,
                                               .input = ipv4_input};
