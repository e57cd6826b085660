// Paths that connections between the same two addresses share.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 8 };

static uint32_t hash_of(const struct ip_addr *source,
                        const struct ip_addr *destination)
{
    uint64_t h = 0;
    for (unsigned i = 0; i < 4; i++) {
        h = (h ^ source->words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h = (h ^ destination->words[i]) * UINT64_C(0xc2b2ae3d27d4eb4f);
        h ^= h >> 31;
    }
    return (uint32_t)(h >> 32);
}

static int grow(struct tcp_table *table)
{
    uint32_t count = table->paths ? (table->path_mask + 1) * 2 : FIRST_BUCKETS;
    struct tcp_path **paths = calloc(count, sizeof(*paths));
    if (!paths)
        return -ENOMEM;
    for (uint32_t i = 0; table->paths && i <= table->path_mask; i++) {
        struct tcp_path *path, *next;
        for (path = table->paths[i]; path; path = next) {
            next = path->next;
            uint32_t h = hash_of(&path->path.source, &path->path.destination);
            path->next = paths[h & (count - 1)];
            paths[h & (count - 1)] = path;
        }
    }
    free(table->paths);
    table->paths = paths;
    table->path_mask = count - 1;
    return 0;
}

static struct tcp_path *find(const struct tcp_table *table,
                             const struct ip_path *wanted, uint16_t bound_iface)
{
    if (!table->paths)
        return NULL;
    uint32_t h = hash_of(&wanted->source, &wanted->destination);
    struct tcp_path *path = table->paths[h & table->path_mask];
    while (path &&
           !(path->bound_iface == bound_iface &&
             ip_addr_equal(&path->path.source, &wanted->source) &&
             ip_addr_equal(&path->path.destination, &wanted->destination)))
        path = path->next;
    return path;
}

static struct tcp_path *add(struct tcp_table *table,
                            const struct ip_path *wanted, uint16_t bound_iface)
{
    bool is_full = !table->paths || table->path_count > table->path_mask;
    if (is_full && grow(table) != 0 && !table->paths)
        return NULL;
    struct tcp_path *path = calloc(1, sizeof(*path));
    if (!path)
        return NULL;
    path->path = *wanted;
    path->bound_iface = bound_iface;
    uint32_t h = hash_of(&wanted->source, &wanted->destination);
    path->next = table->paths[h & table->path_mask];
    table->paths[h & table->path_mask] = path;
    table->path_count++;
    return path;
}

int tcp_path_get(struct stack *stack, const struct ip_addr *source,
                 const struct ip_addr *destination, uint16_t bound_iface,
                 struct tcp_path **out)
{
    struct iface *iface =
        bound_iface ? iface_find_index(stack, bound_iface) : NULL;
    struct ip_path wanted = {0};
    int error = ip_path_find(stack, source, destination, iface, &wanted);
    if (error)
        return error;
    struct tcp_path *path = find(stack->tcp, &wanted, bound_iface);
    if (path)
        path->path = wanted;
    else if (!(path = add(stack->tcp, &wanted, bound_iface)))
        return -ENOMEM;
    path->references++;
    *out = path;
    return 0;
}

void tcp_path_put(struct stack *stack, struct tcp_path *path)
{
    if (!path || --path->references > 0)
        return;
    struct tcp_table *table = stack->tcp;
    uint32_t h = hash_of(&path->path.source, &path->path.destination);
    struct tcp_path **link = &table->paths[h & table->path_mask];
    while (*link != path)
        link = &(*link)->next;
    *link = path->next;
    table->path_count--;
    free(path);
}

int tcp_path_refresh(struct tcp_connection *c)
{
    struct stack *stack = tcp_stack(c);
    struct tcp_path *path = c->path;
    if (path->path.generation == stack->path_generation)
        return 0;
    struct iface *bound =
        path->bound_iface ? iface_find_index(stack, path->bound_iface) : NULL;
    return ip_path_refresh(stack, &path->path, bound);
}
