// Puts packets together from fragments, for both families.
// SPDX-License-Identifier: MIT
#include "stack/net/ip.h"

#include <errno.h>
#include <stdlib.h>

// Theory of operation
//
// A datagram is a list of fragments in the order of their offsets, each the
// packet it came in, with data at its payload. Nothing is copied before the
// last gap is filled; then one packet is made that has the first fragment's
// headers in front of the whole payload, so that an error can quote it and an
// answer can be written into it.
//
// Overlaps are refused (RFC 5722, and the same for IPv4, where they are as
// useless and as dangerous): the whole datagram goes, and what is left of it is
// a tombstone that swallows the fragments still to come until its time is over.
// A fragment that is the same as one we have, byte for byte, is a duplicate
// made by the network and does no harm (RFC 8200 4.5).
//
// Memory. Fragments count with what they hold of the pool (packet_true_size)
// against ip.reassembly-limit. Over it, the oldest datagram gives way, since it
// is the least likely to be completed; so a flood of first fragments pushes out
// itself rather than closing the door to all others. There are at most
// MAX_DATAGRAMS, tombstones included, of at most MAX_FRAGMENTS each. The
// records come from a free list that never shrinks: a datagram costs malloc
// only when more of them wait than ever before.
//
// Time. All datagrams wait equally long (ip.reassembly-timeout), so the list by
// age is also the order of their ends, and one timer serves all. When the first
// fragment is there, its sender is told (RFC 792, RFC 8200 4.5).
//
// Invariants: R1. Offsets rise, ranges do not overlap. R2. received is the sum
// of the ranges. R3. No fragment ends beyond `total` once that is known. R4.
// The table's bytes and packets are the sums over all datagrams.

enum { BUCKETS = 32, MAX_DATAGRAMS = 4096, MAX_FRAGMENTS = 2048 };
enum { MAX_HEADERS = 160 }; // bytes of one packet
enum { REPLY_ROOM = 64 };   // for the link header of an answer

struct datagram {
    struct list age; // table->by_age, or table->spare
    struct datagram *hash_next;
    struct fragment_key key;
    struct packet *first; // by offset, linked by next
    uint32_t count;
    uint32_t received; // payload bytes
    uint32_t total;    // payload bytes of the whole; 0: last fragment missing
    size_t bytes;      // of the pool
    ns_t ends_at;
    uint8_t ecn_seen; // 1 << codepoint
    bool is_tombstone;
    enum drop_reason refused_for; // of a tombstone
};

struct reassembly {
    struct stack *stack;
    struct list by_age, spare;
    struct datagram *buckets[BUCKETS];
    uint32_t count; // datagrams
    size_t bytes;
    uint64_t packets;
    struct timer timer;
};

// --- Records

static uint32_t hash_of(const struct stack *stack,
                        const struct fragment_key *key)
{
    struct {
        uint8_t source[16], destination[16];
        uint32_t id, protocol;
    } bytes = {.id = key->id, .protocol = key->protocol};
    memcpy(bytes.source, key->source.bytes, 16);
    memcpy(bytes.destination, key->destination.bytes, 16);
    return (uint32_t)siphash(&stack->secret, &bytes, sizeof(bytes)) % BUCKETS;
}

static bool is_same_key(const struct fragment_key *a,
                        const struct fragment_key *b)
{
    return a->id == b->id && a->protocol == b->protocol &&
           ip_addr_equal(&a->source, &b->source) &&
           ip_addr_equal(&a->destination, &b->destination);
}

static struct datagram *oldest(const struct reassembly *table)
{
    return list_is_empty(&table->by_age)
               ? NULL
               : CONTAINER_OF(table->by_age.next, struct datagram, age);
}

static struct datagram *take_record(struct reassembly *table)
{
    if (list_is_empty(&table->spare))
        return malloc(sizeof(struct datagram));
    struct datagram *d = CONTAINER_OF(table->spare.next, struct datagram, age);
    list_remove(&d->age);
    return d;
}

