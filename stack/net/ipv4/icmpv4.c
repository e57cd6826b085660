// ICMP for IPv4 (RFC 792): echo, errors about us, errors from us.
// SPDX-License-Identifier: MIT
#include "stack/net/ip.h"

#include <errno.h>

#include "stack/net/path_mtu.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"

// --- Echo

static void answer_echo(struct stack *stack, struct packet *packet)
{
    if (packet_make_writable(packet, 0) != 0) {
        stack_drop(stack, packet, DROP_NO_BUFFER);
        return;
    }
    uint8_t *message = packet->data;
    uint16_t from = get_be16(message);
    message[0] = ICMP4_ECHO_REPLY;
    put_be16(message + 2,
             checksum_update(get_be16(message + 2), from, get_be16(message)));
    packet->ip.ttl = 0;
    packet->ip.tos &= 0xfc; // an answer is not ECN-capable (RFC 3168 6)
    stack_count(stack, COUNT_ICMP_ECHO_IN);
    stack_count(stack, COUNT_ICMP_OUT);
    ip_reply(stack, packet);
}

// RFC 1122 3.2.2.6: a ping of everyone need not be answered.
static bool is_echo_for_us(const struct stack *stack,
                           const struct packet *packet)
{
    const struct ip_addr *to = &packet->ip.destination;
    bool is_for_all =
        ip_addr_is_multicast(to) || iface_is_broadcast(packet->iface, to);
    bool has_sender = !ip_addr_is_any(&packet->ip.source);
    return has_sender &&
           (!is_for_all || stack->settings->ip_accept_broadcast_echo);
}

// --- Errors from others

struct meaning {
    enum icmp_error_kind kind;
    int error;
};

// The codes of "unreachable" (RFC 1122 3.2.2.1, RFC 1812 5.2.7.1) with Linux's
// errors.
static const struct meaning unreachable[] = {
    {ICMP_ERROR_NET_UNREACHABLE, -ENETUNREACH},
    {ICMP_ERROR_HOST_UNREACHABLE, -EHOSTUNREACH},
    {ICMP_ERROR_PROTOCOL_UNREACHABLE, -ENOPROTOOPT},
    {ICMP_ERROR_PORT_UNREACHABLE, -ECONNREFUSED},
    {ICMP_ERROR_TOO_BIG, -EMSGSIZE},
    {ICMP_ERROR_OTHER, -EOPNOTSUPP},              // source route failed
    {ICMP_ERROR_NET_UNREACHABLE, -ENETUNREACH},   // network unknown
    {ICMP_ERROR_HOST_UNREACHABLE, -EHOSTDOWN},    // host unknown
    {ICMP_ERROR_HOST_UNREACHABLE, -ENONET},       // host isolated
    {ICMP_ERROR_PROHIBITED, -ENETUNREACH},        // network prohibited
    {ICMP_ERROR_PROHIBITED, -EHOSTUNREACH},       // host prohibited
    {ICMP_ERROR_NET_UNREACHABLE, -ENETUNREACH},   // network, for this TOS
    {ICMP_ERROR_HOST_UNREACHABLE, -EHOSTUNREACH}, // host, for this TOS
    {ICMP_ERROR_PROHIBITED, -EHOSTUNREACH},       // communication prohibited
    {ICMP_ERROR_PROHIBITED, -EHOSTUNREACH},       // precedence violation
    {ICMP_ERROR_PROHIBITED, -EHOSTUNREACH},       // precedence cutoff
};

static struct meaning meaning_of(const struct icmp_header *icmp)
{
    if (icmp->type == ICMP4_UNREACHABLE &&
        icmp->code < ARRAY_LENGTH(unreachable))
        return unreachable[icmp->code];
    if (icmp->type == ICMP4_TIME_EXCEEDED)
        return (struct meaning){icmp->code == ICMP_REASSEMBLY_TIMEOUT
                                    ? ICMP_ERROR_REASSEMBLY_TIMEOUT
                                    : ICMP_ERROR_TTL_EXCEEDED,
                                -EHOSTUNREACH};
    if (icmp->type == ICMP4_PARAMETER_PROBLEM)
        return (struct meaning){ICMP_ERROR_PARAMETER_PROBLEM, -EPROTO};
    return (struct meaning){ICMP_ERROR_OTHER, -EHOSTUNREACH};
}

