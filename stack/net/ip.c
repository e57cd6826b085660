// What both families share on the way out, at the end of input, about errors.
// SPDX-License-Identifier: MIT
#include "stack/net/ip.h"

#include <errno.h>

#include "stack/net/neighbour.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"

// --- Out

// A path that the transport did not look at for a while.
static int renew_path(struct stack *stack, struct ip_path *path)
{
    struct iface *bound = NULL;
    if (path->bound != 0 && !(bound = iface_find_index(stack, path->bound)))
        return -ENETUNREACH;
    return ip_path_refresh(stack, path, bound);
}

static inline int check_path(struct stack *stack, struct ip_path *path)
{
    if (__builtin_expect(path->generation == stack->path_generation, 1))
        return 0;
    return renew_path(stack, path);
}

// Groups are for the link at hand unless somebody says otherwise (RFC 1112 6.1,
// RFC 3493 5.2).
static uint8_t default_ttl(const struct stack *stack,
                           const struct ip_path *path)
{
    return path->is_multicast ? 1 : (uint8_t)stack->settings->ip_ttl;
}

// In front of every packet, so that its receiver may write an ICMP error about
// it into it without moving it.
enum { ANSWER_ROOM = IPV6_HEADER_SIZE + ICMP_HEADER_SIZE };

int ip_prepare(struct stack *stack, struct ip_path *path, uint8_t protocol,
               uint8_t tos, uint8_t ttl, size_t header_size,
               size_t payload_size, struct packet **out)
{
    int error = check_path(stack, path);
    if (!error && path->neighbour)
        error = neighbour_resolve(stack, path->neighbour, &path->source);
    if (error)
        return error;
    struct packet *packet = stack_packet_alloc(
        stack, ANSWER_ROOM + ip_head_room(path) + header_size, payload_size);
    if (!packet)
        return -ENOBUFS;
    packet->iface = path->iface;
    packet->ip.source = path->source;
    packet->ip.destination = path->destination;
    packet->ip.protocol = protocol;
    packet->ip.tos = tos;
    packet->ip.ttl = ttl ? ttl : default_ttl(stack, path);
    *out = packet;
    return 0;
}

int ip_output(struct stack *stack, struct ip_path *path, struct packet *packet)
{
    int error = check_path(stack, path);
    if (error) {
        stack_drop(stack, packet, DROP_IP_NO_ROUTE);
        return error;
    }
    packet_set_transport_header(packet);
    stack_count(stack, COUNT_IP_OUT);
    return path->destination.family == IP_V4 ? ipv4_output(stack, path, packet)
                                             : ipv6_output(stack, path, packet);
}

// What leaves for a group of ours or for everyone comes to us too, but for
// ICMP: neighbour discovery must not hear itself.
static void copy_to_ourselves(const struct ip_path *path,
                              const struct packet *packet)
{
    uint8_t protocol = packet->ip.protocol;
    if (protocol == IP_PROTOCOL_ICMP || protocol == IP_PROTOCOL_ICMPV6)
        return;
    if (path->is_broadcast ||
        iface_is_in_group(path->iface, &path->destination))
        loopback_copy(path->iface, packet);
}

static void output_unresolved(struct stack *stack, const struct ip_path *path,
                              struct packet *packet)
{
    struct mac_addr to = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    bool is_group = path->is_multicast || path->is_broadcast;
    if (is_group)
        copy_to_ourselves(path, packet);
    else if (path->iface->flags & IFACE_NEEDS_NEIGHBOUR) {
        stack_drop(stack, packet, DROP_NEIGHBOUR_TABLE_FULL);
        return;
    }
    if (path->is_multicast)
        to = mac_addr_of_multicast(&path->destination);
    path->iface->link->output(path->iface, packet, &to);
}

void ip_link_output(struct stack *stack, struct ip_path *path,
                    struct packet *packet)
{
    if (check_path(stack, path) != 0) {
        stack_drop(stack, packet, DROP_IP_NO_ROUTE);
        return;
    }
    packet->iface = path->iface;
    packet->link_type =
        path->destination.family == IP_V4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
    if (path->neighbour)
        neighbour_output(stack, path->neighbour, packet);
    else
        output_unresolved(stack, path, packet);
}

// --- Answers

static bool is_group_or_broadcast(const struct packet *packet)
{
    const struct ip_addr *to = &packet->ip.destination;
    return ip_addr_is_multicast(to) || iface_is_broadcast(packet->iface, to);
}

// A link-local address means something on its own link only.
static struct iface *reply_iface(const struct packet *packet)
{
    const struct ip_addr *to = &packet->ip.source;
    bool is_bound = to->family == IP_V6 && ip_addr_is_link_local(to) &&
                    !(packet->iface->flags & IFACE_IS_LOOPBACK);
    return is_bound ? packet->iface : NULL;
}

void ip_reply(struct stack *stack, struct packet *packet)
{
    const struct ip_addr *source =
        is_group_or_broadcast(packet) ? NULL : &packet->ip.destination;
    struct ip_path path;
    if (ip_path_find(stack, source, &packet->ip.source, reply_iface(packet),
                     &path) != 0) {
        stack_drop(stack, packet, DROP_IP_NO_ROUTE);
        return;
    }
    if (packet_make_writable(packet, ip_head_room(&path)) != 0) {
        stack_drop(stack, packet, DROP_NO_BUFFER);
        return;
    }
    uint32_t kept = packet->flags & PACKET_DONT_FRAGMENT;
    stack_recycle(stack, packet);
    packet->flags = kept;
    packet->ip.source = path.source;
    packet->ip.destination = path.destination;
    if (packet->ip.ttl == 0)
        packet->ip.ttl = default_ttl(stack, &path);
    ip_output(stack, &path, packet);
}

