// One neighbour machine (RFC 4861 7.3.2) for ARP and neighbour discovery.
// SPDX-License-Identifier: MIT
#include "stack/net/neighbour.h"

#include <errno.h>
#include <stdlib.h>

#include "stack/net/ip.h"

// Theory of operation
//
// An entry says what is known of one next hop on one interface.
//
//   NONE        nothing yet. The next packet begins resolution.
//   INCOMPLETE  asked by broadcast or multicast, up to multicast_solicits times
//               retransmit_time apart. Packets wait in `pending`, at most
//               neighbour.queue; the oldest gives way (RFC 4861 7.2.2).
//   REACHABLE   confirmed until `until`. Packets go out.
//   STALE       known, not confirmed lately. Packets go out; the first one
//               makes it DELAY.
//   DELAY       packets go out; a confirmation from above has
//               delay_first_probe's time to come.
//   PROBE       packets go out; asked by unicast, up to unicast_solicits times.
//   FAILED      no answer. Whatever waited has been told so; until `until`
//               packets are refused, afterwards it is as good as NONE. After
//               fruitless probes nothing is refused: the next packet asks anew
//               by multicast (RFC 4861 7.3.3).
//   PERMANENT   set by hand. Never asked, never changed by what is heard.
//
// REACHABLE and FAILED end by themselves; no timer runs for that, the end is
// noticed when somebody looks (age). So a quiet host has no timers, and each
// confirmation by a transport costs one store. RFC 4861 6.3.2's random spread
// of the reachable time is left out: it avoids synchronised probes in a crowd,
// and costs the reader of a trace a known 30 seconds.
//
// A path (ip.h) points at entries. An entry that goes away bumps the stack's
// path generation, so that no path believes in it any more. At the table's
// limit the oldest entry that was not used since reclaiming last passed by goes
// (second chance); packets waiting or PERMANENT protect an entry.
//
// Invariants: N1. Packets wait only in INCOMPLETE. N2. The timer is armed
// exactly in INCOMPLETE, DELAY and PROBE.

struct neighbour_table {
    struct list all; // by creation, but for second chances
    struct neighbour **buckets;
    uint32_t bucket_count; // a power of two
    uint32_t count;
};

enum { FIRST_BUCKETS = 4 };

static const struct stack_settings *settings_of(const struct neighbour *n)
{
    return n->iface->stack->settings;
}

// --- The table

int neighbour_table_create(struct stack *stack)
{
    struct neighbour_table *table = calloc(1, sizeof(*table));
    if (!table)
        return -ENOMEM;
    list_init(&table->all);
    stack->neighbours = table;
    return 0;
}

static uint32_t hash_of(const struct stack *stack, const struct iface *iface,
                        const struct ip_addr *address)
{
    uint64_t hash = siphash(&stack->secret, address->bytes,
                            ip_addr_length(address->family));
    return (uint32_t)hash + iface->index;
}

static struct neighbour **bucket_of(const struct stack *stack,
                                    const struct iface *iface,
                                    const struct ip_addr *address)
{
    const struct neighbour_table *table = stack->neighbours;
    uint32_t hash = hash_of(stack, iface, address);
    return &table->buckets[hash & (table->bucket_count - 1)];
}

struct neighbour *neighbour_find(struct stack *stack, const struct iface *iface,
                                 const struct ip_addr *address)
{
    if (stack->neighbours->count == 0)
        return NULL;
    struct neighbour *n = *bucket_of(stack, iface, address);
    while (n && !(n->iface == iface && ip_addr_equal(&n->address, address)))
        n = n->hash_next;
    return n;
}

static void link_into_bucket(struct stack *stack, struct neighbour *n)
{
    struct neighbour **bucket = bucket_of(stack, n->iface, &n->address);
    n->hash_next = *bucket;
    *bucket = n;
}

static struct neighbour *next_in(const struct neighbour_table *table,
                                 const struct list *at)
{
    return at->next == &table->all
               ? NULL
               : CONTAINER_OF(at->next, struct neighbour, node);
}

