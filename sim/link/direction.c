// A frame's way through one direction of a link.
// SPDX-License-Identifier: MIT

#include "sim/link/direction.h"

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
// impairments, propagation. What is known of the frame on this way is its
// transit; once it is under way, the packet's cb.link keeps the rest:
//
//   time     parked: deadline (NS_NEVER: none)
//   sent_at  when its transmission ends
//   record   of the sender's capture; 0: none
//   number   its slot in the queue
//   fate     enum link_fate, with LINK_SKIPS_DELAY
//   spare    parked: how many followers must still come (0: only the deadline
//            counts)
//
// A parked frame (held, or displaced by a number of frames) comes back when
// enough followers have been put under way, right behind the last of them, or
// at its deadline. Followers are frames put under way after it was parked;
// copies and frames that were parked themselves do not count.
//
// A script may do anything to the link from a hook, a chooser or a receiver.
// Hooks run before the frame meets any state of the direction; choosers run
// among the impairments, so a list that is replaced meanwhile is kept until no
// frame is in it; a receiver is called when everything else is settled.

// What is known of a frame on its way through the impairments.
struct transit {
    ns_t sent_at;
    ns_t extra; // delay of impairments and hooks
    ns_t park_time;
    uint32_t park_count;
    bool is_parked;
    bool keeps_order; // nothing was done to its place in the order
    uint32_t record, number, copy, slot, fate;
};

static ns_t now_of(const struct link_direction *d)
{
    return d->link->sim->engine.now;
}

// --- Records

static struct capture *capture_of(const struct link_direction *d,
                                  uint32_t record)
{
    return record != 0 ? d->from->capture : NULL;
}

// Adds to the comment of the sender's record.
__attribute__((format(printf, 3, 4))) static void
note(struct link_direction *d, uint32_t record, const char *format, ...)
{
    struct capture *capture = capture_of(d, record);
    char text[400];
    va_list arguments;

    if (capture == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    capture_amend(capture, record, text);
}

static void note_impairment(struct link_direction *d, uint32_t record,
                            const char *what,
                            const struct impairment *impairment)
{
    char how[300];

    if (capture_of(d, record) == NULL)
        return;
    impairment_describe(impairment, how, sizeof(how));
    note(d, record, "%s on link %s (%s)", what, d->link->name, how);
}

// The one place where a frame ends on a link without arriving.
static void lose(struct link_direction *d, struct packet *frame,
                 enum link_drop reason)
{
    d->stats.dropped[reason]++;
    packet_free(frame);
}

void direction_drop(struct link_direction *d, struct packet *frame,
                    enum link_drop reason, const char *why)
{
    note(d, frame->cb.link.record, "lost on link %s: %s", d->link->name, why);
    lose(d, frame, reason);
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
            note(d, record, "lost on link %s: dropped by a script on arrival",
                 d->link->name);
            lose(d, frame, LINK_DROP_SCRIPT);
            return;
        }
        if (verdict.is_edited) {
            d->stats.edited += (fate & FATE_EDITED) == 0;
            fate |= FATE_EDITED;
            note(d, record, "edited by a script on arrival");
        }
    }
    d->stats.frames_delivered++;
    d->stats.bytes_delivered += frame->length;
    port_receive(d->to, frame, receiver_comment(fate));
}

static void remember(struct packet *frame, const struct transit *t)
{
    frame->cb.link.sent_at = t->sent_at;
    frame->cb.link.record = t->record;
    frame->cb.link.number = t->slot;
    frame->cb.link.fate = t->fate;
    frame->cb.link.spare = 0;
}

static bool put_under_way(struct link_direction *d, struct packet *frame,
                          ns_t time)
{
    if (flights_insert(&d->flights, time, frame) == 0)
        return true;
    direction_drop(d, frame, LINK_DROP_NO_BUFFER, "out of memory");
    return false;
}

// --- Parked frames

static void find_wake_at(struct link_direction *d)
{
    d->wake_at = NS_NEVER;
    for (struct packet *p = d->parked.head; p != NULL; p = p->next)
        d->wake_at = min_i64(d->wake_at, p->cb.link.time);
}

static void park(struct link_direction *d, struct packet *frame,
                 const struct transit *t)
{
    remember(frame, t);
    frame->cb.link.spare = t->park_count;
    frame->cb.link.time =
        t->park_time == NS_NEVER ? NS_NEVER : t->sent_at + t->park_time;
    d->wake_at = min_i64(d->wake_at, frame->cb.link.time);
    packet_queue_push(&d->parked, frame);
}

