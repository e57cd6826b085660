// Tests of packets and their pool.
// SPDX-License-Identifier: MIT
#include "stack/packet.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/malloc_fixture.h"
#include "tests/unit/unit.h"

// A packet of `length` bytes 0, 1, 2 ... behind 64 bytes of head room.
static struct packet *make(struct packet_pool *pool, size_t length)
{
    struct packet *packet = packet_alloc(pool, 64, length);
    CHECK_FATAL(packet != NULL);
    uint8_t *bytes = packet_put(packet, length);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)i;
    return packet;
}

static void check_content(const struct packet *packet, size_t length)
{
    CHECK_EQUAL(packet->length, length);
    for (size_t i = 0; i < packet->length; i++)
        if (packet->data[i] != (uint8_t)i) {
            CHECK_EQUAL(packet->data[i], (uint8_t)i);
            return;
        }
}

static void a_new_packet_is_empty_with_room_on_both_sides(void)
{
    static const size_t sizes[] = {0,    1,    64,   100,  500,  1514,
                                   1600, 1700, 2000, 9000, 65535};
    struct packet_pool *pool = packet_pool_create(0);
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        struct packet *packet = packet_alloc(pool, 128, sizes[i]);
        CHECK_FATAL(packet != NULL);
        CHECK_EQUAL(packet->length, 0);
        CHECK_EQUAL(packet_head_room(packet), 128);
        CHECK(packet_tail_room(packet) >= sizes[i]);
        CHECK(packet_true_size(packet) >= 128 + sizes[i]);
        CHECK(!packet_is_shared(packet));
        memset(packet_put(packet, sizes[i]), 0xaa, sizes[i]);
        memset(packet_push(packet, 128), 0xbb, 128);
        CHECK_EQUAL(packet->length, sizes[i] + 128);
        packet_free(packet);
    }
    packet_pool_destroy(pool);
}

static void the_largest_packet_has_all_its_bytes(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    struct packet *packet = packet_alloc(pool, 0, PACKET_MAX_SIZE);
    CHECK_FATAL(packet != NULL);
    memset(packet_put(packet, PACKET_MAX_SIZE), 1, PACKET_MAX_SIZE);
    packet_free(packet);
    packet_pool_destroy(pool);
}

static void metadata_of_a_reused_packet_is_zero(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    for (int round = 0; round < 20; round++) {
        struct packet *packet = packet_alloc(pool, 16, 16);
        struct packet zero = {
            .data = packet->data, .block = packet->block, .pool = packet->pool};
        CHECK_BYTES(packet, &zero, sizeof zero);
        memset(&packet->ip, 0xff, sizeof packet->ip);
        memset(&packet->cb, 0xff, sizeof packet->cb);
        packet->flags = 0xff;
        packet->id = 1;
        packet_free(packet);
    }
    packet_pool_destroy(pool);
}

static void push_pull_put_and_trim_move_the_window(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    struct packet *packet = make(pool, 100);
    uint8_t *data = packet->data;
    CHECK(packet_push(packet, 14) == data - 14);
    CHECK_EQUAL(packet->length, 114);
    CHECK(packet_pull(packet, 14));
    CHECK(packet->data == data);
    CHECK(packet_pull(packet, 100));
    CHECK_EQUAL(packet->length, 0);
    CHECK(!packet_pull(packet, 1));
    CHECK(packet_push(packet, 100) == data);
    CHECK(!packet_trim(packet, 101));
    CHECK(packet_trim(packet, 40));
    check_content(packet, 40);
    CHECK(packet_put(packet, 3) == data + 40);
    CHECK_EQUAL(packet->length, 43);
    packet_free(packet);
    packet_pool_destroy(pool);
}

static void headers_are_found_wherever_the_window_is(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    struct packet *packet = make(pool, 100);
    uint8_t *network = packet->data;
    packet_set_network_header(packet);
    packet_pull(packet, 20);
    packet_set_transport_header(packet);
    packet_pull(packet, 20);
    CHECK(packet_network_header(packet) == network);
    CHECK(packet_transport_header(packet) == network + 20);
    packet_push(packet, 60);
    CHECK(packet_network_header(packet) == network);
    packet_free(packet);
    packet_pool_destroy(pool);
}

