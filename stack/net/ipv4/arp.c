// ARP (RFC 826): asks and answers for the neighbour machine.
// SPDX-License-Identifier: MIT
#include "stack/wire/arp.h"

#include "stack/net/ipv6/nd.h"
#include "stack/net/neighbour.h"
#include "stack/wire/ethernet.h"

static const struct mac_addr broadcast_mac = {
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

// --- Out

static void send(struct iface *iface, struct packet *packet,
                 const struct mac_addr *to)
{
    packet->link_type = ETHERTYPE_ARP;
    packet->iface = iface;
    packet_set_network_header(packet);
    stack_count(iface->stack, COUNT_ARP_OUT);
    iface->link->output(iface, packet, to);
}

// Without a buffer nothing is sent: the machine asks again.
static void send_request(struct iface *iface, const struct ip_addr *target,
                         const struct ip_addr *source,
                         const struct mac_addr *to)
{
    struct packet *packet =
        stack_packet_alloc(iface->stack, iface->link->header_size, ARP_SIZE);
    if (!packet)
        return;
    struct arp_header header = {.operation = ARP_REQUEST,
                                .sender_mac = iface->mac,
                                .sender_ip = *source,
                                .target_ip = *target};
    arp_emit(&header, packet_put(packet, ARP_SIZE));
    send(iface, packet, to);
}

// An address of the interface, best one on the target's own prefix (RFC 1122
// 3.3.4.3).
static const struct ip_addr *choose_source(const struct iface *iface,
                                           const struct ip_addr *target)
{
    const struct ip_addr *first = NULL;
    for (const struct iface_addr *a = iface->addresses; a; a = a->next) {
        if (a->prefix.addr.family != IP_V4)
            continue;
        if (ip_prefix_contains(&a->prefix, target))
            return &a->prefix.addr;
        if (!first)
            first = &a->prefix.addr;
    }
    return first;
}

static void arp_solicit(struct iface *iface, const struct ip_addr *target,
                        const struct ip_addr *source, const struct mac_addr *to)
{
    if (!source)
        source = choose_source(iface, target);
    if (source)
        send_request(iface, target, source, to ? to : &broadcast_mac);
}

const struct neighbour_ops arp_neighbour_ops = {.solicit = arp_solicit};

// RFC 5227 2.3: an announcement is a request for one's own address.
void arp_announce(struct iface *iface, const struct ip_addr *address)
{
    send_request(iface, address, address, &broadcast_mac);
}

// --- In

// A sender that no host can be, or ourselves. The address 0.0.0.0 is a probe
// for duplicates (RFC 5227 2.1.1) and fine.
static bool is_impossible(struct iface *iface, const struct arp_header *arp)
{
    const struct ip_addr *sender = &arp->sender_ip;
    bool is_known =
        arp->operation == ARP_REQUEST || arp->operation == ARP_REPLY;
    return !is_known || mac_addr_is_multicast(&arp->sender_mac) ||
           mac_addr_equal(&arp->sender_mac, &iface->mac) ||
           ip_addr_is_multicast(sender) || ip_addr_is_loopback(sender) ||
           iface_is_broadcast(iface, sender) ||
           iface_address_find(iface, sender);
}

// An answer that was not sent to us alone is an announcement.
static enum neighbour_event event_of(const struct packet *packet,
                                     const struct arp_header *arp)
{
    bool is_gratuitous = ip_addr_equal(&arp->sender_ip, &arp->target_ip);
    if (is_gratuitous)
        return NEIGHBOUR_HEARD_UNSOLICITED;
    if (arp->operation == ARP_REQUEST)
        return NEIGHBOUR_HEARD_REQUEST;
    return packet->flags & PACKET_TO_US ? NEIGHBOUR_HEARD_REPLY
                                        : NEIGHBOUR_HEARD_UNSOLICITED;
}

// In place: the question becomes the answer.
static void reply(struct iface *iface, struct packet *packet,
                  const struct arp_header *request)
{
    struct stack *stack = iface->stack;
    packet_trim(packet, ARP_SIZE);
    if (packet_make_writable(packet, iface->link->header_size) != 0) {
        stack_drop(stack, packet, DROP_NO_BUFFER);
        return;
    }
    stack_recycle(stack, packet);
    struct arp_header header = {.operation = ARP_REPLY,
                                .sender_mac = iface->mac,
                                .sender_ip = request->target_ip,
                                .target_mac = request->sender_mac,
                                .target_ip = request->sender_ip};
    arp_emit(&header, packet->data);
    send(iface, packet, &request->sender_mac);
}

static void arp_input(struct stack *stack, struct packet *packet)
{
    struct iface *iface = packet->iface;
    struct arp_header arp;
    stack_count(stack, COUNT_ARP_IN);
    if (!(iface->flags & IFACE_NEEDS_NEIGHBOUR) ||
        arp_parse(packet->data, packet->length, &arp) < 0 ||
        is_impossible(iface, &arp)) {
        stack_drop(stack, packet, DROP_ARP_BAD);
        return;
    }
    bool is_question = arp.operation == ARP_REQUEST &&
                       iface_address_find(iface, &arp.target_ip);
    if (!ip_addr_is_any(&arp.sender_ip))
        neighbour_hear(stack, iface, &arp.sender_ip, &arp.sender_mac,
                       event_of(packet, &arp), is_question, true, -1);
    if (is_question)
        reply(iface, packet, &arp);
    else
        stack_deliver(stack, packet);
}

const struct network_protocol arp_protocol = {.name = "arp",
                                              .ethertype = ETHERTYPE_ARP,
                                              .family = IP_NONE,
                                              .input = arp_input};
