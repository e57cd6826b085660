// A remembered map from addresses to hosts.
// SPDX-License-Identifier: MIT

#include "sim/host_index.h"

#include <stdlib.h>
#include <xxhash.h>

#include "sim/sim.h"

struct entry {
    struct ip_addr address;
    struct host *host; // NULL: free
};

struct host_index {
    struct entry *entries;
    size_t capacity; // a power of two, or 0
};

struct host_index *host_index_create(void)
{
    return calloc(1, sizeof(struct host_index));
}

void host_index_destroy(struct host_index *index)
{
    if (index == NULL)
        return;
    free(index->entries);
    free(index);
}

// Where the address is, or the free place where it would be.
static struct entry *locate(const struct host_index *index,
                            const struct ip_addr *address)
{
    size_t i = (size_t)XXH3_64bits(address->bytes, sizeof(address->bytes)) &
               (index->capacity - 1);

    while (index->entries[i].host != NULL &&
           !ip_addr_equal(&index->entries[i].address, address))
        i = (i + 1) & (index->capacity - 1);
    return &index->entries[i];
}

static bool host_owns(const struct host *host, const struct ip_addr *address)
{
    struct iface_address own;

    for (const struct port *port = host->node.ports; port != NULL;
         port = port->next)
        for (size_t n = 0; iface_get_address(port->iface, n, &own); n++)
            if (ip_addr_equal(&own.prefix.addr, address))
                return true;
    return false;
}

static struct host *ask_everyone(struct sim *sim, const struct ip_addr *address)
{
    for (struct node *node = sim->nodes; node != NULL; node = node->next)
        if (node_is_host(node) && host_owns(node_as_host(node), address))
            return node_as_host(node);
    return NULL;
}

static size_t count_addresses(const struct sim *sim)
{
    struct iface_address own;
    size_t count = 0;

    for (struct node *node = sim->nodes; node != NULL; node = node->next)
        for (const struct port *port = node->ports;
             port != NULL && node_is_host(node); port = port->next)
            for (size_t n = 0; iface_get_address(port->iface, n, &own); n++)
                count++;
    return count;
}

// The first host in order of creation keeps an address that two have.
static void remember(struct host_index *index, struct host *host)
{
    struct iface_address own;

    for (const struct port *port = host->node.ports; port != NULL;
         port = port->next)
        for (size_t n = 0; iface_get_address(port->iface, n, &own); n++) {
            struct entry *entry = locate(index, &own.prefix.addr);

            if (entry->host == NULL)
                *entry = (struct entry){own.prefix.addr, host};
        }
}

// Without memory there is no index, and everyone is asked.
static void rebuild(struct host_index *index, struct sim *sim)
{
    size_t wanted = count_addresses(sim) * 2 + 1;

    free(index->entries);
    index->capacity = 16;
    while (index->capacity < wanted)
        index->capacity *= 2;
    index->entries = calloc(index->capacity, sizeof(*index->entries));
    if (index->entries == NULL) {
        index->capacity = 0;
        return;
    }
    for (struct node *node = sim->nodes; node != NULL; node = node->next)
        if (node_is_host(node))
            remember(index, node_as_host(node));
}

struct host *host_index_find(struct host_index *index, struct sim *sim,
                             const struct ip_addr *address)
{
    struct host *host =
        index->capacity > 0 ? locate(index, address)->host : NULL;

    if (host != NULL && host_owns(host, address))
        return host;
    host = ask_everyone(sim, address);
    if (host != NULL)
        rebuild(index, sim);
    return host;
}