// Keeps the old buckets when there is no memory: chains only get longer.
static int grow_buckets(struct stack *stack)
{
    struct neighbour_table *table = stack->neighbours;
    uint32_t count =
        table->bucket_count ? 2 * table->bucket_count : FIRST_BUCKETS;
    struct neighbour **buckets = calloc(count, sizeof(struct neighbour *));
    if (!buckets)
        return table->buckets ? 0 : -ENOMEM;
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = count;
    struct neighbour *n = next_in(table, &table->all);
    for (; n; n = next_in(table, &n->node))
        link_into_bucket(stack, n);
    return 0;
}

static void drop_pending(struct neighbour *n, enum drop_reason reason)
{
    struct packet *packet;
    while ((packet = packet_queue_pop(&n->pending)))
        stack_drop(n->iface->stack, packet, reason);
}

static void forget(struct stack *stack, struct neighbour *n,
                   enum drop_reason reason)
{
    struct neighbour **link = bucket_of(stack, n->iface, &n->address);
    while (*link != n)
        link = &(*link)->hash_next;
    *link = n->hash_next;
    list_remove(&n->node);
    stack->neighbours->count--;
    drop_pending(n, reason);
    stack_timer_fini(stack, &n->timer);
    free(n);
    stack_bump_generation(stack);
}

void neighbour_table_destroy(struct stack *stack)
{
    struct neighbour_table *table = stack->neighbours;
    if (!table)
        return;
    while (table->count > 0)
        forget(stack, next_in(table, &table->all), DROP_STACK_ENDS);
    free(table->buckets);
    free(table);
    stack->neighbours = NULL;
}

void neighbour_forget_iface(struct stack *stack, const struct iface *iface)
{
    struct neighbour_table *table = stack->neighbours;
    struct neighbour *n = next_in(table, &table->all);
    while (n) {
        struct neighbour *next = next_in(table, &n->node);
        if (n->iface == iface)
            forget(stack, n,
                   stack->is_destroying ? DROP_STACK_ENDS : DROP_IFACE_DOWN);
        n = next;
    }
}

uint64_t neighbour_pending(const struct stack *stack)
{
    const struct neighbour_table *table = stack->neighbours;
    uint64_t pending = 0;
    struct neighbour *n = next_in(table, &table->all);
    for (; n; n = next_in(table, &n->node))
        pending += n->pending.count;
    return pending;
}

// Second chance: at most twice round, since the first round clears is_used.
static bool reclaim(struct stack *stack)
{
    struct neighbour_table *table = stack->neighbours;
    for (uint64_t i = 0; i < 2 * (uint64_t)table->count; i++) {
        struct neighbour *n = next_in(table, &table->all);
        bool is_protected =
            n->pending.count > 0 || n->state == NEIGHBOUR_PERMANENT;
        if (!is_protected && !n->is_used) {
            forget(stack, n, DROP_NEIGHBOUR_TABLE_FULL);
            return true;
        }
        n->is_used = false;
        list_remove(&n->node);
        list_push_back(&table->all, &n->node);
    }
    return false;
}

static void on_timer(struct timer *timer);

static struct neighbour *create(struct stack *stack, struct iface *iface,
                                const struct ip_addr *address)
{
    struct neighbour_table *table = stack->neighbours;
    if (table->count >= (uint64_t)stack->settings->neighbour_limit &&
        !reclaim(stack))
        return NULL;
    if (table->count >= table->bucket_count && grow_buckets(stack) != 0)
        return NULL;
    struct neighbour *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    if (stack_timer_init(stack, &n->timer, on_timer) != 0) {
        free(n);
        return NULL;
    }
    n->iface = iface;
    n->address = *address;
    n->ops = address->family == IP_V4 ? &arp_neighbour_ops : &nd_neighbour_ops;
    n->is_used = true;
    list_push_back(&table->all, &n->node);
    link_into_bucket(stack, n);
    table->count++;
    return n;
}

