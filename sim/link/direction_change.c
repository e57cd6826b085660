// New parameters, going down, the end of a run, while frames are on the link.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/link/fault_plan.h"
#include "sim/link/transit.h"
#include "sim/sim.h"

// Theory of operation
//
// New parameters hold for what has not begun to be sent. A frame whose
// transmission has begun, or that is under way, keeps its times. The frames
// that wait get new times from their slots: their arrival moves by as much as
// the end of their transmission moves and by the change of the delay; what
// jitter and impairments added stays. Where limits have become tighter, the
// frames at the end of the queue are dropped.

// sqrt(1 - correlation^2) in units of chance_t.
static chance_t fresh_share(chance_t correlation)
{
    unsigned __int128 one = (unsigned __int128)CHANCE_ALWAYS * CHANCE_ALWAYS;

    if (correlation >= CHANCE_ALWAYS)
        return 0;
    unsigned __int128 rest = one - (unsigned __int128)correlation * correlation;
    uint64_t root = 0;
    for (uint64_t bit = CHANCE_ALWAYS; bit > 0; bit >>= 1)
        if ((unsigned __int128)(root + bit) * (root + bit) <= rest)
            root += bit;
    return root;
}

int direction_create(struct link *link, unsigned index,
                     const struct link_direction_config *config)
{
    struct sim *sim = link->sim;
    struct link_direction *d = calloc(1, sizeof(*d));
    char stream[512];

    if (d == NULL)
        return -ENOMEM;
    d->link = link;
    d->index = index;
    d->from = link->ends[index];
    d->to = link->ends[1 - index];
    d->wake_at = NS_NEVER;
    event_init(&d->event, node_new_order(d->to->node), direction_on_event);
    snprintf(stream, sizeof(stream), "link %s %s>%s jitter", link->name,
             d->from->node->name, d->to->node->name);
    random_init(&d->jitter, sim->seed, stream);
    link->direction[index] = d; // the owner destroys it on failure
    if (engine_reserve(&sim->engine, 1) < 0 ||
        (sim->records_faults && direction_record(d) < 0))
        return -ENOMEM;
    if (sim->fault_plan != NULL)
        direction_replay(d, sim->fault_plan);
    return direction_set(d, config);
}

void direction_destroy(struct link_direction *d)
{
    if (d == NULL)
        return;
    direction_clear(d, LINK_DROP_END);
    engine_cancel(&d->link->sim->engine, &d->event);
    must(d->depth == 0);
    impairment_list_destroy(d->impairments);
    link_direction_config_fini(&d->config);
    if (d->log != NULL)
        fault_list_fini(d->log);
    free(d->log);
    queue_fini(&d->queue);
    flights_fini(&d->flights);
    hook_list_fini(&d->hooks[HOOK_SENT]);
    hook_list_fini(&d->hooks[HOOK_ARRIVING]);
    free(d);
}

int direction_record(struct link_direction *d)
{
    if (d->log == NULL)
        d->log = calloc(1, sizeof(*d->log));
    return d->log != NULL ? 0 : -ENOMEM;
}

void direction_replay(struct link_direction *d, struct fault_plan *plan)
{
    d->plan = fault_plan_find(plan, d->from->node->name, d->from->name);
    d->plan_next = 0;
}

// --- Everything at once

void direction_clear(struct link_direction *d, enum link_drop reason)
{
    const char *why =
        reason == LINK_DROP_END ? "the run ended" : "the link went down";
    ns_t now = d->link->sim->engine.now;
    struct packet *frame;

    queue_advance(&d->queue, now);
    while (d->flights.count > 0)
        direction_drop(d, flights_pop(&d->flights), reason, why);
    while ((frame = packet_queue_pop(&d->parked)) != NULL)
        direction_drop(d, frame, reason, why);
    d->wake_at = NS_NEVER;
    d->stats.busy -= max_i64(0, d->queue.free_at - now);
    queue_clear(&d->queue, now);
    d->last_arrival = now;
    direction_rearm(d);
}

// --- New parameters

// The slots from `cut` up to `end` are gone: so are the frames in them.
static void drop_cut_frames(struct link_direction *d, uint32_t cut,
                            uint32_t end)
{
    struct packet_queue parked = d->parked;
    struct packet *frame;
    uint32_t kept = 0;

    for (uint32_t n = 0; n < d->flights.count; n++) {
        struct flight flight = *flights_at(&d->flights, n);

        if (flight.frame->cb.link.number - cut < end - cut)
            direction_drop(d, flight.frame, LINK_DROP_QUEUE,
                           "the queue was cut short");
        else
            *flights_at(&d->flights, kept++) = flight;
    }
    d->flights.count = kept;

    d->parked = (struct packet_queue){0};
    while ((frame = packet_queue_pop(&parked)) != NULL) {
        if (frame->cb.link.number - cut < end - cut)
            direction_drop(d, frame, LINK_DROP_QUEUE,
                           "the queue was cut short");
        else
            packet_queue_push(&d->parked, frame);
    }
}