static void a_clone_shares_the_bytes_and_has_metadata_of_its_own(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    struct packet *packet = make(pool, 100);
    struct packet *tail = make(pool, 1);
    packet->id = 77;
    packet->next = tail;
    packet->cb.tcp.seq = 5;
    struct packet *clone = packet_clone(packet);
    CHECK_FATAL(clone != NULL);
    CHECK(clone->data == packet->data && clone->next == NULL);
    CHECK_EQUAL(clone->id, 77);
    CHECK_EQUAL(clone->cb.tcp.seq, 5);
    CHECK(packet_is_shared(packet) && packet_is_shared(clone));
    packet_pull(clone, 50);
    check_content(packet, 100);
    packet_free(packet);
    CHECK(!packet_is_shared(clone));
    CHECK_EQUAL(clone->data[0], 50);
    packet_free(clone);
    packet_free(tail);
    packet_pool_destroy(pool);
}

static void a_copy_has_bytes_of_its_own(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    static const size_t head_rooms[] = {0, 10, 84, 300, 1000};
    for (size_t i = 0; i < ARRAY_LENGTH(head_rooms); i++) {
        struct packet *packet = make(pool, 100);
        packet_set_network_header(packet);
        packet_pull(packet, 20);
        packet_set_transport_header(packet);
        packet->id = 8;
        struct packet *copy = packet_copy(packet, head_rooms[i]);
        CHECK_FATAL(copy != NULL);
        CHECK(packet_head_room(copy) >= head_rooms[i]);
        CHECK_EQUAL(copy->id, 8);
        CHECK(copy->block != packet->block && !packet_is_shared(copy));
        // Headers in front of the window come along.
        CHECK(packet_network_header(copy) == copy->data - 20);
        CHECK(packet_transport_header(copy) == copy->data);
        memset(packet->data, 0xee, packet->length);
        packet_free(packet);
        packet_push(copy, 20);
        check_content(copy, 100);
        packet_free(copy);
    }
    packet_pool_destroy(pool);
}

static void make_writable_keeps_a_packet_that_is_alone(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    struct packet *packet = make(pool, 100);
    uint8_t *data = packet->data;
    CHECK_EQUAL(packet_make_writable(packet, 64), 0);
    CHECK(packet->data == data);
    CHECK_EQUAL(packet_make_writable(packet, 65), 0);
    CHECK(packet->data != data);
    CHECK(packet_head_room(packet) >= 65);
    check_content(packet, 100);
    packet_free(packet);
    packet_pool_destroy(pool);
}

static void make_writable_parts_clones_whoever_writes(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    for (int who = 0; who < 2; who++) {
        struct packet *packet = make(pool, 1000);
        struct packet *clone = packet_clone(packet);
        struct packet *writer = who ? clone : packet;
        struct packet *other = who ? packet : clone;
        CHECK_EQUAL(packet_make_writable(writer, 0), 0);
        CHECK(!packet_is_shared(writer) && !packet_is_shared(other));
        memset(writer->data, 0x55, writer->length);
        check_content(other, 1000);
        packet_free(packet);
        packet_free(clone);
    }
    CHECK_EQUAL(packet_pool_get_stats(pool).live, 0);
    packet_pool_destroy(pool);
}

static void make_writable_changes_nothing_when_it_fails(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    struct packet *packet = make(pool, 100);
    struct packet *clone = packet_clone(packet);
    uint8_t *data = packet->data;
    packet_pool_fail_after(pool, 1);
    CHECK_EQUAL(packet_make_writable(packet, 0), -ENOBUFS);
    CHECK(packet->data == data && packet_is_shared(packet));
    check_content(packet, 100);
    packet_free(packet);
    packet_free(clone);
    packet_pool_destroy(pool);
}