// Takes the MTU of "fragmentation needed" into the cache and tells what it is
// now; 0: not to be believed. A packet that went without DF cannot have met a
// router that needed to complain, nor one that fits (RFC 1191 6.1, RFC 5927 7).
static uint32_t learn_mtu(struct stack *stack, const struct icmp_header *icmp,
                          const struct ipv4_header *quoted)
{
    uint32_t mtu = icmp->rest & 0xffff;
    if (mtu == 0) // a router older than RFC 1191
        mtu = path_mtu_plateau(quoted->total_length);
    if (!quoted->dont_fragment || mtu < IPV4_MIN_MTU ||
        mtu >= quoted->total_length)
        return 0;
    if (ip_transport_checks_errors(stack, IP_V4, quoted->protocol))
        return mtu;
    path_mtu_update(stack, &quoted->destination, mtu);
    return path_mtu_find(stack, &quoted->destination, UINT16_MAX);
}

static void input_error(struct stack *stack, struct packet *packet,
                        const struct icmp_header *icmp)
{
    struct ipv4_header quoted;
    const uint8_t *quote = packet->data + ICMP_HEADER_SIZE;
    size_t length = packet->length - ICMP_HEADER_SIZE;
    int header_length = ipv4_parse_quoted(quote, length, &quoted);
    if (header_length < 0) {
        stack_drop(stack, packet, DROP_ICMP_BAD);
        return;
    }
    struct meaning meaning = meaning_of(icmp);
    bool is_ours = stack_address_find(stack, &quoted.source) ||
                   ip_addr_is_loopback(&quoted.source);
    uint32_t mtu = 0;
    if (is_ours && meaning.kind == ICMP_ERROR_TOO_BIG)
        mtu = learn_mtu(stack, icmp, &quoted);
    bool is_believed = is_ours && quoted.fragment_offset == 0 &&
                       (mtu > 0 || meaning.kind != ICMP_ERROR_TOO_BIG);
    if (!is_believed) {
        stack_drop(stack, packet, DROP_ICMP_UNWANTED);
        return;
    }
    struct icmp_error error = {.kind = meaning.kind,
                               .type = icmp->type,
                               .code = icmp->code,
                               .reporter = packet->ip.source,
                               .source = quoted.source,
                               .destination = quoted.destination,
                               .transport = quote + header_length,
                               .transport_length = length - header_length,
                               .mtu = mtu,
                               .error = meaning.error};
    ip_deliver_error(stack, quoted.protocol, &error);
    stack_deliver(stack, packet);
}

// --- In

static void input_other(struct stack *stack, struct packet *packet)
{
    if (packet->flags & PACKET_RAW_TOOK)
        stack_deliver(stack, packet);
    else
        stack_drop(stack, packet, DROP_ICMP_UNWANTED);
}

static void icmpv4_input(struct stack *stack, struct packet *packet)
{
    struct icmp_header icmp;
    stack_count(stack, COUNT_ICMP_IN);
    if (icmp_parse(packet->data, packet->length, &icmp) < 0) {
        stack_drop(stack, packet, DROP_ICMP_BAD);
        return;
    }
    if (!icmp_checksum_is_good(packet->data, packet->length, NULL, NULL)) {
        stack_drop(stack, packet, DROP_ICMP_BAD_CHECKSUM);
        return;
    }
    bool is_redirect = icmp.type == ICMP4_REDIRECT; // we believe our routes
    if (icmp.type == ICMP4_ECHO && is_echo_for_us(stack, packet))
        answer_echo(stack, packet);
    else if (icmp_is_error(IP_V4, icmp.type) && !is_redirect)
        input_error(stack, packet, &icmp);
    else
        input_other(stack, packet);
}

const struct transport_protocol icmpv4_protocol = {.name = "icmp",
                                                   .protocol = IP_PROTOCOL_ICMP,
                                                   .family = IP_V4,
                                                   .input = icmpv4_input};

// --- Errors to others

// RFC 1812 4.3.2.3: as much as fits, without being fragmented anywhere.
enum { ERROR_SIZE = 576 };
enum { QUOTE_SIZE = ERROR_SIZE - IPV4_HEADER_SIZE - ICMP_HEADER_SIZE };

