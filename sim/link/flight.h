// Frames under way, in order of arrival.
// SPDX-License-Identifier: MIT
#ifndef LINK_FLIGHT_H
#define LINK_FLIGHT_H

// Theory of operation
//
// A ring of (arrival time, frame) sorted by time; frames with equal times stay
// in the order in which they were put in. Nearly always a frame arrives after
// those before it and is appended; one that overtakes others is put in its
// place by moving up those that it overtakes, from the end. The ring grows to
// the largest number of frames that were ever under way and is kept.

#include "stack/packet.h"

struct flight {
    ns_t time;
    struct packet *frame;
};

struct flights {
    struct flight *ring;
    uint32_t capacity; // a power of two, or 0
    uint32_t head, count;
};

void flights_fini(struct flights *flights); // frees the ring, not the frames
int flights_insert(struct flights *flights, ns_t time,
                   struct packet *frame); // -ENOMEM
struct packet *flights_pop(struct flights *flights);
// Restores the order after arrival times have been changed.
void flights_sort(struct flights *flights);

// The n-th from the head.
static inline struct flight *flights_at(const struct flights *flights,
                                        uint32_t n)
{
    return &flights->ring[(flights->head + n) & (flights->capacity - 1)];
}
static inline ns_t flights_first_time(const struct flights *flights)
{
    return flights->count > 0 ? flights_at(flights, 0)->time : NS_NEVER;
}

#endif
