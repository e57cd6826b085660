// What the stack's own files know of each other: struct stack, struct iface.
// SPDX-License-Identifier: MIT
#ifndef STACK_INTERNAL_H
#define STACK_INTERNAL_H

#include "stack/protocols.h"
#include "stack/siphash.h"
#include "stack/stack.h"
#include "stack/timer.h"

struct neighbour_table;
struct route_table;
struct reassembly;
struct path_mtu_table;
struct socket_table;
struct tcp_table;
struct registered_protocol;
struct address_index;
struct iface_index;
struct router_discovery;

struct stack {
    struct stack_host host;
    struct packet_pool *pool;
    const struct stack_settings *settings;
    struct timer_heap timers;
    ns_t asked_deadline; // last told to the host
    uint32_t depth;      // nesting of stack_enter
    uint32_t number;
    bool has_ipv4, has_ipv6;
    bool is_destroying;
    uint8_t networks_up, transports_up; // rows of the lists initialised
    uint32_t timer_count;               // that have a place in the heap
    char name[32];
    uint64_t next_packet_id;

    struct list ifaces; // struct iface.node, by index
    uint32_t next_iface_index, iface_count;
    struct iface_index *iface_index; // NULL while the interfaces are few
    uint32_t address_count;
    struct address_index *address_index; // NULL while the addresses are few
    struct iface *loopback;
    struct registered_protocol *registered;

    // Changes whenever a route, address, interface, neighbour or path MTU
    // changes in a way that a cached struct ip_path must notice.
    uint32_t path_generation;
    struct route_table *routes;
    struct neighbour_table *neighbours;
    struct reassembly *reassembly;    // NULL until the first fragment
    struct path_mtu_table *path_mtus; // NULL until the first
    struct socket_table *sockets;     // UDP and raw demultiplexing
    struct tcp_table *tcp;            // connections and listeners
    struct list all_sockets;          // struct socket.all, by creation
    uint32_t socket_count;
    struct list ready;         // sockets with events to deliver
    struct siphash_key secret; // ports, ISNs, cookies, hash tables
    uint16_t next_ip_id;
    uint32_t next_ephemeral; // counter of RFC 6056 algorithm 3
    uint32_t icmp_tokens;
    ns_t icmp_tokens_at;

    uint64_t held; // packets held now; see stack_held
    uint64_t counters[STACK_COUNTER_COUNT];
    uint64_t drops[DROP_REASON_COUNT];
};

static inline ns_t stack_now(const struct stack *stack)
{
    return *stack->host.now;
}
// Every cached path looks itself up again; 0 stays "never looked up".
static inline void stack_bump_generation(struct stack *stack)
{
    if (++stack->path_generation == 0)
        stack->path_generation = 1;
}
static inline void stack_count(struct stack *stack, enum stack_counter c)
{
    stack->counters[c]++;
}

// Every function that outsiders call brackets its work with these; the
// outermost leave delivers socket events, then tells the host the next
// deadline.
void stack_enter(struct stack *stack);
void stack_leave(struct stack *stack);

// The three ends of a packet inside a stack, and its beginning. Each keeps
// `held` right. stack_packet_alloc counts CREATED, gives an id; NULL when out
// of buffers or over limits.packets (counted as refused in the pool).
struct packet *stack_packet_alloc(struct stack *stack, size_t head_room,
                                  size_t size);
void stack_drop(struct stack *stack, struct packet *packet,
                enum drop_reason reason);                       // consumes
void stack_deliver(struct stack *stack, struct packet *packet); // consumes
// A packet that a protocol made into another (clone for flooding, fragment):
// counts CREATED.
void stack_adopt(struct stack *stack, struct packet *packet);
// A packet that a socket hands to the application by reference: no longer held.
void stack_release(struct stack *stack, struct packet *packet);

// An answer in place: the packet that came in ends here as delivered
// (stack_recycle) or dropped (stack_recycle_dropped), and its buffer starts a
// new life as a packet this stack created, with a new id, no flags, and the
// window and ip as they are. Borrows.
void stack_recycle(struct stack *stack, struct packet *packet);
void stack_recycle_dropped(struct stack *stack, struct packet *packet,
                           enum drop_reason reason);

// Timers of this stack. timer_set never fails for objects that reserved a place
// when they were created (stack_timer_init does).
int stack_timer_init(struct stack *stack, struct timer *timer,
                     void (*on_expiry)(struct timer *));
