// Two hosts on a wire with UDP sockets, for the suites about them.
// SPDX-License-Identifier: MIT
#include "tests/unit/udp_fixture.h"

#include <string.h>

#include "stack/wire/bytes.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/udp.h"
#include "tests/unit/unit.h"

void udp_pair_open_with(struct udp_pair *pair,
                        const struct stack_settings *settings)
{
    pair->settings = *settings;
    pair->settings.ip_dad_transmits = 0;
    pair->net = net_create(1);
    pair->a = net_add_stack(pair->net, "a", &pair->settings);
    pair->b = net_add_stack(pair->net, "b", &pair->settings);
    net_add_iface(pair->a, 0, "eth0", 0, "10.0.0.1/24");
    net_add_iface(pair->b, 0, "eth0", 0, "10.0.0.2/24");
    net_add_address(pair->a->eth, "2001:db8::1/64");
    net_add_address(pair->b->eth, "2001:db8::2/64");
}

void udp_pair_open(struct udp_pair *pair)
{
    udp_pair_open_with(pair, &stack_settings_default);
}

struct socket *udp_open_on(struct net_host *host, const char *local)
{
    struct endpoint endpoint = net_endpoint(local);
    struct socket *socket = NULL;
    CHECK_EQUAL(socket_open(host->stack, SOCKET_DATAGRAM, endpoint.addr.family,
                            0, &socket),
                0);
    CHECK_FATAL(socket != NULL);
    if (endpoint.port)
        CHECK_EQUAL(socket_bind(socket, &endpoint), 0);
    return socket;
}

int64_t udp_send_to(struct socket *socket, const char *to, const char *text)
{
    struct endpoint endpoint = net_endpoint(to);
    return socket_send_to(socket, text, strlen(text), 0, &endpoint);
}

int udp_connect_to(struct socket *socket, const char *to)
{
    struct endpoint endpoint = net_endpoint(to);
    return socket_connect(socket, &endpoint);
}

void udp_run(struct udp_pair *pair) { net_run(pair->net, NS_PER_S / 10); }

// The next datagram as text; "" when there is none.
const char *udp_receive(struct socket *socket)
{
    static char text[256];
    int64_t length = socket_receive(socket, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = 0;
    return text;
}

void udp_check_endpoint(const struct endpoint *endpoint, const char *expected)
{
    char text[ENDPOINT_TEXT_SIZE];
    CHECK_TEXT(endpoint_format(endpoint, text), expected);
}

struct crafted craft_v4(struct net_host *to, const char *text)
{
    struct crafted c = {.udp = 14 + 20};
    size_t size = strlen(text);
    struct mac_addr mac = iface_mac(to->eth);
    struct ipv4_header ip = {.total_length = (uint16_t)(28 + size),
                             .ttl = 64,
                             .protocol = IP_PROTOCOL_UDP,
                             .source = net_addr("10.0.0.1"),
                             .destination = net_addr("10.0.0.2")};
    struct udp_header udp = {.source_port = 9,
                             .destination_port = 7,
                             .length = (uint16_t)(8 + size)};
    memcpy(c.bytes, mac.bytes, 6);
    put_be16(c.bytes + 12, 0x0800);
    ipv4_emit(&ip, c.bytes + 14);
    udp_emit(&udp, c.bytes + c.udp);
    memcpy(c.bytes + c.udp + 8, text, size);
    udp_fill_checksum(c.bytes + c.udp, 8 + size, &ip.source, &ip.destination);
    c.length = c.udp + 8 + size;
    return c;
}
