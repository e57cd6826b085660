// A fault: one thing that happened to one frame, with nothing left to chance.
// SPDX-License-Identifier: MIT
#ifndef LINK_FAULT_H
#define LINK_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base.h"

enum fault_kind {
    FAULT_DROP,      // lost
    FAULT_DELAY,     // by `time` more (jitter: less where negative)
    FAULT_OVERTAKE,  // does not wait for the link's delay
    FAULT_PARK,      // until `count` frames that follow have arrived or `time`
                     // has passed since it was sent, whichever is first
    FAULT_DUPLICATE, // `count` copies, each `time` later
    FAULT_CORRUPT,   // bit `count` of the frame is flipped
    FAULT_MARK,      // congestion experienced
    FAULT_KIND_COUNT
};
const char *fault_kind_name(enum fault_kind kind);

struct fault {
    enum fault_kind kind;
    bool is_random;  // DROP: by the dice alone; DELAY: the link's own jitter
    bool is_reorder; // DELAY, PARK: meant to change the order
    uint32_t count;
    ns_t time; // PARK: NS_NEVER: no limit
};

#endif
