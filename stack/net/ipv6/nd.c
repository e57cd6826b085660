// Neighbour discovery (RFC 4861 4.3, 4.4, 7): asking, answering, listening.
// SPDX-License-Identifier: MIT
#include "stack/wire/nd.h"

#include "stack/net/ip.h"
#include "stack/net/ipv6/ipv6.h"
#include "stack/net/ipv6/nd.h"
#include "stack/net/ipv6/router_discovery.h"
#include "stack/net/neighbour.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"

// Theory of operation
//
// The neighbour machine (neighbour.h) owns the states and timers of
// neighbours; this file is its voice and ear for IPv6, as arp.c is for IPv4.
// Messages are sent straight to the link with the hardware address of their
// group or neighbour: asking the machine for the way would be asking it to
// wait for itself. A solicitation is answered in the packet that brought it.
//
// Nothing is believed that a router could have forwarded: a hop limit of 255
// proves that the sender is on the link (RFC 4861 3.1).

enum { ND_HOP_LIMIT = 255 };

static const struct ip_addr all_nodes = {.bytes = {0xff, 0x02, [15] = 1},
                                         .family = IP_V6};

// --- Sending

static void push_ipv6_header(struct packet *packet)
{
    struct ipv6_header header = {.payload_length = (uint16_t)packet->length,
                                 .next_header = IP_PROTOCOL_ICMPV6,
                                 .hop_limit = packet->ip.ttl,
                                 .source = packet->ip.source,
                                 .destination = packet->ip.destination};
    ipv6_emit(&header, packet_push(packet, IPV6_HEADER_SIZE));
    packet_set_network_header(packet);
}

// Writes the message behind what the window holds, and its checksum.
static void put_message(struct packet *packet,
                        const struct nd_neighbour *message)
{
    size_t before = packet->length;
    uint8_t *bytes =
        packet_put(packet, ND_NEIGHBOUR_SIZE + ND_LINK_OPTION_SIZE);
    packet_trim(packet, before + nd_neighbour_emit(message, bytes));
    icmp_fill_checksum(packet->data, packet->length, &packet->ip.source,
                       &packet->ip.destination);
}

static void send(struct iface *iface, const struct ip_addr *source,
                 const struct ip_addr *destination, const struct mac_addr *to,
                 const struct nd_neighbour *message)
{
    struct stack *stack = iface->stack;
    struct packet *packet =
        stack_packet_alloc(stack, iface->link->header_size + IPV6_HEADER_SIZE,
                           ND_NEIGHBOUR_SIZE + ND_LINK_OPTION_SIZE);
    if (!packet)
        return; // as if it had been lost; whoever asks asks again
    packet->ip = (struct packet_ip){.source = *source,
                                    .destination = *destination,
                                    .protocol = IP_PROTOCOL_ICMPV6,
                                    .ttl = ND_HOP_LIMIT};
    packet->iface = iface;
    packet->link_type = ETHERTYPE_IPV6;
    put_message(packet, message);
    push_ipv6_header(packet);
    stack_count(stack, COUNT_IP_OUT);
    stack_count(stack, COUNT_ICMP_OUT);
    iface->link->output(iface, packet, to);
}

static bool has_link_address(const struct iface *iface)
{
    return iface->flags & IFACE_NEEDS_NEIGHBOUR;
}

void nd_solicit(struct iface *iface, const struct ip_addr *target,
                const struct ip_addr *source, const struct mac_addr *to)
{
    struct ip_addr group = ip_addr_solicited_node(target);
    struct mac_addr group_mac = mac_addr_of_multicast(&group);
    // RFC 4861 4.3: no link-layer address from the unspecified address.
    struct nd_neighbour message = {.type = ICMP6_NEIGHBOUR_SOLICITATION,
                                   .target = *target,
                                   .has_link_addr = has_link_address(iface) &&
                                                    !ip_addr_is_any(source),
                                   .link_addr = iface->mac};
    if (to)
        send(iface, source, target, to, &message);
    else
        send(iface, source, &group, &group_mac, &message);
}

