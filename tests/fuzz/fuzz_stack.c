// Fuzzes a whole stack: frames, time and application calls from the input.
// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "stack/internal.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"
#include "stack/wire/tcp.h"
#include "stack/wire/udp.h"

// Theory of operation
//
// The input is a list of steps, each one byte that says what, one length byte
// (times eight for frames) and so many bytes: a frame for one of two
// interfaces, time that passes, or a call of an application. Checksums that
// stand in the way of deeper code are set right where a step's bits say so, and
// addresses that nobody has are replaced. What comes back out is taken apart
// no further: that the account of packets holds (stack_check) after each step,
// that nothing is left at the end and that the sanitizers are silent is all
// that is asked.

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { SOCKETS = 8, MAX_STEPS = 64 };

struct world {
    struct packet_pool *pool;
    struct stack *stack;
    struct iface *ifaces[2];
    struct socket *sockets[SOCKETS];
    ns_t now, deadline;
    uint64_t random;
};

static void on_deadline(void *context, ns_t deadline)
{
    ((struct world *)context)->deadline = deadline;
}

static void on_random(void *context, void *bytes, size_t length)
{
    struct world *w = context;
    for (size_t i = 0; i < length; i++) {
        w->random = w->random * UINT64_C(6364136223846793005) + 1;
        ((uint8_t *)bytes)[i] = (uint8_t)(w->random >> 56);
    }
}

static void on_transmit(void *context, struct iface *iface,
                        struct packet *frame)
{
    (void)context;
    (void)iface;
    packet_free(frame);
}

// --- The world

static void add_iface(struct world *w, unsigned n, const char *name,
                      const char *v4, const char *v6)
{
    struct iface_config config = {.name = name,
                                  .type = IFACE_ETHERNET,
                                  .mac = {{2, 0, 0, 0, 0, (uint8_t)(n + 1)}},
                                  .mtu = n ? 1280 : 1500,
                                  .transmit = on_transmit,
                                  .context = w};
    struct ip_prefix prefix;
    must(iface_create(w->stack, &config, &w->ifaces[n]) == 0);
    must(ip_prefix_parse(v4, &prefix) == 0);
    must(iface_add_address(w->ifaces[n], &prefix) == 0);
    must(ip_prefix_parse(v6, &prefix) == 0);
    must(iface_add_address(w->ifaces[n], &prefix) == 0);
}

static void open_socket(struct world *w, unsigned n, enum socket_type type,
                        uint8_t family, uint8_t protocol)
{
    struct endpoint local = {.addr = ip_addr_any(family),
                             .port = type == SOCKET_RAW ? 0 : 7};
    must(socket_open(w->stack, type, family, protocol, &w->sockets[n]) == 0);
    must(socket_bind(w->sockets[n], &local) == 0);
    socket_set_option(w->sockets[n], OPTION_BROADCAST, 1);
    socket_set_option(w->sockets[n], OPTION_ERROR_QUEUE, 1);
    if (type == SOCKET_STREAM)
        must(socket_listen(w->sockets[n], 4) == 0);
}

static void open_world(struct world *w, const struct stack_settings *settings)
{
    *w = (struct world){.now = NS_PER_S, .deadline = NS_NEVER, .random = 1};
    w->pool = packet_pool_create(8 << 20);
    must(w->pool);
    struct stack_config config = {.host = {.context = w,
                                           .now = &w->now,
                                           .set_deadline = on_deadline,
                                           .random = on_random},
                                  .pool = w->pool,
                                  .settings = settings,
                                  .name = "fuzz"};
    must(stack_create(&config, &w->stack) == 0);
    add_iface(w, 0, "eth0", "10.0.0.1/24", "2001:db8::1/64");
    add_iface(w, 1, "eth1", "10.0.1.1/24", "2001:db8:1::1/64");
    open_socket(w, 0, SOCKET_DATAGRAM, IP_V4, 0);
    open_socket(w, 1, SOCKET_DATAGRAM, IP_V6, 0);
    open_socket(w, 2, SOCKET_STREAM, IP_V4, 0);
    open_socket(w, 3, SOCKET_STREAM, IP_V6, 0);
    open_socket(w, 4, SOCKET_RAW, IP_V4, IP_PROTOCOL_ICMP);
    open_socket(w, 5, SOCKET_RAW, IP_V6, IP_PROTOCOL_ICMPV6);
}

static void close_world(struct world *w)
{
    stack_check(w->stack);
    stack_destroy(w->stack);
    packet_pool_destroy(w->pool); // must()s that nothing is left
}

// --- Frames made plausible

