// Ethernet II headers as bytes.
// SPDX-License-Identifier: MIT
#include "stack/wire/ethernet.h"

#include <errno.h>

#include "stack/wire/bytes.h"

// OFFSET SIZE MEANING
//      0    6 destination
//      6    6 source
//     12    2 EtherType, or 0x8100 and then
//     14    2 tag control information
//     16    2 EtherType
int ethernet_parse(const uint8_t *bytes, size_t length,
                   struct ethernet_header *out)
{
    if (length < ETHERNET_HEADER_SIZE)
        return -EINVAL;
    uint16_t type = get_be16(bytes + 12), vlan = 0;
    bool is_tagged = type == ETHERTYPE_VLAN;
    if (is_tagged) {
        if (length < ETHERNET_HEADER_SIZE + ETHERNET_TAG_SIZE)
            return -EINVAL;
        vlan = get_be16(bytes + 14);
        type = get_be16(bytes + 16);
    }
    memcpy(out->destination.bytes, bytes, 6);
    memcpy(out->source.bytes, bytes + 6, 6);
    out->is_tagged = is_tagged;
    out->vlan = vlan;
    out->type = type;
    return ETHERNET_HEADER_SIZE + (is_tagged ? ETHERNET_TAG_SIZE : 0);
}

size_t ethernet_emit(const struct ethernet_header *header, uint8_t *bytes)
{
    memcpy(bytes, header->destination.bytes, 6);
    memcpy(bytes + 6, header->source.bytes, 6);
    if (!header->is_tagged) {
        put_be16(bytes + 12, header->type);
        return ETHERNET_HEADER_SIZE;
    }
    put_be16(bytes + 12, ETHERTYPE_VLAN);
    put_be16(bytes + 14, header->vlan);
    put_be16(bytes + 16, header->type);
    return ETHERNET_HEADER_SIZE + ETHERNET_TAG_SIZE;
}
