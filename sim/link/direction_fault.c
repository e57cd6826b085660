// What befalls a frame on a link: impairments, or a fault plan in their place.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <stdio.h>

#include "sim/link/mangle.h"
#include "sim/link/transit.h"
#include "sim/sim.h"

// Theory of operation
//
// A frame walks through a list of causes: the impairments of the direction,
// each of which may choose it and says what happens in the form of faults, or
// the plan's entries for this frame, which are such faults already. Doing what
// a fault says is the same for both, and every fault that an impairment brought
// is written to the log where there is one. A log is therefore a plan.
//
// A duplicated frame goes on first, then its copies, each from the next cause
// on; from here the walk is a recursion, as deep as there are causes.

struct walk {                           // the causes that are still to come
    const struct impairment_list *list; // NULL: the plan
    size_t next;                        // in the list, or in the plan
};

static void go_on(struct link_direction *d, struct packet *frame,
                  struct transit *t, struct walk walk);

// --- Words for the capture

static void note_fault(struct link_direction *d, const struct transit *t,
                       const char *what)
{
    char how[300] = "fault plan";

    if (!direction_is_recorded(d, t->record))
        return;
    if (t->cause != NULL)
        impairment_describe(t->cause, how, sizeof(how));
    direction_note(d, t->record, "%s on link %s (%s)", what, d->link->name,
                   how);
}

static void note_time(struct link_direction *d, const struct transit *t,
                      const char *what, ns_t time)
{
    char text[80];

    if (!direction_is_recorded(d, t->record))
        return;
    snprintf(text, sizeof(text), "%s by %lld.%06lld ms", what,
             (long long)(time / NS_PER_MS), (long long)(time % NS_PER_MS));
    note_fault(d, t, text);
}

static void note_count(struct link_direction *d, const struct transit *t,
                       const char *what, uint32_t count)
{
    char text[80];

    if (!direction_is_recorded(d, t->record))
        return;
    snprintf(text, sizeof(text), count > 0 ? "%s behind %u frames" : "%s", what,
             count);
    note_fault(d, t, text);
}

static bool lose_for_want_of_buffers(struct link_direction *d,
                                     struct packet *frame,
                                     const struct transit *t)
{
    direction_note(d, t->record, "lost on link %s: no buffer", d->link->name);
    direction_lose(d, frame, LINK_DROP_NO_BUFFER);
    return false;
}

// --- Faults

static void apply_park(struct transit *t, const struct fault *fault)
{
    t->is_parked = true;
    t->park_count = fault->count;
    t->park_time = fault->time;
}

static bool apply_corrupt(struct link_direction *d, struct packet *frame,
                          struct transit *t, const struct fault *fault)
{
    char text[80];
    uint32_t bit = fault->count;

    if (bit / 8 >= frame->length) // a plan of another run
        return true;
    if (mangle_flip_bit(frame, bit) < 0)
        return lose_for_want_of_buffers(d, frame, t);
    transit_count(t, FATE_CORRUPTED, &d->stats.corrupted);
    snprintf(text, sizeof(text), "corrupted: bit %u (bit %u of byte %u)", bit,
             bit % 8, bit / 8);
    note_fault(d, t, text);
    return true;
}

static bool apply_mark(struct link_direction *d, struct packet *frame,
                       struct transit *t)
{
    int error = mangle_mark(frame, d->link->is_point_to_point);

    if (error == -ENOBUFS)
        return lose_for_want_of_buffers(d, frame, t);
    if (error == 0) { // otherwise it is not capable of ECN: no victim
        transit_count(t, FATE_MARKED, &d->stats.marked);
        note_fault(d, t, "marked: congestion experienced");
    }
    return true;
}

static struct packet_queue make_copies(struct link_direction *d,
                                       struct packet *frame, uint32_t count)
{
    struct packet_queue copies = {0};

    for (uint32_t i = 0; i < count; i++) {
        struct packet *copy = packet_clone(frame);

        d->stats.duplicated++;
        if (copy != NULL)
            packet_queue_push(&copies, copy);
        else // the copy that could not be made
            d->stats.dropped[LINK_DROP_NO_BUFFER]++;
    }
    return copies;
}

static void apply_duplicate(struct link_direction *d, struct packet *frame,
                            struct transit *t, const struct fault *fault,
                            struct walk walk)
{
    struct packet_queue copies = make_copies(d, frame, fault->count);
    struct walk of_copies = {walk.list, walk.list != NULL ? walk.next : 0};
    struct packet *copy;

    t->fate |= FATE_DUPLICATED;
    note_fault(d, t, "duplicated");
    struct transit before = *t;
    go_on(d, frame, t, walk);
    for (ns_t n = 1; (copy = packet_queue_pop(&copies)) != NULL; n++) {
        struct transit own = before;

        own.copy = ++d->copy_number;
        own.extra += n * fault->time;
        own.fate = (own.fate & ~(uint32_t)FATE_DUPLICATED) | FATE_DUPLICATE;
        go_on(d, copy, &own, of_copies);
    }
}