// Takes the parked frames for which `is_over` says so out and gives them to
// `release`, in order.
static void unpark(struct link_direction *d,
                   bool (*is_over)(struct packet *frame, void *context),
                   void (*release)(struct link_direction *d,
                                   struct packet *frame, void *context),
                   void *context)
{
    struct packet_queue all = d->parked;
    struct packet *frame;

    d->parked = (struct packet_queue){0};
    while ((frame = packet_queue_pop(&all)) != NULL) {
        if (is_over(frame, context))
            release(d, frame, context);
        else
            packet_queue_push(&d->parked, frame);
    }
    find_wake_at(d);
}

static bool has_been_followed(struct packet *frame, void *context)
{
    (void)context;
    return frame->cb.link.spare != 0 && --frame->cb.link.spare == 0;
}

struct follower {
    ns_t time, sent_at;
    uint32_t slot;
};

static void release_behind(struct link_direction *d, struct packet *frame,
                           void *context)
{
    const struct follower *follower = context;

    // From now on it moves with the follower when that one's times change.
    frame->cb.link.sent_at = follower->sent_at;
    frame->cb.link.number = follower->slot;
    put_under_way(d, frame, follower->time);
}

static bool has_waited_enough(struct packet *frame, void *context)
{
    return frame->cb.link.time <= *(const ns_t *)context;
}

static void release_now(struct link_direction *d, struct packet *frame,
                        void *context)
{
    ns_t sent_at = max_i64(*(const ns_t *)context, frame->cb.link.sent_at);

    frame->cb.link.sent_at = sent_at;
    frame->cb.link.number = d->queue.first - 1; // in no slot that waits
    put_under_way(d, frame,
                  sent_at + ((frame->cb.link.fate & LINK_SKIPS_DELAY) != 0
                                 ? 0
                                 : d->config.delay));
}

static bool is_held(struct packet *frame, void *context)
{
    (void)context;
    return (frame->cb.link.fate & FATE_HELD) != 0;
}

void direction_release_held(struct link_direction *d)
{
    ns_t now = now_of(d);

    unpark(d, is_held, release_now, &now);
    direction_rearm(d);
}