// RFC 4861 7.2.4: what we say about an address of ours.
static struct nd_neighbour advertisement(const struct iface *iface,
                                         const struct ip_addr *target,
                                         bool is_solicited)
{
    return (struct nd_neighbour){.type = ICMP6_NEIGHBOUR_ADVERTISEMENT,
                                 .is_router =
                                     iface->stack->settings->ip_forward,
                                 .is_solicited = is_solicited,
                                 .is_override = true,
                                 .target = *target,
                                 .has_link_addr = has_link_address(iface),
                                 .link_addr = iface->mac};
}

void nd_advertise(struct iface *iface, const struct ip_addr *target)
{
    struct mac_addr mac = mac_addr_of_multicast(&all_nodes);
    struct nd_neighbour message = advertisement(iface, target, false);
    send(iface, target, &all_nodes, &mac, &message);
}

// RFC 4861 7.2.2: the source of the packet that waits when the interface has
// it, otherwise one of the interface's; without any, nobody can be asked.
static void solicit(struct iface *iface, const struct ip_addr *target,
                    const struct ip_addr *source, const struct mac_addr *to)
{
    const struct iface_addr *own =
        source ? iface_address_find(iface, source) : NULL;
    if (!own || own->state != ADDRESS_PREFERRED)
        own = ipv6_select_source_on(iface, target);
    if (own)
        nd_solicit(iface, target, &own->prefix.addr, to);
}

const struct neighbour_ops nd_neighbour_ops = {.solicit = solicit};

// --- Solicitations

static bool is_solicited_node(const struct ip_addr *group)
{
    static const uint8_t prefix[13] = {0xff, 0x02, [11] = 1, [12] = 0xff};
    return memcmp(group->bytes, prefix, sizeof prefix) == 0;
}

// RFC 4861 7.1.1.
static bool is_valid_solicitation(const struct packet *packet,
                                  const struct nd_neighbour *message)
{
    if (ip_addr_is_multicast(&message->target))
        return false;
    return !ip_addr_is_any(&packet->ip.source) ||
           (is_solicited_node(&packet->ip.destination) &&
            !message->has_link_addr);
}

// Turns a solicitation into the advertisement that answers it.
static void answer(struct stack *stack, struct packet *packet,
                   const struct ip_addr *target)
{
    struct nd_neighbour message = advertisement(packet->iface, target, true);
    enum { SIZE = ND_NEIGHBOUR_SIZE + ND_LINK_OPTION_SIZE };
    int error = packet_make_writable(packet, 0);
    packet_trim(packet, 0);
    if (error || packet_tail_room(packet) < SIZE) {
        stack_drop(stack, packet, DROP_NO_BUFFER);
        return;
    }
    packet->ip.destination = *target; // where the answer comes from
    packet->ip.ttl = ND_HOP_LIMIT;
    packet->ip.tos = 0;
    put_message(packet, &message);
    stack_count(stack, COUNT_ICMP_OUT);
    ip_reply(stack, packet);
}

// RFC 4862 5.4.3: for an address that we want too. A solicitation of ours that
// comes back to us says nothing.
static void input_for_tentative(struct stack *stack, struct packet *packet,
                                struct iface_addr *own)
{
    if (ip_addr_is_any(&packet->ip.source) && !(packet->flags & PACKET_LOOPED))
        dad_collision(own);
    stack_deliver(stack, packet);
}

