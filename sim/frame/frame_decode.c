// Decodes a frame layer by layer into its fields.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// This decoder serves people: captures' comments, failure messages, scripts
// that look at frames. Unlike the stack it goes on where a checksum is wrong or
// a length lies, and says so in a flag, because a frame that somebody broke is
// the one that somebody looks at. It stops where the next header's place is not
// known.

#include "sim/frame/frame.h"

#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"

#include <string.h>

struct cursor {
    const uint8_t *bytes;
    size_t length;
    size_t at;  // where the next layer starts
    size_t end; // where the packet ends by its own length; <= length
};

static void decode_tcp(const struct cursor *c, struct frame_fields *out)
{
    const uint8_t *p = c->bytes + c->at;
    size_t room = c->end - c->at;
    int n = tcp_parse(p, room, &out->tcp);
    if (n < 0)
        return;
    out->has_tcp = true;
    (void)tcp_options_parse(p + TCP_HEADER_SIZE, (size_t)n - TCP_HEADER_SIZE,
                            &out->tcp_options);
    out->payload_offset = c->at + (size_t)n;
    out->payload_length = room - (size_t)n;
    if (!out->has_fragment && !out->is_truncated)
        out->transport_checksum_good =
            tcp_checksum_is_good(p, room, &out->source, &out->destination);
}

// The length field of a first fragment tells of the whole datagram, so the
// header is read here by hand.
static void decode_udp(const struct cursor *c, struct frame_fields *out)
{
    const uint8_t *p = c->bytes + c->at;
    size_t room = c->end - c->at;
    if (room < UDP_HEADER_SIZE)
        return;
    out->has_udp = true;
    out->udp = (struct udp_header){get_be16(p), get_be16(p + 2),
                                   get_be16(p + 4), get_be16(p + 6)};
    size_t length = out->udp.length;
    bool is_whole = length >= UDP_HEADER_SIZE && length <= room;
    out->payload_offset = c->at + UDP_HEADER_SIZE;
    out->payload_length = (is_whole ? length : room) - UDP_HEADER_SIZE;
    if (!out->has_fragment && is_whole)
        out->transport_checksum_good =
            udp_checksum_is_good(p, length, &out->source, &out->destination);
    else if (!out->has_fragment)
        out->is_truncated = true;
}

static void decode_icmp(const struct cursor *c, bool is_v6,
                        struct frame_fields *out)
{
    const uint8_t *p = c->bytes + c->at;
    size_t room = c->end - c->at;
    int n = icmp_parse(p, room, &out->icmp);
    if (n < 0)
        return;
    out->has_icmp = !is_v6;
    out->has_icmpv6 = is_v6;
    out->payload_offset = c->at + (size_t)n;
    out->payload_length = room - (size_t)n;
    if (!out->has_fragment && !out->is_truncated)
        out->transport_checksum_good =
            icmp_checksum_is_good(p, room, is_v6 ? &out->source : NULL,
                                  is_v6 ? &out->destination : NULL);
}

static void decode_transport(const struct cursor *c, struct frame_fields *out)
{
    out->transport_offset = out->payload_offset = c->at;
    out->payload_length = c->end - c->at;
    if (out->has_fragment && out->fragment.offset != 0)
        return;
    if (out->protocol == IP_PROTOCOL_TCP)
        decode_tcp(c, out);
    else if (out->protocol == IP_PROTOCOL_UDP)
        decode_udp(c, out);
    else if (out->protocol == IP_PROTOCOL_ICMP && out->has_ipv4)
        decode_icmp(c, false, out);
    else if (out->protocol == IP_PROTOCOL_ICMPV6 && out->has_ipv6)
        decode_icmp(c, true, out);
}

// Sets where the packet ends: `length` bytes from `start` by its header.
static void set_end(struct cursor *c, size_t start, size_t length,
                    struct frame_fields *out)
{
    c->end = start + length;
    if (c->end > c->length) {
        c->end = c->length;
        out->is_truncated = true;
    }
    if (c->end < c->at)
        c->end = c->at;
    out->ip_end = c->end;
}

