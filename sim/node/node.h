// Nodes with their ports: hosts, routers, switches, and whatever else frames
// can reach. SPDX-License-Identifier: MIT
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "sim/engine/engine.h"
#include "sim/engine/random.h"
#include "stack/stack.h"

struct sim;
struct link;
struct node;
struct capture;
struct app;

enum node_kind { NODE_HOST, NODE_ROUTER, NODE_SWITCH };
const char *node_kind_name(enum node_kind kind);

// A place where a link ends on a node.
struct port {
    struct node *node;
    struct link *link;
    unsigned end;      // 0 or 1: which end of the link
    struct port *next; // of the node, in order of creation
    char name[16];     // "eth0"
    struct mac_addr mac;
    struct iface *iface;     // hosts and routers
    struct capture *capture; // NULL: none
    void *context;           // the node's own
    uint64_t frames_in, frames_out, bytes_in, bytes_out;
};

struct node_ops {
    // A frame arrives from the link. Consumes.
    void (*input)(struct port *port, struct packet *frame);
    // The link behind a port went up or down (carrier). May be NULL.
    void (*carrier)(struct port *port, bool is_up);
    void (*check)(
        const struct node *node); // end-of-run invariants; may be NULL
    void (*destroy)(struct node *node);
};

struct node {
    const struct node_ops *ops;
    struct sim *sim;
    struct node *next; // of the simulation, in order of creation
    char *name;
    enum node_kind kind;
    uint32_t number;      // from 1, in order of creation
    uint32_t next_source; // see node_new_order
    struct port *ports, **ports_end;
};

// An order for a new event source on this node.
uint64_t node_new_order(struct node *node);
// Gives a frame to the link at the port. Consumes.
void port_send(struct port *port, struct packet *frame);

// --- Hosts and routers
// ----------------------------------------------------------------------

struct host {
    struct node node; // first
    struct stack *stack;
    struct stack_settings *own_settings; // NULL: shared defaults
    struct event deadline;
    struct random random;
    struct app *apps;
    void (*trace)(void *context,
                  const struct stack_trace *event); // further listener; NULL
    void *trace_context;
};

struct host_config {
    const char *name;
    bool is_router;                        // forwards
    const struct stack_settings *settings; // NULL: defaults; copied otherwise
    bool no_ipv4, no_ipv6;
};
// -EEXIST (name), -ENOMEM.
int sim_add_host(struct sim *sim, const struct host_config *config,
                 struct host **out);
static inline bool node_is_host(const struct node *n)
{
    return n->kind == NODE_HOST || n->kind == NODE_ROUTER;
}
struct host *node_as_host(struct node *node); // NULL: not a host or router
struct host *sim_find_host(struct sim *sim, const char *name);
struct host *stack_as_host(struct stack *stack);

// --- Switches
// -------------------------------------------------------------------------------

struct switch_config {
    const char *name;
    ns_t ageing;          // forget an address after so long; 0: 300 s (802.1D)
    size_t address_limit; // 0: 8192
};
int sim_add_switch(struct sim *sim, const struct switch_config *config,
                   struct node **out);
// VLANs of a port (802.1Q): native: untagged frames belong to it (0: none
// accepted); allowed: a bit per VLAN id 1..4094 that may pass tagged; NULL:
// none. A fresh port has native 1 and nothing tagged. -EINVAL.
int switch_set_port_vlans(struct port *port, unsigned native,
                          const uint8_t allowed[512]);
struct switch_stats {
    uint64_t forwarded, flooded, filtered, learned, dropped_vlan,
        dropped_no_buffer;
};
struct switch_stats switch_get_stats(const struct node *node);

#endif