static void the_nth_allocation_can_be_made_to_fail(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    struct packet *packet = make(pool, 10);
    packet_pool_fail_after(pool, 3);
    struct packet *clone = packet_clone(packet);
    struct packet *copy = packet_copy(packet, 0);
    CHECK(clone && copy);
    CHECK(packet_alloc(pool, 0, 10) == NULL);
    struct packet *after = packet_alloc(pool, 0, 10);
    CHECK(after != NULL); // only that one
    packet_pool_fail_after(pool, 1);
    CHECK(packet_clone(packet) == NULL);
    packet_pool_fail_after(pool, 1);
    CHECK(packet_copy(packet, 0) == NULL);
    CHECK_EQUAL(packet_pool_get_stats(pool).refused, 3);
    CHECK_EQUAL(packet_pool_get_stats(pool).live, 4);
    packet_free(packet);
    packet_free(clone);
    packet_free(copy);
    packet_free(after);
    packet_pool_destroy(pool);
}

enum { LIMIT = 100 * 1024, MANY = 2000 };

static void a_pool_stays_within_its_limit(void)
{
    struct packet_pool *pool = packet_pool_create(LIMIT);
    static struct packet *packets[MANY];
    size_t count = 0;
    while (count < MANY && (packets[count] = packet_alloc(pool, 64, 1514)))
        count++;
    CHECK(count > 30 && count < 60); // about 1,920 bytes each
    struct packet_pool_stats stats = packet_pool_get_stats(pool);
    CHECK(stats.bytes <= LIMIT);
    CHECK_EQUAL(stats.limit_bytes, LIMIT);
    CHECK_EQUAL(stats.live, count);
    CHECK_EQUAL(stats.refused, 1);
    CHECK(packet_alloc(pool, 64, 1514) == NULL); // and again
    packet_free(packets[0]);
    packets[0] = packet_alloc(pool, 64, 1514); // what was freed serves again
    CHECK(packets[0] != NULL);
    while (count > 0)
        packet_free(packets[--count]);
    CHECK_EQUAL(packet_pool_get_stats(pool).live, 0);
    packet_pool_destroy(pool);
}

static void a_limit_that_is_too_small_for_anything_refuses_all(void)
{
    for (size_t limit = 1; limit < 2000; limit += 37) {
        struct packet_pool *pool = packet_pool_create(limit);
        struct packet *packet = packet_alloc(pool, 0, 1514);
        CHECK(packet == NULL);
        CHECK(packet_pool_get_stats(pool).bytes <= limit);
        packet_pool_destroy(pool);
    }
}

static void a_pool_of_a_few_packets_takes_a_few_kilobytes(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    CHECK_EQUAL(packet_pool_get_stats(pool).bytes, 0);
    struct packet *ack = packet_alloc(pool, 64, 60);
    struct packet *full = packet_alloc(pool, 64, 1514);
    CHECK(packet_true_size(ack) <= 512);
    CHECK(packet_true_size(full) <= 2048);
    CHECK(packet_pool_get_stats(pool).bytes < 16 * 1024);
    packet_free(ack);
    packet_free(full);
    packet_pool_destroy(pool);
}

static void memory_is_used_again_before_more_is_taken(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    static struct packet *packets[MANY];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++)
            packets[i] = make(pool, i % 1600);
        for (size_t i = 0; i < MANY; i++) {
            check_content(packets[i], i % 1600);
            packet_free(packets[i]);
        }
    }
    struct packet_pool_stats stats = packet_pool_get_stats(pool);
    CHECK_EQUAL(stats.allocated, 3 * MANY);
    CHECK_EQUAL(stats.live, 0);
    CHECK(stats.peak_bytes >= stats.bytes);
    CHECK(stats.bytes < 2 * MANY * 2048);
    packet_pool_destroy(pool);
}

static void without_memory_nothing_is_allocated_and_nothing_lost(void)
{
    malloc_fail_after(1);
    CHECK(packet_pool_create(0) == NULL);
    struct packet_pool *pool = packet_pool_create(0);
    for (unsigned n = 1; n <= 2; n++) { // the packet's slab, the block's
        malloc_fail_after(n);
        CHECK(packet_alloc(pool, 0, 9000) == NULL);
        CHECK(malloc_has_failed());
    }
    struct packet *packet = make(pool, 10);
    CHECK_EQUAL(packet_pool_get_stats(pool).refused, 2);
    CHECK_EQUAL(packet_pool_get_stats(pool).live, 1);
    packet_free(packet);
    packet_pool_destroy(pool);
}

