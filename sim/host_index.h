// Finds the host that owns an address.
// SPDX-License-Identifier: MIT
#ifndef SIM_HOST_INDEX_H
#define SIM_HOST_INDEX_H

#include "stack/wire/address.h"

// Theory of operation
//
// Addresses come and go inside the stacks, which tell nobody. The index is
// therefore only a memory of where an address was: what it answers is checked
// with the host, and when it has no good answer all hosts are asked, and the
// index is made anew if one of them says yes. So a wrong answer is impossible,
// an answer that is there costs one look, and only addresses that nobody owns
// are always searched for everywhere.

struct sim;
struct host;
struct host_index;

struct host_index *host_index_create(void); // NULL: out of memory
void host_index_destroy(struct host_index *index);
struct host *host_index_find(struct host_index *index, struct sim *sim,
                             const struct ip_addr *address);

#endif