void direction_on_event(struct event *event)
{
    struct link_direction *d =
        CONTAINER_OF(event, struct link_direction, event);
    ns_t now = now_of(d);

    if (d->wake_at <= now)
        unpark(d, has_waited_enough, release_now, &now);
    if (flights_first_time(&d->flights) > now) {
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

static ns_t arrival_time(struct link_direction *d, struct transit *t)
{
    ns_t arrival = t->sent_at + t->extra;

    if ((t->fate & LINK_SKIPS_DELAY) != 0)
        return arrival;
    arrival += d->config.delay;
    if (d->config.jitter > 0)
        arrival = max_i64(t->sent_at, arrival + draw_jitter(d));
    if (t->keeps_order) {
        if (d->config.keep_order)
            arrival = max_i64(arrival, d->last_arrival);
        d->last_arrival = max_i64(d->last_arrival, arrival);
    }
    return arrival;
}

static void depart(struct link_direction *d, struct packet *frame,
                   struct transit *t)
{
    if (!d->link->is_up) { // a chooser took it down
        note(d, t->record, "lost: link %s went down", d->link->name);
        lose(d, frame, LINK_DROP_DOWN);
        return;
    }
    if (t->is_parked) {
        park(d, frame, t);
        return;
    }
    struct follower follower = {arrival_time(d, t), t->sent_at, t->slot};
    remember(frame, t);
    if (put_under_way(d, frame, follower.time) && d->parked.count > 0 &&
        t->copy == 0)
        unpark(d, has_been_followed, release_behind, &follower);
}

// --- Impairments

static void go_on(struct link_direction *d, struct packet *frame,
                  struct transit *t, const struct impairment_list *list,
                  size_t from);

static void count_once(struct transit *t, uint32_t fate, uint64_t *counter)
{
    if ((t->fate & fate) == 0)
        ++*counter;
    t->fate |= fate;
}

static void apply_drop(struct link_direction *d, struct packet *frame,
                       struct transit *t, const struct fault *fault,
                       const struct impairment *impairment)
{
    note_impairment(d, t->record, "lost", impairment);
    lose(d, frame, fault->is_random ? LINK_DROP_LOSS : LINK_DROP_FILTER);
}

static void apply_delay(struct link_direction *d, struct transit *t,
                        const struct fault *fault,
                        const struct impairment *impairment)
{
    t->extra += fault->time;
    t->keeps_order = false;
    if (fault->is_reorder)
        count_once(t, FATE_REORDERED, &d->stats.reordered);
    else
        count_once(t, FATE_DELAYED, &d->stats.delayed);
    if (capture_of(d, t->record) != NULL) {
        char what[80];

        snprintf(what, sizeof(what), "%s by %.6f ms",
                 fault->is_reorder ? "reordered" : "delayed",
                 (double)fault->time / NS_PER_MS);
        note_impairment(d, t->record, what, impairment);
    }
}

static void apply_park(struct link_direction *d, struct transit *t,
                       const struct fault *fault,
                       const struct impairment *impairment)
{
    t->is_parked = true;
    t->park_count = fault->count;
    t->park_time = fault->time;
    if (fault->is_reorder)
        count_once(t, FATE_REORDERED, &d->stats.reordered);
    else
        count_once(t, FATE_HELD, &d->stats.held);
    if (capture_of(d, t->record) != NULL) {
        char what[80];

        snprintf(what, sizeof(what),
                 fault->count > 0 ? "%s behind %u frames" : "%s",
                 fault->is_reorder ? "reordered" : "held", fault->count);
        note_impairment(d, t->record, what, impairment);
    }
}

static bool apply_corrupt(struct link_direction *d, struct packet *frame,
                          struct transit *t, const struct fault *fault,
                          const struct impairment *impairment)
{
    char what[80];

    if (mangle_flip_bit(frame, fault->count) < 0) {
        note(d, t->record, "lost on link %s: no buffer", d->link->name);
        lose(d, frame, LINK_DROP_NO_BUFFER);
        return false;
    }
    count_once(t, FATE_CORRUPTED, &d->stats.corrupted);
    snprintf(what, sizeof(what), "corrupted: bit %u (bit %u of byte %u)",
             fault->count, fault->count % 8, fault->count / 8);
    note_impairment(d, t->record, what, impairment);
    return true;
}

static bool apply_mark(struct link_direction *d, struct packet *frame,
                       struct transit *t, const struct impairment *impairment)
{
    switch (mangle_mark(frame, d->link->is_point_to_point)) {
    case 0:
        count_once(t, FATE_MARKED, &d->stats.marked);
        note_impairment(d, t->record, "marked: congestion experienced",
                        impairment);
        return true;
    case -ENOBUFS:
        note(d, t->record, "lost on link %s: no buffer", d->link->name);
        lose(d, frame, LINK_DROP_NO_BUFFER);
        return false;
    default: // not capable of ECN: not a victim
        return true;
    }
}

static void copy_goes_on(struct link_direction *d, struct packet *copy,
                         const struct transit *original, ns_t delay,
                         const struct impairment_list *list, size_t from)
{
    struct transit t = *original;

    t.copy = ++d->copy_number;
    t.extra += delay;
    t.fate = (t.fate & ~(uint32_t)FATE_DUPLICATED) | FATE_DUPLICATE;
    go_on(d, copy, &t, list, from);
}

// The original goes on first, then its copies; all meet the impairments that
// are left on their own.
static void apply_duplicate(struct link_direction *d, struct packet *frame,
                            struct transit *t, const struct fault *fault,
                            const struct impairment_list *list, size_t from)
{
    struct packet_queue copies = {0};
    struct packet *copy;

    for (uint32_t i = 0; i < fault->count; i++) {
        d->stats.duplicated++;
        copy = packet_clone(frame);
        if (copy != NULL)
            packet_queue_push(&copies, copy);
        else // the copy that could not be made
            d->stats.dropped[LINK_DROP_NO_BUFFER]++;
    }
    t->fate |= FATE_DUPLICATED;
    note_impairment(d, t->record, "duplicated", &list->items[from - 1]);

    struct transit before = *t;
    ns_t delay = fault->time;
    go_on(d, frame, t, list, from);
    for (ns_t n = 1; (copy = packet_queue_pop(&copies)) != NULL; n++)
        copy_goes_on(d, copy, &before, n * delay, list, from);
}

// Does to the frame what the fault says. False: the frame is no longer here.
static bool apply(struct link_direction *d, struct packet *frame,
                  struct transit *t, const struct fault *fault,
                  const struct impairment_list *list, size_t index)
{
    const struct impairment *impairment = &list->items[index];

    switch (fault->kind) {
    case FAULT_DROP:
        apply_drop(d, frame, t, fault, impairment);
        return false;
    case FAULT_DELAY:
        apply_delay(d, t, fault, impairment);
        return true;
    case FAULT_OVERTAKE:
        t->fate |= LINK_SKIPS_DELAY;
        t->keeps_order = false;
        count_once(t, FATE_REORDERED, &d->stats.reordered);
        note_impairment(d, t->record, "reordered: sent without the delay",
                        impairment);
        return true;
    case FAULT_PARK:
        apply_park(d, t, fault, impairment);
        return true;
    case FAULT_DUPLICATE:
        apply_duplicate(d, frame, t, fault, list, index + 1);
        return false;
    case FAULT_CORRUPT:
        return apply_corrupt(d, frame, t, fault, impairment);
    case FAULT_MARK:
        return apply_mark(d, frame, t, impairment);
    case FAULT_KIND_COUNT:
        break;
    }
    must(false);
}

static void go_on(struct link_direction *d, struct packet *frame,
                  struct transit *t, const struct impairment_list *list,
                  size_t from)
{
    for (size_t i = from; i < list->count; i++) {
        struct impairment *impairment = &list->items[i];

        if (!impairment_choose(impairment, d->link, d->index, frame))
            continue;
        uint32_t faults = impairment->config.action == IMPAIR_CORRUPT
                              ? max_u32(impairment->config.bytes, 1)
                              : 1;
        while (faults-- > 0) {
            struct fault fault = impairment_fault(impairment, frame);

            if (!apply(d, frame, t, &fault, list, i))
                return;
        }
    }
    depart(d, frame, t);
}

static void meet_impairments(struct link_direction *d, struct packet *frame,
                             struct transit *t)
{
    if (d->impairments->count == 0) {
        depart(d, frame, t);
        return;
    }
    d->depth++;
    go_on(d, frame, t, d->impairments, 0);
    if (--d->depth > 0)
        return;
    while (d->retired != NULL) {
        struct impairment_list *next = d->retired->next;

        impairment_list_destroy(d->retired);
        d->retired = next;
    }
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
        count_once(t, FATE_EDITED, &d->stats.edited);
        note(d, t->record, "edited by a script");
    }
    if (verdict.action == VERDICT_DROP) {
        note(d, t->record, "lost on link %s: dropped by a script",
             d->link->name);
        lose(d, frame, LINK_DROP_SCRIPT);
        return false;
    }
    if (verdict.action == VERDICT_DELAY) {
        t->extra += verdict.delay;
        t->keeps_order = false;
        count_once(t, FATE_DELAYED, &d->stats.delayed);
        note(d, t->record, "delayed by %.6f ms by a script",
             (double)verdict.delay / NS_PER_MS);
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
    int error =
        queue_enter(&d->queue, &d->config, now_of(d), frame->length, &place);

    if (error < 0) {
        note(d, t->record, "lost on link %s: %s", d->link->name,
             error == -ENOSPC ? "queue full" : "out of memory");
        lose(d, frame,
             error == -ENOSPC ? LINK_DROP_QUEUE : LINK_DROP_NO_BUFFER);
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
        note(d, t->record, "lost: link %s is down", d->link->name);
        lose(d, frame, LINK_DROP_DOWN);
        return false;
    }
    if (d->config.mtu != 0 &&
        mangle_packet_length(frame, d->link->is_point_to_point) >
            d->config.mtu) {
        note(d, t->record, "lost on link %s: larger than its MTU of %u",
             d->link->name, d->config.mtu);
        lose(d, frame, LINK_DROP_MTU);
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
            d->from->capture, frame, true, now_of(d),
            (fate & FATE_INJECTED) != 0 ? "injected by a script" : NULL);
    if ((fate & FATE_INJECTED) != 0)
        d->stats.injected++;
    else if (!pass_sent_hooks(d, frame, &t))
        return;
    if (!is_admitted(d, frame, &t) || !enter_queue(d, frame, &t))
        return;
    meet_impairments(d, frame, &t);
    direction_rearm(d);
}
