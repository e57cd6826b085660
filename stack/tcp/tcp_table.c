// Which connection or listener a segment belongs to.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

#include <stdlib.h>

// Connections with both ends are in one hash table over the 4-tuple, which
// doubles when it holds as many as it has buckets; TIME-WAIT is no exception.
// Bound and listening sockets are on lists by port. The hash is keyed by the
// stack's secret; its order is never seen from outside.

enum { FIRST_BUCKETS = 16, BOUND_LISTS = 64 };

static uint64_t mix(uint64_t h, uint64_t word)
{
    h ^= word;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static uint64_t mix_address(uint64_t h, const struct ip_addr *a)
{
    h = mix(h, (uint64_t)a->words[0] << 32 | a->words[1]);
    if (a->family == IP_V4)
        return h;
    return mix(h, (uint64_t)a->words[2] << 32 | a->words[3]);
}

static uint32_t hash_of(const struct stack *stack, const struct endpoint *local,
                        const struct endpoint *remote)
{
    uint64_t h = stack->secret.k0;
    h = mix(h, (uint64_t)local->port << 16 | remote->port);
    h = mix_address(h, &remote->addr);
    h = mix_address(h, &local->addr);
    return (uint32_t)(h >> 32 ^ h);
}

static struct tcp_connection *connection_of(const struct tcp_table *table,
                                            uint32_t hash)
{
    return table->buckets ? table->buckets[hash & table->mask] : NULL;
}

static bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && ip_addr_equal(&a->addr, &b->addr);
}

struct tcp_connection *tcp_table_find(struct stack *stack,
                                      const struct endpoint *local,
                                      const struct endpoint *remote)
{
    uint32_t hash = hash_of(stack, local, remote);
    struct tcp_connection *c = connection_of(stack->tcp, hash);
    while (c && !(endpoint_equal(&c->socket.remote, remote) &&
                  endpoint_equal(&c->socket.local, local)))
        c = c->hash_next;
    return c;
}

static uint32_t hash_of_connection(const struct tcp_connection *c)
{
    return hash_of(tcp_stack(c), &c->socket.local, &c->socket.remote);
}

