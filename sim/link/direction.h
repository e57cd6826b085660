// One direction of a link.
// SPDX-License-Identifier: MIT
#ifndef LINK_DIRECTION_H
#define LINK_DIRECTION_H

#include "sim/link/flight.h"
#include "sim/link/hook.h"
#include "sim/link/impairment.h"
#include "sim/link/queue.h"

struct fault_plan;

struct link_direction {
    struct link *link;
    unsigned index; // 0: from ends[0] to ends[1]
    struct port *from, *to;
    struct link_direction_config config;
    struct impairment_list *impairments;
    struct impairment_list *retired; // replaced while a frame was among them
    uint32_t depth;                  // frames among the impairments now
    struct fault_list *log;          // NULL: faults are not recorded
    const struct fault_list *plan;   // instead of dice; NULL: dice
    size_t plan_next;                // first entry that is not behind
    struct queue queue;
    struct flights flights;
    struct packet_queue parked;  // until followers or a time come (FAULT_PARK)
    bool parked_count_followers; // does any of those?
    ns_t wake_at;                // earliest deadline of those; NS_NEVER
    struct event event;          // the first arrival or deadline
    struct random jitter;
    int64_t last_jitter;
    chance_t jitter_fresh;     // sqrt(1 - correlation^2)
    ns_t last_arrival;         // of frames that keep their order
    uint32_t frame_number;     // of the last frame taken
    uint32_t copy_number;      // of its last copy
    struct hook_list hooks[2]; // by enum hook_point
    struct link_direction_stats stats;
};

// Takes the config over by copying. 0, -ENOMEM, -EINVAL with a sentence in
// sim_error(). The link's ends must be there.
int direction_create(struct link *link, unsigned index,
                     const struct link_direction_config *config);
void direction_destroy(struct link_direction *direction); // NULL is fine
int direction_set(struct link_direction *direction,
                  const struct link_direction_config *config);
// A frame is handed to the device. fate: 0 or FATE_INJECTED. Consumes.
void direction_input(struct link_direction *direction, struct packet *frame,
                     uint32_t fate);
// Drops everything that is on the direction.
void direction_clear(struct link_direction *direction, enum link_drop reason);
int direction_record(struct link_direction *direction); // -ENOMEM
// The plan outlives the direction.
void direction_replay(struct link_direction *direction,
                      struct fault_plan *plan);
void direction_release_held(struct link_direction *direction);
struct link_direction_stats
direction_get_stats(struct link_direction *direction);
// Invariant L1 (link.h).
void direction_check(const struct link_direction *direction);
uint32_t direction_settled_records(const struct link_direction *direction,
                                   uint32_t first, uint32_t count);

// Shared by the direction's own files.
void direction_on_event(struct event *event);
void direction_rearm(struct link_direction *direction);
// A frame that was under way or parked ends here; why: for the capture.
void direction_drop(struct link_direction *direction, struct packet *frame,
                    enum link_drop reason, const char *why);

#endif