static void mend_transport(uint8_t *bytes, size_t length, uint8_t protocol,
                           const struct ip_addr *from, const struct ip_addr *to)
{
    bool is_v4 = to->family == IP_V4;
    if (protocol == IP_PROTOCOL_UDP && length >= UDP_HEADER_SIZE) {
        put_be16(bytes + 4, (uint16_t)length);
        udp_fill_checksum(bytes, length, from, to);
    } else if (protocol == IP_PROTOCOL_TCP && length >= TCP_HEADER_SIZE) {
        tcp_fill_checksum(bytes, length, from, to);
    } else if (protocol == IP_PROTOCOL_ICMP && is_v4 && length >= 4) {
        icmp_fill_checksum(bytes, length, NULL, NULL);
    } else if (protocol == IP_PROTOCOL_ICMPV6 && !is_v4 && length >= 4) {
        icmp_fill_checksum(bytes, length, from, to);
    }
}

static void mend_ipv4(uint8_t *ip, size_t length)
{
    size_t header = (ip[0] & 0x0f) * 4u;
    ip[0] = (uint8_t)(0x40 | (ip[0] & 0x0f));
    if (header < IPV4_HEADER_SIZE || header > length)
        return;
    put_be16(ip + 2, (uint16_t)length);
    put_be16(ip + 10, 0);
    put_be16(ip + 10, checksum_finish(checksum_add(0, ip, header)));
    struct ip_addr from = ip_addr_from_bytes(IP_V4, ip + 12);
    struct ip_addr to = ip_addr_from_bytes(IP_V4, ip + 16);
    if (!(get_be16(ip + 6) & 0x3fff)) // not a fragment
        mend_transport(ip + header, length - header, ip[9], &from, &to);
}

static void mend_ipv6(uint8_t *ip, size_t length)
{
    size_t at = IPV6_HEADER_SIZE;
    uint8_t next = ip[6];
    ip[0] = 0x60;
    put_be16(ip + 4, (uint16_t)(length - IPV6_HEADER_SIZE));
    struct ip_addr from = ip_addr_from_bytes(IP_V6, ip + 8);
    struct ip_addr to = ip_addr_from_bytes(IP_V6, ip + 24);
    while (next == IPV6_HOP_BY_HOP || next == IPV6_ROUTING ||
           next == IPV6_DESTINATION) {
        int size = ipv6_extension_length(ip + at, length - at);
        if (size < 0)
            return;
        next = ip[at];
        at += (size_t)size;
    }
    mend_transport(ip + at, length - at, next, &from, &to);
}

// Addresses that lead somewhere, chosen by two bits each; an empty corpus finds
// its way into the stack with them.
static void aim_ipv4(uint8_t *ip, uint8_t choice)
{
    static const uint8_t to[4][4] = {
        {10, 0, 0, 1}, {10, 0, 1, 9}, {10, 0, 0, 255}, {224, 0, 0, 1}};
    static const uint8_t from[4][4] = {
        {10, 0, 0, 2}, {10, 0, 0, 3}, {10, 0, 1, 2}, {0, 0, 0, 0}};
    memcpy(ip + 12, from[choice & 3], 4);
    memcpy(ip + 16, to[choice >> 2 & 3], 4);
}

static void aim_ipv6(uint8_t *ip, uint8_t choice)
{
    static const uint8_t to[4][16] = {
        {0x20, 1, 0x0d, 0xb8, [15] = 1},
        {0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 9},
        {0xff, 2, [15] = 1},
        {0xff, 2, [11] = 1, [12] = 0xff, [15] = 1}};
    static const uint8_t from[4][16] = {{0x20, 1, 0x0d, 0xb8, [15] = 2},
                                        {0xfe, 0x80, [15] = 9},
                                        {0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 2},
                                        {0}};
    memcpy(ip + 8, from[choice & 3], 16);
    memcpy(ip + 24, to[choice >> 2 & 3], 16);
}

static void aim(uint8_t *frame, size_t length)
{
    uint8_t choice = frame[0];
    size_t size = length - ETHERNET_HEADER_SIZE;
    if (choice & 0x10 && size >= IPV4_HEADER_SIZE) {
        put_be16(frame + 12, ETHERTYPE_IPV4);
        aim_ipv4(frame + ETHERNET_HEADER_SIZE, choice);
    } else if (size >= IPV6_HEADER_SIZE) {
        put_be16(frame + 12, ETHERTYPE_IPV6);
        aim_ipv6(frame + ETHERNET_HEADER_SIZE, choice);
    }
}

