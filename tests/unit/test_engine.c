// Tests of the event queue.
// SPDX-License-Identifier: MIT

#include <stdlib.h>

#include "sim/engine/engine.h"
#include "sim/engine/random.h"
#include "tests/unit/unit.h"

enum { MANY = 1000, LOG_SIZE = 100000 };

// An event that writes its number down, and does one thing more.
struct noter {
    struct event event;
    unsigned number;
    void (*then)(struct noter *noter);
    unsigned left;
};

struct bench {
    struct engine engine;
    struct noter noters[MANY];
    unsigned log[LOG_SIZE];
    ns_t times[LOG_SIZE];
    unsigned count;
};
static struct bench *bench_of(struct noter *noter)
{
    struct noter *first = noter - noter->number;
    return (struct bench *)(void *)((char *)first -
                                    offsetof(struct bench, noters));
}

static void note(struct event *event)
{
    struct noter *noter = CONTAINER_OF(event, struct noter, event);
    struct bench *bench = bench_of(noter);

    must(bench->count < LOG_SIZE);
    bench->times[bench->count] = bench->engine.now;
    bench->log[bench->count++] = noter->number;
    if (noter->then != NULL)
        noter->then(noter);
}

static struct bench *bench_create(void)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    must(bench != NULL);
    engine_init(&bench->engine);
    for (unsigned i = 0; i < MANY; i++) {
        bench->noters[i].number = i;
        event_init(&bench->noters[i].event, event_order(1, i), note);
    }
    return bench;
}

static void bench_destroy(struct bench *bench)
{
    engine_fini(&bench->engine);
    free(bench);
}

static void at(struct bench *bench, unsigned number, ns_t time)
{
    engine_schedule(&bench->engine, &bench->noters[number].event, time);
}

static void events_run_in_order_of_time(void)
{
    struct bench *bench = bench_create();

    at(bench, 0, 30);
    at(bench, 1, 10);
    at(bench, 2, 20);
    CHECK_EQUAL(engine_next(&bench->engine), 10);
    CHECK_EQUAL(engine_run(&bench->engine, NS_NEVER), ENGINE_IDLE);
    CHECK_EQUAL(bench->count, 3);
    CHECK_EQUAL(bench->log[0], 1);
    CHECK_EQUAL(bench->log[1], 2);
    CHECK_EQUAL(bench->log[2], 0);
    CHECK_EQUAL(bench->times[1], 20);
    CHECK_EQUAL(bench->engine.now, 30);
    CHECK_EQUAL(engine_next(&bench->engine), NS_NEVER);
    bench_destroy(bench);
}

static void events_of_the_same_time_run_in_their_order(void)
{
    struct bench *bench = bench_create();

    for (unsigned i = MANY; i-- > 0;)
        at(bench, i, 5);
    engine_run(&bench->engine, NS_NEVER);
    CHECK_EQUAL(bench->count, MANY);
    for (unsigned i = 0; i < MANY; i++)
        CHECK_EQUAL(bench->log[i], i);
    bench_destroy(bench);
}

static void the_node_counts_before_its_sources(void)
{
    CHECK(event_order(1, UINT32_MAX) < event_order(2, 0));
    CHECK(event_order(0, 7) < event_order(1, 0));
}

static void running_until_a_time_includes_it(void)
{
    struct bench *bench = bench_create();

    at(bench, 0, 10);
    at(bench, 1, 11);
    CHECK_EQUAL(engine_run(&bench->engine, 10), ENGINE_UNTIL);
    CHECK_EQUAL(bench->count, 1);
    CHECK_EQUAL(bench->engine.now, 10);
    CHECK_EQUAL(engine_run(&bench->engine, 10), ENGINE_UNTIL);
    CHECK_EQUAL(engine_run(&bench->engine, 100), ENGINE_IDLE);
    CHECK_EQUAL(bench->engine.now, 11); // idle: stays at the last event
    bench_destroy(bench);
}