static void input_solicitation(struct stack *stack, struct packet *packet,
                               const struct nd_neighbour *message)
{
    struct iface *iface = packet->iface;
    struct iface_addr *own = iface_address_find(iface, &message->target);
    if (!own || own->state == ADDRESS_DUPLICATED) {
        stack_drop(stack, packet, DROP_ICMP_UNWANTED);
        return;
    }
    if (own->state == ADDRESS_TENTATIVE) {
        input_for_tentative(stack, packet, own);
        return;
    }
    struct ip_addr target = message->target;
    if (ip_addr_is_any(&packet->ip.source)) {
        // The other one's duplicate detection: tell everybody (7.2.4).
        nd_advertise(iface, &target);
        stack_deliver(stack, packet);
        return;
    }
    if (message->has_link_addr)
        neighbour_hear(stack, iface, &packet->ip.source, &message->link_addr,
                       NEIGHBOUR_HEARD_REQUEST, true, true, -1);
    answer(stack, packet, &target);
}

// --- Advertisements

// RFC 4861 7.1.2.
static bool is_valid_advertisement(const struct packet *packet,
                                   const struct nd_neighbour *message)
{
    return !ip_addr_is_multicast(&message->target) &&
           !(message->is_solicited &&
             ip_addr_is_multicast(&packet->ip.destination));
}

// The hardware address that the message tells, or leaves as it is (7.2.5: only
// in an answer to a unicast probe). NULL: none is known.
static const struct mac_addr *told_mac(struct stack *stack, struct iface *iface,
                                       const struct nd_neighbour *message)
{
    if (message->has_link_addr)
        return &message->link_addr;
    const struct neighbour *known =
        neighbour_find(stack, iface, &message->target);
    if (!known || known->state == NEIGHBOUR_NONE ||
        known->state == NEIGHBOUR_INCOMPLETE ||
        known->state == NEIGHBOUR_FAILED)
        return NULL;
    return &known->mac;
}

static void input_advertisement(struct stack *stack, struct packet *packet,
                                const struct nd_neighbour *message)
{
    struct iface *iface = packet->iface;
    struct iface_addr *own = iface_address_find(iface, &message->target);
    if (own) {
        // RFC 4862 5.4.4. An address that is in use already stays so: to give
        // it up would let anybody take it away.
        if (own->state == ADDRESS_TENTATIVE && !(packet->flags & PACKET_LOOPED))
            dad_collision(own);
        stack_deliver(stack, packet);
        return;
    }
    const struct mac_addr *mac = told_mac(stack, iface, message);
    if (!mac) {
        stack_drop(stack, packet, DROP_ICMP_UNWANTED);
        return;
    }
    struct mac_addr copy = *mac;
    neighbour_hear(stack, iface, &message->target, &copy,
                   message->is_solicited ? NEIGHBOUR_HEARD_REPLY
                                         : NEIGHBOUR_HEARD_UNSOLICITED,
                   false, message->is_override, message->is_router);
    stack_deliver(stack, packet);
}

// --- Input

void nd_input(struct stack *stack, struct packet *packet)
{
    struct nd_neighbour message;
    uint8_t type = packet->data[0], code = packet->data[1];
    if (packet->ip.ttl != ND_HOP_LIMIT || code != 0) {
        stack_drop(stack, packet, DROP_ND_BAD);
        return;
    }
    if (type == ICMP6_ROUTER_ADVERTISEMENT) {
        router_discovery_input(stack, packet);
        return;
    }
    if (type != ICMP6_NEIGHBOUR_SOLICITATION &&
        type != ICMP6_NEIGHBOUR_ADVERTISEMENT) {
        stack_drop(stack, packet, DROP_ICMP_UNWANTED); // routers' messages
        return;
    }
    bool is_solicitation = type == ICMP6_NEIGHBOUR_SOLICITATION;
    if (nd_neighbour_parse(packet->data, packet->length, &message) ||
        !(is_solicitation ? is_valid_solicitation(packet, &message)
                          : is_valid_advertisement(packet, &message))) {
        stack_drop(stack, packet, DROP_ND_BAD);
        return;
    }
    if (is_solicitation)
        input_solicitation(stack, packet, &message);
    else
        input_advertisement(stack, packet, &message);
}
