// Finds which interface of a stack owns an address.
// SPDX-License-Identifier: MIT
//
// Hosts have a handful of addresses and walk them. A router with many
// interfaces asks once for each packet, so beyond FEW addresses there is a hash
// table, chained through the address records, of at least as many buckets as
// addresses. Where a link-local address is on several interfaces, the one on
// the newest is found first, as the walk does.
#include <stdlib.h>

#include "stack/internal.h"

enum { FEW = 8 };

struct address_index {
    uint32_t mask; // buckets - 1
    struct iface_addr *buckets[];
};

static struct iface_addr **bucket_of(struct stack *stack,
                                     const struct ip_addr *address)
{
    uint64_t hash = siphash(&stack->secret, address->bytes, 16);
    return &stack->address_index->buckets[hash & stack->address_index->mask];
}

static void insert(struct stack *stack, struct iface_addr *a)
{
    struct iface_addr **bucket = bucket_of(stack, &a->prefix.addr);
    a->index_next = *bucket;
    *bucket = a;
}

// Failing leaves no index, which is slow and right.
static void rebuild(struct stack *stack)
{
    uint32_t buckets = 4 * FEW;
    while (buckets < 2 * stack->address_count)
        buckets *= 2;
    free(stack->address_index);
    stack->address_index = calloc(1, sizeof(struct address_index) +
                                         buckets * sizeof(struct iface_addr *));
    if (!stack->address_index)
        return;
    stack->address_index->mask = buckets - 1;
    for (struct list *l = stack->ifaces.next; l != &stack->ifaces; l = l->next)
        for (struct iface_addr *a =
                 CONTAINER_OF(l, struct iface, node)->addresses;
             a; a = a->next)
            insert(stack, a);
}

void address_index_add(struct stack *stack, struct iface_addr *address)
{
    stack->address_count++;
    if (!stack->address_index && stack->address_count <= FEW)
        return;
    if (!stack->address_index ||
        stack->address_count > stack->address_index->mask + 1)
        rebuild(stack);
    else
        insert(stack, address);
}

void address_index_remove(struct stack *stack, struct iface_addr *address)
{
    must(stack->address_count > 0);
    stack->address_count--;
    if (!stack->address_index)
        return;
    struct iface_addr **link = bucket_of(stack, &address->prefix.addr);
    while (*link && *link != address)
        link = &(*link)->index_next;
    must(*link);
    *link = address->index_next;
}

void address_index_destroy(struct stack *stack)
{
    free(stack->address_index);
    stack->address_index = NULL;
}

struct iface_addr *stack_address_find(struct stack *stack,
                                      const struct ip_addr *address)
{
    if (stack->address_index) {
        struct iface_addr *a = *bucket_of(stack, address);
        while (a && !ip_addr_equal(&a->prefix.addr, address))
            a = a->index_next;
        return a;
    }
    for (struct list *l = stack->ifaces.prev; l != &stack->ifaces;
         l = l->prev) { // loopback, the least likely, is the first
        struct iface *iface = CONTAINER_OF(l, struct iface, node);
        struct iface_addr *a = iface_address_find(iface, address);
        if (a)
            return a;
    }
    return NULL;
}
