// Fault plans: what befell the frames of a run, as data.
// SPDX-License-Identifier: MIT
#ifndef LINK_FAULT_PLAN_H
#define LINK_FAULT_PLAN_H

// Theory of operation
//
// A run that records writes every fault of every link down; a run that replays
// does what the plan says and rolls no dice on any link, so that it goes the
// same way whatever impairments its scenario lists. A plan is text, a line per
// fault, which may be written by hand, shortened and compared:
//
//   # frames are counted from 1 as their port sends them
//   client:eth0 7 lose              the 7th frame that client:eth0 sent is lost
//   client:eth0 9 delay 3000000ns
//   server:eth0 12 duplicate 1
//   server:eth0 12.1 drop           the first copy of the 12th frame
//
// The words: lose, drop, overtake and mark stand alone; jitter, delay and
// reorder take a time (jitter may be negative); hold and displace take "behind
// N", a time, or both; duplicate takes a number of copies and, if they come
// later, a time; corrupt takes the number of a bit. Times are whole
// nanoseconds.

#include <stdio.h>

#include "sim/link/fault.h"

struct sim;
struct fault_plan;

// Records from now on, also on links that are made later. -ENOMEM.
int sim_record_faults(struct sim *sim);
// What was recorded, by port. 0; -ENOMEM: the record has a gap; or the stream's
// negative errno.
int sim_write_faults(const struct sim *sim, FILE *out);
// Reads a plan. NULL with the line (1-based) and a sentence where the text is
// wrong, or "out of memory".
struct fault_plan *fault_plan_read(FILE *in, unsigned *line, char *error,
                                   size_t error_size);
void fault_plan_destroy(struct fault_plan *plan); // NULL is fine
// From now on the plan stands in the place of all dice; the simulation owns it.
// A port that the plan names and the network lacks is nobody's business: see
// fault_plan_unknown.
void sim_replay_faults(struct sim *sim, struct fault_plan *plan);
// The first name in the plan that is no port of the network; NULL: none.
const char *fault_plan_unknown(const struct fault_plan *plan,
                               const struct sim *sim);

// For directions: the list of the port called "node:port", empty where the plan
// does not name it.
const struct fault_list *fault_plan_find(struct fault_plan *plan,
                                         const char *node, const char *port);

#endif