static void time_moves_to_the_limit_while_something_is_pending(void)
{
    struct bench *bench = bench_create();

    at(bench, 0, 100);
    CHECK_EQUAL(engine_run(&bench->engine, 60), ENGINE_UNTIL);
    CHECK_EQUAL(bench->engine.now, 60);
    bench_destroy(bench);
}

static void rescheduling_moves_an_event_both_ways(void)
{
    struct bench *bench = bench_create();

    for (unsigned i = 0; i < 10; i++)
        at(bench, i, 100 + i);
    at(bench, 9, 50);
    at(bench, 0, 200);
    engine_run(&bench->engine, NS_NEVER);
    CHECK_EQUAL(bench->count, 10);
    CHECK_EQUAL(bench->log[0], 9);
    CHECK_EQUAL(bench->log[9], 0);
    bench_destroy(bench);
}

static void a_cancelled_event_does_not_run(void)
{
    struct bench *bench = bench_create();

    for (unsigned i = 0; i < 10; i++)
        at(bench, i, i + 1);
    engine_cancel(&bench->engine, &bench->noters[0].event);
    engine_cancel(&bench->engine, &bench->noters[5].event);
    engine_cancel(&bench->engine, &bench->noters[5].event); // harmless
    engine_cancel(&bench->engine, &bench->noters[9].event);
    CHECK(!event_is_pending(&bench->noters[5].event));
    CHECK_EQUAL(engine_next(&bench->engine), 2);
    engine_run(&bench->engine, NS_NEVER);
    CHECK_EQUAL(bench->count, 7);
    CHECK_EQUAL(bench->log[0], 1);
    CHECK_EQUAL(bench->log[6], 8);
    bench_destroy(bench);
}

static void again_in_10(struct noter *noter)
{
    struct bench *bench = bench_of(noter);

    CHECK(!event_is_pending(&noter->event));
    if (noter->left-- > 0)
        at(bench, noter->number, bench->engine.now + 10);
}

static void a_handler_may_schedule_its_own_event(void)
{
    struct bench *bench = bench_create();

    bench->noters[3].then = again_in_10;
    bench->noters[3].left = 4;
    at(bench, 3, 1);
    at(bench, 4, 22);
    CHECK_EQUAL(engine_run(&bench->engine, NS_NEVER), ENGINE_IDLE);
    CHECK_EQUAL(bench->count, 6);
    CHECK_EQUAL(bench->log[3], 4);
    CHECK_EQUAL(bench->engine.now, 41);
    CHECK_EQUAL(bench->engine.events_run, 6);
    bench_destroy(bench);
}

static void one_more_at_the_same_time(struct noter *noter)
{
    struct bench *bench = bench_of(noter);

    // A lower order than that of the running event: it runs next all the same.
    at(bench, noter->number - 1, bench->engine.now);
    at(bench, noter->number - 2, bench->engine.now + 1);
    CHECK_EQUAL(engine_next(&bench->engine), bench->engine.now);
}

static void a_handler_may_schedule_others_at_the_same_time(void)
{
    struct bench *bench = bench_create();

    bench->noters[9].then = one_more_at_the_same_time;
    at(bench, 9, 5);
    at(bench, 20, 5);
    engine_run(&bench->engine, NS_NEVER);
    CHECK_EQUAL(bench->count, 4);
    CHECK_EQUAL(bench->log[0], 9);
    CHECK_EQUAL(bench->log[1], 8);
    CHECK_EQUAL(bench->log[2], 20);
    CHECK_EQUAL(bench->log[3], 7);
    bench_destroy(bench);
}

static void cancel_the_next(struct noter *noter)
{
    struct bench *bench = bench_of(noter);

    for (unsigned i = 1; i <= 5; i++)
        engine_cancel(&bench->engine, &bench->noters[noter->number + i].event);
}

