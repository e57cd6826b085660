// The first-in first-out queue in front of a link's transmitter.
// SPDX-License-Identifier: MIT
#ifndef LINK_QUEUE_H
#define LINK_QUEUE_H

// Theory of operation
//
// In a FIFO, when a frame will be sent is known when it enters: when the
// transmitter is free of those before it. The queue therefore keeps no frames
// and needs no event. It keeps a slot per frame that waits, with the times
// between which the frame occupies the transmitter, and drops the slots whose
// time has come before it answers anything. A frame that is lost further on has
// used the transmitter all the same, so its slot stays.
//
// Frames carry the number of their slot. When the rate changes, the slots that
// still wait get new times, and the direction moves its frames by them.
//
// Invariants: Q1. Slots are contiguous in time: each starts when the one before
// it ends, the last ends at free_at. Q2. Every slot starts after `now` as last
// told.

#include "sim/link/link.h"

struct queue_slot {
    ns_t entered, start, end;
    uint32_t length; // bytes of the frame
};

struct queue {
    struct queue_slot *ring;
    uint32_t capacity; // a power of two, or 0
    uint32_t head, count;
    uint32_t first;             // number of the slot at the head
    uint64_t bytes;             // that wait
    ns_t free_at;               // when the transmitter has sent all
    ns_t total_wait, peak_wait; // of frames whose transmission has begun
};

struct queue_place {
    ns_t start, end; // of the transmission
    uint32_t slot;
};

void queue_fini(struct queue *queue);
// A frame wants to be sent. -ENOSPC: a limit of the configuration; -ENOMEM.
int queue_enter(struct queue *queue, const struct link_direction_config *config,
                ns_t now, uint32_t length, struct queue_place *out);
// How long the transmitter is busy with a frame: rounded up to a nanosecond.
ns_t queue_duration(const struct link_direction_config *config,
                    uint32_t length);
// Forgets the slots whose transmission has begun.
void queue_advance(struct queue *queue, ns_t now);
// New times for the slots that wait, after a change of rate or overhead.
void queue_replan(struct queue *queue,
                  const struct link_direction_config *config, ns_t now);
// The slot of this number; NULL: its transmission has begun.
const struct queue_slot *queue_find(const struct queue *queue, uint32_t slot);
// The limits have become smaller: takes slots off the end until the rest fits;
// returns the number of the first that was taken off (queue->first + count).
uint32_t queue_cut(struct queue *queue,
                   const struct link_direction_config *config, ns_t now);
void queue_clear(struct queue *queue, ns_t now); // the link went down

#endif
