// ICMPv6 errors: sending them, and telling transports about those received.
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "stack/net/ip.h"
#include "stack/net/ipv6/ipv6.h"
#include "stack/wire/bytes.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"

// --- Sending

struct message {
    uint8_t type, code;
    uint32_t rest; // MTU or pointer
};

// RFC 4443 2.4(e.3): what goes to many gets no errors but these two.
static bool may_answer_group(const struct packet *packet,
                             const struct message *message)
{
    if (message->type == ICMP6_PACKET_TOO_BIG)
        return true;
    if (message->type != ICMP6_PARAMETER_PROBLEM ||
        message->code != ICMP6_BAD_OPTION)
        return false;
    // Only where the option says so (RFC 8200 4.2).
    return packet_network_header(packet)[message->rest] >> 6 == 2;
}

static const uint8_t *end_of(const struct packet *packet)
{
    return packet->data + packet->length;
}

// RFC 4443 2.4(e.1, e.2): is it itself an error, as far as one can see?
static bool is_icmp_error(const struct packet *packet)
{
    const uint8_t *bytes = packet_network_header(packet) + IPV6_HEADER_SIZE;
    size_t length = (size_t)(end_of(packet) - bytes);
    uint8_t next = packet_network_header(packet)[6];
    int at = ipv6_skip_extensions(bytes, length, &next);
    if (at < 0 || next != IP_PROTOCOL_ICMPV6)
        return false;
    // Cut off before its type: it might be one.
    return (size_t)at >= length || icmp_is_error(IP_V6, bytes[at]);
}

static bool may_send(struct stack *stack, const struct packet *packet,
                     const struct message *message)
{
    const struct ip_addr *source = &packet->ip.source;
    bool is_group =
        ip_addr_is_multicast(&packet->ip.destination) ||
        packet->flags & (PACKET_LINK_BROADCAST | PACKET_LINK_MULTICAST);
    if (ip_addr_is_any(source) || ip_addr_is_multicast(source))
        return false;
    if (is_group && !may_answer_group(packet, message))
        return false;
    return !is_icmp_error(packet) && icmp_may_send_error(stack);
}

// RFC 4443 2.2: the address the packet was for when that is ours, otherwise
// what the route back suggests.
static int find_path_back(struct stack *stack, const struct packet *packet,
                          struct ip_path *path)
{
    const struct ip_addr *to = &packet->ip.source;
    const struct iface_addr *own =
        stack_address_find(stack, &packet->ip.destination);
    struct ip_addr source = own && own->state == ADDRESS_PREFERRED
                                ? packet->ip.destination
                                : ip_addr_any(IP_V6);
    struct iface *iface = ip_addr_is_link_local(to) ? packet->iface : NULL;
    return ip_path_find(stack, &source, to, iface, path);
}

// As much of the packet as fits into the smallest MTU (RFC 4443 2.4(c)).
static void send_message(struct stack *stack, struct packet *packet,
                         const struct message *message, enum drop_reason reason)
{
    enum { ROOM = IPV6_MIN_MTU - IPV6_HEADER_SIZE - ICMP_HEADER_SIZE };
    struct icmp_header header = {
        .type = message->type, .code = message->code, .rest = message->rest};
    struct ip_path path;
    if (may_send(stack, packet, message) &&
        find_path_back(stack, packet, &path) == 0)
        ip_turn_into_error(stack, packet, &path, &header, ROOM, 0, reason);
    else
        stack_drop(stack, packet, reason);
}

// Offset of the byte that named the transport: where RFC 4443 3.4 code 1
// points.
static uint32_t next_header_field(const struct packet *packet)
{
    const uint8_t *network = packet_network_header(packet);
    size_t end = (size_t)(end_of(packet) - network);
    size_t at = IPV6_HEADER_SIZE, field = 6;
    while (
        network[field] == IPV6_HOP_BY_HOP || network[field] == IPV6_ROUTING ||
        network[field] == IPV6_DESTINATION || network[field] == IPV6_FRAGMENT) {
        bool is_fragment = network[field] == IPV6_FRAGMENT;
        if (at + 8 > end)
            break;
        field = at;
        at += is_fragment ? IPV6_FRAGMENT_SIZE : (network[at + 1] + 1u) * 8;
    }
    return (uint32_t)field;
}

void icmpv6_send_error(struct stack *stack, struct packet *packet,
                       enum icmp_error_kind kind, uint32_t mtu_or_pointer,
                       enum drop_reason reason)
{
    struct message message = {ICMP6_UNREACHABLE, 0, 0};
    switch (kind) {
    case ICMP_ERROR_NET_UNREACHABLE:
        message.code = ICMP6_NO_ROUTE;
        break;
    case ICMP_ERROR_HOST_UNREACHABLE:
        message.code = ICMP6_ADDRESS_UNREACHABLE;
        break;
    case ICMP_ERROR_PORT_UNREACHABLE:
        message.code = ICMP6_PORT_UNREACHABLE;
        break;
    case ICMP_ERROR_PROHIBITED:
        message.code = ICMP6_ADMIN_PROHIBITED;
        break;
    case ICMP_ERROR_PROTOCOL_UNREACHABLE:
        message =
            (struct message){ICMP6_PARAMETER_PROBLEM, ICMP6_BAD_NEXT_HEADER,
                             next_header_field(packet)};
        break;
    case ICMP_ERROR_TOO_BIG:
        message = (struct message){ICMP6_PACKET_TOO_BIG, 0, mtu_or_pointer};
        break;
    case ICMP_ERROR_TTL_EXCEEDED:
        message.type = ICMP6_TIME_EXCEEDED;
        message.code = ICMP_TTL_EXCEEDED;
        break;
    case ICMP_ERROR_REASSEMBLY_TIMEOUT:
        message.type = ICMP6_TIME_EXCEEDED;
        message.code = ICMP_REASSEMBLY_TIMEOUT;
        break;
    case ICMP_ERROR_PARAMETER_PROBLEM:
        message = (struct message){ICMP6_PARAMETER_PROBLEM, ICMP6_BAD_HEADER,
                                   mtu_or_pointer};
        break;
    case ICMP_ERROR_OTHER:
        stack_drop(stack, packet, reason);
        return;
    }
    send_message(stack, packet, &message, reason);
}