static void a_handler_may_cancel_others(void)
{
    struct bench *bench = bench_create();

    bench->noters[0].then = cancel_the_next;
    for (unsigned i = 0; i < 8; i++)
        at(bench, i, 1 + i);
    engine_run(&bench->engine, NS_NEVER);
    CHECK_EQUAL(bench->count, 3);
    CHECK_EQUAL(bench->log[1], 6);
    CHECK_EQUAL(bench->log[2], 7);
    bench_destroy(bench);
}

static void ask_what_is_next(struct noter *noter)
{
    struct bench *bench = bench_of(noter);

    CHECK_EQUAL(engine_next(&bench->engine), bench->engine.now + 2);
}

static void the_running_event_is_not_the_next(void)
{
    struct bench *bench = bench_create();

    bench->noters[0].then = ask_what_is_next;
    at(bench, 0, 1);
    at(bench, 1, 5);
    at(bench, 2, 3);
    engine_run(&bench->engine, 1);
    bench_destroy(bench);
}

struct mortal {
    struct event event;
    struct engine *engine;
    struct noter *other;
};

static void die_and_schedule(struct event *event)
{
    struct mortal *mortal = CONTAINER_OF(event, struct mortal, event);
    struct engine *engine = mortal->engine;
    struct event *other = &mortal->other->event;

    engine_cancel(engine, event);
    free(mortal);
    engine_schedule(engine, other, engine->now + 1);
}

static void an_owner_may_free_its_event_while_it_runs(void)
{
    struct bench *bench = bench_create();

    for (unsigned i = 0; i < 20; i++) {
        struct mortal *mortal = malloc(sizeof(*mortal));

        must(mortal != NULL);
        event_init(&mortal->event, event_order(2, i), die_and_schedule);
        mortal->engine = &bench->engine;
        mortal->other = &bench->noters[i];
        engine_schedule(&bench->engine, &mortal->event, 10 + i);
    }
    engine_run(&bench->engine, NS_NEVER);
    CHECK_EQUAL(bench->count, 20);
    bench_destroy(bench);
}

static void stop(struct noter *noter) { engine_stop(&bench_of(noter)->engine); }

static void stopping_ends_the_run_after_the_event(void)
{
    struct bench *bench = bench_create();

    bench->noters[1].then = stop;
    for (unsigned i = 0; i < 3; i++)
        at(bench, i, 7);
    CHECK_EQUAL(engine_run(&bench->engine, NS_NEVER), ENGINE_STOPPED);
    CHECK_EQUAL(bench->count, 2);
    CHECK_EQUAL(engine_run(&bench->engine, NS_NEVER), ENGINE_IDLE);
    CHECK_EQUAL(bench->count, 3);
    bench_destroy(bench);
}

static void an_event_limit_ends_an_endless_run(void)
{
    struct bench *bench = bench_create();

    bench->noters[0].then = again_in_10;
    bench->noters[0].left = UINT32_MAX;
    bench->engine.event_limit = 500;
    at(bench, 0, 0);
    CHECK_EQUAL(engine_run(&bench->engine, NS_NEVER), ENGINE_LIMIT);
    CHECK_EQUAL(bench->engine.events_run, 500);
    bench_destroy(bench);
}

static void again_at_once(struct noter *noter)
{
    at(bench_of(noter), noter->number, bench_of(noter)->engine.now);
}

static void time_that_stands_still_ends_the_run(void)
{
    struct bench *bench = bench_create();

    bench->noters[0].then = again_at_once;
    bench->engine.instant_limit = 500;
    at(bench, 0, 3);
    at(bench, 1, 2);
    CHECK_EQUAL(engine_run(&bench->engine, NS_NEVER), ENGINE_LIMIT);
    CHECK_EQUAL(bench->engine.events_run, 501);
    CHECK_EQUAL(bench->engine.now, 3);
    bench_destroy(bench);
}

