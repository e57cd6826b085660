// The event queue's heap.
// SPDX-License-Identifier: MIT

#include "sim/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Theory of operation
//
// An entry carries the key of its event, so that sifting compares entries that
// lie side by side and touches an event only to tell it its new index.
//
// Most handlers schedule something (often their own event again). The place of
// the event that runs is therefore left in the heap as a hole, and the first
// thing that the handler schedules takes it: one sift in the place of two. A
// hole belongs to the engine, not to the event, whose owner may free it.

struct engine_entry {
    ns_t time;
    uint64_t order;
    struct event *event;
};

enum { ARITY = 4, FAR_APART = 20000, NOT_QUEUED = UINT32_MAX };

// Both words as one number: which of two random entries comes first is a branch
// that no processor guesses, and this is none. Times are not negative.
static inline unsigned __int128 entry_key(const struct engine_entry *entry)
{
    return (unsigned __int128)(uint64_t)entry->time << 64 | entry->order;
}

static inline bool entry_before(const struct engine_entry *a,
                                const struct engine_entry *b)
{
    return entry_key(a) < entry_key(b);
}

static inline void entry_place(struct engine *engine, uint32_t index,
                               const struct engine_entry *entry)
{
    engine->heap[index] = *entry;
    entry->event->index = index;
}

static void sift_up(struct engine *engine, uint32_t index,
                    const struct engine_entry *entry)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / ARITY;

        if (!entry_before(entry, &engine->heap[parent]))
            break;
        entry_place(engine, index, &engine->heap[parent]);
        index = parent;
    }
    entry_place(engine, index, entry);
}

static inline uint32_t first_child(const struct engine *engine, uint32_t from,
                                   uint32_t end)
{
    const struct engine_entry *heap = engine->heap;

    if (end - from == ARITY) {
        uint32_t a = from + entry_before(&heap[from + 1], &heap[from]);
        uint32_t b = from + 2 + entry_before(&heap[from + 3], &heap[from + 2]);
        return a + (b - a) * entry_before(&heap[b], &heap[a]);
    }
    uint32_t best = from;
    for (uint32_t i = from + 1; i < end; i++)
        if (entry_before(&heap[i], &heap[best]))
            best = i;
    return best;
}

// A heap that no cache holds: the entries two levels down are asked for while
// those one level down are compared. Always in line: gcc takes a call that only
// reads ahead for one without effect, and drops it.
static inline __attribute__((always_inline)) void
fetch_grandchildren(const struct engine *engine, uint64_t from)
{
    enum { ENTRIES_A_LINE = 2 };
    uint64_t end = from + ARITY * ARITY;
    if (end <= engine->count)
        for (; from < end; from += ENTRIES_A_LINE)
            __builtin_prefetch(&engine->heap[from]);
}

static void sift_down(struct engine *engine, uint32_t index,
                      const struct engine_entry *entry)
{
    for (;;) {
        uint64_t from = (uint64_t)index * ARITY + 1;

        if (from >= engine->count)
            break;
        if (engine->count > FAR_APART)
            fetch_grandchildren(engine, from * ARITY + 1);
        uint32_t best =
            first_child(engine, (uint32_t)from,
                        min_u32((uint32_t)from + ARITY, engine->count));
        if (!entry_before(&engine->heap[best], entry))
            break;
        entry_place(engine, index, &engine->heap[best]);
        index = best;
    }
    entry_place(engine, index, entry);
}

// Puts an entry where another one was, whose key it need not share.
static void sift(struct engine *engine, uint32_t index,
                 const struct engine_entry *entry)
{
    if (index > 0 && entry_before(entry, &engine->heap[(index - 1) / ARITY]))
        sift_up(engine, index, entry);
    else
        sift_down(engine, index, entry);
}

static void heap_remove(struct engine *engine, uint32_t index)
{
    struct engine_entry last = engine->heap[--engine->count];

    if (index != engine->count)
        sift(engine, index, &last);
}

void engine_init(struct engine *engine)
{
    memset(engine, 0, sizeof(*engine));
    event_init(&engine->hole, 0, NULL);
}

void engine_fini(struct engine *engine)
{
    free(engine->heap);
    engine->heap = NULL;
    engine->count = engine->capacity = 0;
}

void event_init(struct event *event, uint64_t order,
                void (*run)(struct event *event))
{
    *event = (struct event){
        .time = NS_NEVER, .order = order, .index = NOT_QUEUED, .run = run};
}

