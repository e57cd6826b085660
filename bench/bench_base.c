// Benchmarks of packets, checksums, timers and SipHash.
// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "bench/bench.h"
#include "stack/packet.h"
#include "stack/siphash.h"
#include "stack/timer.h"
#include "stack/wire/checksum.h"
#include "stack/wire/tcp.h"

// --- Packets ---------------------------------------------------------------

static void *create_pool(void) { return packet_pool_create(0); }
static void destroy_pool(void *pool) { packet_pool_destroy(pool); }

static void alloc_free(void *pool, uint64_t n)
{
    while (n-- > 0) {
        struct packet *packet = packet_alloc(pool, 64, 1460);
        BENCH_KEEP(packet);
        packet_free(packet);
    }
}

static void clone_free(void *pool, uint64_t n)
{
    struct packet *packet = packet_alloc(pool, 64, 1460);
    while (n-- > 0) {
        struct packet *clone = packet_clone(packet);
        BENCH_KEEP(clone);
        packet_free(clone);
    }
    packet_free(packet);
}

// A thousand in flight, as behind a long link.
static void alloc_queue_free(void *pool, uint64_t n)
{
    struct packet_queue queue = {0};
    for (int i = 0; i < 1000; i++)
        packet_queue_push(&queue, packet_alloc(pool, 64, 1460));
    while (n-- > 0) {
        struct packet *packet = packet_alloc(pool, 64, 1460);
        packet_put(packet, 1460)[0] = 1;
        packet_queue_push(&queue, packet);
        packet_free(packet_queue_pop(&queue));
    }
    packet_queue_clear(&queue);
}

static void push_pull(void *pool, uint64_t n)
{
    struct packet *packet = packet_alloc(pool, 64, 1460);
    packet_put(packet, 1460);
    while (n-- > 0) {
        BENCH_KEEP(packet_push(packet, 54));
        BENCH_KEEP(packet_pull(packet, 54));
    }
    packet_free(packet);
}

// --- Checksums -------------------------------------------------------------

enum { FULL = 1460, SHORT = 40, LARGE = 65536 };

static void *create_bytes(void) { return calloc(2, LARGE); }

static void sum(const uint8_t *bytes, size_t length, uint64_t n)
{
    while (n-- > 0)
        BENCH_KEEP(checksum_add(0, bytes, length));
}
static void sum_short(void *bytes, uint64_t n) { sum(bytes, SHORT, n); }
static void sum_full(void *bytes, uint64_t n) { sum(bytes, FULL, n); }
static void sum_huge(void *bytes, uint64_t n) { sum(bytes, LARGE, n); }

static void sum_baseline(void *bytes, uint64_t n)
{
    while (n-- > 0)
        BENCH_KEEP(checksum_add_baseline(0, bytes, FULL));
}

static void sum_and_copy(void *bytes, uint64_t n)
{
    while (n-- > 0)
        BENCH_KEEP(checksum_copy(0, (uint8_t *)bytes + LARGE, bytes, FULL));
}

static void fill_tcp(void *bytes, uint64_t n)
{
    struct ip_addr a = ip_addr_v4(10, 0, 0, 1), b = ip_addr_v4(10, 0, 0, 2);
    while (n-- > 0) {
        tcp_fill_checksum(bytes, 32, &a, &b);
        BENCH_KEEP(bytes);
    }
}

// --- Timers ----------------------------------------------------------------

enum { TIMERS = 1024 };

struct timers {
    struct timer_heap heap;
    struct timer timers[TIMERS];
    ns_t now;
};

static void do_nothing(struct timer *timer) { BENCH_KEEP(timer); }

static void *create_timers(void)
{
    struct timers *t = calloc(1, sizeof *t);
    timer_heap_init(&t->heap);
    timer_reserve(&t->heap, TIMERS);
    for (int i = 0; i < TIMERS; i++) {
        timer_init(&t->timers[i], do_nothing);
        timer_set(&t->heap, &t->timers[i], 1 + i * 7919 % TIMERS);
    }
    return t;
}

static void destroy_timers(void *state)
{
    struct timers *t = state;
    timer_heap_fini(&t->heap);
    free(t);
}

static void push_out(void *state, uint64_t n)
{
    struct timers *t = state;
    ns_t far = INT64_C(1) << 60;
    while (n-- > 0)
        timer_set(&t->heap, &t->timers[n % TIMERS], far + (ns_t)n);
}

// Each runs and is set anew, behind about half of the others.
static void set_and_run(void *state, uint64_t n)
{
    struct timers *t = state;
    while (n-- > 0) {
        struct timer *first = t->heap.entries[0].timer;
        t->now = timer_heap_next(&t->heap);
        timer_heap_run(&t->heap, t->now);
        ns_t later = (ns_t)(n * 2654435761 % (2 * TIMERS));
        timer_set(&t->heap, first, t->now + 1 + later);
    }
}

// A connection's delayed ACK: armed, then cancelled.
static void set_and_cancel(void *state, uint64_t n)
{
    struct timers *t = state;
    while (n-- > 0) {
        struct timer *timer = &t->timers[n % 4];
        timer_set(&t->heap, timer, t->now + 40);
        BENCH_KEEP(timer_heap_next(&t->heap));
        timer_cancel(timer);
        BENCH_KEEP(timer_heap_next(&t->heap));
        t->now += 5;
    }
}

// --- SipHash ---------------------------------------------------------------

static void hash_endpoints(void *state, uint64_t n)
{
    struct siphash_key key = {1, 2};
    uint8_t bytes[36] = {0};
    (void)state;
    while (n-- > 0)
        BENCH_KEEP(siphash(&key, bytes, sizeof bytes));
}

const struct bench benches_base[] = {
    {"packet alloc and free", create_pool, alloc_free, destroy_pool, 0},
    {"packet alloc and free, 1,000 in flight", create_pool, alloc_queue_free,
     destroy_pool, 0},
    {"packet clone and free", create_pool, clone_free, destroy_pool, 0},
    {"packet push and pull", create_pool, push_pull, destroy_pool, 0},
    {"checksum of 40 bytes", create_bytes, sum_short, free, SHORT},
    {"checksum of 1,460 bytes", create_bytes, sum_full, free, FULL},
    {"checksum of 1,460 bytes, baseline", create_bytes, sum_baseline, free,
     FULL},
    {"checksum of 64 KiB", create_bytes, sum_huge, free, LARGE},
    {"checksum and copy of 1,460 bytes", create_bytes, sum_and_copy, free,
     FULL},
    {"TCP checksum of a pure ACK", create_bytes, fill_tcp, free, 0},
    {"timer set and run, 1,024 armed", create_timers, set_and_run,
     destroy_timers, 0},
    {"timer pushed out", create_timers, push_out, destroy_timers, 0},
    {"timer set and cancelled", create_timers, set_and_cancel, destroy_timers,
     0},
    {"SipHash of 36 bytes", NULL, hash_endpoints, NULL, 0},
    {0},
};
