// Where a stack finds the UDP and raw sockets that a packet is for.
// SPDX-License-Identifier: MIT
#include "stack/socket/socket_table.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_SIZE = 8 };

// --- Hashing. What is in the table is this host's own choice, so no peer can
// make a chain long; speed is all that counts.

static uint64_t mix(uint64_t hash, const struct ip_addr *addr)
{
    for (unsigned i = 0; i < 4; i++) {
        hash = (hash ^ addr->words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash;
}

static uint32_t hash_key(const struct ip_addr *local, uint16_t local_port,
                         const struct ip_addr *remote, uint16_t remote_port)
{
    uint64_t hash = (uint64_t)local_port << 32 | remote_port;
    return (uint32_t)mix(mix(hash, local), remote);
}

static uint32_t hash_port(uint16_t port) { return port; }

static struct udp_socket *of_key(struct hash_link *link)
{
    return CONTAINER_OF(link, struct udp_socket, by_key);
}

static struct udp_socket *of_port(struct hash_link *link)
{
    return CONTAINER_OF(link, struct udp_socket, by_port);
}

static uint32_t hash_of_key_link(struct hash_link *link)
{
    const struct socket *s = &of_key(link)->datagram.socket;
    return hash_key(&s->local.addr, s->local.port, &s->remote.addr,
                    s->remote.port);
}

static uint32_t hash_of_port_link(struct hash_link *link)
{
    return hash_port(of_port(link)->datagram.socket.local.port);
}

static void link_push(struct hash_link **head, struct hash_link *link)
{
    link->next = *head;
    link->previous = head;
    if (*head)
        (*head)->previous = &link->next;
    *head = link;
}

static void link_remove(struct hash_link *link)
{
    *link->previous = link->next;
    if (link->next)
        link->next->previous = link->previous;
    link->next = NULL;
    link->previous = NULL;
}

// Twice over a stack of links, so that each chain keeps its order.
static void move_chain(struct hash_link *chain, struct hash_link **buckets,
                       uint32_t size, uint32_t (*hash_of)(struct hash_link *))
{
    struct hash_link *reversed = NULL, *next;
    for (; chain; chain = next) {
        next = chain->next;
        chain->next = reversed;
        reversed = chain;
    }
    for (; reversed; reversed = next) {
        next = reversed->next;
        link_push(&buckets[hash_of(reversed) & (size - 1)], reversed);
    }
}

// Makes room for one more. A table that cannot grow goes on with longer chains.
static int hash_reserve(struct socket_hash *hash,
                        uint32_t (*hash_of)(struct hash_link *))
{
    if (hash->count < hash->size)
        return 0;
    uint32_t size = hash->size ? hash->size * 2 : FIRST_SIZE;
    struct hash_link **buckets = calloc(size, sizeof *buckets);
    if (!buckets)
        return hash->size ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < hash->size; i++)
        move_chain(hash->buckets[i], buckets, size, hash_of);
    free(hash->buckets);
    hash->buckets = buckets;
    hash->size = size;
    return 0;
}

static void hash_insert(struct socket_hash *hash, struct hash_link *link,
                        uint32_t value)
{
    link_push(&hash->buckets[value & (hash->size - 1)], link);
    hash->count++;
}

static void hash_remove(struct socket_hash *hash, struct hash_link *link)
{
    link_remove(link);
    hash->count--;
}

// --- The table

int socket_table_need(struct stack *stack)
{
    if (stack->sockets)
        return 0;
    struct socket_table *table = calloc(1, sizeof *table);
    if (!table)
        return -ENOMEM;
    list_init(&table->raw);
    stack->sockets = table;
    return 0;
}

void socket_table_destroy(struct stack *stack)
{
    struct socket_table *table = stack->sockets;
    if (!table)
        return;
    must(table->keys.count == 0 && table->ports.count == 0);
    must(list_is_empty(&table->raw));
    free(table->keys.buckets);
    free(table->ports.buckets);
    free(table);
    stack->sockets = NULL;
}

// socket_table_find skips the probes that nothing in the table could answer.
static void count_kind(struct socket_table *table, const struct udp_socket *u,
                       uint32_t n)
{
    const struct socket *s = &u->datagram.socket;
    if (s->remote.addr.family != IP_NONE)
        table->connected += n;
    else if (!ip_addr_is_any(&s->local.addr))
        table->specific += n;
}

int socket_table_insert(struct udp_socket *u)
{
    struct socket_table *table = u->datagram.socket.stack->sockets;
    must(u->datagram.socket.local.port != 0 && !socket_table_has(u));
    if (hash_reserve(&table->keys, hash_of_key_link) ||
        hash_reserve(&table->ports, hash_of_port_link))
        return -ENOMEM;
    hash_insert(&table->keys, &u->by_key, hash_of_key_link(&u->by_key));
    hash_insert(&table->ports, &u->by_port, hash_of_port_link(&u->by_port));
    count_kind(table, u, 1);
    return 0;
}

void socket_table_remove(struct udp_socket *u)
{
    struct socket_table *table = u->datagram.socket.stack->sockets;
    if (!socket_table_has(u))
        return;
    hash_remove(&table->keys, &u->by_key);
    hash_remove(&table->ports, &u->by_port);
    count_kind(table, u, UINT32_MAX); // minus one
}

static bool has_key(const struct socket *s, const struct ip_addr *local,
                    uint16_t local_port, const struct ip_addr *remote,
                    uint16_t remote_port)
{
    return s->local.port == local_port && s->remote.port == remote_port &&
           ip_addr_equal(&s->local.addr, local) &&
           ip_addr_equal(&s->remote.addr, remote);
}

// Among sockets with the same endpoints the one tied to the interface is meant
// more than one that takes any.
static struct udp_socket *find_key(const struct socket_table *table,
                                   const struct ip_addr *local,
                                   uint16_t local_port,
                                   const struct ip_addr *remote,
                                   uint16_t remote_port, uint16_t iface)
{
    uint32_t hash = hash_key(local, local_port, remote, remote_port);
    struct udp_socket *best = NULL;
    for (struct hash_link *link =
             table->keys.buckets[hash & (table->keys.size - 1)];
         link; link = link->next) {
        struct udp_socket *u = of_key(link);
        const struct socket *s = &u->datagram.socket;
        if (!has_key(s, local, local_port, remote, remote_port))
            continue;
        if (iface == 0 || s->bound_iface == iface)
            return u;
        if (s->bound_iface == 0 && !best)
            best = u;
    }
    return best;
}

struct udp_socket *socket_table_find(const struct stack *stack,
                                     const struct ip_addr *local,
                                     uint16_t local_port,
                                     const struct ip_addr *remote,
                                     uint16_t remote_port, uint16_t iface)
{
    const struct socket_table *table = stack->sockets;
    const struct ip_addr none = {0};
    struct udp_socket *found = NULL;
    if (!table || table->keys.count == 0)
        return NULL;
    if (table->connected)
        found = find_key(table, local, local_port, remote, remote_port, iface);
    if (!found && table->specific)
        found = find_key(table, local, local_port, &none, 0, iface);
    if (!found) {
        struct ip_addr any = ip_addr_any(local->family);
        found = find_key(table, &any, local_port, &none, 0, iface);
    }
    return found;
}

struct udp_socket *socket_table_next(const struct stack *stack, uint16_t port,
                                     struct udp_socket *previous)
{
    const struct socket_table *table = stack->sockets;
    struct hash_link *link = NULL;
    if (previous)
        link = previous->by_port.next;
    else if (table && table->ports.size)
        link = table->ports.buckets[hash_port(port) & (table->ports.size - 1)];
    while (link && of_port(link)->datagram.socket.local.port != port)
        link = link->next;
    return link ? of_port(link) : NULL;
}