enum { MEND = 0x10, TO_US = 0x20, TO_GROUP = 0x40, AIM = 0x80 };

static void address_frame(uint8_t *frame, unsigned iface, uint8_t kind)
{
    uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(iface + 1)};
    if (kind & TO_GROUP)
        memset(mac, 0xff, 6);
    if (kind & (TO_US | TO_GROUP))
        memcpy(frame, mac, 6);
}

static void input_frame(struct world *w, uint8_t kind, const uint8_t *bytes,
                        size_t length)
{
    unsigned iface = kind & 1;
    struct packet *frame = packet_alloc(w->pool, 0, length);
    if (!frame)
        return;
    uint8_t *data = packet_put(frame, length);
    memcpy(data, bytes, length);
    if (length >= ETHERNET_HEADER_SIZE) {
        if (kind & AIM)
            aim(data, length);
        uint16_t type = get_be16(data + 12);
        size_t size = length - ETHERNET_HEADER_SIZE;
        address_frame(data, iface, kind);
        if (kind & MEND && type == ETHERTYPE_IPV4 && size >= 20)
            mend_ipv4(data + ETHERNET_HEADER_SIZE, size);
        if (kind & MEND && type == ETHERTYPE_IPV6 && size >= 40)
            mend_ipv6(data + ETHERNET_HEADER_SIZE, size);
    }
    iface_input(w->ifaces[iface], frame);
}

// --- The other steps

static void pass_time(struct world *w, uint8_t amount)
{
    ns_t end = w->now + (NS_PER_MS << (amount & 15));
    for (unsigned i = 0; i < 1000 && w->deadline <= end; i++) {
        if (w->deadline > w->now)
            w->now = w->deadline;
        stack_run(w->stack);
    }
    w->now = end;
}

static void call_sender(struct socket *socket, const uint8_t *bytes,
                        size_t length)
{
    uint8_t family = (uint8_t)(length & 1 ? IP_V4 : IP_V6);
    struct endpoint to = {.port = length > 2 ? bytes[1] : 9};
    if (length < 20)
        return;
    to.addr = ip_addr_from_bytes(family, bytes + 4);
    to.scope = bytes[2] & 3;
    if (bytes[0] & 1)
        socket_connect(socket, &to);
    socket_send_to(socket, bytes, (size_t)bytes[3] * 16 % (length + 1), 0,
                   bytes[0] & 2 ? &to : NULL);
}

static void take_everything(struct world *w, unsigned n)
{
    static uint8_t sink[4096];
    struct socket *socket = w->sockets[n], *accepted = NULL;
    for (unsigned i = 0; i < 8; i++)
        if (socket_receive(socket, sink, sizeof sink, 0) <= 0)
            break;
    while (socket_accept(socket, &accepted) == 0) {
        socket_send(accepted, sink, 1000, 0);
        socket_close(accepted);
    }
}

static void step(struct world *w, uint8_t kind, const uint8_t *bytes,
                 size_t length)
{
    unsigned n = length > 0 ? bytes[0] % 6 : 0;
    switch (kind & 0x0e) {
    case 2:
        pass_time(w, length > 0 ? bytes[0] : 0);
        break;
    case 4:
        call_sender(w->sockets[n], bytes, length);
        break;
    case 6:
        take_everything(w, n);
        break;
    case 8:
        iface_set_up(w->ifaces[kind & 1], length & 1);
        break;
    default:
        input_frame(w, kind, bytes, length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct stack_settings settings = stack_settings_default;
    struct world w;
    if (length < 1)
        return 0;
    settings.ip_forward = bytes[0] & 1;
    settings.ip_dad_transmits = bytes[0] >> 1 & 1;
    settings.ip_accept_broadcast_echo = bytes[0] >> 2 & 1;
    settings.neighbour_gratuitous = bytes[0] >> 3 & 1;
    settings.ip_accept_ra = bytes[0] >> 4 & 1;
    settings.neighbour_limit = bytes[0] >> 5 & 1 ? 4 : 1024;
    settings.ip_reassembly_limit = bytes[0] >> 6 & 1 ? 6000 : 4 << 20;
    bytes++;
    length--;
    open_world(&w, &settings);
    for (unsigned i = 0; i < MAX_STEPS && length >= 2; i++) {
        uint8_t kind = bytes[0];
        size_t size = bytes[1] * (size_t)(kind & 0x0e ? 1 : 8);
        bytes += 2;
        length -= 2;
        if (size > length)
            size = length;
        step(&w, kind, bytes, size);
        stack_check(w.stack);
        bytes += size;
        length -= size;
    }
    close_world(&w);
    return 0;
}
