// The event queue: virtual time with a total order.
// SPDX-License-Identifier: MIT
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

// Theory of operation
//
// An event is embedded in the object that it concerns and is pending at most
// once. Events run by (time, order); `order` is given when the event is
// initialised and is made of the number of the node on which it happens and the
// number of its source on that node (a link direction, the stack's deadline, a
// task). Both come from the scenario, so no two events of a run are equal and
// the order is the same in one thread or in many. Whatever has several things
// pending (a link with frames in flight) keeps them in a queue of its own and
// has one event for the first of them.
//
// The queue is a 4-ary heap of (time, order, event) entries; an event knows its
// index, so that it can be moved or cancelled in place. An owner may free its
// event from the event's own handler.
//
// Invariants: E1. now never decreases. E2. A handler runs with engine->now
// equal to its event's time. E3. Scheduling in the past is a bug (must).

#include "stack/base.h"

struct event {
    ns_t time; // NS_NEVER: not pending
    uint64_t order;
    uint32_t index;
    void (*run)(struct event *event); // find the owner with CONTAINER_OF
};

struct engine {
    ns_t now; // hosts point their stacks here
    struct engine_entry *heap;
    uint32_t count, capacity;
    uint32_t reserved; // by engine_reserve, in all
    struct event hole; // the place of the event that is running (engine.c)
    uint64_t events_run;
    uint64_t event_limit; // 0: none; a run beyond it stops with ENGINE_LIMIT
    // The same for events at one and the same time, which a loop of links
    // without delay would go on making for ever.
    uint64_t instant_limit, events_at_now;
    bool stop_requested;       // set by engine_stop, from handlers
    volatile int *interrupted; // set by a signal handler; NULL: none. Looked at
                               // between events
};

void engine_init(struct engine *engine);
void engine_fini(struct engine *engine);

static inline uint64_t event_order(uint32_t node, uint32_t source)
{
    return (uint64_t)node << 32 | source;
}
void event_init(struct event *event, uint64_t order,
                void (*run)(struct event *event));
static inline bool event_is_pending(const struct event *e)
{
    return e->time != NS_NEVER;
}
// (Re)schedules. Running out of memory for the heap is a must: the number of
// events is bounded by the objects of the scenario; engine_reserve is called
// when those are made.
void engine_schedule(struct engine *engine, struct event *event, ns_t time);
void engine_cancel(struct engine *engine, struct event *event);
int engine_reserve(struct engine *engine, uint32_t more);  // -ENOMEM
void engine_release(struct engine *engine, uint32_t less); // takes it back

enum engine_result {
    ENGINE_IDLE,
    ENGINE_UNTIL,
    ENGINE_STOPPED,
    ENGINE_INTERRUPTED,
    ENGINE_LIMIT
};
// Runs events with time <= until. IDLE: none is left (now stays at the last
// event); UNTIL: now is `until`.
enum engine_result engine_run(struct engine *engine, ns_t until);
// Lets time pass without an event: now becomes `time` unless it is later
// already. Nothing may be due before (must). For whoever follows a clock.
void engine_advance(struct engine *engine, ns_t time);
void engine_stop(struct engine *engine);
ns_t engine_next(const struct engine *engine); // NS_NEVER: nothing pending

#endif