void icmpv6_send_problem(struct stack *stack, struct packet *packet,
                         uint8_t code, uint32_t pointer,
                         enum drop_reason reason)
{
    struct message message = {ICMP6_PARAMETER_PROBLEM, code, pointer};
    send_message(stack, packet, &message, reason);
}

// --- Receiving

// What an error means to those who sent the packet; errno as Linux's
// icmpv6_err_convert.
struct meaning {
    uint8_t type;
    int code; // -1: any other
    enum icmp_error_kind kind;
    int error;
};
static const struct meaning meanings[] = {
    {ICMP6_UNREACHABLE, ICMP6_NO_ROUTE, ICMP_ERROR_NET_UNREACHABLE,
     -ENETUNREACH},
    {ICMP6_UNREACHABLE, ICMP6_ADMIN_PROHIBITED, ICMP_ERROR_PROHIBITED, -EACCES},
    {ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE, ICMP_ERROR_PORT_UNREACHABLE,
     -ECONNREFUSED},
    {ICMP6_UNREACHABLE, 5 /* source failed a policy */, ICMP_ERROR_PROHIBITED,
     -EACCES},
    {ICMP6_UNREACHABLE, 6 /* reject route */, ICMP_ERROR_PROHIBITED, -EACCES},
    {ICMP6_UNREACHABLE, -1, ICMP_ERROR_HOST_UNREACHABLE, -EHOSTUNREACH},
    {ICMP6_PACKET_TOO_BIG, -1, ICMP_ERROR_TOO_BIG, -EMSGSIZE},
    {ICMP6_TIME_EXCEEDED, ICMP_REASSEMBLY_TIMEOUT,
     ICMP_ERROR_REASSEMBLY_TIMEOUT, -EHOSTUNREACH},
    {ICMP6_TIME_EXCEEDED, -1, ICMP_ERROR_TTL_EXCEEDED, -EHOSTUNREACH},
    {ICMP6_PARAMETER_PROBLEM, ICMP6_BAD_NEXT_HEADER,
     ICMP_ERROR_PROTOCOL_UNREACHABLE, -EPROTO},
    {ICMP6_PARAMETER_PROBLEM, -1, ICMP_ERROR_PARAMETER_PROBLEM, -EPROTO},
};

static void read_meaning(struct icmp_error *error)
{
    error->kind = ICMP_ERROR_OTHER;
    error->error = -EPROTO;
    for (size_t i = 0; i < ARRAY_LENGTH(meanings); i++) {
        const struct meaning *m = &meanings[i];
        if (m->type == error->type && (m->code < 0 || m->code == error->code)) {
            error->kind = m->kind;
            error->error = m->error;
            return;
        }
    }
}

// Reads the quoted packet. Returns its protocol, or a negative errno when it
// says too little.
static int read_quotation(const uint8_t *bytes, size_t length,
                          struct icmp_error *error)
{
    struct ipv6_header header;
    if (ipv6_parse_quoted(bytes, length, &header) < 0)
        return -EINVAL;
    uint8_t next = header.next_header;
    bytes += IPV6_HEADER_SIZE;
    length -= IPV6_HEADER_SIZE;
    error->source = header.source;
    error->destination = header.destination;
    int at = ipv6_skip_extensions(bytes, length, &next);
    if (at < 0)
        return at;
    error->transport = bytes + at;
    error->transport_length = length - (size_t)at;
    return next;
}

// RFC 8201 4: an MTU below the least one is no news but an attack, and a packet
// that fits needed no complaint.
static bool is_believable(const struct icmp_error *error, const uint8_t *quote)
{
    uint32_t length = get_be16(quote + 4) + (uint32_t)IPV6_HEADER_SIZE;
    return error->kind != ICMP_ERROR_TOO_BIG ||
           (error->mtu >= IPV6_MIN_MTU && error->mtu < length);
}

void icmpv6_error_input(struct stack *stack, struct packet *packet)
{
    const uint8_t *message = packet->data;
    struct icmp_error error = {
        .type = message[0], .code = message[1], .reporter = packet->ip.source};
    read_meaning(&error);
    if (error.kind == ICMP_ERROR_TOO_BIG)
        error.mtu = get_be32(message + 4);
    int protocol = read_quotation(message + ICMP_HEADER_SIZE,
                                  packet->length - ICMP_HEADER_SIZE, &error);
    if (error.source.family == IP_NONE ||
        !is_believable(&error, message + ICMP_HEADER_SIZE)) {
        stack_drop(stack, packet, DROP_ICMP_BAD);
        return;
    }
    if (!stack_address_find(stack, &error.source)) {
        stack_drop(stack, packet, DROP_ICMP_UNWANTED);
        return;
    }
    // Also for a later fragment, which no transport can be told about.
    bool is_checked = protocol >= 0 && ip_transport_checks_errors(
                                           stack, IP_V6, (uint8_t)protocol);
    if (error.kind == ICMP_ERROR_TOO_BIG && !is_checked)
        path_mtu_update(stack, &error.destination, error.mtu);
    if (protocol >= 0)
        ip_deliver_error(stack, (uint8_t)protocol, &error);
    stack_deliver(stack, packet);
}
