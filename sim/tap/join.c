// Joins TCP segments that follow each other into one frame with offload.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/tap/offload.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"
#include "stack/wire/tcp.h"

// The whole frame's IP packet must stay below 64 KiB.
enum { TOTAL_LIMIT = 65000 };

// What of a frame the joiner looks at.
struct view {
    const uint8_t *bytes;
    size_t network, transport, payload, length;
    bool is_ipv6;
    struct ip_addr source, destination;
    struct tcp_header tcp;
};

static bool see_ipv4(struct view *v)
{
    struct ipv4_header ip;

    if (ipv4_parse(v->bytes + v->network, v->length - v->network, &ip) < 0 ||
        ip.protocol != IP_PROTOCOL_TCP || ip.header_length != 20 ||
        ip.more_fragments || ip.fragment_offset != 0 ||
        v->network + ip.total_length != v->length)
        return false;
    v->source = ip.source;
    v->destination = ip.destination;
    v->transport = v->network + IPV4_HEADER_SIZE;
    return true;
}

static bool see_ipv6(struct view *v)
{
    struct ipv6_header ip;

    if (ipv6_parse(v->bytes + v->network, v->length - v->network, &ip) < 0 ||
        ip.next_header != IP_PROTOCOL_TCP ||
        v->network + IPV6_HEADER_SIZE + ip.payload_length != v->length)
        return false;
    v->source = ip.source;
    v->destination = ip.destination;
    v->transport = v->network + IPV6_HEADER_SIZE;
    return true;
}

static bool see_network(struct view *v, bool is_ethernet)
{
    struct ethernet_header ethernet;

    if (!is_ethernet) {
        v->is_ipv6 = v->length > 0 && v->bytes[0] >> 4 == 6;
        return v->is_ipv6 ? see_ipv6(v) : see_ipv4(v);
    }
    int size = ethernet_parse(v->bytes, v->length, &ethernet);
    if (size < 0 || ethernet.is_tagged)
        return false;
    v->network = (size_t)size;
    v->is_ipv6 = ethernet.type == ETHERTYPE_IPV6;
    if (ethernet.type == ETHERTYPE_IPV4)
        return see_ipv4(v);
    return v->is_ipv6 && see_ipv6(v);
}

// A segment that can be joined: data, no flag but ACK and PSH, not corrupted.
static bool see(const struct packet *frame, bool is_ethernet, struct view *v)
{
    *v = (struct view){.bytes = frame->data, .length = frame->length};
    if (!see_network(v, is_ethernet))
        return false;
    const uint8_t *segment = v->bytes + v->transport;
    size_t length = v->length - v->transport;
    if (tcp_parse(segment, length, &v->tcp) < 0 ||
        (v->tcp.flags & ~TCP_PSH) != TCP_ACK || v->tcp.reserved != 0)
        return false;
    v->payload = v->transport + v->tcp.header_length;
    return v->payload < v->length && v->payload <= JOINER_HEADERS &&
           tcp_checksum_is_good(segment, length, &v->source, &v->destination);
}

static void take(struct joiner *joiner, struct packet *frame,
                 const struct view *v)
{
    size_t size = v->length - v->payload;

    joiner->segments[joiner->count++] = frame;
    joiner->total += size;
    joiner->next_seq = v->tcp.seq + (uint32_t)size;
    joiner->is_closed |= (v->tcp.flags & TCP_PSH) != 0 ||
                         size < joiner->segment_size ||
                         joiner->count == JOINER_SEGMENTS;
}

static void begin(struct joiner *joiner, struct packet *frame,
                  const struct view *v)
{
    joiner->network = v->network;
    joiner->transport = v->transport;
    joiner->payload = v->payload;
    joiner->segment_size = v->length - v->payload;
    joiner->total = 0;
    joiner->is_ipv6 = v->is_ipv6;
    joiner->is_closed = false;
    take(joiner, frame, v);
}

