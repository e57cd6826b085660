// A frame's way through one direction of a link.
// SPDX-License-Identifier: MIT

#include "sim/link/transit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/capture/capture.h"
#include "sim/link/mangle.h"
#include "sim/sim.h"

// Theory of operation
//
// direction_input follows a frame from the port to the flights: hooks, queue,
// impairments (direction_fault.c), propagation; see transit.h for what is known
// of it on the way.
//
// A script may do anything to the link from a hook, a chooser or a receiver.
// Hooks run before the frame meets any state of the direction; choosers run
// among the impairments, so a list that is replaced meanwhile is kept until no
// frame is in it; a receiver is called when everything else is settled.

// --- Records

bool direction_is_recorded(const struct link_direction *d, uint32_t record)
{
    return record != 0 && d->from->capture != NULL;
}

void direction_note(struct link_direction *d, uint32_t record,
                    const char *format, ...)
{
    char text[400];
    va_list arguments;

    if (!direction_is_recorded(d, record))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    capture_amend(d->from->capture, record, text);
}

void direction_lose(struct link_direction *d, struct packet *frame,
                    enum link_drop reason)
{
    d->stats.dropped[reason]++;
    packet_free(frame);
}

void direction_drop(struct link_direction *d, struct packet *frame,
                    enum link_drop reason, const char *why)
{
    direction_note(d, frame->cb.link.record, "lost on link %s: %s",
                   d->link->name, why);
    direction_lose(d, frame, reason);
}

void direction_record_fault(struct link_direction *d, const struct transit *t,
                            const struct fault *fault)
{
    struct fault_entry entry = {t->number, t->copy, *fault};

    if (d->log != NULL)
        fault_list_add(d->log, &entry);
}

static const char *receiver_comment(uint32_t fate)
{
    if ((fate & FATE_CORRUPTED) != 0)
        return "corrupted on the link: a wrong checksum is expected";
    if ((fate & FATE_DUPLICATE) != 0)
        return "copy made by the link";
    if ((fate & FATE_EDITED) != 0)
        return "edited by a script";
    if ((fate & FATE_INJECTED) != 0)
        return "injected by a script";
    if ((fate & FATE_MARKED) != 0)
        return "congestion experienced: marked on the link";
    return NULL;
}

// --- Arrivals

static ns_t next_time(const struct link_direction *d)
{
    return min_i64(flights_first_time(&d->flights), d->wake_at);
}

void direction_rearm(struct link_direction *d)
{
    ns_t next = next_time(d);

    if (next == d->event.time)
        return;
    if (next == NS_NEVER)
        engine_cancel(&d->link->sim->engine, &d->event);
    else
        engine_schedule(&d->link->sim->engine, &d->event, next);
}

static void deliver(struct link_direction *d, struct packet *frame)
{
    uint32_t record = frame->cb.link.record;
    uint32_t fate = frame->cb.link.fate;

    if (d->hooks[HOOK_ARRIVING].count > 0) {
        struct hook_verdict verdict =
            hook_list_run(&d->hooks[HOOK_ARRIVING], d->link, d->index, frame);

        if (verdict.action == VERDICT_DROP) {
            direction_note(d, record,
                           "lost on link %s: dropped by a script on arrival",
                           d->link->name);
            direction_lose(d, frame, LINK_DROP_SCRIPT);
            return;
        }
        if (verdict.is_edited) {
            d->stats.edited += (fate & FATE_EDITED) == 0;
            fate |= FATE_EDITED;
            direction_note(d, record, "edited by a script on arrival");
        }
    }
    d->stats.frames_delivered++;
    d->stats.bytes_delivered += frame->length;
    port_receive(d->to, frame, receiver_comment(fate));
}

void transit_remember(const struct transit *t, struct packet *frame)
{
    frame->cb.link.sent_at = t->sent_at;
    frame->cb.link.record = t->record;
    frame->cb.link.number = t->slot;
    frame->cb.link.fate = t->fate;
    frame->cb.link.spare = 0;
}

bool direction_put_under_way(struct link_direction *d, struct packet *frame,
                             ns_t time)
{
    if (flights_insert(&d->flights, time, frame) == 0)
        return true;
    direction_drop(d, frame, LINK_DROP_NO_BUFFER, "out of memory");
    return false;
}

void direction_on_event(struct event *event)
{
    struct link_direction *d =
        CONTAINER_OF(event, struct link_direction, event);
    if (d->wake_at <= direction_now(d))
        parked_wake(d);
    if (flights_first_time(&d->flights) > direction_now(d)) {
        direction_rearm(d);
        return;
    }
    struct packet *frame = flights_pop(&d->flights);
    direction_rearm(d);
    deliver(d, frame);
}

// --- Propagation

// Jitter around the link's delay. With correlation c each deviation is c times
// the one before it plus a fresh one that keeps the variance.
static int64_t draw_jitter(struct link_direction *d)
{
    const struct link_direction_config *config = &d->config;
    int64_t fresh = random_deviation(&d->jitter, config->jitter_distribution,
                                     config->jitter);

    if (config->jitter_correlation == 0)
        return fresh;
    __int128 mixed = (__int128)d->last_jitter * config->jitter_correlation +
                     (__int128)fresh * d->jitter_fresh;
    d->last_jitter = (int64_t)(mixed / (__int128)CHANCE_ALWAYS);
    return d->last_jitter;
}