static void move_flights(struct link_direction *d, ns_t delay_change)
{
    for (uint32_t n = 0; n < d->flights.count; n++) {
        struct flight *flight = flights_at(&d->flights, n);
        struct packet *frame = flight->frame;
        const struct queue_slot *slot =
            queue_find(&d->queue, frame->cb.link.number);

        if (slot == NULL)
            continue;
        flight->time += slot->end - frame->cb.link.sent_at;
        if ((frame->cb.link.fate & LINK_SKIPS_DELAY) == 0)
            flight->time += delay_change;
        flight->time = max_i64(flight->time, slot->end);
        frame->cb.link.sent_at = slot->end;
    }
    flights_sort(&d->flights);
}

static void move_parked(struct link_direction *d)
{
    d->wake_at = NS_NEVER;
    for (struct packet *p = d->parked.head; p != NULL; p = p->next) {
        const struct queue_slot *slot =
            queue_find(&d->queue, p->cb.link.number);

        if (slot != NULL) {
            if (p->cb.link.time != NS_NEVER)
                p->cb.link.time += slot->end - p->cb.link.sent_at;
            p->cb.link.sent_at = slot->end;
        }
        d->wake_at = min_i64(d->wake_at, p->cb.link.time);
    }
}

static void replan(struct link_direction *d, ns_t old_delay)
{
    ns_t now = d->link->sim->engine.now;
    ns_t was_free_at = d->queue.free_at;
    uint32_t end = d->queue.first + d->queue.count;

    queue_replan(&d->queue, &d->config, now);
    uint32_t cut = queue_cut(&d->queue, &d->config, now);
    d->stats.busy += d->queue.free_at - was_free_at;
    if (cut != end)
        drop_cut_frames(d, cut, end);
    move_flights(d, d->config.delay - old_delay);
    move_parked(d);
    d->last_arrival = d->flights.count > 0
                          ? flights_at(&d->flights, d->flights.count - 1)->time
                          : now;
    direction_rearm(d);
}

static void replace_impairments(struct link_direction *d,
                                struct impairment_list *list)
{
    struct impairment_list *old = d->impairments;

    d->impairments = list;
    if (d->depth == 0) {
        impairment_list_destroy(old);
    } else {
        old->next = d->retired;
        d->retired = old;
    }
}

int direction_set(struct link_direction *d,
                  const struct link_direction_config *config)
{
    struct link_direction_config copy;
    struct impairment_list *list;
    int error = link_direction_config_copy(config, &copy);

    if (error < 0)
        return error;
    error =
        impairment_list_create(d->link, d->index, copy.impairments,
                               copy.impairment_count, d->impairments, &list);
    if (error < 0) {
        link_direction_config_fini(&copy);
        return error;
    }
    ns_t old_delay = d->config.delay;
    queue_advance(&d->queue, d->link->sim->engine.now);
    link_direction_config_fini(&d->config);
    d->config = copy;
    d->jitter_fresh = fresh_share(copy.jitter_correlation);
    replace_impairments(d, list);
    replan(d, old_delay);
    return 0;
}

// --- Books

struct link_direction_stats direction_get_stats(struct link_direction *d)
{
    struct link_direction_stats stats = d->stats;

    queue_advance(&d->queue, d->link->sim->engine.now);
    for (uint32_t n = 0; n < d->flights.count; n++)
        stats.queued +=
            queue_find(&d->queue,
                       flights_at(&d->flights, n)->frame->cb.link.number) !=
            NULL;
    for (const struct packet *p = d->parked.head; p != NULL; p = p->next)
        stats.queued += queue_find(&d->queue, p->cb.link.number) != NULL;
    stats.in_flight = d->flights.count + d->parked.count - stats.queued;
    stats.total_queue_delay = d->queue.total_wait;
    stats.peak_queue_delay = d->queue.peak_wait;
    return stats;
}

void direction_check(const struct link_direction *d)
{
    const struct link_direction_stats *stats = &d->stats;
    uint64_t ended = stats->frames_delivered;

    for (size_t i = 0; i < LINK_DROP_COUNT; i++)
        ended += stats->dropped[i];
    must(stats->frames_in + stats->duplicated ==
         ended + d->flights.count + d->parked.count);
    for (uint32_t n = 1; n < d->flights.count; n++)
        must(flights_at(&d->flights, n - 1)->time <=
             flights_at(&d->flights, n)->time);
}

uint32_t direction_settled_records(const struct link_direction *d,
                                   uint32_t first, uint32_t count)
{
    uint32_t oldest = count;

    // Records that are not among these are behind them all, modulo 2^32.
    for (uint32_t n = 0; n < d->flights.count; n++)
        oldest = min_u32(
            oldest, flights_at(&d->flights, n)->frame->cb.link.record - first);
    for (const struct packet *p = d->parked.head; p != NULL; p = p->next)
        oldest = min_u32(oldest, p->cb.link.record - first);
    return oldest;
}
