// ARP packets as bytes.
// SPDX-License-Identifier: MIT
#include "stack/wire/arp.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/ethernet.h"

enum { HARDWARE_ETHERNET = 1 };

// OFFSET SIZE MEANING
//      0    2 hardware type: 1
//      2    2 protocol type: an EtherType
//      4    1 length of a hardware address: 6
//      5    1 length of a protocol address: 4
//      6    2 operation
//      8    6 sender's hardware address
//     14    4 sender's protocol address
//     18    6 target's hardware address
//     24    4 target's protocol address
int arp_parse(const uint8_t *bytes, size_t length, struct arp_header *out)
{
    if (length < ARP_SIZE)
        return -EINVAL;
    if (get_be16(bytes) != HARDWARE_ETHERNET ||
        get_be16(bytes + 2) != ETHERTYPE_IPV4 || bytes[4] != 6 || bytes[5] != 4)
        return -EPROTONOSUPPORT;
    out->operation = get_be16(bytes + 6);
    memcpy(out->sender_mac.bytes, bytes + 8, 6);
    out->sender_ip = ip_addr_from_bytes(IP_V4, bytes + 14);
    memcpy(out->target_mac.bytes, bytes + 18, 6);
    out->target_ip = ip_addr_from_bytes(IP_V4, bytes + 24);
    return 0;
}

size_t arp_emit(const struct arp_header *header, uint8_t *bytes)
{
    put_be16(bytes, HARDWARE_ETHERNET);
    put_be16(bytes + 2, ETHERTYPE_IPV4);
    bytes[4] = 6;
    bytes[5] = 4;
    put_be16(bytes + 6, header->operation);
    memcpy(bytes + 8, header->sender_mac.bytes, 6);
    memcpy(bytes + 14, header->sender_ip.bytes, 4);
    memcpy(bytes + 18, header->target_mac.bytes, 6);
    memcpy(bytes + 24, header->target_ip.bytes, 4);
    return ARP_SIZE;
}
