// Timers of one stack, re-armed lazily.
// SPDX-License-Identifier: MIT
#ifndef STACK_TIMER_H
#define STACK_TIMER_H

// Theory of operation
//
// A stack keeps its pending timers in one 4-ary heap. The heap's entries carry
// their own key, (time queued for, arming number), so that sifting touches
// nothing but the heap's array. Moving a deadline later only writes into the
// timer: the entry stays where it is, and when it surfaces too early it is put
// back. Moving it earlier re-sifts. A cancelled timer stays in the heap with
// deadline NS_NEVER until it surfaces or is destroyed. So a TCP that pushes its
// retransmission timeout out on every ACK touches one cache line per ACK.
//
// Timers with the same deadline run in the order in which they were armed,
// however often and however early the host calls: an entry that is put back
// keeps the number it got when it was armed.
//
// Invariants: T1. queued_for <= deadline while queued. T2.
// heap->entries[t->index].timer == t while queued.

#include "stack/base.h"

struct timer {
    ns_t deadline;                          // NS_NEVER: not armed
    ns_t queued_for;                        // meaningful while queued
    uint32_t index;                         // in the heap; TIMER_NOT_QUEUED
    uint32_t order;                         // arming number, breaks ties
    void (*on_expiry)(struct timer *timer); // find the owner with CONTAINER_OF
};
#define TIMER_NOT_QUEUED UINT32_MAX

struct timer_entry {
    ns_t queued_for;
    uint32_t order;
    struct timer *timer;
};

struct timer_heap {
    struct timer_entry *entries;
    uint32_t count, capacity;
    uint32_t next_order;
};

void timer_heap_init(struct timer_heap *heap);
void timer_heap_fini(
    struct timer_heap *heap); // frees the array; timers are their owners'

void timer_init(struct timer *timer, void (*on_expiry)(struct timer *timer));
// Arms or re-arms. Cannot fail for a timer that is queued; otherwise -ENOMEM is
// possible only when the heap must grow: timer_reserve beforehand makes that
// impossible.
int timer_set(struct timer_heap *heap, struct timer *timer, ns_t deadline);
// Makes room for `count` timers in all. 0 or -ENOMEM.
int timer_reserve(struct timer_heap *heap, uint32_t count);
void timer_cancel(struct timer *timer); // lazy
void timer_fini(struct timer_heap *heap,
                struct timer *timer); // out of the heap for good
static inline bool timer_is_armed(const struct timer *t)
{
    return t->deadline != NS_NEVER;
}

// Runs what is due at `now`, in order; timers armed by handlers for <= now run
// too.
void timer_heap_run(struct timer_heap *heap, ns_t now);
// When to call timer_heap_run next (may be early, never late); NS_NEVER:
// nothing armed.
ns_t timer_heap_next(struct timer_heap *heap);

#endif