// Everything in the headers but lengths, identifiers, checksums, sequence
// number and PSH.
static bool has_same_headers(const uint8_t *a, const uint8_t *b,
                             const struct view *v)
{
    const uint8_t *ip_a = a + v->network, *ip_b = b + v->network;
    const uint8_t *tcp_a = a + v->transport, *tcp_b = b + v->transport;

    if (memcmp(a, b, v->network) != 0)
        return false;
    if (v->is_ipv6
            ? memcmp(ip_a, ip_b, 4) != 0 || memcmp(ip_a + 6, ip_b + 6, 34) != 0
            : memcmp(ip_a, ip_b, 2) != 0 ||
                  memcmp(ip_a + 6, ip_b + 6, 4) != 0 ||
                  memcmp(ip_a + 12, ip_b + 12, 8) != 0)
        return false;
    return memcmp(tcp_a, tcp_b, 4) == 0 &&           // ports
           memcmp(tcp_a + 8, tcp_b + 8, 5) == 0 &&   // ack, header length
           memcmp(tcp_a + 14, tcp_b + 14, 2) == 0 && // window
           memcmp(tcp_a + 18, tcp_b + 18, v->payload - v->transport - 18) == 0;
}

static bool fits(const struct joiner *joiner, const struct view *v)
{
    size_t size = v->length - v->payload;

    return !joiner->is_closed && v->network == joiner->network &&
           v->transport == joiner->transport && v->payload == joiner->payload &&
           v->is_ipv6 == joiner->is_ipv6 && v->tcp.seq == joiner->next_seq &&
           size <= joiner->segment_size &&
           joiner->payload + joiner->total + size <= TOTAL_LIMIT &&
           has_same_headers(joiner->segments[0]->data, v->bytes, v);
}

bool joiner_offer(struct joiner *joiner, struct packet *frame)
{
    struct view v;

    if (!see(frame, joiner->is_ethernet, &v))
        return false;
    if (joiner->count == 0)
        begin(joiner, frame, &v);
    else if (fits(joiner, &v))
        take(joiner, frame, &v);
    else
        return false;
    return true;
}

// The checksum field of a frame with offload holds the pseudo-header's sum.
static void fix_headers(const struct joiner *joiner, uint8_t *headers)
{
    uint8_t *ip = headers + joiner->network, *tcp = headers + joiner->transport;
    size_t segment = joiner->payload - joiner->transport + joiner->total;
    uint8_t family = joiner->is_ipv6 ? IP_V6 : IP_V4;
    size_t at = joiner->is_ipv6 ? 8 : 12, size = joiner->is_ipv6 ? 16 : 4;
    struct ip_addr source = ip_addr_from_bytes(family, ip + at);
    struct ip_addr destination = ip_addr_from_bytes(family, ip + at + size);

    if (joiner->is_ipv6) {
        put_be16(ip + 4, (uint16_t)segment);
    } else {
        put_be16(ip + 2, (uint16_t)(IPV4_HEADER_SIZE + segment));
        put_be16(ip + 10, 0);
        put_be16(ip + 10,
                 checksum_finish(checksum_add(0, ip, IPV4_HEADER_SIZE)));
    }
    uint16_t sum = checksum_finish(checksum_pseudo(
        &source, &destination, IP_PROTOCOL_TCP, (uint32_t)segment));
    put_be16(tcp + 16, (uint16_t)~sum);
    // PSH of the last segment is PSH of the whole.
    tcp[13] |=
        joiner->segments[joiner->count - 1]->data[joiner->transport + 13] &
        TCP_PSH;
}

int joiner_take(const struct joiner *joiner, struct virtio_net_hdr *header,
                uint8_t headers[JOINER_HEADERS],
                struct iovec parts[JOINER_SEGMENTS + 2])
{
    memset(header, 0, sizeof(*header));
    if (joiner->count == 0)
        return 0;
    if (joiner->count == 1) {
        parts[1] = (struct iovec){joiner->segments[0]->data,
                                  joiner->segments[0]->length};
        return 2;
    }
    memcpy(headers, joiner->segments[0]->data, joiner->payload);
    fix_headers(joiner, headers);
    parts[1] = (struct iovec){headers, joiner->payload};
    for (uint32_t i = 0; i < joiner->count; i++)
        parts[i + 2] =
            (struct iovec){joiner->segments[i]->data + joiner->payload,
                           joiner->segments[i]->length - joiner->payload};
    header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header->gso_type =
        joiner->is_ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
    header->gso_size = (uint16_t)joiner->segment_size;
    header->hdr_len = (uint16_t)joiner->payload;
    header->csum_start = (uint16_t)joiner->transport;
    header->csum_offset = 16;
    return (int)joiner->count + 2;
}

void joiner_clear(struct joiner *joiner)
{
    for (uint32_t i = 0; i < joiner->count; i++)
        packet_free(joiner->segments[i]);
    joiner->count = 0;
    joiner->total = 0;
}