static void decode_ipv4(struct cursor *c, struct frame_fields *out)
{
    const uint8_t *p = c->bytes + c->at;
    size_t start = c->at;
    int n = ipv4_parse_quoted(p, c->length - c->at, &out->ipv4);
    if (n < 0)
        return;
    out->has_ipv4 = true;
    out->ip_checksum_good = checksum_finish(checksum_add(0, p, (size_t)n)) == 0;
    out->source = out->ipv4.source;
    out->destination = out->ipv4.destination;
    out->protocol = out->ipv4.protocol;
    if (out->ipv4.more_fragments || out->ipv4.fragment_offset != 0) {
        out->has_fragment = true;
        out->fragment.next_header = out->ipv4.protocol;
        out->fragment.offset = out->ipv4.fragment_offset;
        out->fragment.more = out->ipv4.more_fragments;
        out->fragment.id = out->ipv4.id;
    }
    c->at += (size_t)n;
    set_end(c, start, out->ipv4.total_length, out);
    decode_transport(c, out);
}

static bool is_extension(uint8_t next)
{
    return next == IPV6_HOP_BY_HOP || next == IPV6_ROUTING ||
           next == IPV6_DESTINATION;
}

// Walks extension headers. False where the walk cannot go on.
static bool skip_extensions(struct cursor *c, struct frame_fields *out)
{
    while (c->at < c->end) {
        const uint8_t *p = c->bytes + c->at;
        if (is_extension(out->protocol)) {
            int n = ipv6_extension_length(p, c->end - c->at);
            if (n <= 0 || (size_t)n > c->end - c->at)
                return false;
            out->protocol = p[0];
            c->at += (size_t)n;
        } else if (out->protocol == IPV6_FRAGMENT && !out->has_fragment) {
            if (ipv6_fragment_parse(p, c->end - c->at, &out->fragment) < 0)
                return false;
            out->has_fragment = true;
            out->protocol = out->fragment.next_header;
            c->at += IPV6_FRAGMENT_SIZE;
            if (out->fragment.offset != 0)
                return true;
        } else {
            return true;
        }
    }
    return true;
}

static void decode_ipv6(struct cursor *c, struct frame_fields *out)
{
    const uint8_t *p = c->bytes + c->at;
    int n = ipv6_parse_quoted(p, c->length - c->at, &out->ipv6);
    if (n < 0)
        return;
    out->has_ipv6 = true;
    out->source = out->ipv6.source;
    out->destination = out->ipv6.destination;
    out->protocol = out->ipv6.next_header;
    c->at += (size_t)n;
    set_end(c, c->at, out->ipv6.payload_length, out);
    if (skip_extensions(c, out)) {
        decode_transport(c, out);
    } else {
        out->transport_offset = out->payload_offset = c->at;
        out->payload_length = c->end - c->at;
    }
}

static void decode_network(struct cursor *c, uint16_t type,
                           struct frame_fields *out)
{
    out->network_offset = out->payload_offset = c->at;
    out->payload_length = c->length - c->at;
    if (type == ETHERTYPE_IPV4) {
        decode_ipv4(c, out);
    } else if (type == ETHERTYPE_IPV6) {
        decode_ipv6(c, out);
    } else if (type == ETHERTYPE_ARP) {
        out->has_arp =
            arp_parse(c->bytes + c->at, c->length - c->at, &out->arp) >= 0;
        if (out->has_arp) {
            out->payload_offset = c->at + ARP_SIZE;
            out->payload_length = 0;
        }
    }
}

// The version nibble stands in for the EtherType that is not there.
static uint16_t type_of_version(const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return 0;
    if (bytes[0] >> 4 == 4)
        return ETHERTYPE_IPV4;
    return bytes[0] >> 4 == 6 ? ETHERTYPE_IPV6 : 0;
}

void frame_decode(const uint8_t *bytes, size_t length, bool starts_with_ip,
                  struct frame_fields *out)
{
    struct cursor c = {.bytes = bytes, .length = length, .end = length};
    memset(out, 0, sizeof(*out));
    out->ip_checksum_good = out->transport_checksum_good = true;
    out->payload_length = length;
    if (starts_with_ip) {
        decode_network(&c, type_of_version(bytes, length), out);
        return;
    }
    int n = ethernet_parse(bytes, length, &out->ethernet);
    if (n < 0) {
        out->is_truncated = true;
        return;
    }
    out->has_ethernet = true;
    c.at = (size_t)n;
    decode_network(&c, out->ethernet.type, out);
}