static void freeing_nothing_is_harmless(void)
{
    packet_free(NULL);
    packet_pool_destroy(NULL);
}

static void a_queue_is_first_in_first_out(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    struct packet_queue queue = {0};
    CHECK(packet_queue_pop(&queue) == NULL);
    for (size_t i = 1; i <= 3; i++)
        packet_queue_push(&queue, make(pool, 10 * i));
    CHECK_EQUAL(queue.count, 3);
    CHECK_EQUAL(queue.bytes, 60);
    struct packet *packet = packet_queue_pop(&queue);
    CHECK_EQUAL(packet->length, 10);
    CHECK(packet->next == NULL);
    packet_queue_push(&queue, packet);
    CHECK_EQUAL(queue.head->length, 20);
    CHECK_EQUAL(queue.tail->length, 10);
    packet_queue_clear(&queue);
    CHECK(queue.head == NULL && queue.tail == NULL);
    CHECK_EQUAL(queue.count, 0);
    CHECK_EQUAL(queue.bytes, 0);
    CHECK_EQUAL(packet_pool_get_stats(pool).live, 0);
    packet_pool_destroy(pool);
}

// --- Bugs of ours ----------------------------------------------------------

static void push_too_much(void *packet) { packet_push(packet, 65); }
static void put_too_much(void *packet)
{
    packet_put(packet, packet_tail_room(packet) + 1);
}
static void allocate_too_much(void *pool)
{
    packet_alloc(pool, PACKET_MAX_SIZE, 1);
}
static void destroy_the_pool(void *pool) { packet_pool_destroy(pool); }
static void free_twice(void *packet)
{
    packet_free(packet);
    packet_free(packet);
}

static void misuse_is_found_out(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    struct packet *packet = make(pool, 10);
    CHECK_DIES(push_too_much, packet);
    CHECK_DIES(put_too_much, packet);
    CHECK_DIES(allocate_too_much, pool);
    CHECK_DIES(destroy_the_pool, pool);
    CHECK_DIES(free_twice, packet);
    packet_free(packet);
    packet_pool_destroy(pool);
}

#ifdef WIREBED_DEBUG
static void write_after_free(void *packet)
{
    struct packet_pool *pool = ((struct packet *)packet)->pool;
    uint8_t *bytes = ((struct packet *)packet)->data;
    packet_free(packet);
    bytes[3] = 1;
    packet_alloc(pool, 64, 10);
}

static void a_write_into_a_freed_packet_is_found_in_debug_builds(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    struct packet *packet = make(pool, 10);
    CHECK_DIES(write_after_free, packet);
    packet_free(packet);
    packet_pool_destroy(pool);
}
#endif

const struct unit_test suite_packet[] = {
    UNIT(a_new_packet_is_empty_with_room_on_both_sides),
    UNIT(the_largest_packet_has_all_its_bytes),
    UNIT(metadata_of_a_reused_packet_is_zero),
    UNIT(push_pull_put_and_trim_move_the_window),
    UNIT(headers_are_found_wherever_the_window_is),
    UNIT(a_clone_shares_the_bytes_and_has_metadata_of_its_own),
    UNIT(a_copy_has_bytes_of_its_own),
    UNIT(make_writable_keeps_a_packet_that_is_alone),
    UNIT(make_writable_parts_clones_whoever_writes),
    UNIT(make_writable_changes_nothing_when_it_fails),
    UNIT(the_nth_allocation_can_be_made_to_fail),
    UNIT(a_pool_stays_within_its_limit),
    UNIT(a_limit_that_is_too_small_for_anything_refuses_all),
    UNIT(a_pool_of_a_few_packets_takes_a_few_kilobytes),
    UNIT(memory_is_used_again_before_more_is_taken),
    UNIT(without_memory_nothing_is_allocated_and_nothing_lost),
    UNIT(freeing_nothing_is_harmless),
    UNIT(a_queue_is_first_in_first_out),
    UNIT(misuse_is_found_out),
#ifdef WIREBED_DEBUG
    UNIT(a_write_into_a_freed_packet_is_found_in_debug_builds),
#endif
    {0},
};