static int heap_grow(struct engine *engine, uint64_t wanted)
{
    uint64_t capacity = engine->capacity > 0 ? engine->capacity : 64;

    while (capacity < wanted)
        capacity *= 2;
    if (capacity > NOT_QUEUED)
        return -ENOMEM;
    struct engine_entry *heap =
        realloc(engine->heap, capacity * sizeof(*engine->heap));
    if (heap == NULL)
        return -ENOMEM;
    engine->heap = heap;
    engine->capacity = (uint32_t)capacity;
    return 0;
}

int engine_reserve(struct engine *engine, uint32_t more)
{
    uint64_t wanted = (uint64_t)engine->reserved + more;

    // One more than the objects need: the hole.
    if (wanted + 1 > engine->capacity && heap_grow(engine, wanted + 1) < 0)
        return -ENOMEM;
    engine->reserved = (uint32_t)wanted;
    return 0;
}

void engine_release(struct engine *engine, uint32_t less)
{
    must(less <= engine->reserved);
    engine->reserved -= less;
}

static bool hole_is_open(const struct engine *engine)
{
    return engine->hole.index != NOT_QUEUED;
}

void engine_schedule(struct engine *engine, struct event *event, ns_t time)
{
    must(time >= engine->now && time != NS_NEVER);
    struct engine_entry entry = {time, event->order, event};

    if (event->time != NS_NEVER) {
        event->time = time;
        sift(engine, event->index, &entry);
        return;
    }
    event->time = time;
    if (hole_is_open(engine)) {
        uint32_t index = engine->hole.index;

        engine->hole.index = NOT_QUEUED;
        sift(engine, index, &entry);
        return;
    }
    if (engine->count == engine->capacity)
        must(heap_grow(engine, (uint64_t)engine->count + 1) == 0);
    sift_up(engine, engine->count++, &entry);
}

void engine_cancel(struct engine *engine, struct event *event)
{
    if (event->time == NS_NEVER)
        return;
    event->time = NS_NEVER;
    heap_remove(engine, event->index);
    event->index = NOT_QUEUED;
}

static void run_first(struct engine *engine)
{
    struct event *event = engine->heap[0].event;

    if (event->time != engine->now)
        engine->events_at_now = 0;
    engine->now = event->time;
    engine->events_run++;
    engine->events_at_now++;
    event->time = NS_NEVER;
    event->index = NOT_QUEUED;
    engine->heap[0].event = &engine->hole;
    engine->hole.index = 0;
    event->run(event);
    if (hole_is_open(engine)) {
        heap_remove(engine, engine->hole.index);
        engine->hole.index = NOT_QUEUED;
    }
}

static bool is_interrupted(const struct engine *engine)
{
    return engine->interrupted != NULL && *engine->interrupted != 0;
}

static bool is_at_limit(const struct engine *engine)
{
    return (engine->event_limit != 0 &&
            engine->events_run >= engine->event_limit) ||
           (engine->instant_limit != 0 &&
            engine->events_at_now >= engine->instant_limit &&
            engine->heap[0].time == engine->now);
}

enum engine_result engine_run(struct engine *engine, ns_t until)
{
    must(!hole_is_open(engine)); // not from a handler
    for (;;) {
        if (engine->stop_requested) {
            engine->stop_requested = false;
            return ENGINE_STOPPED;
        }
        if (is_interrupted(engine))
            return ENGINE_INTERRUPTED;
        if (engine->count == 0)
            return ENGINE_IDLE;
        if (engine->heap[0].time > until) {
            engine->now = max_i64(engine->now, until);
            return ENGINE_UNTIL;
        }
        if (is_at_limit(engine))
            return ENGINE_LIMIT;
        run_first(engine);
    }
}

void engine_advance(struct engine *engine, ns_t time)
{
    must(engine_next(engine) >= time);
    engine->now = max_i64(engine->now, time);
}

void engine_stop(struct engine *engine) { engine->stop_requested = true; }

ns_t engine_next(const struct engine *engine)
{
    if (engine->count == 0)
        return NS_NEVER;
    if (!hole_is_open(engine) || engine->hole.index != 0)
        return engine->heap[0].time;
    // From a handler: the next is among the children of the hole.
    ns_t next = NS_NEVER;
    for (uint32_t i = 1; i <= ARITY && i < engine->count; i++)
        next = min_i64(next, engine->heap[i].time);
    return next;
}
