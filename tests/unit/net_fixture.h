// Stacks joined by wires under a clock of the test's own.
// SPDX-License-Identifier: MIT
#ifndef TESTS_NET_FIXTURE_H
#define TESTS_NET_FIXTURE_H

// Theory of operation
//
// A fixture owns a packet pool, a clock, a few stacks and a few wires. A frame
// that a stack transmits is put on the wire of its interface and arrives after
// the wire's delay at every other interface of the wire (at the one with the
// frame's destination address alone where there is one, as with a switch).
// Frames that arrive at the same time arrive in the order in which they were
// sent; deadlines of stacks at the same time come after frames, in the order of
// the stacks. Nothing reads a clock, and random bytes come from a seed.
//
// A hook sees every frame before it is put on the wire and may edit it, delay
// it, or take it away. Independently, frames can be recorded.
//
//     struct net *net = net_create(1);
//     struct net_host *a = net_host(net, "a", "10.0.0.1/24");
//     struct net_host *b = net_host(net, "b", "10.0.0.2/24");
//     ... socket calls on a->stack and b->stack ...
//     net_run(net, 5 * NS_PER_S);
//     net_destroy(net); // checks that nothing leaks
//
// A failure to set up is a must(): a test has nothing to say about it.

#include "stack/stack.h"

enum { NET_MAX_HOSTS = 8, NET_MAX_IFACES = 24, NET_MAX_WIRES = 8 };

struct net;

struct net_host {
    struct net *net;
    struct stack *stack;
    struct iface *eth; // the first interface, NULL: none yet
    ns_t deadline;
    unsigned index;
};

enum net_verdict { NET_PASS, NET_DROP };

// A frame about to be put on a wire. The hook may change what `packet` holds
// (packet_make_writable first) and `delay` and `copies`.
struct net_frame {
    struct net *net;
    struct net_host *from;
    struct iface *iface; // that transmitted it
    unsigned wire;
    unsigned number; // of frames in this net, from 0
    ns_t delay;
    unsigned copies;       // to arrive besides it, as late
    struct packet *packet; // window: the whole frame
};
typedef enum net_verdict net_hook_fn(void *context, struct net_frame *frame);

// A recorded frame.
struct net_record {
    ns_t time;
    struct net_host *from;
    unsigned wire;
    size_t length;
    uint8_t *bytes;
};

// What an interface is plugged into.
struct net_port {
    struct net_host *host;
    unsigned wire;
};

struct net_wire {
    ns_t delay;
    struct iface *ifaces[NET_MAX_IFACES];
    unsigned iface_count;
};

struct net {
    ns_t now;
    struct packet_pool *pool;
    uint64_t random_state;
    struct net_host hosts[NET_MAX_HOSTS];
    unsigned host_count;
    struct net_wire wires[NET_MAX_WIRES];
    struct net_transit *transit; // frames on the wires, by time
    net_hook_fn *hook;
    void *hook_context;
    unsigned frame_count; // transmitted so far
    bool is_recording;
    struct net_record *records;
    unsigned record_count, record_capacity;
    struct net_port ports[NET_MAX_IFACES];
    unsigned port_count;
    void *user; // the test's own
};

// The wires' delay is 1 ms. The clock starts at one hour, so that nothing
// relies on zero.
struct net *net_create(uint64_t seed);
// Checks every stack, destroys all, and must()s that no packet is left.
void net_destroy(struct net *net);

// A stack without interfaces (but loopback). settings NULL: the defaults;
// otherwise they outlive the net.
struct net_host *net_add_stack(struct net *net, const char *name,
                               const struct stack_settings *settings);
// The same with no_ipv4 or no_ipv6 and a trace function, whose context is the
// struct net_host.
struct net_host *net_add_stack_config(struct net *net, const char *name,
                                      const struct stack_config *config);
// An Ethernet interface on a wire, MAC 02:00:00:00:00:NN with NN counting from
// 1 in the net. mtu 0: 1500. address may be NULL.
struct iface *net_add_iface(struct net_host *host, unsigned wire,
                            const char *name, uint32_t mtu,
                            const char *address);
void net_add_address(struct iface *iface, const char *prefix);
void net_add_route(struct net_host *host, const char *prefix,
                   const char *gateway);
// Stack, "eth0" on wire 0, address; default settings.
struct net_host *net_host(struct net *net, const char *name,
                          const char *address);

// Runs frames and deadlines for so long; the clock ends exactly there.
void net_run(struct net *net, ns_t duration);
// Runs until `is_done` answers true (asked after each step) or the time is
// over; returns whether it did.
bool net_run_until(struct net *net, bool (*is_done)(void *context),
                   void *context, ns_t limit);
// One step: the next frame or deadline. false: nothing is pending.
bool net_step(struct net *net);

void net_set_hook(struct net *net, net_hook_fn *hook, void *context);
void net_record(struct net *net); // from now on, forgetting what was recorded

// A frame from nowhere, arriving at once.
void net_inject(struct net_host *host, struct iface *iface, const void *bytes,
                size_t length);
// A packet of the net's pool that holds the bytes, with head room.
struct packet *net_packet(struct net *net, const void *bytes, size_t length);

struct ip_addr net_addr(const char *text);
struct endpoint net_endpoint(const char *text); // "10.0.0.1:80"
uint64_t net_random(struct net *net);

#endif
