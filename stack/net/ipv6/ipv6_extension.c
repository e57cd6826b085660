// IPv6 extension headers: walking to the transport header (RFC 8200 4).
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "stack/net/ip.h"
#include "stack/net/ipv6/ipv6.h"
#include "stack/wire/ipv6.h"

// Theory of operation
//
// The headers form a chain in which each names the next. A host must accept
// them in any order and number (RFC 8200 4.1), so a peer decides how much work
// a packet makes: the chain, and the options of one header that are not
// padding, are bounded by ip.extension-limit (RFC 8504 5.3). Every step moves
// the packet's window on, so a chain ends with its packet.
//
// The walk remembers where the number of the present header stood, because the
// parameter problem that refuses it points there.

enum { OPTION_PAD1 = 0, OPTION_PADN = 1, OPTION_ROUTER_ALERT = 5 };
enum { // the two highest bits of an option's type (RFC 8200 4.2)
    UNKNOWN_SKIP = 0,
    UNKNOWN_DISCARD = 1,
    UNKNOWN_PROBLEM = 2,
    UNKNOWN_PROBLEM_UNLESS_GROUP = 3
};

static uint32_t offset_of(const struct packet *packet, const uint8_t *at)
{
    return (uint32_t)(at - packet_network_header(packet));
}

// What happens to a packet with an option that nobody here knows. Returns false
// when the packet is gone.
static bool judge_unknown(struct stack *stack, struct packet *packet,
                          const uint8_t *option)
{
    unsigned action = option[0] >> 6;
    bool is_group = ip_addr_is_multicast(&packet->ip.destination);
    if (action == UNKNOWN_SKIP)
        return true;
    if (action == UNKNOWN_DISCARD ||
        (action == UNKNOWN_PROBLEM_UNLESS_GROUP && is_group))
        stack_drop(stack, packet, DROP_IP_BAD_OPTION);
    else
        icmpv6_send_problem(stack, packet, ICMP6_BAD_OPTION,
                            offset_of(packet, option), DROP_IP_BAD_OPTION);
    return false;
}

static bool is_known(struct packet *packet, const struct ipv6_walk *walk,
                     const struct ipv6_option *option)
{
    if (walk->next == IPV6_HOP_BY_HOP && option->type == OPTION_ROUTER_ALERT &&
        option->length == 2) {
        packet->flags |= PACKET_ROUTER_ALERT;
        return true;
    }
    return false;
}

// The options of the header at data, `length` bytes in all. false: gone.
static bool walk_options(struct stack *stack, struct packet *packet,
                         const struct ipv6_walk *walk, size_t length)
{
    int64_t left = stack->settings->ip_extension_limit;
    for (size_t at = 2; at < length;) {
        struct ipv6_option option;
        const uint8_t *bytes = packet->data + at;
        int size = ipv6_option_parse(bytes, length - at, &option);
        if (size < 0) {
            stack_drop(stack, packet, DROP_IP_BAD_OPTION);
            return false;
        }
        at += (size_t)size;
        if (option.type == OPTION_PAD1 || option.type == OPTION_PADN)
            continue;
        if (left-- <= 0) {
            stack_drop(stack, packet, DROP_IP_EXTENSION_LIMIT);
            return false;
        }
        if (!is_known(packet, walk, &option) &&
            !judge_unknown(stack, packet, bytes))
            return false;
    }
    return true;
}

// RFC 8200 4.4, RFC 5095: no routing type is known here, so a header with
// segments left is refused and one without is ignored, type 0 like the rest.
static bool walk_routing(struct stack *stack, struct packet *packet)
{
    const uint8_t *header = packet->data;
    if (header[3] == 0)
        return true;
    icmpv6_send_problem(stack, packet, ICMP6_BAD_HEADER,
                        offset_of(packet, header + 2), DROP_IP_BAD_OPTION);
    return false;
}

// Passes the header at data, whose options or segments were accepted.
static void pass(struct packet *packet, struct ipv6_walk *walk, size_t length)
{
    walk->next = packet->data[0];
    walk->field = (uint16_t)offset_of(packet, packet->data);
    walk->count++;
    packet_pull(packet, length);
}

static bool walk_one(struct stack *stack, struct packet *packet,
                     struct ipv6_walk *walk)
{
    if (walk->count >= stack->settings->ip_extension_limit) {
        stack_drop(stack, packet, DROP_IP_EXTENSION_LIMIT);
        return false;
    }
    int length = ipv6_extension_length(packet->data, packet->length);
    if (length < 0) {
        stack_drop(stack, packet, DROP_IP_BAD_HEADER);
        return false;
    }
    bool is_accepted = walk->next == IPV6_ROUTING
                           ? walk_routing(stack, packet)
                           : walk_options(stack, packet, walk, (size_t)length);
    if (is_accepted)
        pass(packet, walk, (size_t)length);
    return is_accepted;
}

bool ipv6_walk_hop_by_hop(struct stack *stack, struct packet *packet,
                          struct ipv6_walk *walk)
{
    return walk->next != IPV6_HOP_BY_HOP || walk_one(stack, packet, walk);
}

enum ipv6_step ipv6_walk(struct stack *stack, struct packet *packet,
                         struct ipv6_walk *walk)
{
    for (;;) {
        switch (walk->next) {
        case IPV6_HOP_BY_HOP:
            // Only right after the IPv6 header, where it has been passed by
            // now (RFC 8200 4.1).
            icmpv6_send_problem(stack, packet, ICMP6_BAD_NEXT_HEADER,
                                walk->field, DROP_IP_BAD_OPTION);
            return IPV6_STEP_ENDED;
        case IPV6_ROUTING:
        case IPV6_DESTINATION:
            if (!walk_one(stack, packet, walk))
                return IPV6_STEP_ENDED;
            break;
        case IPV6_FRAGMENT:
            return IPV6_STEP_FRAGMENT;
        default:
            return IPV6_STEP_UPPER;
        }
    }
}

static bool is_extension(uint8_t next)
{
    return next == IPV6_HOP_BY_HOP || next == IPV6_ROUTING ||
           next == IPV6_DESTINATION;
}

int ipv6_skip_extensions(const uint8_t *bytes, size_t length, uint8_t *next)
{
    size_t at = 0;
    for (;;) {
        int size;
        if (*next == IPV6_FRAGMENT) {
            struct ipv6_fragment fragment;
            size = ipv6_fragment_parse(bytes + at, length - at, &fragment);
            if (size > 0 && fragment.offset != 0)
                return -ENOENT;
        } else if (is_extension(*next)) {
            size = ipv6_extension_length(bytes + at, length - at);
        } else {
            return (int)at;
        }
        if (size < 0)
            return size;
        *next = bytes[at];
        at += (size_t)size;
    }
}
