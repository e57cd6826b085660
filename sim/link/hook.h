// Functions that see every frame at a point of a link direction.
// SPDX-License-Identifier: MIT
#ifndef LINK_HOOK_H
#define LINK_HOOK_H

#include "sim/link/link.h"

// A hook may add and remove hooks, itself included: one that is added sees the
// next frame, one that is removed leaves a gap until the list is at rest.

struct hook {
    int id;
    link_hook_fn *run; // NULL: removed
    void *context;
};

struct hook_list {
    struct hook *items;
    uint32_t count, capacity;
    uint32_t running;
};

int hook_list_add(struct hook_list *list, const struct hook *hook); // -ENOMEM
bool hook_list_remove(struct hook_list *list, int id); // was it there?
void hook_list_fini(struct hook_list *list);
// Asks all in order until one drops; delays add up. Borrows the frame.
struct hook_verdict hook_list_run(struct hook_list *list, struct link *link,
                                  unsigned direction, struct packet *frame);

#endif
