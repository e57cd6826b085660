// Two hosts on a wire with UDP sockets, for the suites about them.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_UDP_FIXTURE_H
#define TESTS_UNIT_UDP_FIXTURE_H

#include "tests/unit/net_fixture.h"

// Each host has both families and no duplicate address detection: a is
// 10.0.0.1 and 2001:db8::1, b is 10.0.0.2 and 2001:db8::2.
struct udp_pair {
    struct stack_settings settings;
    struct net *net;
    struct net_host *a, *b;
};

void udp_pair_open_with(struct udp_pair *pair,
                        const struct stack_settings *settings);
void udp_pair_open(struct udp_pair *pair);
struct socket *udp_open_on(struct net_host *host, const char *local);
int64_t udp_send_to(struct socket *socket, const char *to, const char *text);
int udp_connect_to(struct socket *socket, const char *to);
void udp_run(struct udp_pair *pair);
// The next datagram as text; "" when there is none.
const char *udp_receive(struct socket *socket);
void udp_check_endpoint(const struct endpoint *endpoint, const char *expected);

// A datagram from 10.0.0.1 or 2001:db8::1, port 9, to b's port 7.
struct crafted {
    uint8_t bytes[128];
    size_t length;
    size_t udp; // offset
};
struct crafted craft_v4(struct net_host *to, const char *text);

#endif
