// The pool that packets come from, with what copies and shares them.
// SPDX-License-Identifier: MIT
#include "stack/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef WIREBED_DEBUG
#include <sanitizer/asan_interface.h>
#endif

// Theory of operation
//
// The pool keeps one store of objects per size: packets (the metadata) and the
// three sizes of blocks. A store hands out what was freed last, then the next
// unused object of its newest slab, then makes a slab, twice as large as the
// one before up to a bound; so a pool that serves a few packets takes a few
// KiB, and memory that was never used is never touched. Slabs go back to malloc
// when the pool ends.
//
// Object sizes are odd multiples of a cache line, so that the starts of blocks,
// where the headers are, spread over all sets of the caches.
//
// A debug build makes slabs of two objects, fills what is freed with a pattern,
// tells AddressSanitizer, and looks for writes into it when the object is
// handed out again.

enum { LINE = 64, POISON = 0xdb };
enum store_name { PACKETS, SMALL, STANDARD, LARGE, STORE_COUNT };

// A freed object keeps its first words: a block's reference count stays 0, so
// that a packet that is freed twice is found out.
struct free_object {
    uint64_t kept;
    struct free_object *next;
};

struct store {
    struct free_object *free; // freed last first
    uint8_t *fresh, *end;     // unused part of the newest slab
    uint32_t next_count;      // objects of the next slab
};

struct slab {
    _Alignas(LINE) struct slab *next; // objects follow, each aligned
};

struct packet_pool {
    struct store stores[STORE_COUNT];
    struct slab *slabs;
    unsigned fail_after;
    uint64_t allocated, freed, refused;
    size_t bytes, limit_bytes;
};

#define ROUND_UP(n, to) (((n) + (to)-1) / (to) * (to))

struct store_kind {
    uint32_t object_size;
    uint32_t first_count, max_count; // objects of the first and largest slab
};
// clang-format off
static const struct store_kind kinds[STORE_COUNT] = {
    [PACKETS] = {ROUND_UP(sizeof(struct packet), LINE), 16, 4096},
    [SMALL] = {3 * LINE, 8, 4096},
    [STANDARD] = {27 * LINE, 4, 512},
    [LARGE] = {ROUND_UP(sizeof(struct packet_block) + PACKET_MAX_SIZE, LINE), 1, 16},
};
// clang-format on

static uint32_t block_size(enum store_name name)
{
    return kinds[name].object_size - (uint32_t)sizeof(struct packet_block);
}

// --- Stores ----------------------------------------------------------------

#ifdef WIREBED_DEBUG
enum { SLAB_LIMIT = 2 };

// Everything but struct free_object; of a large block, its beginning.
static uint32_t poisoned_size(enum store_name name)
{
    return min_u32(kinds[name].object_size, kinds[STANDARD].object_size) -
           (uint32_t)sizeof(struct free_object);
}

static void poison(void *object, enum store_name name)
{
    void *rest = (struct free_object *)object + 1;
    memset(rest, POISON, poisoned_size(name));
    ASAN_POISON_MEMORY_REGION(rest, poisoned_size(name));
}

static void check_poison(void *object, enum store_name name) // P4
{
    const uint8_t *rest = (uint8_t *)((struct free_object *)object + 1);
    ASAN_UNPOISON_MEMORY_REGION(rest, poisoned_size(name));
    for (uint32_t i = 0; i < poisoned_size(name); i++)
        must(rest[i] == POISON);
}
#else
enum { SLAB_LIMIT = 4096 };

static void poison(void *object, enum store_name name)
{
    (void)object;
    (void)name;
}

static void check_poison(void *object, enum store_name name)
{
    (void)object;
    (void)name;
}
#endif

// How many objects the next slab may have within the pool's limit.
static uint32_t slab_count(const struct packet_pool *pool, enum store_name name)
{
    uint32_t count = min_u32(pool->stores[name].next_count, SLAB_LIMIT);
    if (pool->limit_bytes == 0)
        return count;
    size_t left = pool->limit_bytes - pool->bytes;
    if (left < sizeof(struct slab))
        return 0;
    size_t fits = (left - sizeof(struct slab)) / kinds[name].object_size;
    return fits < count ? (uint32_t)fits : count;
}

static bool grow(struct packet_pool *pool, enum store_name name)
{
    struct store *store = &pool->stores[name];
    uint32_t count = slab_count(pool, name);
    if (count == 0)
        return false;
    size_t size = sizeof(struct slab) + (size_t)count * kinds[name].object_size;
    struct slab *slab = aligned_alloc(LINE, size);
    if (!slab)
        return false;

    slab->next = pool->slabs;
    pool->slabs = slab;
    pool->bytes += size;
    store->fresh = (uint8_t *)(slab + 1);
    store->end = (uint8_t *)slab + size;
    store->next_count = min_u32(2 * store->next_count, kinds[name].max_count);
    return true;
}

static void *take_fresh(struct packet_pool *pool, enum store_name name)
{
    struct store *store = &pool->stores[name];
    if (store->fresh == store->end && !grow(pool, name))
        return NULL;
    void *object = store->fresh;
    store->fresh += kinds[name].object_size;
    return object;
}

static inline void *take(struct packet_pool *pool, enum store_name name)
{
    struct store *store = &pool->stores[name];
    struct free_object *object = store->free;
    if (__builtin_expect(!object, 0))
        return take_fresh(pool, name);
    store->free = object->next;
    check_poison(object, name);
    return object;
}

static inline void give_back(struct packet_pool *pool, enum store_name name,
                             void *object)
{
    struct free_object *free_object = object;
    poison(object, name);
    free_object->next = pool->stores[name].free;
    pool->stores[name].free = free_object;
}

// --- Pool ------------------------------------------------------------------