static void many_events_at_different_times_are_no_standstill(void)
{
    struct bench *bench = bench_create();

    bench->noters[0].then = again_in_10;
    bench->noters[0].left = 2000;
    bench->engine.instant_limit = 500;
    at(bench, 0, 0);
    CHECK_EQUAL(engine_run(&bench->engine, NS_NEVER), ENGINE_IDLE);
    bench_destroy(bench);
}

static void an_interrupt_ends_the_run_between_events(void)
{
    struct bench *bench = bench_create();
    volatile int interrupted = 0;

    bench->engine.interrupted = &interrupted;
    at(bench, 0, 1);
    at(bench, 1, 2);
    CHECK_EQUAL(engine_run(&bench->engine, 1), ENGINE_UNTIL);
    interrupted = 1;
    CHECK_EQUAL(engine_run(&bench->engine, 2), ENGINE_INTERRUPTED);
    CHECK_EQUAL(bench->count, 1);
    bench_destroy(bench);
}

static void reserved_room_is_there(void)
{
    struct bench *bench = bench_create();

    CHECK_EQUAL(engine_reserve(&bench->engine, 300), 0);
    CHECK(bench->engine.capacity > 300);
    CHECK_EQUAL(engine_reserve(&bench->engine, 600), 0);
    CHECK(bench->engine.capacity > 900);
    engine_release(&bench->engine, 900);
    CHECK_EQUAL(bench->engine.reserved, 0);
    bench_destroy(bench);
}

// The queue against a sorted list, with random operations.
static ns_t model_first(const struct bench *bench, unsigned *which)
{
    const struct event *best = NULL;

    for (unsigned i = 0; i < MANY; i++) {
        const struct event *e = &bench->noters[i].event;

        if (event_is_pending(e) && (best == NULL || e->time < best->time)) {
            best = e;
            *which = i;
        }
    }
    return best != NULL ? best->time : NS_NEVER;
}

static void random_operations_keep_the_order(void)
{
    struct bench *bench = bench_create();
    struct random random;

    random_init(&random, 1, "test");
    for (unsigned step = 0; step < 20000; step++) {
        unsigned number = (unsigned)random_below(&random, MANY);
        unsigned first = 0;

        switch (random_below(&random, 4)) {
        case 0:
            engine_cancel(&bench->engine, &bench->noters[number].event);
            break;
        case 1:
            if (model_first(bench, &first) == NS_NEVER)
                break;
            bench->count = 0;
            engine_run(&bench->engine, engine_next(&bench->engine));
            CHECK_EQUAL(bench->log[0], first);
            break;
        default:
            at(bench, number,
               bench->engine.now + (ns_t)random_below(&random, 1000));
        }
    }
    bench_destroy(bench);
}

const struct unit_test suite_engine[] = {
    UNIT(events_run_in_order_of_time),
    UNIT(events_of_the_same_time_run_in_their_order),
    UNIT(the_node_counts_before_its_sources),
    UNIT(running_until_a_time_includes_it),
    UNIT(time_moves_to_the_limit_while_something_is_pending),
    UNIT(rescheduling_moves_an_event_both_ways),
    UNIT(a_cancelled_event_does_not_run),
    UNIT(a_handler_may_schedule_its_own_event),
    UNIT(a_handler_may_schedule_others_at_the_same_time),
    UNIT(a_handler_may_cancel_others),
    UNIT(the_running_event_is_not_the_next),
    UNIT(an_owner_may_free_its_event_while_it_runs),
    UNIT(stopping_ends_the_run_after_the_event),
    UNIT(an_event_limit_ends_an_endless_run),
    UNIT(time_that_stands_still_ends_the_run),
    UNIT(many_events_at_different_times_are_no_standstill),
    UNIT(an_interrupt_ends_the_run_between_events),
    UNIT(reserved_room_is_there),
    UNIT(random_operations_keep_the_order),
    {0},
};
