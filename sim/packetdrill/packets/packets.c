// Builds the packets that a script injects; decodes those of the stack.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/packets/packets.h"

#include "sim/packetdrill/packets/icmp_names.h"
#include "stack/wire/bytes.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"

enum { DEFAULT_TTL = 255, DEFAULT_PAYLOAD = 1460 };

// --- IP

static uint8_t tos_of(const struct script_packet *packet)
{
    static const uint8_t codepoints[] = {
        [SCRIPT_ECN_ANY] = 0,  [SCRIPT_ECN_NONE] = 0, [SCRIPT_ECN_ECT0] = 2,
        [SCRIPT_ECN_ECT1] = 1, [SCRIPT_ECN_CE] = 3,
    };
    unsigned tos = packet->tos < 0 ? 0 : (unsigned)packet->tos;

    return (uint8_t)(tos | codepoints[packet->ecn]);
}

struct ip_frame {
    const struct ip_addr *source, *destination;
    uint8_t protocol, ttl, tos;
    uint16_t id;
};

static size_t ip_header_size(uint8_t family)
{
    return family == IP_V4 ? IPV4_HEADER_SIZE : IPV6_HEADER_SIZE;
}

static void emit_ip(const struct ip_frame *frame, size_t payload,
                    uint8_t *bytes)
{
    if (frame->source->family == IP_V4) {
        struct ipv4_header header = {
            .tos = frame->tos,
            .total_length = (uint16_t)(IPV4_HEADER_SIZE + payload),
            .dont_fragment = true,
            .ttl = frame->ttl,
            .protocol = frame->protocol,
            .source = *frame->source,
            .destination = *frame->destination,
        };
        ipv4_emit(&header, bytes);
    } else {
        struct ipv6_header header = {
            .traffic_class = frame->tos,
            .payload_length = (uint16_t)payload,
            .next_header = frame->protocol,
            .hop_limit = frame->ttl,
            .source = *frame->source,
            .destination = *frame->destination,
        };
        ipv6_emit(&header, bytes);
    }
}

static struct ip_frame inbound_frame(const struct flow *flow,
                                     const struct script_packet *packet,
                                     uint8_t protocol)
{
    return (struct ip_frame){
        .source = &flow->remote.addr,
        .destination = &flow->local.addr,
        .protocol = protocol,
        .ttl = (uint8_t)(packet->ttl < 0 ? DEFAULT_TTL : packet->ttl),
        .tos = tos_of(packet),
    };
}

// --- TCP

static size_t build_tcp(struct flow *flow, const struct script_packet *packet,
                        uint8_t *bytes)
{
    struct script_tcp tcp = packet->tcp;
    uint8_t options[TCP_MAX_OPTIONS_SIZE];
    size_t ip_size = ip_header_size(flow->local.addr.family);
    uint8_t *segment = bytes + ip_size;

    flow_map_inbound(flow, &tcp);
    size_t options_size = options_encode(&tcp.options, options);
    size_t header_size = TCP_HEADER_SIZE + options_size;
    size_t size = header_size + tcp.sequence.length;
    if (ip_size + size >= PACKET_MAX_BUILT)
        return 0;

    struct tcp_header header = {
        .source_port = flow->remote.port,
        .destination_port = flow->local.port,
        .seq = tcp.sequence.start,
        .ack = tcp.ack,
        .header_length = (uint8_t)header_size,
        .flags = tcp.flags,
        .window = tcp.window,
        .urgent = tcp.urgent,
    };
    tcp_emit(&header, segment);
    memcpy(segment + TCP_HEADER_SIZE, options, options_size);
    memset(segment + header_size, 0, tcp.sequence.length);
    tcp_fill_checksum(segment, size, &flow->remote.addr, &flow->local.addr);
    struct ip_frame frame = inbound_frame(flow, packet, IP_PROTOCOL_TCP);
    emit_ip(&frame, size, bytes);
    return ip_size + size;
}

// --- ICMP

// The first bytes of the segment that the message is about: ours.
static size_t build_quotation(const struct flow *flow,
                              const struct script_icmp *icmp, uint8_t *bytes)
{
    struct ip_frame frame = {
        .source = &flow->local.addr,
        .destination = &flow->remote.addr,
        .protocol = IP_PROTOCOL_TCP,
        .ttl = 64,
    };
    size_t ip_size = ip_header_size(flow->local.addr.family);
    struct tcp_header header = {
        .source_port = flow->local.port,
        .destination_port = flow->remote.port,
        .seq = flow_live_local(flow, icmp->quotation.start),
        .header_length = TCP_HEADER_SIZE,
        .flags = TCP_ACK,
    };

    // A message about a size is about a packet of at least that size.
    size_t payload =
        icmp->has_quotation ? icmp->quotation.length : DEFAULT_PAYLOAD;
    emit_ip(&frame, TCP_HEADER_SIZE + payload, bytes);
    tcp_emit(&header, bytes + ip_size);
    return ip_size + TCP_HEADER_SIZE;
}

