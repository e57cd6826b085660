// Cuts a frame with offload into the frames that a wire would carry.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "sim/tap/offload.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"
#include "stack/wire/tcp.h"

enum {
    AT_IPV4_LENGTH = 2,
    AT_IPV4_ID = 4,
    AT_IPV4_PROTOCOL = 9,
    AT_IPV4_CHECKSUM = 10,
    AT_IPV6_LENGTH = 4,
    AT_TCP_SEQ = 4,
    AT_TCP_OFFSET = 12,
    AT_TCP_FLAGS = 13,
    AT_TCP_CHECKSUM = 16,
    AT_UDP_LENGTH = 4,
    AT_UDP_CHECKSUM = 6,
    UDP_HEADER = 8,
    GSO_UDP_L4 = 5, // younger than some kernels' headers
};

// Behind the link header; false: this is not IP.
static bool find_network(struct splitter *s, bool is_ethernet)
{
    struct ethernet_header ethernet;

    s->network = 0;
    if (is_ethernet) {
        int size = ethernet_parse(s->bytes, s->length, &ethernet);
        if (size < 0)
            return false;
        s->network = (size_t)size;
        s->is_ipv6 = ethernet.type == ETHERTYPE_IPV6;
        return ethernet.type == ETHERTYPE_IPV4 || s->is_ipv6;
    }
    s->is_ipv6 = s->length > 0 && s->bytes[0] >> 4 == 6;
    return s->length > 0;
}

static int find_headers(struct splitter *s, const struct virtio_net_hdr *header,
                        bool is_ethernet)
{
    size_t network_size;

    if (!find_network(s, is_ethernet))
        return -EINVAL;
    network_size = s->is_ipv6 ? IPV6_HEADER_SIZE : IPV4_HEADER_SIZE;
    s->transport = header->csum_start;
    if (s->transport < s->network + network_size ||
        s->transport + TCP_HEADER_SIZE > s->length)
        return -EINVAL;
    size_t size =
        s->is_tcp ? (size_t)(s->bytes[s->transport + AT_TCP_OFFSET] >> 4) * 4
                  : UDP_HEADER;
    s->payload = s->transport + size;
    return (s->is_tcp && size < TCP_HEADER_SIZE) || s->payload > s->length
               ? -EINVAL
               : 0;
}

