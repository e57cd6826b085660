// ICMPv6 input: echo is answered in place, the rest handed on (RFC 4443).
// SPDX-License-Identifier: MIT
#include "stack/wire/icmp.h"

#include "stack/net/ip.h"
#include "stack/net/ipv6/ipv6.h"
#include "stack/net/ipv6/nd.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"

// A request to a group is answered from an address of ours (RFC 4443 4.2).
// Returns false when it is not to be answered.
static bool choose_reply_source(struct stack *stack, struct packet *packet)
{
    if (!ip_addr_is_multicast(&packet->ip.destination))
        return true;
    if (!stack->settings->ip_accept_broadcast_echo)
        return false;
    const struct iface_addr *own =
        ipv6_select_source(packet->iface, &packet->ip.source);
    if (!own)
        return false;
    packet->ip.destination = own->prefix.addr;
    return true;
}

// The reply differs from the request in its type, in which of the addresses is
// which, and for a group in one address; the checksum starts over for the last
// only.
static void reply_to_echo(struct stack *stack, struct packet *packet)
{
    bool was_group = ip_addr_is_multicast(&packet->ip.destination);
    if (ip_addr_is_any(&packet->ip.source) ||
        !choose_reply_source(stack, packet)) {
        stack_drop(stack, packet, DROP_ICMP_UNWANTED);
        return;
    }
    if (packet_make_writable(packet, 0)) {
        stack_drop(stack, packet, DROP_NO_BUFFER);
        return;
    }
    uint8_t *message = packet->data;
    uint16_t before = get_be16(message);
    message[0] = ICMP6_ECHO_REPLY;
    if (was_group)
        icmp_fill_checksum(message, packet->length, &packet->ip.source,
                           &packet->ip.destination);
    else
        put_be16(message + 2, checksum_update(get_be16(message + 2), before,
                                              get_be16(message)));
    packet->ip.ttl = 0;
    packet->ip.tos &= 0xfc; // an answer is not ECN-capable (RFC 3168 6)
    stack_count(stack, COUNT_ICMP_ECHO_IN);
    stack_count(stack, COUNT_ICMP_OUT);
    ip_reply(stack, packet);
}

// Echo replies, and what raw sockets alone know about.
static void input_other(struct stack *stack, struct packet *packet)
{
    if (packet->flags & PACKET_RAW_TOOK)
        stack_deliver(stack, packet);
    else
        stack_drop(stack, packet, DROP_ICMP_UNWANTED);
}

static void input_message(struct stack *stack, struct packet *packet)
{
    uint8_t type = packet->data[0];
    if (type < 128) {
        icmpv6_error_input(stack, packet);
        return;
    }
    switch (type) {
    case ICMP6_ECHO:
        reply_to_echo(stack, packet);
        break;
    case ICMP6_ROUTER_SOLICITATION:
    case ICMP6_ROUTER_ADVERTISEMENT:
    case ICMP6_NEIGHBOUR_SOLICITATION:
    case ICMP6_NEIGHBOUR_ADVERTISEMENT:
    case ICMP6_REDIRECT:
        nd_input(stack, packet);
        break;
    default: // RFC 4443 2.4(b): unknown informational messages
        input_other(stack, packet);
    }
}

static void icmpv6_input(struct stack *stack, struct packet *packet)
{
    stack_count(stack, COUNT_ICMP_IN);
    if (packet->length < ICMP_HEADER_SIZE) {
        stack_drop(stack, packet, DROP_ICMP_BAD);
        return;
    }
    if (!(packet->flags & PACKET_CHECKSUM_GOOD) &&
        !icmp_checksum_is_good(packet->data, packet->length, &packet->ip.source,
                               &packet->ip.destination)) {
        stack_drop(stack, packet, DROP_ICMP_BAD_CHECKSUM);
        return;
    }
    input_message(stack, packet);
}

const struct transport_protocol icmpv6_protocol = {.name = "icmpv6",
                                                   .protocol =
                                                       IP_PROTOCOL_ICMPV6,
                                                   .family = IP_V6,
                                                   .input = icmpv6_input};