// Does to the frame what the fault says. False: the frame is no longer here.
static bool apply(struct link_direction *d, struct packet *frame,
                  struct transit *t, const struct fault *fault,
                  struct walk walk)
{
    switch (fault->kind) {
    case FAULT_LOSE:
    case FAULT_DROP:
        note_fault(d, t, "lost");
        direction_lose(d, frame,
                       fault->kind == FAULT_LOSE ? LINK_DROP_LOSS
                                                 : LINK_DROP_FILTER);
        return false;
    case FAULT_JITTER:
        t->jitter = fault->time;
        return true;
    case FAULT_DELAY:
        t->extra += fault->time;
        t->keeps_order = false;
        transit_count(t, FATE_DELAYED, &d->stats.delayed);
        note_time(d, t, "delayed", fault->time);
        return true;
    case FAULT_REORDER:
        t->extra += fault->time;
        t->keeps_order = false;
        transit_count(t, FATE_REORDERED, &d->stats.reordered);
        note_time(d, t, "reordered", fault->time);
        return true;
    case FAULT_OVERTAKE:
        t->fate |= LINK_SKIPS_DELAY;
        t->keeps_order = false;
        transit_count(t, FATE_REORDERED, &d->stats.reordered);
        note_fault(d, t, "reordered: sent without the delay");
        return true;
    case FAULT_HOLD:
        apply_park(t, fault);
        transit_count(t, FATE_HELD, &d->stats.held);
        note_count(d, t, "held", fault->count);
        return true;
    case FAULT_DISPLACE:
        apply_park(t, fault);
        transit_count(t, FATE_REORDERED, &d->stats.reordered);
        note_count(d, t, "reordered", fault->count);
        return true;
    case FAULT_DUPLICATE:
        apply_duplicate(d, frame, t, fault, walk);
        return false;
    case FAULT_CORRUPT:
        return apply_corrupt(d, frame, t, fault);
    case FAULT_MARK:
        return apply_mark(d, frame, t);
    case FAULT_KIND_COUNT:
        break;
    }
    must(false);
}

// --- Causes

// False: the frame is no longer here.
static bool meet_impairment(struct link_direction *d, struct packet *frame,
                            struct transit *t, struct impairment *impairment,
                            struct walk walk)
{
    if (!impairment_choose(impairment, d->link, d->index, frame))
        return true;
    uint32_t faults = impairment->config.action == IMPAIR_CORRUPT
                          ? max_u32(impairment->config.bytes, 1)
                          : 1;

    t->cause = impairment;
    while (faults-- > 0) {
        struct fault fault = impairment_fault(impairment, frame);

        direction_record_fault(d, t, &fault);
        if (!apply(d, frame, t, &fault, walk))
            return false;
    }
    return true;
}

static bool meet_impairments(struct link_direction *d, struct packet *frame,
                             struct transit *t, struct walk walk)
{
    while (walk.next < walk.list->count) {
        struct impairment *impairment = &walk.list->items[walk.next++];

        if (!meet_impairment(d, frame, t, impairment, walk))
            return false;
    }
    return true;
}

static bool meet_plan(struct link_direction *d, struct packet *frame,
                      struct transit *t, const struct fault_list *plan,
                      struct walk walk)
{
    size_t i = d->plan_next + walk.next;

    must(plan != NULL);
    t->cause = NULL;
    for (; i < plan->count && plan->entries[i].frame == t->number; i++) {
        const struct fault_entry *entry = &plan->entries[i];

        walk.next++;
        if (entry->copy != t->copy)
            continue;
        direction_record_fault(d, t, &entry->fault);
        if (!apply(d, frame, t, &entry->fault, walk))
            return false;
    }
    return true;
}

static void go_on(struct link_direction *d, struct packet *frame,
                  struct transit *t, struct walk walk)
{
    if (walk.list != NULL ? meet_impairments(d, frame, t, walk)
                          : meet_plan(d, frame, t, d->plan, walk))
        direction_depart(d, frame, t);
}

static void free_retired_lists(struct link_direction *d)
{
    while (d->retired != NULL) {
        struct impairment_list *next = d->retired->next;

        impairment_list_destroy(d->retired);
        d->retired = next;
    }
}

void direction_befall(struct link_direction *d, struct packet *frame,
                      struct transit *t)
{
    struct walk walk = {.list = d->plan == NULL ? d->impairments : NULL};

    if (d->plan != NULL)
        while (d->plan_next < d->plan->count &&
               d->plan->entries[d->plan_next].frame < t->number)
            d->plan_next++;
    d->depth++;
    go_on(d, frame, t, walk);
    if (--d->depth == 0 && d->retired != NULL)
        free_retired_lists(d);
}
