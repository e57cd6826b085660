// One stack under test whose TCP peer is the test itself.
// SPDX-License-Identifier: MIT
#ifndef TESTS_TCP_RIG_H
#define TESTS_TCP_RIG_H

// Segments are injected as raw frames, and what the stack sends is noted. The
// stack is 10.0.0.1, the peer 10.0.0.9; the neighbour is known, so that nothing
// but TCP is on the wire.

#include "stack/tcp/tcp.h"
#include "tests/unit/net_fixture.h"

enum {
    RIG_PEER_ISN = 1000,
    RIG_ISN = 5000,
    RIG_WINDOW = 20000, // of the stack
    RIG_PORT = 80,      // of the stack where it listens
    RIG_MOST_SENT = 64
};

// A segment as the stack sent it.
struct rig_sent {
    ns_t time;
    struct tcp_header header;
    struct tcp_options options;
    uint32_t length;
    uint8_t tos;
};

struct rig {
    struct net *net;
    struct net_host *host;
    struct stack_settings settings;
    struct socket *socket; // NULL: none, or given up
    uint16_t our_port, peer_port, peer_window;
    tcp_seq snd_una, snd_nxt, rcv_nxt; // of the stack, see rig_learn
    char flags_sent[64];               // tcpdump's letters, comma between
    struct rig_sent sent[RIG_MOST_SENT];
    unsigned sent_count;
};

// What the peer sends. window 0 means rig.peer_window; zero_window means 0.
struct rig_segment {
    uint8_t flags;
    tcp_seq seq, ack;
    size_t length;
    uint16_t urgent, window;
    bool zero_window;
    uint8_t tos;
    struct tcp_options options;
};

// A host with one closed socket. Timestamps and window scaling are off, the ISN
// is RIG_ISN; change rig.settings between create and start.
void rig_create(struct rig *r);
void rig_start(struct rig *r);
void rig_destroy(struct rig *r); // checks leaks
// create, start, and on to a state by the shortest way.
void rig_reach(struct rig *r, enum tcp_state state);
void rig_listen(struct rig *r);
void rig_connect(struct rig *r);
void rig_establish(struct rig *r);        // actively
struct socket *rig_accept(struct rig *r); // NULL: nothing there

void rig_inject(struct rig *r, const struct rig_segment *s);
// An ICMP unreachable of this code about a segment of ours that began at seq.
void rig_inject_icmp(struct rig *r, uint8_t code, uint16_t mtu, tcp_seq seq);
// Refreshes snd_una, snd_nxt, rcv_nxt from the connection.
void rig_learn(struct rig *r);
void rig_forget_sent(struct rig *r);
const struct rig_sent *rig_last(const struct rig *r); // must exist
// The only connection that is not listening; NULL: none.
struct tcp_connection *rig_connection(const struct rig *r);
enum tcp_state rig_state(const struct rig *r);

#endif
