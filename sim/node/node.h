// Nodes with their ports: hosts, routers, switches, whatever frames can reach.
// SPDX-License-Identifier: MIT
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

enum node_kind { NODE_HOST, NODE_ROUTER, NODE_SWITCH, NODE_TAP };
const char *node_kind_name(enum node_kind kind);

// A place where a link ends on a node.
struct port {
    struct node *node;
    struct link *link;
    unsigned end;      // 0 or 1: which end of the link
    struct port *next; // of the node, in order of creation
    char name[16];     // "eth0"
    struct mac_addr mac;
    struct iface *iface;     // hosts and routers; NULL elsewhere
    struct capture *capture; // NULL: none
    bool is_attached;        // see port_attach
    void *context;           // the node's own
    uint64_t frames_in, frames_out, bytes_in, bytes_out;
};

struct port_config {
    uint32_t mtu;
    bool is_point_to_point;
};

struct node_ops {
    // A link has made a port on this node: its link, end, name and mac are set.
    // 0, or -ENOMEM, -EINVAL with a sentence in sim_error(). May be NULL.
    int (*attach)(struct port *port, const struct port_config *config);
    // Undoes attach. May be NULL.
    void (*detach)(struct port *port);
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
    uint32_t port_count;
    bool has_named_ports; // a name was given by hand
};

// What sim_add_* share: names the node and gives it its place in the
// simulation. -EEXIST (name), -ENOMEM.
int node_init(struct node *node, struct sim *sim, const struct node_ops *ops,
              enum node_kind kind, const char *name);
void node_destroy(
    struct node *node); // with its ports, by its ops; NULL is fine
// An order for a new event source on this node.
uint64_t node_new_order(struct node *node);
// For sim_add_link. name NULL: next free "ethN"; mac NULL or zero: chosen.
// -EEXIST (name), -EINVAL, -ENOMEM.
struct port_place {
    struct link *link;
    unsigned end;
    const char *name;
    const struct mac_addr *mac;
};
int node_add_port(struct node *node, const struct port_place *place,
                  struct port **out);
// Tells the node, which may send at once: the link is whole by now.
int port_attach(struct port *port, const struct port_config *config);
void node_remove_last_port(struct node *node, struct port *port);
struct port *node_find_port(struct node *node, const char *name);
// Gives a frame to the link at the port. Consumes.
void port_send(struct port *port, struct packet *frame);
// A frame has come over the link. Consumes. comment: for the capture; may be
// NULL.
void port_receive(struct port *port, struct packet *frame, const char *comment);

// --- Hosts and routers

struct host {
    struct node node; // first
    struct stack *stack;
    struct stack_settings *own_settings; // NULL: shared defaults
    struct event deadline;
    struct random random;
    void (*trace)(void *context,
                  const struct stack_trace *event); // further listener; NULL
    void *trace_context; // set these with host_set_trace
    uint32_t trace_mask;
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
// The trace events (bits 1 << kind) that host->trace wants; connection states
// are always watched for the flow table.
void host_set_trace(struct host *host, uint32_t mask,
                    void (*trace)(void *context,
                                  const struct stack_trace *event),
                    void *context);
struct host *node_as_host(struct node *node); // NULL: not a host or router
struct host *sim_find_host(struct sim *sim, const char *name);
struct host *stack_as_host(struct stack *stack);

// --- Switches

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