static bool header_of(enum icmp_error_kind kind, uint32_t mtu_or_pointer,
                      struct icmp_header *out)
{
    static const struct {
        uint8_t is_set, type, code;
    } kinds[] = {
        [ICMP_ERROR_NET_UNREACHABLE] = {1, ICMP4_UNREACHABLE,
                                        ICMP4_NET_UNREACHABLE},
        [ICMP_ERROR_HOST_UNREACHABLE] = {1, ICMP4_UNREACHABLE,
                                         ICMP4_HOST_UNREACHABLE},
        [ICMP_ERROR_PROTOCOL_UNREACHABLE] = {1, ICMP4_UNREACHABLE,
                                             ICMP4_PROTOCOL_UNREACHABLE},
        [ICMP_ERROR_PORT_UNREACHABLE] = {1, ICMP4_UNREACHABLE,
                                         ICMP4_PORT_UNREACHABLE},
        [ICMP_ERROR_PROHIBITED] = {1, ICMP4_UNREACHABLE,
                                   ICMP4_ADMIN_PROHIBITED},
        [ICMP_ERROR_TOO_BIG] = {1, ICMP4_UNREACHABLE,
                                ICMP4_FRAGMENTATION_NEEDED},
        [ICMP_ERROR_TTL_EXCEEDED] = {1, ICMP4_TIME_EXCEEDED, ICMP_TTL_EXCEEDED},
        [ICMP_ERROR_REASSEMBLY_TIMEOUT] = {1, ICMP4_TIME_EXCEEDED,
                                           ICMP_REASSEMBLY_TIMEOUT},
        [ICMP_ERROR_PARAMETER_PROBLEM] = {1, ICMP4_PARAMETER_PROBLEM, 0},
    };
    if ((size_t)kind >= ARRAY_LENGTH(kinds) || !kinds[kind].is_set)
        return false;
    *out = (struct icmp_header){.type = kinds[kind].type,
                                .code = kinds[kind].code};
    if (kind == ICMP_ERROR_TOO_BIG)
        out->rest = min_u32(mtu_or_pointer, UINT16_MAX);
    else if (kind == ICMP_ERROR_PARAMETER_PROBLEM)
        out->rest = mtu_or_pointer << 24;
    return true;
}

static bool is_about_error(const struct ipv4_header *about,
                           const uint8_t *payload, size_t length)
{
    return about->protocol == IP_PROTOCOL_ICMP &&
           (length == 0 || icmp_is_error(IP_V4, payload[0]));
}

// RFC 1122 3.2.2, RFC 1812 4.3.2.7: what no error may be sent about.
static bool may_report(const struct packet *packet,
                       const struct ipv4_header *about, size_t length)
{
    const uint8_t *payload =
        packet_network_header(packet) + about->header_length;
    const struct ip_addr *source = &about->source;
    bool is_from_group = source->bytes[0] == 0 || source->bytes[0] >= 224 ||
                         iface_is_broadcast(packet->iface, source);
    bool is_for_group = ip_addr_is_multicast(&about->destination) ||
                        iface_is_broadcast(packet->iface, &about->destination);
    bool was_for_all =
        packet->flags & (PACKET_LINK_BROADCAST | PACKET_LINK_MULTICAST);
    return !is_from_group && !is_for_group && !was_for_all &&
           about->fragment_offset == 0 &&
           !is_about_error(about, payload, length - about->header_length);
}

// Network control precedence (RFC 1812 4.3.2.5), not ECN-capable.
static uint8_t tos_of(const struct ipv4_header *about)
{
    return 0xc0 | (about->tos & 0x1c);
}

// A packet to an address of ours is answered from there, any other from the
// interface that the answer leaves by.
static int find_way_back(struct stack *stack, const struct ipv4_header *about,
                         struct ip_path *path)
{
    bool is_ours = stack_address_find(stack, &about->destination) ||
                   ip_addr_is_loopback(&about->destination);
    return ip_path_find(stack, is_ours ? &about->destination : NULL,
                        &about->source, NULL, path);
}

void icmpv4_send_error(struct stack *stack, struct packet *packet,
                       enum icmp_error_kind kind, uint32_t mtu_or_pointer,
                       enum drop_reason reason)
{
    const uint8_t *quote = packet_network_header(packet);
    size_t length = (size_t)(packet->data + packet->length - quote);
    struct ipv4_header about;
    struct icmp_header icmp;
    struct ip_path path;
    if (ipv4_parse_quoted(quote, length, &about) < 0 ||
        !header_of(kind, mtu_or_pointer, &icmp) ||
        !may_report(packet, &about, length) || !icmp_may_send_error(stack) ||
        find_way_back(stack, &about, &path) != 0) {
        stack_drop(stack, packet, reason);
        return;
    }
    ip_turn_into_error(stack, packet, &path, &icmp,
                       min_u32(about.total_length, QUOTE_SIZE), tos_of(&about),
                       reason);
}