void ip_send_error(struct stack *stack, struct packet *packet,
                   enum icmp_error_kind kind, uint32_t mtu_or_pointer,
                   enum drop_reason reason)
{
    unsigned version = *packet_network_header(packet) >> 4;
    if (version == 4)
        icmpv4_send_error(stack, packet, kind, mtu_or_pointer, reason);
    else
        icmpv6_send_error(stack, packet, kind, mtu_or_pointer, reason);
}

// The window becomes the quotation.
static int quote(struct packet *packet, size_t most, size_t head_room)
{
    packet_push(packet, (size_t)(packet->data - packet_network_header(packet)));
    if (packet->length > most)
        packet_trim(packet, most);
    return packet_make_writable(packet, head_room);
}

void ip_turn_into_error(struct stack *stack, struct packet *packet,
                        struct ip_path *path, const struct icmp_header *icmp,
                        size_t most, uint8_t tos, enum drop_reason reason)
{
    if (quote(packet, most, ip_head_room(path) + ICMP_HEADER_SIZE) != 0) {
        stack_drop(stack, packet, reason);
        return;
    }
    bool is_v4 = path->destination.family == IP_V4;
    stack_recycle_dropped(stack, packet, reason);
    packet->ip = (struct packet_ip){.source = path->source,
                                    .destination = path->destination,
                                    .protocol = is_v4 ? IP_PROTOCOL_ICMP
                                                      : IP_PROTOCOL_ICMPV6,
                                    .ttl = default_ttl(stack, path),
                                    .tos = tos};
    icmp_emit(icmp, packet_push(packet, ICMP_HEADER_SIZE));
    icmp_fill_checksum(packet->data, packet->length,
                       is_v4 ? NULL : &path->source,
                       is_v4 ? NULL : &path->destination);
    stack_count(stack, COUNT_ICMP_OUT);
    ip_output(stack, path, packet);
}

// Whole tokens only: what is left of an interval counts towards the next.
bool icmp_may_send_error(struct stack *stack)
{
    int64_t rate = stack->settings->ip_icmp_rate;
    int64_t burst = stack->settings->ip_icmp_burst;
    if (rate == 0)
        return false;
    ns_t interval = NS_PER_S / rate;
    int64_t earned = (stack_now(stack) - stack->icmp_tokens_at) / interval;
    stack->icmp_tokens_at += earned * interval;
    stack->icmp_tokens =
        (uint32_t)min_i64(burst, stack->icmp_tokens + min_i64(earned, burst));
    if (stack->icmp_tokens == 0) {
        stack_count(stack, COUNT_ICMP_RATE_LIMITED);
        return false;
    }
    stack->icmp_tokens--;
    return true;
}

// --- In

void ip_deliver(struct stack *stack, struct packet *packet)
{
    const struct packet_ip *ip = &packet->ip;
    if (raw_input(stack, packet))
        packet->flags |= PACKET_RAW_TOOK;
    const struct transport_protocol *transport =
        transport_find(stack, ip->source.family, ip->protocol);
    if (transport)
        transport->input(stack, packet);
    else if (packet->flags & PACKET_RAW_TOOK)
        stack_deliver(stack, packet);
    else
        ip_send_error(stack, packet, ICMP_ERROR_PROTOCOL_UNREACHABLE, 0,
                      DROP_IP_UNKNOWN_PROTOCOL);
}

bool ip_transport_checks_errors(const struct stack *stack, uint8_t family,
                                uint8_t protocol)
{
    const struct transport_protocol *transport =
        transport_find(stack, family, protocol);
    return transport && transport->checks_errors;
}

void ip_deliver_error(struct stack *stack, uint8_t protocol,
                      const struct icmp_error *error)
{
    const struct transport_protocol *transport =
        transport_find(stack, error->source.family, protocol);
    if (transport && transport->error)
        transport->error(stack, error);
    raw_error(stack, protocol, error);
}

// --- Packets whose next hop does not answer

// Our own: the transport learns it as if a router had said so (RFC 1122
// 3.3.1.4), without a packet.
static void fail_own(struct stack *stack, const struct packet *packet)
{
    const uint8_t *transport = packet_transport_header(packet);
    const uint8_t *end = packet->data + packet->length;
    if (transport < packet->data || transport >= end)
        return; // a later fragment, or a header that the application wrote
    bool is_v4 = packet->ip.source.family == IP_V4;
    struct icmp_error error = {
        .kind = ICMP_ERROR_HOST_UNREACHABLE,
        .type = is_v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE,
        .code = is_v4 ? ICMP4_HOST_UNREACHABLE : ICMP6_ADDRESS_UNREACHABLE,
        .reporter = packet->ip.source,
        .source = packet->ip.source,
        .destination = packet->ip.destination,
        .transport = transport,
        .transport_length = (size_t)(end - transport),
        .error = -EHOSTUNREACH};
    ip_deliver_error(stack, packet->ip.protocol, &error);
}

void ip_fail(struct stack *stack, struct packet *packet)
{
    if (packet->flags & PACKET_FORWARDED) {
        ip_send_error(stack, packet, ICMP_ERROR_HOST_UNREACHABLE, 0,
                      DROP_NEIGHBOUR_FAILED);
        return;
    }
    fail_own(stack, packet);
    stack_drop(stack, packet, DROP_NEIGHBOUR_FAILED);
}
