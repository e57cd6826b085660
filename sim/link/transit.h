// What the files of a direction share: a frame on its way through it.
// SPDX-License-Identifier: MIT
#ifndef LINK_TRANSIT_H
#define LINK_TRANSIT_H

// Theory of operation
//
// What is known of a frame between direction_input and the moment when it is
// under way is its transit. From then on the packet's cb.link keeps the rest:
//
//   time     parked: deadline (NS_NEVER: none)
//   sent_at  when its transmission ends
//   record   of the sender's capture; 0: none
//   number   its slot in the queue
//   fate     enum link_fate, with LINK_SKIPS_DELAY
//   spare    parked: how many followers must still come (0: only the deadline
//            counts)

#include "sim/link/direction.h"
#include "sim/sim.h"

// In fate besides enum link_fate: sent without waiting for the delay.
enum { LINK_SKIPS_DELAY = 1 << 30 };

struct transit {
    ns_t sent_at;
    ns_t extra;  // delay of impairments and hooks
    ns_t jitter; // of a fault plan
    ns_t park_time;
    uint32_t park_count;
    bool is_parked;
    bool keeps_order; // nothing was done to its place in the order
    uint32_t record, number, copy, slot, fate;
    const struct impairment *cause; // of the fault at hand; NULL: a plan
};

struct follower { // a frame that has just been put under way
    ns_t time, sent_at;
    uint32_t slot;
};

static inline ns_t direction_now(const struct link_direction *d)
{
    return sim_now(d->link->sim);
}
// Counts a frame whose fate this was not before.
static inline void transit_count(struct transit *t, uint32_t fate,
                                 uint64_t *counter)
{
    *counter += (t->fate & fate) == 0;
    t->fate |= fate;
}

// --- direction.c

// Is there a capture to be told?
bool direction_is_recorded(const struct link_direction *d, uint32_t record);
// Adds to the comment of the sender's record.
__attribute__((format(printf, 3, 4))) void
direction_note(struct link_direction *d, uint32_t record, const char *format,
               ...);
// The one place where a frame ends on a link without arriving. Consumes.
void direction_lose(struct link_direction *d, struct packet *frame,
                    enum link_drop reason);
// Sends the frame off: parks it or puts it under way. Consumes.
void direction_depart(struct link_direction *d, struct packet *frame,
                      struct transit *t);
// Keeps the transit in the packet.
void transit_remember(const struct transit *t, struct packet *frame);
// False: there was no memory, and the frame is lost. Consumes.
bool direction_put_under_way(struct link_direction *d, struct packet *frame,
                             ns_t time);
void direction_record_fault(struct link_direction *d, const struct transit *t,
                            const struct fault *fault);

// --- direction_fault.c

// The impairments, or the plan in their place; then departs. Consumes.
void direction_befall(struct link_direction *d, struct packet *frame,
                      struct transit *t);

// --- direction_parked.c

void parked_put(struct link_direction *d, struct packet *frame,
                const struct transit *t); // consumes
void parked_follow(struct link_direction *d, const struct follower *follower);
void parked_wake(struct link_direction *d); // those whose deadline has come

#endif
