// Tests of the timer heap.
// SPDX-License-Identifier: MIT
#include "stack/timer.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/malloc_fixture.h"
#include "tests/unit/unit.h"

enum { MANY = 500 };

struct log;
struct probe {
    struct timer timer;
    struct log *log;
    int name;
};
struct log {
    struct timer_heap heap;
    struct probe probes[MANY];
    int names[4 * MANY]; // in the order in which they ran
    int count;
    ns_t now;
};

static void note(struct timer *timer)
{
    struct probe *probe = CONTAINER_OF(timer, struct probe, timer);
    CHECK(!timer_is_armed(timer));
    probe->log->names[probe->log->count++] = probe->name;
}

static void setup(struct log *log)
{
    timer_heap_init(&log->heap);
    log->count = 0;
    for (int i = 0; i < MANY; i++) {
        log->probes[i] = (struct probe){.log = log, .name = i};
        timer_init(&log->probes[i].timer, note);
    }
}

static void teardown(struct log *log) { timer_heap_fini(&log->heap); }

static void set(struct log *log, int name, ns_t deadline)
{
    CHECK_EQUAL(timer_set(&log->heap, &log->probes[name].timer, deadline), 0);
}

static void run(struct log *log, ns_t now)
{
    log->count = 0;
    log->now = now;
    timer_heap_run(&log->heap, now);
}

static void check_heap(const struct log *log)
{
    const struct timer_heap *heap = &log->heap;
    for (uint32_t i = 0; i < heap->count; i++) {
        const struct timer_entry *entry = &heap->entries[i];
        CHECK_EQUAL(entry->timer->index, i);                // T2
        CHECK(entry->queued_for <= entry->timer->deadline); // T1
        if (i > 0)
            CHECK(heap->entries[(i - 1) / 4].queued_for <= entry->queued_for);
    }
}

static void nothing_armed_means_never(void)
{
    struct log log;
    setup(&log);
    CHECK_EQUAL(timer_heap_next(&log.heap), NS_NEVER);
    run(&log, NS_NEVER - 1);
    CHECK_EQUAL(log.count, 0);
    teardown(&log);
}

static void a_timer_runs_when_it_is_due_and_once(void)
{
    struct log log;
    setup(&log);
    set(&log, 0, 100);
    CHECK(timer_is_armed(&log.probes[0].timer));
    CHECK_EQUAL(timer_heap_next(&log.heap), 100);
    run(&log, 99);
    CHECK_EQUAL(log.count, 0);
    run(&log, 100);
    CHECK_EQUAL(log.count, 1);
    run(&log, 1000);
    CHECK_EQUAL(log.count, 0);
    CHECK_EQUAL(timer_heap_next(&log.heap), NS_NEVER);
    teardown(&log);
}

static void timers_run_in_the_order_of_their_deadlines(void)
{
    struct log log;
    setup(&log);
    for (int i = 0; i < MANY; i++)
        set(&log, i, 1 + i * 7919 % MANY);
    check_heap(&log);
    run(&log, MANY);
    CHECK_EQUAL(log.count, MANY);
    for (int i = 0; i + 1 < log.count; i++)
        CHECK(log.names[i] * 7919 % MANY < log.names[i + 1] * 7919 % MANY);
    teardown(&log);
}

static void equal_deadlines_run_in_the_order_of_arming(void)
{
    struct log log;
    setup(&log);
    for (int i = 0; i < MANY; i++)
        set(&log, i, 5);
    run(&log, 5);
    CHECK_EQUAL(log.count, MANY);
    for (int i = 0; i < log.count; i++)
        CHECK_EQUAL(log.names[i], i);
    teardown(&log);
}

static void a_later_deadline_is_kept_and_asked_for_early_at_most(void)
{
    struct log log;
    setup(&log);
    set(&log, 0, 100);
    set(&log, 0, 300);
    CHECK(timer_heap_next(&log.heap) <= 300);
    run(&log, 299);
    CHECK_EQUAL(log.count, 0);
    CHECK_EQUAL(timer_heap_next(&log.heap), 300);
    run(&log, 300);
    CHECK_EQUAL(log.count, 1);
    teardown(&log);
}

static void an_earlier_deadline_moves_forward(void)
{
    struct log log;
    setup(&log);
    for (int i = 0; i < 50; i++)
        set(&log, i, 1000 + i);
    set(&log, 49, 10);
    CHECK_EQUAL(timer_heap_next(&log.heap), 10);
    check_heap(&log);
    run(&log, 10);
    CHECK_EQUAL(log.count, 1);
    CHECK_EQUAL(log.names[0], 49);
    teardown(&log);
}

