// A 4-ary heap of timers that are re-armed lazily.
// SPDX-License-Identifier: MIT
#include "stack/timer.h"

#include <errno.h>
#include <stdlib.h>

enum { FANOUT = 4, FIRST_CAPACITY = 8 };

void timer_heap_init(struct timer_heap *heap)
{
    *heap = (struct timer_heap){0};
}

void timer_heap_fini(struct timer_heap *heap)
{
    free(heap->entries);
    *heap = (struct timer_heap){0};
}

void timer_init(struct timer *timer, void (*on_expiry)(struct timer *timer))
{
    *timer = (struct timer){
        .deadline = NS_NEVER,
        .queued_for = NS_NEVER,
        .index = TIMER_NOT_QUEUED,
        .on_expiry = on_expiry,
    };
}

int timer_reserve(struct timer_heap *heap, uint32_t count)
{
    if (count <= heap->capacity)
        return 0;
    uint64_t capacity = heap->capacity ? heap->capacity : FIRST_CAPACITY;
    while (capacity < count)
        capacity *= 2;
    if (capacity > TIMER_NOT_QUEUED)
        return -ENOMEM;

    struct timer_entry *entries =
        realloc(heap->entries, capacity * sizeof *entries);
    if (!entries)
        return -ENOMEM;
    heap->entries = entries;
    heap->capacity = (uint32_t)capacity;
    return 0;
}

// Arming numbers wrap; two that matter to each other are close.
static bool is_before(const struct timer_entry *a, const struct timer_entry *b)
{
    if (a->queued_for != b->queued_for)
        return a->queued_for < b->queued_for;
    return (int32_t)(a->order - b->order) < 0;
}

static void place(struct timer_heap *heap, uint32_t at,
                  const struct timer_entry *entry)
{
    heap->entries[at] = *entry;
    entry->timer->index = at;
}

static void sift_up(struct timer_heap *heap, uint32_t at,
                    const struct timer_entry *entry)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / FANOUT;
        if (!is_before(entry, &heap->entries[parent]))
            break;
        place(heap, at, &heap->entries[parent]);
        at = parent;
    }
    place(heap, at, entry);
}

// The earliest of the children that start at `first`.
static uint32_t earliest_child(const struct timer_heap *heap, uint32_t first)
{
    uint32_t best = first;
    uint32_t end = min_u32(first + FANOUT, heap->count);
    for (uint32_t i = first + 1; i < end; i++)
        if (is_before(&heap->entries[i], &heap->entries[best]))
            best = i;
    return best;
}

static void sift_down(struct timer_heap *heap, uint32_t at,
                      const struct timer_entry *entry)
{
    for (;;) {
        uint64_t first = (uint64_t)at * FANOUT + 1;
        if (first >= heap->count)
            break;
        uint32_t child = earliest_child(heap, (uint32_t)first);
        if (!is_before(&heap->entries[child], entry))
            break;
        place(heap, at, &heap->entries[child]);
        at = child;
    }
    place(heap, at, entry);
}

static struct timer_entry entry_of(struct timer *timer)
{
    timer->queued_for = timer->deadline;
    return (struct timer_entry){timer->deadline, timer->order, timer};
}

static void dequeue(struct timer_heap *heap, struct timer *timer)
{
    uint32_t at = timer->index;
    must(at < heap->count && heap->entries[at].timer == timer); // T2
    timer->index = TIMER_NOT_QUEUED;
    struct timer_entry last = heap->entries[--heap->count];
    if (last.timer == timer)
        return;
    if (at > 0 && is_before(&last, &heap->entries[(at - 1) / FANOUT]))
        sift_up(heap, at, &last);
    else
        sift_down(heap, at, &last);
}

int timer_set(struct timer_heap *heap, struct timer *timer, ns_t deadline)
{
    if (timer->index != TIMER_NOT_QUEUED) {
        timer->deadline = deadline;
        timer->order = heap->next_order++;
        if (deadline < timer->queued_for) {
            struct timer_entry entry = entry_of(timer);
            sift_up(heap, timer->index, &entry);
        }
        return 0;
    }
    if (deadline == NS_NEVER)
        return 0;
    int error = timer_reserve(heap, heap->count + 1);
    if (error)
        return error;
    timer->deadline = deadline;
    timer->order = heap->next_order++;
    struct timer_entry entry = entry_of(timer);
    sift_up(heap, heap->count++, &entry);
    return 0;
}

void timer_cancel(struct timer *timer) { timer->deadline = NS_NEVER; }

void timer_fini(struct timer_heap *heap, struct timer *timer)
{
    timer->deadline = NS_NEVER;
    if (timer->index != TIMER_NOT_QUEUED)
        dequeue(heap, timer);
}

// The first entry has surfaced although its timer was armed anew or cancelled.
static bool settle_first(struct timer_heap *heap)
{
    struct timer_entry *first = &heap->entries[0];
    struct timer *timer = first->timer;
    if (timer->deadline == NS_NEVER) {
        dequeue(heap, timer);
        return true;
    }
    if (timer->order == first->order)
        return false;
    must(timer->deadline >= first->queued_for); // T1
    struct timer_entry entry = entry_of(timer);
    sift_down(heap, 0, &entry);
    return true;
}

void timer_heap_run(struct timer_heap *heap, ns_t now)
{
    while (heap->count > 0 && heap->entries[0].queued_for <= now) {
        if (settle_first(heap))
            continue;
        struct timer *timer = heap->entries[0].timer;
        dequeue(heap, timer);
        timer->deadline = NS_NEVER;
        timer->on_expiry(timer); // may free the timer
    }
}

ns_t timer_heap_next(struct timer_heap *heap)
{
    while (heap->count > 0 && heap->entries[0].timer->deadline == NS_NEVER)
        dequeue(heap, heap->entries[0].timer);
    return heap->count > 0 ? heap->entries[0].queued_for : NS_NEVER;
}