struct neighbour *neighbour_get(struct stack *stack, struct iface *iface,
                                const struct ip_addr *address)
{
    struct neighbour *n = neighbour_find(stack, iface, address);
    return n ? n : create(stack, iface, address);
}

// --- States

// The only writer of the state. Cancels what the old state waited for (N2).
static void set_state(struct neighbour *n, enum neighbour_state state)
{
    struct stack *stack = n->iface->stack;
    enum neighbour_state from = n->state;
    timer_cancel(&n->timer);
    n->state = (uint8_t)state;
    if (from == state || !stack_is_traced(stack, TRACE_NEIGHBOUR))
        return;
    struct stack_trace event = {.kind = TRACE_NEIGHBOUR,
                                .iface = n->iface,
                                .address = &n->address,
                                .from = (int)from,
                                .to = (int)state};
    stack_trace(stack, &event);
}

static void wait_for(struct neighbour *n, ns_t time)
{
    struct stack *stack = n->iface->stack;
    stack_timer_set(stack, &n->timer, stack_now(stack) + time);
}

static void set_reachable(struct neighbour *n)
{
    set_state(n, NEIGHBOUR_REACHABLE);
    n->until =
        stack_now(n->iface->stack) + settings_of(n)->neighbour_reachable_time;
}

// What has ended by itself since somebody last looked.
static enum neighbour_state age(struct neighbour *n)
{
    bool is_over = stack_now(n->iface->stack) >= n->until;
    if (n->state == NEIGHBOUR_REACHABLE && is_over)
        set_state(n, NEIGHBOUR_STALE);
    return n->state;
}

static bool is_refused(const struct neighbour *n)
{
    return n->state == NEIGHBOUR_FAILED &&
           stack_now(n->iface->stack) < n->until;
}

// The address that the packet which wants to go there bears, if it is of that
// interface; otherwise what the caller knows.
static const struct ip_addr *source_for(const struct neighbour *n,
                                        const struct ip_addr *source)
{
    if (n->pending.head)
        source = &n->pending.head->ip.source;
    return source && iface_address_find(n->iface, source) ? source : NULL;
}

static void ask(struct neighbour *n, const struct ip_addr *source)
{
    bool is_probe = n->state == NEIGHBOUR_PROBE;
    n->solicits++;
    wait_for(n, settings_of(n)->neighbour_retransmit_time);
    n->ops->solicit(n->iface, &n->address, source_for(n, source),
                    is_probe ? &n->mac : NULL);
}

static void begin(struct neighbour *n, const struct ip_addr *source)
{
    set_state(n, NEIGHBOUR_INCOMPLETE);
    n->solicits = 0;
    ask(n, source);
}

static void begin_probe(struct neighbour *n)
{
    set_state(n, NEIGHBOUR_PROBE);
    n->solicits = 0;
    ask(n, NULL);
}

// Telling the senders may run transports, which may do anything, this entry's
// end included: it is not touched any more.
static void fail(struct neighbour *n, ns_t refuse_for)
{
    struct stack *stack = n->iface->stack;
    struct packet_queue pending = n->pending;
    n->pending = (struct packet_queue){0};
    n->until = stack_now(stack) + refuse_for;
    set_state(n, NEIGHBOUR_FAILED);
    struct packet *packet;
    while ((packet = packet_queue_pop(&pending)))
        ip_fail(stack, packet);
}

static void on_timer(struct timer *timer)
{
    struct neighbour *n = CONTAINER_OF(timer, struct neighbour, timer);
    const struct stack_settings *settings = settings_of(n);
    switch ((enum neighbour_state)n->state) {
    case NEIGHBOUR_INCOMPLETE:
        if (n->solicits < (uint64_t)settings->neighbour_multicast_solicits)
            ask(n, NULL);
        else
            fail(n, settings->neighbour_retransmit_time);
        break;
    case NEIGHBOUR_DELAY:
        begin_probe(n);
        break;
    default:
        must(n->state == NEIGHBOUR_PROBE); // N2
        if (n->solicits < (uint64_t)settings->neighbour_unicast_solicits)
            ask(n, NULL);
        else
            fail(n, 0);
        break;
    }
}

