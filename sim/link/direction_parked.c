// Frames that are kept back: held, or displaced by a number of frames.
// SPDX-License-Identifier: MIT

#include "sim/link/transit.h"

// Theory of operation
//
// A parked frame comes back when enough followers have been put under way,
// right behind the last of them, or at its deadline. Followers are frames put
// under way after it was parked; copies and frames that were parked themselves
// do not count. Few frames are parked at a time, so they are a plain list.

static void account(struct link_direction *d, const struct packet *frame)
{
    d->wake_at = min_i64(d->wake_at, frame->cb.link.time);
    d->parked_count_followers |= frame->cb.link.spare != 0;
}

void parked_put(struct link_direction *d, struct packet *frame,
                const struct transit *t)
{
    transit_remember(t, frame);
    frame->cb.link.spare = t->park_count;
    frame->cb.link.time =
        t->park_time == NS_NEVER ? NS_NEVER : t->sent_at + t->park_time;
    account(d, frame);
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
    d->wake_at = NS_NEVER;
    d->parked_count_followers = false;
    while ((frame = packet_queue_pop(&all)) != NULL) {
        if (is_over(frame, context)) {
            release(d, frame, context);
        } else {
            account(d, frame);
            packet_queue_push(&d->parked, frame);
        }
    }
}

static bool has_been_followed(struct packet *frame, void *context)
{
    (void)context;
    return frame->cb.link.spare != 0 && --frame->cb.link.spare == 0;
}

static void release_behind(struct link_direction *d, struct packet *frame,
                           void *context)
{
    const struct follower *follower = context;

    // From now on it moves with the follower when that one's times change.
    frame->cb.link.sent_at = follower->sent_at;
    frame->cb.link.number = follower->slot;
    direction_put_under_way(d, frame, follower->time);
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
    direction_put_under_way(d, frame,
                            sent_at +
                                ((frame->cb.link.fate & LINK_SKIPS_DELAY) != 0
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
    ns_t now = direction_now(d);

    unpark(d, is_held, release_now, &now);
    direction_rearm(d);
}

void parked_follow(struct link_direction *d, const struct follower *follower)
{
    struct follower copy = *follower;

    unpark(d, has_been_followed, release_behind, &copy);
}

void parked_wake(struct link_direction *d)
{
    ns_t now = direction_now(d);

    unpark(d, has_waited_enough, release_now, &now);
}
