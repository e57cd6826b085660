// UDP headers as bytes.
// SPDX-License-Identifier: MIT
#include "stack/wire/udp.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"

// OFFSET SIZE MEANING
//      0    2 source port
//      2    2 destination port
//      4    2 length, header included
//      6    2 checksum
int udp_parse(const uint8_t *bytes, size_t length, struct udp_header *out)
{
    if (length < UDP_HEADER_SIZE)
        return -EINVAL;
    uint16_t claimed = get_be16(bytes + 4);
    if (claimed < UDP_HEADER_SIZE || claimed > length)
        return -EINVAL;
    out->source_port = get_be16(bytes);
    out->destination_port = get_be16(bytes + 2);
    out->length = claimed;
    out->checksum = get_be16(bytes + 6);
    return UDP_HEADER_SIZE;
}

size_t udp_emit(const struct udp_header *header, uint8_t *bytes)
{
    put_be16(bytes, header->source_port);
    put_be16(bytes + 2, header->destination_port);
    put_be16(bytes + 4, header->length);
    put_be16(bytes + 6, header->checksum);
    return UDP_HEADER_SIZE;
}

static uint16_t compute(const uint8_t *datagram, size_t length,
                        const struct ip_addr *source,
                        const struct ip_addr *destination)
{
    uint32_t sum =
        checksum_pseudo(source, destination, IP_PROTOCOL_UDP, (uint32_t)length);
    return checksum_finish(checksum_add(sum, datagram, length));
}

void udp_fill_checksum(uint8_t *datagram, size_t length,
                       const struct ip_addr *source,
                       const struct ip_addr *destination)
{
    put_be16(datagram + 6, 0);
    uint16_t checksum = compute(datagram, length, source, destination);
    put_be16(datagram + 6, checksum ? checksum : UINT16_MAX);
}

bool udp_checksum_is_good(const uint8_t *datagram, size_t length,
                          const struct ip_addr *source,
                          const struct ip_addr *destination)
{
    if (get_be16(datagram + 6) == 0)
        return source->family == IP_V4;
    return compute(datagram, length, source, destination) == 0;
}