// --- Sending

int neighbour_resolve(struct stack *stack, struct neighbour *n,
                      const struct ip_addr *source)
{
    (void)stack;
    n->is_used = true;
    if (n->state != NEIGHBOUR_NONE && n->state != NEIGHBOUR_FAILED)
        return 0;
    if (is_refused(n))
        return -EHOSTUNREACH;
    begin(n, source);
    return 0;
}

static void enqueue(struct stack *stack, struct neighbour *n,
                    struct packet *packet)
{
    if (n->pending.count >= (uint64_t)stack->settings->neighbour_queue)
        stack_drop(stack, packet_queue_pop(&n->pending),
                   DROP_NEIGHBOUR_QUEUE_FULL);
    packet_queue_push(&n->pending, packet);
}

static void output_unresolved(struct stack *stack, struct neighbour *n,
                              struct packet *packet)
{
    if (is_refused(n)) {
        ip_fail(stack, packet);
        return;
    }
    enqueue(stack, n, packet);
    if (n->state != NEIGHBOUR_INCOMPLETE)
        begin(n, NULL);
}

static void output_slowly(struct stack *stack, struct neighbour *n,
                          struct packet *packet)
{
    switch (age(n)) {
    case NEIGHBOUR_NONE:
    case NEIGHBOUR_INCOMPLETE:
    case NEIGHBOUR_FAILED:
        output_unresolved(stack, n, packet);
        return;
    case NEIGHBOUR_STALE:
        set_state(n, NEIGHBOUR_DELAY);
        wait_for(n, stack->settings->neighbour_delay_first_probe);
        break;
    default:
        break;
    }
    n->iface->link->output(n->iface, packet, &n->mac);
}

void neighbour_output(struct stack *stack, struct neighbour *n,
                      struct packet *packet)
{
    n->is_used = true;
    if (__builtin_expect(
            n->state == NEIGHBOUR_REACHABLE && stack_now(stack) < n->until, 1))
        n->iface->link->output(n->iface, packet, &n->mac);
    else
        output_slowly(stack, n, packet);
}

// --- Hearing

void neighbour_confirm(struct stack *stack, struct neighbour *n)
{
    switch ((enum neighbour_state)n->state) {
    case NEIGHBOUR_REACHABLE:
        n->until = stack_now(stack) + stack->settings->neighbour_reachable_time;
        break;
    case NEIGHBOUR_STALE:
    case NEIGHBOUR_DELAY:
    case NEIGHBOUR_PROBE:
        set_reachable(n);
        break;
    default: // without a hardware address there is nothing to confirm
        break;
    }
}

// The entry may be gone after the first frame has left, see fail.
static void send_pending(struct neighbour *n)
{
    struct packet_queue pending = n->pending;
    struct iface *iface = n->iface;
    struct mac_addr mac = n->mac;
    n->pending = (struct packet_queue){0};
    if (pending.count > 0 && n->state == NEIGHBOUR_STALE) {
        set_state(n, NEIGHBOUR_DELAY);
        wait_for(n, settings_of(n)->neighbour_delay_first_probe);
    }
    struct packet *packet;
    while ((packet = packet_queue_pop(&pending)))
        iface->link->output(iface, packet, &mac);
}

// The first hardware address: RFC 4861 7.2.5 for INCOMPLETE, 7.2.3 for entries
// that were asked about by others. A late answer counts as one.
static void learn(struct neighbour *n, const struct mac_addr *mac,
                  enum neighbour_event event)
{
    bool was_asked =
        n->state == NEIGHBOUR_INCOMPLETE || n->state == NEIGHBOUR_FAILED;
    n->mac = *mac;
    if (event == NEIGHBOUR_HEARD_REPLY && was_asked)
        set_reachable(n);
    else
        set_state(n, NEIGHBOUR_STALE);
    send_pending(n);
}

