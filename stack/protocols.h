// The tables by which a layer finds the one above it.
// SPDX-License-Identifier: MIT
#ifndef STACK_PROTOCOLS_H
#define STACK_PROTOCOLS_H

#include "stack/stack.h"

// An ICMP error about a packet that a transport of ours sent, in terms of both
// families.
enum icmp_error_kind {
    ICMP_ERROR_NET_UNREACHABLE,
    ICMP_ERROR_HOST_UNREACHABLE,
    ICMP_ERROR_PROTOCOL_UNREACHABLE,
    ICMP_ERROR_PORT_UNREACHABLE,
    ICMP_ERROR_PROHIBITED,
    ICMP_ERROR_TOO_BIG, // mtu is set
    ICMP_ERROR_TTL_EXCEEDED,
    ICMP_ERROR_REASSEMBLY_TIMEOUT,
    ICMP_ERROR_PARAMETER_PROBLEM,
    ICMP_ERROR_OTHER,
};
struct icmp_error {
    enum icmp_error_kind kind;
    uint8_t type, code;
    struct ip_addr reporter;            // who says so
    struct ip_addr source, destination; // of our packet, as quoted
    const uint8_t *transport; // its transport header, as far as quoted
    size_t transport_length;
    uint32_t mtu;
    int error; // the negative errno of RFC 1122 / Linux: -ECONNREFUSED,
               // -EHOSTUNREACH, ...
};

struct network_protocol {
    const char *name;
    uint16_t ethertype;
    uint8_t family; // IP_V4, IP_V6; IP_NONE for ARP
    // packet->data is at the network header; flags say how the link addressed
    // it. Consumes.
    void (*input)(struct stack *stack, struct packet *packet);
    int (*init)(struct stack *stack);  // may be NULL; 0 or -ENOMEM
    void (*fini)(struct stack *stack); // may be NULL
};

struct transport_protocol {
    const char *name;
    uint8_t protocol;
    uint8_t family; // IP_NONE: both
    // packet->data is at the transport header, packet->ip and network_offset
    // are filled in. The destination is ours (or a group of ours). Consumes.
    void (*input)(struct stack *stack, struct packet *packet);
    // May be NULL.
    void (*error)(struct stack *stack, const struct icmp_error *error);
    // It compares quotations with what is in flight (RFC 5927) and updates the
    // path MTU itself.
    bool checks_errors;
    int (*init)(struct stack *stack);
    void (*fini)(struct stack *stack);
};

extern const struct network_protocol ipv4_protocol, ipv6_protocol, arp_protocol;
extern const struct transport_protocol icmpv4_protocol, icmpv6_protocol,
    udp_protocol, tcp_protocol;

// The lists (protocols.c), in order of initialisation, ended by NULL.
extern const struct network_protocol *const network_protocols[];
extern const struct transport_protocol *const transport_protocols[];

// A protocol of the host program's own for this stack alone, before or after
// those of the lists; it gets what they do not take. The row outlives the
// stack. -EEXIST, -ENOMEM.
int stack_register_network(struct stack *stack,
                           const struct network_protocol *protocol,
                           void *context);
int stack_register_transport(struct stack *stack,
                             const struct transport_protocol *protocol,
                             void *context);
// stack_create and stack_destroy. -ENOMEM.
int protocols_init(struct stack *stack);
void protocols_fini(struct stack *stack);
void *stack_network_context(const struct stack *stack,
                            const struct network_protocol *protocol);
void *stack_transport_context(const struct stack *stack,
                              const struct transport_protocol *protocol);
const struct network_protocol *network_find(const struct stack *stack,
                                            uint16_t ethertype);
const struct transport_protocol *
transport_find(const struct stack *stack, uint8_t family, uint8_t protocol);

#endif