static void a_cancelled_timer_never_runs(void)
{
    struct log log;
    setup(&log);
    set(&log, 0, 10);
    set(&log, 1, 20);
    timer_cancel(&log.probes[0].timer);
    timer_cancel(&log.probes[0].timer);
    CHECK(!timer_is_armed(&log.probes[0].timer));
    CHECK_EQUAL(timer_heap_next(&log.heap), 20);
    run(&log, 20);
    CHECK_EQUAL(log.count, 1);
    CHECK_EQUAL(log.names[0], 1);
    teardown(&log);
}

static void a_cancelled_timer_may_be_armed_again(void)
{
    struct log log;
    setup(&log);
    set(&log, 0, 10);
    timer_cancel(&log.probes[0].timer);
    set(&log, 0, 30); // while its entry is still there
    run(&log, 29);
    CHECK_EQUAL(log.count, 0);
    timer_cancel(&log.probes[0].timer);
    CHECK_EQUAL(timer_heap_next(&log.heap), NS_NEVER); // gone now
    set(&log, 0, 5);
    run(&log, 40);
    CHECK_EQUAL(log.count, 1);
    teardown(&log);
}

static void arming_for_never_is_not_arming(void)
{
    struct log log;
    setup(&log);
    set(&log, 0, NS_NEVER);
    CHECK_EQUAL(timer_heap_next(&log.heap), NS_NEVER);
    set(&log, 0, 5);
    set(&log, 0, NS_NEVER);
    run(&log, 10);
    CHECK_EQUAL(log.count, 0);
    teardown(&log);
}

static void an_ended_timer_leaves_the_heap_in_order(void)
{
    struct log log;
    setup(&log);
    for (int i = 0; i < MANY; i++)
        set(&log, i, 1 + i * 7919 % MANY);
    for (int i = 0; i < MANY; i += 3) {
        timer_fini(&log.heap, &log.probes[i].timer);
        timer_fini(&log.heap, &log.probes[i].timer); // twice is harmless
    }
    check_heap(&log);
    run(&log, MANY);
    CHECK_EQUAL(log.count, MANY - (MANY + 2) / 3);
    for (int i = 0; i < log.count; i++)
        CHECK(log.names[i] % 3 != 0);
    teardown(&log);
}

static void order_does_not_depend_on_when_the_host_calls(void)
{
    struct log a, b;
    setup(&a);
    setup(&b);
    for (struct log *log = &a; log; log = log == &a ? &b : NULL) {
        set(log, 0, 10);
        set(log, 0, 30); // moved behind
        if (log == &a)
            run(log, 10); // too early: puts timer 0 back
        set(log, 1, 30);
        if (log == &a)
            run(log, 29);
        run(log, 30);
        CHECK_EQUAL(log->count, 2);
        CHECK_EQUAL(log->names[0], 0);
        CHECK_EQUAL(log->names[1], 1);
        teardown(log);
    }
}

static void arming_again_for_the_same_time_goes_behind_the_others(void)
{
    struct log log;
    setup(&log);
    set(&log, 0, 10);
    set(&log, 1, 10);
    set(&log, 0, 10);
    run(&log, 10);
    CHECK_EQUAL(log.count, 2);
    CHECK_EQUAL(log.names[0], 1);
    CHECK_EQUAL(log.names[1], 0);
    teardown(&log);
}

static void arm_the_next(struct timer *timer)
{
    struct probe *probe = CONTAINER_OF(timer, struct probe, timer);
    note(timer);
    if (probe->name < 9)
        set(probe->log, probe->name + 1, probe->log->now);
}

static void timers_that_handlers_arm_for_now_run_too(void)
{
    struct log log;
    setup(&log);
    for (int i = 0; i < 10; i++)
        log.probes[i].timer.on_expiry = arm_the_next;
    set(&log, 0, 5);
    set(&log, 20, 7);
    run(&log, 7);
    CHECK_EQUAL(log.count, 11);
    CHECK_EQUAL(log.names[0], 0);
    // What was armed for 7 before comes first.
    CHECK_EQUAL(log.names[1], 20);
    CHECK_EQUAL(log.names[10], 9);
    teardown(&log);
}

struct mortal {
    struct timer timer;
    int *died;
};

static void end_itself(struct timer *timer)
{
    struct mortal *mortal = CONTAINER_OF(timer, struct mortal, timer);
    ++*mortal->died;
    free(mortal);
}

