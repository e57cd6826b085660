// Fills in the lengths and checksums that follow from the rest of a frame.
// SPDX-License-Identifier: MIT

#include "sim/frame/frame.h"

#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"

#include <stdbool.h>

enum { CHECKSUM_OF_IPV4 = 10, LENGTH_OF_IPV4 = 2, LENGTH_OF_IPV6 = 4 };
enum { CHECKSUM_OF_TCP = 16, CHECKSUM_OF_UDP = 6, CHECKSUM_OF_ICMP = 2 };
enum { LENGTH_OF_UDP = 4 };

static uint16_t clamp16(size_t n) { return (uint16_t)(n > 65535 ? 65535 : n); }

static void fill_ip_length(uint8_t *bytes, size_t length,
                           const struct frame_fields *f)
{
    uint8_t *ip = bytes + f->network_offset;
    size_t room = length - f->network_offset;
    if (f->has_ipv4)
        put_be16(ip + LENGTH_OF_IPV4, clamp16(room));
    else if (f->has_ipv6)
        put_be16(ip + LENGTH_OF_IPV6, clamp16(room - IPV6_HEADER_SIZE));
}

static void fill_ip_checksum(uint8_t *bytes, const struct frame_fields *f)
{
    uint8_t *ip = bytes + f->network_offset;
    if (!f->has_ipv4)
        return;
    put_be16(ip + CHECKSUM_OF_IPV4, 0);
    put_be16(ip + CHECKSUM_OF_IPV4,
             checksum_finish(checksum_add(0, ip, f->ipv4.header_length)));
}

// The sum covers up to where IP says that the packet ends.
static void fill_transport_checksum(uint8_t *bytes,
                                    const struct frame_fields *f)
{
    uint8_t *p = bytes + f->transport_offset;
    size_t n = f->payload_offset + f->payload_length - f->transport_offset;
    const struct ip_addr *from = f->has_ipv6 ? &f->source : NULL;
    const struct ip_addr *to = f->has_ipv6 ? &f->destination : NULL;
    if (f->has_fragment)
        return;
    if (f->has_tcp) {
        put_be16(p + CHECKSUM_OF_TCP, 0);
        tcp_fill_checksum(p, n, &f->source, &f->destination);
    } else if (f->has_udp) {
        put_be16(p + CHECKSUM_OF_UDP, 0);
        udp_fill_checksum(p, n, &f->source, &f->destination);
    } else if (f->has_icmp || f->has_icmpv6) {
        put_be16(p + CHECKSUM_OF_ICMP, 0);
        icmp_fill_checksum(p, n, from, to);
    }
}

void frame_fill(uint8_t *bytes, size_t length, bool starts_with_ip,
                unsigned what)
{
    struct frame_fields f;
    frame_decode(bytes, length, starts_with_ip, &f);
    if ((what & FRAME_FILL_IP_LENGTH) != 0) {
        fill_ip_length(bytes, length, &f);
        frame_decode(bytes, length, starts_with_ip, &f);
    }
    if ((what & FRAME_FILL_UDP_LENGTH) != 0 && f.has_udp && !f.has_fragment) {
        put_be16(bytes + f.transport_offset + LENGTH_OF_UDP,
                 clamp16(f.ip_end - f.transport_offset));
        frame_decode(bytes, length, starts_with_ip, &f);
    }
    if ((what & FRAME_FILL_TRANSPORT_CHECKSUM) != 0)
        fill_transport_checksum(bytes, &f);
    if ((what & FRAME_FILL_IP_CHECKSUM) != 0)
        fill_ip_checksum(bytes, &f);
}
