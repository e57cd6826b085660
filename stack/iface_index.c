// Finds an interface of a stack by its name.
// SPDX-License-Identifier: MIT
//
// As with addresses (address_index.c): hosts have a handful of interfaces and
// walk them; beyond FEW there is a hash table chained through the interfaces,
// for routers with thousands, each of which must have a name of its own.
#include <stdlib.h>

#include "stack/internal.h"

enum { FEW = 8 };

struct iface_index {
    uint32_t mask; // buckets - 1
    struct iface *buckets[];
};

static struct iface **bucket_of(struct stack *stack, const char *name)
{
    uint64_t hash = siphash(&stack->secret, name, strlen(name));
    return &stack->iface_index->buckets[hash & stack->iface_index->mask];
}

static void insert(struct stack *stack, struct iface *iface)
{
    struct iface **bucket = bucket_of(stack, iface->name);
    iface->index_next = *bucket;
    *bucket = iface;
}

// Failing leaves no index, which is slow and right.
static void rebuild(struct stack *stack)
{
    uint32_t buckets = 4 * FEW;
    while (buckets < 2 * stack->iface_count)
        buckets *= 2;
    free(stack->iface_index);
    stack->iface_index = calloc(1, sizeof(struct iface_index) +
                                       buckets * sizeof(struct iface *));
    if (!stack->iface_index)
        return;
    stack->iface_index->mask = buckets - 1;
    for (struct list *l = stack->ifaces.next; l != &stack->ifaces; l = l->next)
        insert(stack, CONTAINER_OF(l, struct iface, node));
}

void iface_index_add(struct stack *stack, struct iface *iface)
{
    list_push_back(&stack->ifaces, &iface->node);
    stack->iface_count++;
    if (!stack->iface_index && stack->iface_count <= FEW)
        return;
    if (!stack->iface_index ||
        stack->iface_count > stack->iface_index->mask + 1)
        rebuild(stack);
    else
        insert(stack, iface);
}

void iface_index_remove(struct stack *stack, struct iface *iface)
{
    list_remove(&iface->node);
    stack->iface_count--;
    if (!stack->iface_index)
        return;
    struct iface **link = bucket_of(stack, iface->name);
    while (*link && *link != iface)
        link = &(*link)->index_next;
    must(*link);
    *link = iface->index_next;
}

void iface_index_destroy(struct stack *stack)
{
    free(stack->iface_index);
    stack->iface_index = NULL;
}

struct iface *iface_find(struct stack *stack, const char *name)
{
    struct iface *iface = NULL;
    if (stack->iface_index) {
        iface = *bucket_of(stack, name);
        while (iface && strcmp(iface->name, name) != 0)
            iface = iface->index_next;
        return iface;
    }
    while ((iface = iface_next(stack, iface)))
        if (strcmp(iface->name, name) == 0)
            return iface;
    return NULL;
}