static int init_segments(struct splitter *s,
                         const struct virtio_net_hdr *header, bool is_ethernet)
{
    uint8_t type = header->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;

    s->is_tcp =
        type == VIRTIO_NET_HDR_GSO_TCPV4 || type == VIRTIO_NET_HDR_GSO_TCPV6;
    s->segment_size = header->gso_size;
    if ((!s->is_tcp && type != GSO_UDP_L4) || s->segment_size == 0 ||
        !(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
        return -EINVAL;
    return find_headers(s, header, is_ethernet);
}

int splitter_init(struct splitter *splitter,
                  const struct virtio_net_hdr *header, const uint8_t *bytes,
                  size_t length, bool is_ethernet)
{
    struct splitter s = {.bytes = bytes, .length = length, .is_whole = true};

    if (header->gso_type != VIRTIO_NET_HDR_GSO_NONE) {
        s.is_whole = false;
        int error = init_segments(&s, header, is_ethernet);
        if (error < 0)
            return error;
    } else if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        s.checksum_start = header->csum_start;
        s.checksum_at = (size_t)header->csum_start + header->csum_offset;
        if (s.checksum_at + 2 > length || s.checksum_at == 0)
            return -EINVAL;
    }
    *splitter = s;
    return 0;
}

static size_t chunk(const struct splitter *s)
{
    size_t left = s->length - s->payload - s->done;

    return left < s->segment_size ? left : s->segment_size;
}

size_t splitter_next(const struct splitter *splitter)
{
    if (splitter->is_over)
        return 0;
    return splitter->is_whole ? splitter->length
                              : splitter->payload + chunk(splitter);
}

static void write_whole(struct splitter *s, uint8_t *out)
{
    memcpy(out, s->bytes, s->length);
    s->is_over = true;
    if (s->checksum_at == 0)
        return;
    // The field holds the pseudo-header's sum.
    uint16_t sum = checksum_finish(checksum_add(0, out + s->checksum_start,
                                                s->length - s->checksum_start));
    // RFC 768: no UDP checksum is 0; in TCP both mean the same.
    put_be16(out + s->checksum_at, sum != 0 ? sum : 0xffff);
}

static void fix_network(const struct splitter *s, uint8_t *out, size_t length)
{
    uint8_t *ip = out + s->network;

    if (s->is_ipv6) {
        put_be16(ip + AT_IPV6_LENGTH,
                 (uint16_t)(length - s->network - IPV6_HEADER_SIZE));
        return;
    }
    put_be16(ip + AT_IPV4_LENGTH, (uint16_t)(length - s->network));
    put_be16(ip + AT_IPV4_ID, (uint16_t)(get_be16(ip + AT_IPV4_ID) + s->index));
    put_be16(ip + AT_IPV4_CHECKSUM, 0);
    put_be16(ip + AT_IPV4_CHECKSUM,
             checksum_finish(checksum_add(0, ip, (ip[0] & 15u) * 4u)));
}

// FIN and PSH belong to the last segment, CWR to the first (RFC 3168 6.1.2).
static void fix_tcp(const struct splitter *s, uint8_t *tcp, bool is_last)
{
    put_be32(tcp + AT_TCP_SEQ, get_be32(tcp + AT_TCP_SEQ) + (uint32_t)s->done);
    if (!is_last)
        tcp[AT_TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (s->index > 0)
        tcp[AT_TCP_FLAGS] &= (uint8_t)~TCP_CWR;
}

static uint32_t pseudo_sum(const struct splitter *s, const uint8_t *out,
                           size_t length)
{
    const uint8_t *ip = out + s->network;
    uint8_t family = s->is_ipv6 ? IP_V6 : IP_V4;
    size_t at = s->is_ipv6 ? 8 : 12, size = s->is_ipv6 ? 16 : 4;
    struct ip_addr source = ip_addr_from_bytes(family, ip + at);
    struct ip_addr destination = ip_addr_from_bytes(family, ip + at + size);

    return checksum_pseudo(&source, &destination,
                           s->is_tcp ? IP_PROTOCOL_TCP : IP_PROTOCOL_UDP,
                           (uint32_t)(length - s->transport));
}

static void write_segment(struct splitter *s, uint8_t *out)
{
    size_t size = chunk(s), length = s->payload + size;
    bool is_last = s->payload + s->done + size == s->length;
    uint8_t *transport = out + s->transport;
    size_t at = s->is_tcp ? AT_TCP_CHECKSUM : AT_UDP_CHECKSUM;

    memcpy(out, s->bytes, s->payload);
    fix_network(s, out, length);
    if (s->is_tcp)
        fix_tcp(s, transport, is_last);
    else
        put_be16(transport + AT_UDP_LENGTH, (uint16_t)(UDP_HEADER + size));
    put_be16(transport + at, 0);
    uint32_t sum = checksum_add(pseudo_sum(s, out, length), transport,
                                s->payload - s->transport);
    sum = checksum_copy(sum, out + s->payload, s->bytes + s->payload + s->done,
                        size);
    uint16_t checksum = checksum_finish(sum);
    put_be16(transport + at, checksum != 0 || s->is_tcp ? checksum : 0xffff);
    s->done += size;
    s->index++;
    s->is_over = is_last;
}

void splitter_write(struct splitter *splitter, uint8_t *out)
{
    must(!splitter->is_over);
    if (splitter->is_whole)
        write_whole(splitter, out);
    else
        write_segment(splitter, out);
}