static void a_handler_may_free_its_timer(void)
{
    struct timer_heap heap;
    int died = 0;
    timer_heap_init(&heap);
    for (int i = 0; i < 20; i++) {
        struct mortal *mortal = malloc(sizeof *mortal);
        CHECK_FATAL(mortal != NULL);
        mortal->died = &died;
        timer_init(&mortal->timer, end_itself);
        CHECK_EQUAL(timer_set(&heap, &mortal->timer, i % 3), 0);
    }
    timer_heap_run(&heap, 10);
    CHECK_EQUAL(died, 20);
    timer_heap_fini(&heap);
}

static void reserved_room_is_not_allocated_again(void)
{
    struct log log;
    setup(&log);
    CHECK_EQUAL(timer_reserve(&log.heap, 100), 0);
    const struct timer_entry *entries = log.heap.entries;
    CHECK(log.heap.capacity >= 100);
    for (int i = 0; i < 100; i++)
        set(&log, i, 100 - i);
    CHECK(log.heap.entries == entries);
    CHECK_EQUAL(timer_reserve(&log.heap, 50), 0);
    CHECK(log.heap.entries == entries);
    teardown(&log);
}

static void arming_without_memory_changes_nothing(void)
{
    struct log log;
    setup(&log);
    for (int i = 0; i < 8; i++) // fills the first array
        set(&log, i, 10);
    malloc_fail_after(1);
    CHECK_EQUAL(timer_set(&log.heap, &log.probes[8].timer, 5), -ENOMEM);
    CHECK(malloc_has_failed());
    CHECK(!timer_is_armed(&log.probes[8].timer));
    set(&log, 3, 20); // needs no memory
    set(&log, 8, 5);  // and now there is some
    run(&log, 10);
    CHECK_EQUAL(log.count, 8);
    CHECK_EQUAL(log.names[0], 8);
    teardown(&log);
}

// A slow model of the same: the armed timer with the least (deadline, number).
static void check_next(struct log *log, const ns_t *deadlines,
                       const uint32_t *numbers, ns_t now)
{
    run(log, now);
    for (int i = 0; i < log->count; i++) {
        int name = log->names[i];
        CHECK(deadlines[name] <= now);
        if (i == 0)
            continue;
        int before = log->names[i - 1];
        CHECK(deadlines[before] < deadlines[name] ||
              (deadlines[before] == deadlines[name] &&
               numbers[before] < numbers[name]));
    }
}

static void any_mix_of_calls_agrees_with_a_simple_model(void)
{
    struct log log;
    ns_t deadlines[MANY], now = 0;
    uint32_t numbers[MANY] = {0}, number = 0, random = 1;
    setup(&log);
    for (int i = 0; i < MANY; i++)
        deadlines[i] = NS_NEVER;
    for (int step = 0; step < 20000; step++) {
        random = random * 1664525 + 1013904223;
        int name = (int)(random >> 8) % MANY;
        switch (random >> 29) {
        case 0:
            timer_cancel(&log.probes[name].timer);
            deadlines[name] = NS_NEVER;
            break;
        case 1:
            timer_fini(&log.heap, &log.probes[name].timer);
            deadlines[name] = NS_NEVER;
            break;
        case 2:
            now += (random >> 16) % 64;
            int due = 0;
            for (int i = 0; i < MANY; i++)
                due += deadlines[i] <= now;
            check_next(&log, deadlines, numbers, now);
            CHECK_EQUAL(log.count, due);
            for (int i = 0; i < log.count; i++)
                deadlines[log.names[i]] = NS_NEVER;
            break;
        default:
            deadlines[name] = now + 1 + (random >> 12) % 256;
            numbers[name] = ++number;
            set(&log, name, deadlines[name]);
        }
    }
    check_heap(&log);
    teardown(&log);
}

const struct unit_test suite_timer[] = {
    UNIT(nothing_armed_means_never),
    UNIT(a_timer_runs_when_it_is_due_and_once),
    UNIT(timers_run_in_the_order_of_their_deadlines),
    UNIT(equal_deadlines_run_in_the_order_of_arming),
    UNIT(a_later_deadline_is_kept_and_asked_for_early_at_most),
    UNIT(an_earlier_deadline_moves_forward),
    UNIT(a_cancelled_timer_never_runs),
    UNIT(a_cancelled_timer_may_be_armed_again),
    UNIT(arming_for_never_is_not_arming),
    UNIT(an_ended_timer_leaves_the_heap_in_order),
    UNIT(order_does_not_depend_on_when_the_host_calls),
    UNIT(arming_again_for_the_same_time_goes_behind_the_others),
    UNIT(timers_that_handlers_arm_for_now_run_too),
    UNIT(a_handler_may_free_its_timer),
    UNIT(reserved_room_is_not_allocated_again),
    UNIT(arming_without_memory_changes_nothing),
    UNIT(any_mix_of_calls_agrees_with_a_simple_model),
    {0},
};