static size_t build_icmp(const struct flow *flow,
                         const struct script_packet *packet, uint8_t *bytes)
{
    uint8_t family = flow->local.addr.family;
    size_t ip_size = ip_header_size(family);
    uint8_t *message = bytes + ip_size;
    struct icmp_header header = {.rest = packet->icmp.mtu};

    if (!icmp_type_find(family, packet->icmp.type, &header.type) ||
        !icmp_code_find(family, header.type, packet->icmp.code, &header.code))
        return 0;
    icmp_emit(&header, message);
    size_t size =
        ICMP_HEADER_SIZE +
        build_quotation(flow, &packet->icmp, message + ICMP_HEADER_SIZE);
    bool is_v6 = family == IP_V6;
    icmp_fill_checksum(message, size, is_v6 ? &flow->remote.addr : NULL,
                       is_v6 ? &flow->local.addr : NULL);
    struct ip_frame frame = inbound_frame(
        flow, packet, is_v6 ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP);
    emit_ip(&frame, size, bytes);
    return ip_size + size;
}

size_t packet_build(struct flow *flow, const struct script_packet *packet,
                    uint8_t *bytes)
{
    return packet->is_icmp ? build_icmp(flow, packet, bytes)
                           : build_tcp(flow, packet, bytes);
}

const char *packet_unsupported(const struct script_packet *packet,
                               uint8_t family)
{
    uint8_t type, code;

    if (!packet->is_icmp)
        return NULL;
    if (!packet->is_inbound)
        return "an expected ICMP message";
    if (!icmp_type_find(family, packet->icmp.type, &type))
        return packet->icmp.type;
    if (!icmp_code_find(family, type, packet->icmp.code, &code))
        return packet->icmp.code;
    return NULL;
}

// --- Decoding

static bool decode_tcp(const uint8_t *bytes, size_t length,
                       struct live_packet *out)
{
    int header = tcp_parse(bytes, length, &out->tcp);

    if (header < 0)
        return false;
    options_decode(bytes + TCP_HEADER_SIZE, (size_t)header - TCP_HEADER_SIZE,
                   &out->options);
    out->payload = (uint32_t)(length - (size_t)header);
    out->from.port = out->tcp.source_port;
    out->to.port = out->tcp.destination_port;
    return true;
}

static size_t decode_ipv4(const uint8_t *bytes, size_t length,
                          struct live_packet *out, size_t *payload)
{
    struct ipv4_header header;
    int size = ipv4_parse(bytes, length, &header);

    if (size < 0)
        return 0;
    out->from.addr = header.source;
    out->to.addr = header.destination;
    out->protocol = header.protocol;
    out->ttl = header.ttl;
    out->tos = header.tos;
    *payload = header.total_length - (size_t)size;
    return (size_t)size;
}

static size_t decode_ipv6(const uint8_t *bytes, size_t length,
                          struct live_packet *out, size_t *payload)
{
    struct ipv6_header header;
    int size = ipv6_parse(bytes, length, &header);

    if (size < 0)
        return 0;
    out->from.addr = header.source;
    out->to.addr = header.destination;
    out->protocol = header.next_header;
    out->ttl = header.hop_limit;
    out->tos = header.traffic_class;
    *payload = header.payload_length;
    return (size_t)size;
}

bool packet_decode(const uint8_t *bytes, size_t length, struct live_packet *out)
{
    size_t payload = 0, header;

    memset(out, 0, sizeof(*out));
    out->segments = 1;
    if (length == 0)
        return false;
    header = bytes[0] >> 4 == 4 ? decode_ipv4(bytes, length, out, &payload)
                                : decode_ipv6(bytes, length, out, &payload);
    if (header == 0)
        return false;
    if (out->protocol == IP_PROTOCOL_TCP)
        return decode_tcp(bytes + header, payload, out);
    out->payload = (uint32_t)payload;
    return out->protocol == IP_PROTOCOL_ICMP ||
           out->protocol == IP_PROTOCOL_ICMPV6;
}
