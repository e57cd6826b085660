// Ethernet II as a link layer.
// SPDX-License-Identifier: MIT
#include "stack/wire/ethernet.h"

#include "stack/internal.h"
#include "stack/wire/bytes.h"

static void ethernet_output(struct iface *iface, struct packet *packet,
                            const struct mac_addr *to)
{
    uint8_t *header = packet_push(packet, ETHERNET_HEADER_SIZE);
    memcpy(header, to->bytes, 6);
    memcpy(header + 6, iface->mac.bytes, 6);
    put_be16(header + 12, packet->link_type);
    iface_transmit(iface, packet);
}

// How the sender's link addressed the frame; 0: not to us.
static uint32_t addressing(const struct iface *iface, const uint8_t *to)
{
    if (memcmp(to, iface->mac.bytes, 6) == 0)
        return PACKET_TO_US;
    if (!(to[0] & 1))
        return 0;
    struct mac_addr group;
    memcpy(group.bytes, to, 6);
    return mac_addr_is_broadcast(&group) ? PACKET_LINK_BROADCAST
                                         : PACKET_LINK_MULTICAST;
}

static void ethernet_input(struct iface *iface, struct packet *packet)
{
    struct stack *stack = iface->stack;
    if (packet->length < ETHERNET_HEADER_SIZE) {
        stack_drop(stack, packet, DROP_LINK_TOO_SHORT);
        return;
    }
    uint32_t flags = addressing(iface, packet->data);
    if (flags == 0) {
        stack_drop(stack, packet, DROP_LINK_NOT_FOR_US);
        return;
    }
    uint16_t type = get_be16(packet->data + 12);
    const struct network_protocol *protocol = network_find(stack, type);
    if (!protocol) {
        stack_drop(stack, packet, DROP_LINK_UNKNOWN_TYPE);
        return;
    }
    packet->flags |= flags;
    packet->link_type = type;
    packet_pull(packet, ETHERNET_HEADER_SIZE);
    protocol->input(stack, packet);
}

const struct link_ops ethernet_link = {.header_size = ETHERNET_HEADER_SIZE,
                                       .output = ethernet_output,
                                       .input = ethernet_input};