static void set_timer(struct reassembly *table)
{
    struct datagram *first = oldest(table);
    if (first)
        stack_timer_set(table->stack, &table->timer, first->ends_at);
    else
        timer_cancel(&table->timer);
}

static void drop_datagram(struct reassembly *table, struct datagram *d,
                          enum drop_reason reason);

static struct datagram *datagram_get(struct reassembly *table,
                                     const struct fragment_key *key)
{
    struct stack *stack = table->stack;
    struct datagram **bucket = &table->buckets[hash_of(stack, key)];
    for (struct datagram *found = *bucket; found; found = found->hash_next)
        if (is_same_key(&found->key, key))
            return found;
    if (table->count >= MAX_DATAGRAMS)
        drop_datagram(table, oldest(table), DROP_FRAGMENT_LIMIT);
    struct datagram *d = take_record(table);
    if (!d)
        return NULL;
    table->count++;
    *d = (struct datagram){.key = *key,
                           .hash_next = *bucket, // after a drop above
                           .ends_at = stack_now(stack) +
                                      stack->settings->ip_reassembly_timeout};
    *bucket = d;
    list_push_back(&table->by_age, &d->age);
    set_timer(table);
    return d;
}

// A datagram that has no packets any more.
static void datagram_put(struct reassembly *table, struct datagram *d)
{
    must(d->count == 0);
    struct datagram **link = &table->buckets[hash_of(table->stack, &d->key)];
    while (*link != d)
        link = &(*link)->hash_next;
    *link = d->hash_next;
    list_remove(&d->age);
    table->count--;
    list_push_back(&table->spare, &d->age);
    set_timer(table);
}

// --- Fragments in and out of a datagram

static struct packet *take_first(struct reassembly *table, struct datagram *d)
{
    struct packet *packet = d->first;
    if (!packet)
        return NULL;
    size_t size = packet_true_size(packet);
    d->first = packet->next;
    packet->next = NULL;
    d->count--;
    d->bytes -= size;
    d->received -= packet->length;
    table->bytes -= size;
    table->packets--;
    return packet;
}

static void drop_fragments(struct reassembly *table, struct datagram *d,
                           enum drop_reason reason)
{
    struct packet *packet;
    while ((packet = take_first(table, d)))
        stack_drop(table->stack, packet, reason);
}

static void drop_datagram(struct reassembly *table, struct datagram *d,
                          enum drop_reason reason)
{
    drop_fragments(table, d, reason);
    datagram_put(table, d);
}

static void link_fragment(struct reassembly *table, struct datagram *d,
                          struct packet **at, struct packet *packet)
{
    size_t size = packet_true_size(packet);
    packet->next = *at;
    *at = packet;
    d->count++;
    d->bytes += size;
    d->received += packet->length;
    d->ecn_seen |= (uint8_t)(1 << (packet->ip.tos & 3));
    table->bytes += size;
    table->packets++;
}

// --- Where a fragment belongs

enum verdict { FITS, DUPLICATE, OVERLAPS };

