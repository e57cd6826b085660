// Two hosts and a stream between them.
// SPDX-License-Identifier: MIT
#ifndef TESTS_TCP_FIXTURE_H
#define TESTS_TCP_FIXTURE_H

// A transfer sends `bytes` of a pattern from client to server (and `back` bytes
// the other way), then both close. Each side writes as much as it is let, reads
// what comes and compares it with the pattern.

#include "tests/unit/net_fixture.h"

struct tcp_side {
    struct tcp_pair *pair;
    struct socket *socket; // NULL: closed
    uint64_t to_send, sent;
    uint64_t expected, received;
    bool is_wrong, is_shut, is_at_end;
    bool keeps_open; // does not close by itself
    bool is_lazy;    // does not read
    int error;       // the first negative errno seen
};

struct tcp_pair {
    struct net *net;
    struct net_host *client_host, *server_host;
    struct stack_settings client_settings, server_settings;
    struct socket *listener;
    struct tcp_side client, server;
    bool uses_source; // the client's bytes come from a source function
    struct endpoint server_end;
};

// Family IP_V4 or IP_V6; settings may be changed between create and start.
struct tcp_pair *tcp_pair_create(uint8_t family, uint64_t seed);
// Builds the hosts, listens on port 80 and connects.
void tcp_pair_start(struct tcp_pair *pair, uint64_t bytes, uint64_t back);
// Runs until both sides are closed for good (sockets gone), or the limit.
bool tcp_pair_run(struct tcp_pair *pair, ns_t limit);
// All data arrived intact, both saw the end, no errors.
bool tcp_pair_is_intact(const struct tcp_pair *pair);
void tcp_pair_destroy(struct tcp_pair *pair); // checks leaks

uint8_t tcp_pattern(uint64_t offset);
// Connections of the stack that are not listening.
unsigned tcp_count_connections(struct stack *stack);

#endif
