// The path MTUs that ICMP taught us (RFC 1191, RFC 8201).
// SPDX-License-Identifier: MIT
#include "stack/net/path_mtu.h"

#include <errno.h>
#include <stdlib.h>

#include "stack/net/ip.h"
#include "stack/wire/ipv6.h"

// Theory of operation
//
// One entry per destination, in the order of the last news; news never raises a
// path MTU (RFC 1191 3), time does: an entry is believed for
// ip.path-mtu-timeout and then forgotten, so that the next large packet finds
// out again (RFC 1191 6.3). All entries live equally long, so the first one is
// always the next to end, and one timer serves all. Both events bump the path
// generation: transports look at path->mtu and never ask here.
//
// IPv4 reports below MINIMUM are not worth their headers, and a favourite of
// forgers: as Linux does, we go down to MINIMUM only and stop setting DF, so
// that routers fragment where the report was true (is_locked).

enum { MINIMUM_V4 = 552, ENTRY_LIMIT = 1024 };

struct entry {
    struct list node;
    struct ip_addr destination;
    struct path_mtu value;
    ns_t ends_at;
};

struct path_mtu_table {
    struct list entries;
    uint32_t count;
    struct stack *stack;
    struct timer timer;
};

static struct entry *first_of(const struct path_mtu_table *table)
{
    return list_is_empty(&table->entries)
               ? NULL
               : CONTAINER_OF(table->entries.next, struct entry, node);
}

static struct entry *find(const struct path_mtu_table *table,
                          const struct ip_addr *destination)
{
    const struct list *head = &table->entries;
    for (struct list *l = head->next; l != head; l = l->next) {
        struct entry *entry = CONTAINER_OF(l, struct entry, node);
        if (ip_addr_equal(&entry->destination, destination))
            return entry;
    }
    return NULL;
}

static void forget(struct path_mtu_table *table, struct entry *entry)
{
    list_remove(&entry->node);
    table->count--;
    free(entry);
    stack_bump_generation(table->stack);
}

static void set_timer(struct path_mtu_table *table)
{
    struct entry *first = first_of(table);
    if (first)
        stack_timer_set(table->stack, &table->timer, first->ends_at);
}

static void on_timer(struct timer *timer)
{
    struct path_mtu_table *table =
        CONTAINER_OF(timer, struct path_mtu_table, timer);
    struct list *at = table->entries.next;
    while (at != &table->entries) {
        struct entry *entry = CONTAINER_OF(at, struct entry, node);
        if (entry->ends_at > stack_now(table->stack)) {
            stack_timer_set(table->stack, timer, entry->ends_at);
            break;
        }
        at = at->next;
        forget(table, entry);
    }
}

static struct path_mtu_table *get_table(struct stack *stack)
{
    if (stack->path_mtus)
        return stack->path_mtus;
    struct path_mtu_table *table = calloc(1, sizeof(*table));
    if (!table)
        return NULL;
    if (stack_timer_init(stack, &table->timer, on_timer) != 0) {
        free(table);
        return NULL;
    }
    table->stack = stack;
    list_init(&table->entries);
    stack->path_mtus = table;
    return table;
}

void path_mtu_destroy(struct stack *stack)
{
    struct path_mtu_table *table = stack->path_mtus;
    if (!table)
        return;
    struct list *at = table->entries.next;
    while (at != &table->entries) {
        struct entry *entry = CONTAINER_OF(at, struct entry, node);
        at = at->next;
        forget(table, entry);
    }
    stack_timer_fini(stack, &table->timer);
    free(table);
    stack->path_mtus = NULL;
}

struct path_mtu path_mtu_get(struct stack *stack,
                             const struct ip_addr *destination,
                             uint32_t iface_mtu)
{
    struct entry *entry =
        stack->path_mtus ? find(stack->path_mtus, destination) : NULL;
    if (!entry)
        return (struct path_mtu){.mtu = iface_mtu};
    return (struct path_mtu){.mtu = min_u32(entry->value.mtu, iface_mtu),
                             .is_locked = entry->value.is_locked};
}

uint32_t path_mtu_find(struct stack *stack, const struct ip_addr *destination,
                       uint32_t iface_mtu)
{
    return path_mtu_get(stack, destination, iface_mtu).mtu;
}

// A router that names an MTU of IPv6 below its minimum means translation to
// IPv4, where packets of 1280 bytes are fragmented (RFC 8200 5).
static struct path_mtu believable(uint8_t family, uint32_t mtu)
{
    uint32_t minimum = family == IP_V4 ? MINIMUM_V4 : IPV6_MIN_MTU;
    return (struct path_mtu){.mtu = max_u32(mtu, minimum),
                             .is_locked = family == IP_V4 && mtu < minimum};
}

// At the limit the oldest entry is used again.
static struct entry *take_record(struct path_mtu_table *table)
{
    if (table->count < ENTRY_LIMIT)
        return malloc(sizeof(struct entry));
    struct entry *entry = first_of(table);
    list_remove(&entry->node);
    table->count--;
    return entry;
}

static struct entry *add(struct path_mtu_table *table,
                         const struct ip_addr *destination)
{
    struct entry *entry = take_record(table);
    if (!entry)
        return NULL;
    *entry =
        (struct entry){.destination = *destination, .value.mtu = UINT32_MAX};
    list_push_back(&table->entries, &entry->node);
    table->count++;
    return entry;
}

void path_mtu_update(struct stack *stack, const struct ip_addr *destination,
                     uint32_t mtu)
{
    struct path_mtu_table *table = get_table(stack);
    if (!stack->settings->ip_path_mtu_discovery || !table)
        return;
    struct path_mtu news = believable(destination->family, mtu);
    struct entry *entry = find(table, destination);
    if (!entry && !(entry = add(table, destination)))
        return;
    bool is_news = news.mtu < entry->value.mtu ||
                   (news.is_locked && !entry->value.is_locked);
    if (!is_news)
        return;
    entry->value = news;
    entry->ends_at = stack_now(stack) + stack->settings->ip_path_mtu_timeout;
    list_remove(&entry->node);
    list_push_back(&table->entries, &entry->node);
    set_timer(table);
    stack_bump_generation(stack);
}

// RFC 1191 7, table 7-1.
uint32_t path_mtu_plateau(uint32_t length)
{
    static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002,
                                        1492,  1006,  508,  296};
    for (size_t i = 0; i < ARRAY_LENGTH(plateaus); i++)
        if (plateaus[i] < length)
            return plateaus[i];
    return 68;
}