// In a replay the plan has said it, or there was none.
static int64_t jitter_of(struct link_direction *d, const struct transit *t)
{
    struct fault fault = {.kind = FAULT_JITTER, .time = t->jitter};

    if (d->plan != NULL || d->config.jitter == 0)
        return t->jitter;
    fault.time = draw_jitter(d);
    direction_record_fault(d, t, &fault);
    return fault.time;
}

static ns_t arrival_time(struct link_direction *d, const struct transit *t)
{
    ns_t arrival = t->sent_at + t->extra;

    if ((t->fate & LINK_SKIPS_DELAY) != 0)
        return arrival;
    arrival = max_i64(t->sent_at, arrival + d->config.delay + jitter_of(d, t));
    if (t->keeps_order) {
        if (d->config.keep_order)
            arrival = max_i64(arrival, d->last_arrival);
        d->last_arrival = max_i64(d->last_arrival, arrival);
    }
    return arrival;
}

void direction_depart(struct link_direction *d, struct packet *frame,
                      struct transit *t)
{
    if (!d->link->is_up) { // a chooser took it down
        direction_note(d, t->record, "lost: link %s went down", d->link->name);
        direction_lose(d, frame, LINK_DROP_DOWN);
        return;
    }
    if (t->is_parked) {
        parked_put(d, frame, t);
        return;
    }
    struct follower follower = {arrival_time(d, t), t->sent_at, t->slot};
    transit_remember(t, frame);
    if (direction_put_under_way(d, frame, follower.time) && t->copy == 0 &&
        d->parked_count_followers)
        parked_follow(d, &follower);
}

// --- Entry

// False: a hook dropped it.
static bool pass_sent_hooks(struct link_direction *d, struct packet *frame,
                            struct transit *t)
{
    if (d->hooks[HOOK_SENT].count == 0)
        return true;
    struct hook_verdict verdict =
        hook_list_run(&d->hooks[HOOK_SENT], d->link, d->index, frame);

    if (verdict.is_edited) {
        transit_count(t, FATE_EDITED, &d->stats.edited);
        direction_note(d, t->record, "edited by a script");
    }
    if (verdict.action == VERDICT_DROP) {
        direction_note(d, t->record, "lost on link %s: dropped by a script",
                       d->link->name);
        direction_lose(d, frame, LINK_DROP_SCRIPT);
        return false;
    }
    if (verdict.action == VERDICT_DELAY) {
        t->extra += verdict.delay;
        t->keeps_order = false;
        transit_count(t, FATE_DELAYED, &d->stats.delayed);
        direction_note(d, t->record, "delayed by %lld.%06lld ms by a script",
                       (long long)(verdict.delay / NS_PER_MS),
                       (long long)(verdict.delay % NS_PER_MS));
    }
    return true;
}

static void note_queue_peaks(struct link_direction *d)
{
    struct link_direction_stats *stats = &d->stats;

    if (d->queue.count > stats->peak_queue_packets)
        stats->peak_queue_packets = d->queue.count;
    if (d->queue.bytes > stats->peak_queue_bytes)
        stats->peak_queue_bytes = d->queue.bytes;
}

// False: there was no room for it.
static bool enter_queue(struct link_direction *d, struct packet *frame,
                        struct transit *t)
{
    struct queue_place place;
    int error = queue_enter(&d->queue, &d->config, direction_now(d),
                            frame->length, &place);

    if (error < 0) {
        direction_note(d, t->record, "lost on link %s: %s", d->link->name,
                       error == -ENOSPC ? "queue full" : "out of memory");
        direction_lose(
            d, frame, error == -ENOSPC ? LINK_DROP_QUEUE : LINK_DROP_NO_BUFFER);
        return false;
    }
    d->stats.busy += place.end - place.start;
    t->sent_at = place.end;
    t->slot = place.slot;
    note_queue_peaks(d);
    return true;
}

static bool is_admitted(struct link_direction *d, struct packet *frame,
                        struct transit *t)
{
    if (!d->link->is_up) {
        direction_note(d, t->record, "lost: link %s is down", d->link->name);
        direction_lose(d, frame, LINK_DROP_DOWN);
        return false;
    }
    if (d->config.mtu != 0 &&
        mangle_packet_length(frame, d->link->is_point_to_point) >
            d->config.mtu) {
        direction_note(d, t->record,
                       "lost on link %s: larger than its MTU of %u",
                       d->link->name, d->config.mtu);
        direction_lose(d, frame, LINK_DROP_MTU);
        return false;
    }
    return true;
}

void direction_input(struct link_direction *d, struct packet *frame,
                     uint32_t fate)
{
    struct transit t = {
        .fate = fate, .keeps_order = true, .number = ++d->frame_number};

    d->copy_number = 0;
    d->stats.frames_in++;
    d->stats.bytes_in += frame->length;
    if (d->from->capture != NULL)
        t.record = capture_frame(
            d->from->capture, frame, true, direction_now(d),
            (fate & FATE_INJECTED) != 0 ? "injected by a script" : NULL);
    if ((fate & FATE_INJECTED) != 0)
        d->stats.injected++;
    else if (!pass_sent_hooks(d, frame, &t))
        return;
    if (!is_admitted(d, frame, &t) || !enter_queue(d, frame, &t))
        return;
    direction_befall(d, frame, &t);
    direction_rearm(d);
}