void stack_timer_set(struct stack *stack, struct timer *timer, ns_t deadline);
void stack_timer_fini(struct stack *stack, struct timer *timer);

uint32_t stack_random(struct stack *stack); // 32 random bits from the host
void stack_trace(struct stack *stack, const struct stack_trace *event);
static inline bool stack_is_traced(const struct stack *stack,
                                   enum stack_trace_kind kind)
{
    return __builtin_expect(stack->host.trace_mask & 1u << kind, 0);
}

// --- Interfaces
// -----------------------------------------------------------------------------

enum { IFACE_MAX_ADDRESSES = 64 };

struct iface_addr {
    struct ip_prefix prefix;
    enum address_state state;
    struct timer dad_timer; // IPv6
    uint32_t dad_left;
    struct iface *iface;
    struct iface_addr *next;
    struct iface_addr *index_next; // in the same bucket of the stack's index
};

// How a type of interface puts its header on; no other code asks for the type.
struct link_ops {
    uint16_t header_size; // head room that it needs
    // Pushes the link header (packet->link_type says what it carries) and
    // transmits. Consumes.
    void (*output)(struct iface *iface, struct packet *packet,
                   const struct mac_addr *to);
    // Takes the link header off, sets flags and link_type, finds the network
    // protocol. Consumes.
    void (*input)(struct iface *iface, struct packet *packet);
};
extern const struct link_ops ethernet_link, loopback_link, raw_ip_link;

struct iface {
    struct list node;         // stack->ifaces
    struct iface *index_next; // iface_index.c
    struct stack *stack;
    const struct link_ops *link;
    uint32_t flags; // enum iface_flag
    uint32_t mtu;
    uint16_t index;
    bool is_destroying;
    enum iface_type type;
    struct mac_addr mac;
    char name[16];
    void (*transmit)(void *context, struct iface *iface, struct packet *frame);
    void *context;
    struct iface_addr *addresses; // in order of addition
    struct list groups; // multicast groups joined (ipv6, igmp), see net/
    struct packet_queue looped; // loopback: packets waiting for their turn
    struct timer loop_timer;
    struct router_discovery *discovery; // NULL: ip.accept-ra is off
};

// The interfaces of a stack, which iface_index.c finds by name: into
// stack->ifaces, and out of it.
void iface_index_add(struct stack *stack, struct iface *iface);
void iface_index_remove(struct stack *stack, struct iface *iface);
void iface_index_destroy(struct stack *stack);

// The address record that owns `address` on this interface or on any of the
// stack; NULL.
struct iface_addr *iface_address_find(struct iface *iface,
                                      const struct ip_addr *address);
// The index of addresses (address_index.c) makes that fast on routers with many
// interfaces. It is rebuilt when it has become too small; without memory for
// it, finding walks all interfaces.
void address_index_add(struct stack *stack, struct iface_addr *address);
void address_index_remove(struct stack *stack, struct iface_addr *address);
void address_index_destroy(struct stack *stack);
struct iface_addr *stack_address_find(struct stack *stack,
                                      const struct ip_addr *address);
void iface_remove_all_addresses(struct iface *iface, uint8_t family);
// Multicast groups are counted: as many leaves as joins. 224.0.0.1 is always
// joined, other groups by whoever needs them. -ENOMEM.
struct iface_group {
    struct list node; // iface->groups
    struct ip_addr address;
    uint32_t users;
};
int iface_join_group(struct iface *iface, const struct ip_addr *group);
void iface_leave_group(struct iface *iface, const struct ip_addr *group);
bool iface_is_in_group(const struct iface *iface, const struct ip_addr *group);
// A packet of ours goes to the loopback interface, or a copy of a group or
// broadcast packet that leaves by `iface` comes back to us. loopback_copy
// borrows.
void loopback_copy(struct iface *iface, const struct packet *packet);
// What struct iface of the loopback type has besides the link operations.
int loopback_init(struct iface *iface); // -ENOMEM
void loopback_fini(struct iface *iface);
void loopback_forget_iface(struct stack *stack, const struct iface *iface);
int iface_create_loopback(struct stack *stack);
// The last step of every way out: counts, traces, transmits (drops when the
// interface is down). data is at the link header. Consumes.
void iface_transmit(struct iface *iface, struct packet *frame);
// Is it the limited or a directed broadcast address of this interface (never on
// /31, /32)?
bool iface_is_broadcast(const struct iface *iface,
                        const struct ip_addr *address);

#endif