struct packet_pool *packet_pool_create(size_t limit_bytes)
{
    struct packet_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->limit_bytes = limit_bytes;
    for (enum store_name name = 0; name < STORE_COUNT; name++)
        pool->stores[name].next_count = kinds[name].first_count;
    return pool;
}

void packet_pool_destroy(struct packet_pool *pool)
{
    if (!pool)
        return;
    must(pool->allocated == pool->freed); // P3
    while (pool->slabs) {
        struct slab *slab = pool->slabs;
        pool->slabs = slab->next;
        free(slab);
    }
    free(pool);
}

struct packet_pool_stats packet_pool_get_stats(const struct packet_pool *pool)
{
    return (struct packet_pool_stats){
        .allocated = pool->allocated,
        .live = pool->allocated - pool->freed,
        .refused = pool->refused,
        .bytes = pool->bytes,
        .limit_bytes = pool->limit_bytes,
        .peak_bytes = pool->bytes, // slabs are kept, so it never shrinks
    };
}

void packet_pool_fail_after(struct packet_pool *pool, unsigned n)
{
    pool->fail_after = n;
}

static void *refuse(struct packet_pool *pool)
{
    pool->refused++;
    return NULL;
}

static bool must_fail_now(struct packet_pool *pool)
{
    return __builtin_expect(pool->fail_after > 0, 0) && --pool->fail_after == 0;
}

// --- Packets ---------------------------------------------------------------

static struct packet_block *block_take(struct packet_pool *pool, size_t size)
{
    enum store_name name = size <= block_size(SMALL)      ? SMALL
                           : size <= block_size(STANDARD) ? STANDARD
                                                          : LARGE;
    struct packet_block *block = take(pool, name);
    if (__builtin_expect(!block, 0))
        return NULL;
    block->references = 1;
    block->size = block_size(name);
    block->size_class = name;
    return block;
}

static inline void block_release(struct packet_pool *pool,
                                 struct packet_block *block)
{
    must(block->references > 0); // P2
    if (--block->references == 0)
        give_back(pool, block->size_class, block);
}

// gcc makes slow string instructions of a memset of this size, and plain
// vector stores of a copy.
static const struct packet blank;

struct packet *packet_alloc(struct packet_pool *pool, size_t head_room,
                            size_t size)
{
    must(head_room <= PACKET_MAX_SIZE && size <= PACKET_MAX_SIZE - head_room);
    if (must_fail_now(pool))
        return refuse(pool);
    struct packet *packet = take(pool, PACKETS);
    if (__builtin_expect(!packet, 0))
        return refuse(pool);
    struct packet_block *block = block_take(pool, head_room + size);
    if (__builtin_expect(!block, 0)) {
        give_back(pool, PACKETS, packet);
        return refuse(pool);
    }
    *packet = blank;
    packet->data = block->bytes + head_room;
    packet->block = block;
    packet->pool = pool;
    pool->allocated++;
    return packet;
}

struct packet *packet_clone(struct packet *packet)
{
    struct packet_pool *pool = packet->pool;
    if (must_fail_now(pool))
        return refuse(pool);
    struct packet *clone = take(pool, PACKETS);
    if (!clone)
        return refuse(pool);
    *clone = *packet;
    clone->next = NULL;
    clone->block->references++;
    pool->allocated++;
    return clone;
}

// Moves the window's bytes, with all in front of them, to another block that
// has head_room bytes before the window at least.
static void move_to(struct packet *packet, struct packet_block *block,
                    size_t head_room)
{
    size_t old_head_room = packet_head_room(packet);
    size_t shift = head_room > old_head_room ? head_room - old_head_room : 0;
    memcpy(block->bytes + shift, packet->block->bytes,
           old_head_room + packet->length);
    packet->block = block;
    packet->data = block->bytes + shift + old_head_room;
    packet->network_offset = (uint16_t)(packet->network_offset + shift);
    packet->transport_offset = (uint16_t)(packet->transport_offset + shift);
}

static size_t size_with_head_room(const struct packet *packet, size_t head_room)
{
    size_t present = packet_head_room(packet);
    size_t size = packet->length + (head_room > present ? head_room : present);
    must(size <= PACKET_MAX_SIZE);
    return size;
}

struct packet *packet_copy(const struct packet *packet, size_t head_room)
{
    struct packet_pool *pool = packet->pool;
    struct packet *copy =
        packet_alloc(pool, 0, size_with_head_room(packet, head_room));
    if (!copy)
        return NULL;
    struct packet_block *block = copy->block;
    *copy = *packet;
    copy->next = NULL;
    move_to(copy, block, head_room);
    return copy;
}

void packet_free(struct packet *packet)
{
    if (!packet)
        return;
    struct packet_pool *pool = packet->pool;
    block_release(pool, packet->block);
    give_back(pool, PACKETS, packet);
    pool->freed++;
}

int packet_make_writable(struct packet *packet, size_t head_room)
{
    if (!packet_is_shared(packet) && packet_head_room(packet) >= head_room)
        return 0;
    struct packet_pool *pool = packet->pool;
    struct packet_block *old = packet->block;
    struct packet_block *block = NULL;
    if (!must_fail_now(pool))
        block = block_take(pool, size_with_head_room(packet, head_room));
    if (!block) {
        refuse(pool);
        return -ENOBUFS;
    }
    move_to(packet, block, head_room);
    block_release(pool, old);
    return 0;
}

size_t packet_true_size(const struct packet *packet)
{
    return (size_t)kinds[PACKETS].object_size +
           kinds[packet->block->size_class].object_size;
}

void packet_queue_clear(struct packet_queue *queue)
{
    struct packet *packet;
    while ((packet = packet_queue_pop(queue)))
        packet_free(packet);
}