// RFC 4861 7.2.5 with appendix C's table.
static void renew(struct neighbour *n, const struct mac_addr *mac,
                  enum neighbour_event event, bool may_override)
{
    bool is_other = !mac_addr_equal(&n->mac, mac);
    if (is_other && !may_override) {
        if (age(n) == NEIGHBOUR_REACHABLE)
            set_state(n, NEIGHBOUR_STALE);
        return;
    }
    n->mac = *mac;
    if (event == NEIGHBOUR_HEARD_REPLY)
        set_reachable(n);
    else if (is_other)
        set_state(n, NEIGHBOUR_STALE);
}

void neighbour_hear(struct stack *stack, struct iface *iface,
                    const struct ip_addr *address, const struct mac_addr *mac,
                    enum neighbour_event event, bool may_create,
                    bool may_override, int is_router)
{
    struct neighbour *n = may_create ? neighbour_get(stack, iface, address)
                                     : neighbour_find(stack, iface, address);
    if (!n || n->state == NEIGHBOUR_PERMANENT)
        return;
    if (is_router >= 0)
        n->is_router = is_router > 0;
    switch ((enum neighbour_state)n->state) {
    case NEIGHBOUR_NONE:
    case NEIGHBOUR_INCOMPLETE:
    case NEIGHBOUR_FAILED:
        learn(n, mac, event);
        break;
    default:
        renew(n, mac, event, may_override);
        break;
    }
}

// --- The calls of stack.h

const char *neighbour_state_name(enum neighbour_state state)
{
    static const char *const names[] = {
        [NEIGHBOUR_NONE] = "NONE",
        [NEIGHBOUR_INCOMPLETE] = "INCOMPLETE",
        [NEIGHBOUR_REACHABLE] = "REACHABLE",
        [NEIGHBOUR_STALE] = "STALE",
        [NEIGHBOUR_DELAY] = "DELAY",
        [NEIGHBOUR_PROBE] = "PROBE",
        [NEIGHBOUR_FAILED] = "FAILED",
        [NEIGHBOUR_PERMANENT] = "PERMANENT",
    };
    must((size_t)state < ARRAY_LENGTH(names));
    return names[state];
}

static enum neighbour_state shown_state(const struct neighbour *n)
{
    bool is_over = stack_now(n->iface->stack) >= n->until;
    return n->state == NEIGHBOUR_REACHABLE && is_over ? NEIGHBOUR_STALE
                                                      : n->state;
}

bool stack_get_neighbour(const struct stack *stack, size_t n,
                         struct neighbour_info *out)
{
    const struct neighbour_table *table = stack->neighbours;
    const struct neighbour *entry = next_in(table, &table->all);
    while (entry && n-- > 0)
        entry = next_in(table, &entry->node);
    if (!entry)
        return false;
    *out = (struct neighbour_info){.address = entry->address,
                                   .mac = entry->mac,
                                   .iface = entry->iface,
                                   .state = shown_state(entry),
                                   .is_router = entry->is_router};
    return true;
}

int stack_set_neighbour(struct iface *iface, const struct ip_addr *address,
                        const struct mac_addr *mac)
{
    if (!(iface->flags & IFACE_NEEDS_NEIGHBOUR) || address->family == IP_NONE ||
        ip_addr_is_multicast(address) || mac_addr_is_multicast(mac))
        return -EINVAL;
    struct stack *stack = iface->stack;
    stack_enter(stack);
    struct neighbour *n = neighbour_get(stack, iface, address);
    if (n) {
        n->mac = *mac;
        set_state(n, NEIGHBOUR_PERMANENT);
        send_pending(n);
    }
    stack_leave(stack);
    return n ? 0 : -ENOMEM;
}