static bool is_same_fragment(const struct packet *a, const struct packet *b)
{
    return a->cb.fragment.offset == b->cb.fragment.offset &&
           a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

// **at is the first fragment that ends beyond the new one's offset.
static enum verdict find_place(struct datagram *d, const struct packet *packet,
                               struct packet ***at)
{
    struct packet **link = &d->first;
    while (*link && (*link)->cb.fragment.end <= packet->cb.fragment.offset)
        link = &(*link)->next;
    *at = link;
    if (!*link || (*link)->cb.fragment.offset >= packet->cb.fragment.end)
        return FITS;
    return is_same_fragment(*link, packet) ? DUPLICATE : OVERLAPS;
}

// Does it contradict what is known of the datagram's end? Takes what it says.
static bool settle_total(struct datagram *d, const struct packet *packet,
                         bool more)
{
    uint32_t end = packet->cb.fragment.end;
    if (more)
        return d->total == 0 || end < d->total;
    if (d->total != 0)
        return end == d->total;
    for (const struct packet *p = d->first; p; p = p->next)
        if (p->cb.fragment.end > end)
            return false;
    d->total = end;
    return true;
}

static bool is_impossible(const struct packet *packet, uint32_t offset,
                          bool more)
{
    return packet->length == 0 || (more && packet->length % 8 != 0) ||
           offset % 8 != 0 || offset + packet->length > UINT16_MAX;
}

// --- The whole

// RFC 3168 5.3: a congestion mark on one fragment is one on the whole; a mark
// together with a fragment that says "not capable" is nonsense.
static int ecn_of(const struct datagram *d)
{
    enum { NOT_ECT = 1 << 0, CE = 1 << 3 };
    if (!(d->ecn_seen & CE))
        return d->first->ip.tos & 3;
    return d->ecn_seen & NOT_ECT ? -EINVAL : 3;
}

// The first fragment's headers, then everybody's payload.
static struct packet *copy_together(struct stack *stack,
                                    const struct datagram *d, uint8_t ecn)
{
    const struct packet *first = d->first;
    const uint8_t *headers = packet_network_header(first);
    size_t header_size = (size_t)(first->data - headers);
    if (header_size > MAX_HEADERS)
        return NULL;
    struct packet *whole =
        stack_packet_alloc(stack, REPLY_ROOM, header_size + d->total);
    if (!whole)
        return NULL;
    memcpy(packet_put(whole, header_size), headers, header_size);
    packet_set_network_header(whole);
    packet_pull(whole, header_size);
    for (const struct packet *p = first; p; p = p->next)
        memcpy(packet_put(whole, p->length), p->data, p->length);
    whole->flags = first->flags | PACKET_REASSEMBLED;
    whole->iface = first->iface;
    whole->ip = first->ip;
    whole->ip.tos = (uint8_t)((whole->ip.tos & 0xfc) | ecn);
    whole->link_type = first->link_type;
    return whole;
}

static struct packet *complete(struct reassembly *table, struct datagram *d)
{
    struct stack *stack = table->stack;
    int ecn = ecn_of(d);
    struct packet *whole =
        ecn < 0 ? NULL : copy_together(stack, d, (uint8_t)ecn);
    if (!whole) {
        drop_datagram(table, d, ecn < 0 ? DROP_FRAGMENT_BAD : DROP_NO_BUFFER);
        return NULL;
    }
    struct packet *packet;
    while ((packet = take_first(table, d)))
        stack_deliver(stack, packet);
    datagram_put(table, d);
    stack_count(stack, COUNT_IP_REASSEMBLED);
    return whole;
}

// --- Limits

// Makes room for a fragment of d by the end of older datagrams. false: only its
// own are left.
static bool make_room(struct reassembly *table, const struct datagram *d,
                      size_t size)
{
    uint64_t limit = (uint64_t)table->stack->settings->ip_reassembly_limit;
    struct list *at = table->by_age.next;
    while (table->bytes + size > limit && at != &table->by_age) {
        struct datagram *other = CONTAINER_OF(at, struct datagram, age);
        at = at->next;
        if (other != d && other->count > 0)
            drop_datagram(table, other, DROP_FRAGMENT_LIMIT);
    }
    return table->bytes + size <= limit;
}

static void expire(struct reassembly *table, struct datagram *d)
{
    struct packet *first = NULL;
    if (d->first && d->first->cb.fragment.offset == 0)
        first = take_first(table, d);
    drop_datagram(table, d, DROP_FRAGMENT_TIMEOUT);
    if (first)
        ip_send_error(table->stack, first, ICMP_ERROR_REASSEMBLY_TIMEOUT, 0,
                      DROP_FRAGMENT_TIMEOUT);
}

static void on_timer(struct timer *timer)
{
    struct reassembly *table = CONTAINER_OF(timer, struct reassembly, timer);
    struct datagram *d;
    while ((d = oldest(table)) && d->ends_at <= stack_now(table->stack))
        expire(table, d);
}

// --- Calls

static struct reassembly *get_table(struct stack *stack)
{
    if (stack->reassembly)
        return stack->reassembly;
    struct reassembly *table = calloc(1, sizeof(*table));
    if (!table)
        return NULL;
    if (stack_timer_init(stack, &table->timer, on_timer) != 0) {
        free(table);
        return NULL;
    }
    table->stack = stack;
    list_init(&table->by_age);
    list_init(&table->spare);
    stack->reassembly = table;
    return table;
}

// The fragment is dropped, and the datagram with it.
static struct packet *refuse(struct reassembly *table, struct datagram *d,
                             struct packet *packet, enum drop_reason reason)
{
    stack_drop(table->stack, packet, reason);
    drop_fragments(table, d, reason);
    d->is_tombstone = true;
    d->refused_for = reason;
    return NULL;
}

static struct packet *insert(struct reassembly *table, struct datagram *d,
                             struct packet *packet, bool more)
{
    struct packet **at;
    enum verdict verdict = find_place(d, packet, &at);
    if (verdict == DUPLICATE) {
        stack_drop(table->stack, packet, DROP_FRAGMENT_DUPLICATE);
        return NULL;
    }
    if (verdict == OVERLAPS || !settle_total(d, packet, more))
        return refuse(table, d, packet, DROP_FRAGMENT_OVERLAP);
    if (d->count >= MAX_FRAGMENTS ||
        !make_room(table, d, packet_true_size(packet)))
        return refuse(table, d, packet, DROP_FRAGMENT_LIMIT);
    link_fragment(table, d, at, packet);
    return d->total > 0 && d->received == d->total ? complete(table, d) : NULL;
}

struct packet *reassembly_input(struct stack *stack,
                                const struct fragment_key *key, uint32_t offset,
                                bool more, struct packet *packet)
{
    stack_count(stack, COUNT_IP_FRAGMENTS_IN);
    if (is_impossible(packet, offset, more)) {
        stack_drop(stack, packet, DROP_FRAGMENT_BAD);
        return NULL;
    }
    struct reassembly *table = get_table(stack);
    struct datagram *d = table ? datagram_get(table, key) : NULL;
    if (!d) {
        stack_drop(stack, packet, DROP_NO_BUFFER);
        return NULL;
    }
    if (d->is_tombstone) {
        stack_drop(stack, packet, d->refused_for);
        return NULL;
    }
    packet->cb.fragment.offset = offset;
    packet->cb.fragment.end = offset + packet->length;
    return insert(table, d, packet, more);
}

static bool has_packet_of(const struct datagram *d, const struct iface *iface)
{
    for (const struct packet *p = d->first; p; p = p->next)
        if (p->iface == iface)
            return true;
    return false;
}

void reassembly_forget_iface(struct stack *stack, const struct iface *iface)
{
    struct reassembly *table = stack->reassembly;
    if (!table)
        return;
    enum drop_reason reason =
        stack->is_destroying ? DROP_STACK_ENDS : DROP_IFACE_DOWN;
    struct list *at = table->by_age.next;
    while (at != &table->by_age) {
        struct datagram *d = CONTAINER_OF(at, struct datagram, age);
        at = at->next;
        if (has_packet_of(d, iface))
            drop_datagram(table, d, reason);
    }
}

uint64_t reassembly_pending(const struct stack *stack)
{
    return stack->reassembly ? stack->reassembly->packets : 0;
}

void reassembly_destroy(struct stack *stack)
{
    struct reassembly *table = stack->reassembly;
    if (!table)
        return;
    struct datagram *d;
    while ((d = oldest(table)))
        drop_datagram(table, d, DROP_STACK_ENDS);
    struct list *at = table->spare.next;
    while (at != &table->spare) {
        d = CONTAINER_OF(at, struct datagram, age);
        at = at->next;
        free(d);
    }
    stack_timer_fini(stack, &table->timer);
    free(table);
    stack->reassembly = NULL;
}