static int grow(struct tcp_table *table)
{
    uint32_t count = table->buckets ? (table->mask + 1) * 2 : FIRST_BUCKETS;
    struct tcp_connection **buckets = calloc(count, sizeof(*buckets));
    if (!buckets)
        return -ENOMEM;
    for (uint32_t i = 0; table->buckets && i <= table->mask; i++) {
        struct tcp_connection *c, *next;
        for (c = table->buckets[i]; c; c = next) {
            next = c->hash_next;
            uint32_t hash = hash_of_connection(c);
            c->hash_next = buckets[hash & (count - 1)];
            buckets[hash & (count - 1)] = c;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->mask = count - 1;
    return 0;
}

int tcp_table_add(struct tcp_connection *c)
{
    struct tcp_table *table = tcp_table_of(c);
    struct stack *stack = tcp_stack(c);
    must(!c->is_hashed);
    if (tcp_table_find(stack, &c->socket.local, &c->socket.remote))
        return -EADDRNOTAVAIL;
    bool is_full = !table->buckets || table->count > table->mask;
    if (is_full && grow(table) != 0 && !table->buckets)
        return -ENOMEM;
    uint32_t hash = hash_of_connection(c);
    struct tcp_connection **bucket = &table->buckets[hash & table->mask];
    c->hash_next = *bucket;
    *bucket = c;
    c->is_hashed = true;
    table->count++;
    return 0;
}

void tcp_table_remove(struct tcp_connection *c)
{
    if (!c->is_hashed)
        return;
    struct tcp_table *table = tcp_table_of(c);
    uint32_t hash = hash_of_connection(c);
    struct tcp_connection **link = &table->buckets[hash & table->mask];
    while (*link != c)
        link = &(*link)->hash_next;
    *link = c->hash_next;
    c->is_hashed = false;
    table->count--;
}

// --- Bound and listening sockets --------------------------------------------

static struct tcp_connection **bound_list(struct tcp_table *table,
                                          uint16_t port)
{
    return &table->bound[port % BOUND_LISTS];
}

// Is `bound` a place where packets for `addr` may go?
static bool covers(const struct tcp_connection *c, const struct ip_addr *addr)
{
    const struct ip_addr *bound = &c->socket.local.addr;
    if (ip_addr_is_any(bound) || bound->family == IP_NONE)
        return c->socket.family == addr->family;
    return ip_addr_equal(bound, addr);
}

static int score(const struct tcp_connection *c, const struct endpoint *local,
                 uint16_t iface_index)
{
    if (c->state != TCP_LISTEN || c->socket.local.port != local->port ||
        !covers(c, &local->addr))
        return 0;
    if (c->socket.bound_iface && c->socket.bound_iface != iface_index)
        return 0;
    return 1 + 2 * !ip_addr_is_any(&c->socket.local.addr) +
           (c->socket.bound_iface != 0);
}

struct tcp_connection *tcp_table_find_listener(const struct tcp_table *table,
                                               const struct endpoint *local,
                                               uint16_t iface_index)
{
    struct tcp_connection *best = NULL;
    int best_score = 0;
    for (struct tcp_connection *c = table->bound[local->port % BOUND_LISTS]; c;
         c = c->list_next) {
        int s = score(c, local, iface_index);
        if (s > best_score) {
            best = c;
            best_score = s;
        }
    }
    return best;
}

struct tcp_connection *tcp_table_find_bound(const struct tcp_table *table,
                                            const struct endpoint *local)
{
    struct tcp_connection *c = table->bound[local->port % BOUND_LISTS];
    while (c &&
           (c->socket.local.port != local->port || !covers(c, &local->addr)))
        c = c->list_next;
    return c;
}

// Would the two catch the same packets?
static bool addresses_clash(const struct tcp_connection *a,
                            const struct tcp_connection *b,
                            const struct ip_addr *a_addr)
{
    const struct ip_addr *b_addr = &b->socket.local.addr;
    if (a->socket.bound_iface && b->socket.bound_iface &&
        a->socket.bound_iface != b->socket.bound_iface)
        return false;
    if (a->socket.family != b->socket.family)
        return false;
    return ip_addr_is_any(a_addr) || ip_addr_is_any(b_addr) ||
           ip_addr_equal(a_addr, b_addr);
}

static bool clashes_with_bound(struct tcp_connection *c,
                               const struct endpoint *local)
{
    struct tcp_connection *other = *bound_list(tcp_table_of(c), local->port);
    for (; other; other = other->list_next) {
        if (other == c || other->socket.local.port != local->port ||
            !addresses_clash(c, other, &local->addr))
            continue;
        bool may_share = c->socket.reuse_address &&
                         other->socket.reuse_address &&
                         other->state != TCP_LISTEN;
        if (!may_share)
            return true;
    }
    return false;
}

// A walk over all connections: binding to a port by number is rare.
static bool clashes_with_connection(struct tcp_connection *c,
                                    const struct endpoint *local)
{
    const struct tcp_table *table = tcp_table_of(c);
    if (c->socket.reuse_address || table->count == 0)
        return false;
    for (uint32_t i = 0; i <= table->mask; i++)
        for (struct tcp_connection *o = table->buckets[i]; o; o = o->hash_next)
            if (o->socket.local.port == local->port &&
                addresses_clash(c, o, &local->addr))
                return true;
    return false;
}

static bool port_is_free(struct socket *socket, uint16_t port)
{
    struct tcp_connection *c = (struct tcp_connection *)socket;
    struct endpoint local = socket->local;
    local.port = port;
    if (clashes_with_bound(c, &local))
        return false;
    if (socket->remote.port == 0)
        return !clashes_with_connection(c, &local);
    return !tcp_table_find(socket->stack, &local, &socket->remote);
}

int tcp_table_bind(struct tcp_connection *c, const struct endpoint *local)
{
    must(!c->is_bound);
    struct endpoint previous = c->socket.local, wanted = *local;
    if (wanted.port == 0) {
        c->socket.local = wanted;
        wanted.port = socket_pick_port(&c->socket, NULL, port_is_free);
        c->socket.local = previous;
        if (wanted.port == 0)
            return -EADDRINUSE;
    } else if (clashes_with_bound(c, &wanted) ||
               clashes_with_connection(c, &wanted)) {
        return -EADDRINUSE;
    }
    c->socket.local = wanted;
    struct tcp_connection **list = bound_list(tcp_table_of(c), wanted.port);
    c->list_next = *list;
    *list = c;
    c->is_bound = true;
    return 0;
}

void tcp_table_unbind(struct tcp_connection *c)
{
    if (!c->is_bound)
        return;
    struct tcp_connection **link =
        bound_list(tcp_table_of(c), c->socket.local.port);
    while (*link != c)
        link = &(*link)->list_next;
    *link = c->list_next;
    c->list_next = NULL;
    c->is_bound = false;
}

int tcp_table_may_listen(struct tcp_connection *c)
{
    const struct endpoint *local = &c->socket.local;
    struct tcp_connection *other = *bound_list(tcp_table_of(c), local->port);
    for (; other; other = other->list_next)
        if (other != c && other->state == TCP_LISTEN &&
            other->socket.local.port == local->port &&
            addresses_clash(c, other, &local->addr))
            return -EADDRINUSE;
    return 0;
}

int tcp_table_pick_port(struct tcp_connection *c)
{
    uint16_t port =
        socket_pick_port(&c->socket, &c->socket.remote, port_is_free);
    if (port == 0)
        return -EADDRNOTAVAIL;
    c->socket.local.port = port;
    return 0;
}

// --- Life -------------------------------------------------------------------

int tcp_table_create(struct stack *stack)
{
    struct tcp_table *table = calloc(1, sizeof(*table));
    if (!table)
        return -ENOMEM;
    stack->tcp = table;
    return 0;
}

void tcp_table_destroy(struct stack *stack)
{
    struct tcp_table *table = stack->tcp;
    if (!table)
        return;
    must(table->count == 0 && table->path_count == 0);
    tcp_pool_fini(&table->pool);
    tcp_fast_open_forget(table);
    free(table->buckets);
    free(table->paths);
    free(table);
    stack->tcp = NULL;
}
