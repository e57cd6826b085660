// Faults: what happened to single frames, with nothing left to chance.
// SPDX-License-Identifier: MIT
#ifndef LINK_FAULT_H
#define LINK_FAULT_H

#include "stack/base.h"

enum fault_kind {
    FAULT_LOSE,     // dropped by the dice alone
    FAULT_DROP,     // dropped by a filter, a count, a script
    FAULT_JITTER,   // arrives `time` later than the delay says; may be negative
    FAULT_DELAY,    // `time` more
    FAULT_REORDER,  // `time` more, so as to be overtaken
    FAULT_OVERTAKE, // does not wait for the link's delay
    FAULT_HOLD,     // until `count` frames that follow have been put under way
                    // or `time` has passed since it was sent, whichever is
                    // first; count 0 and NS_NEVER: no such end
    FAULT_DISPLACE, // the same, so as to be overtaken
    FAULT_DUPLICATE, // `count` copies, each `time` later
    FAULT_CORRUPT,   // bit `count` of the frame is flipped
    FAULT_MARK,      // congestion experienced
    FAULT_KIND_COUNT
};
const char *fault_kind_name(enum fault_kind kind); // "lose", "drop", ...

struct fault {
    enum fault_kind kind;
    uint32_t count;
    ns_t time;
};

// What happened to one frame of a direction. Lists are sorted by frame; what
// happened to one frame and its copies stands in the order in which it did.
struct fault_entry {
    uint32_t frame; // number on its direction, from 1
    uint32_t copy;  // 0: the frame itself; its copies in order of making
    struct fault fault;
};

struct fault_list {
    struct fault_entry *entries;
    size_t count, capacity;
    bool is_cut; // an entry is missing for want of memory
};

void fault_list_add(struct fault_list *list, const struct fault_entry *entry);
void fault_list_fini(struct fault_list *list);

#endif
