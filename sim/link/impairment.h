// Impairments at work: who is a victim, and what exactly happens to it.
// SPDX-License-Identifier: MIT
#ifndef LINK_IMPAIRMENT_H
#define LINK_IMPAIRMENT_H

// Theory of operation
//
// An impairment is asked about each frame in turn: a selector decides whether
// the frame is a victim, and what is then to be done is written out as a fault
// in which nothing is left to chance. Two steps, so that the faults of a run
// can be recorded and given back in place of the dice (fault_plan.h).
//
// Each impairment draws from a stream of its own, named after the link, the
// direction, its position and its action: "link wan a>b 2 drop". Replacing the
// list of impairments while the simulation runs keeps the stream, the counts
// and the state of those that stay as they are at their position, and the
// stream alone of those that change but keep their action.
//
// Correlation. With correlation c a decision repeats the one before it with
// probability c and is drawn afresh otherwise: the rate is the one that was
// asked for and successive decisions correlate by exactly c. (netem averages
// successive random numbers, which lowers the rate as c grows.)
//
// Gilbert-Elliott, as netem's "gemodel": the state moves first (good to bad
// with p, bad to good with r), then the frame is lost with the probability of
// the state it is in.

#include <pcap/pcap.h>

#include "sim/link/fault.h"
#include "sim/link/link.h"

struct impairment {
    struct impairment_config config;
    struct random random;
    struct bpf_program program; // of config.select.filter
    bool has_program;
    bool last_choice; // what the dice said last
    bool is_bad;      // Gilbert-Elliott state
    uint64_t seen;    // frames that filter and window let through
    size_t next_nth;  // first entry of nth that is not behind
};

struct impairment_list {
    struct impairment *items; // own their configurations
    size_t count;
    struct impairment_list *next; // retired ones, see direction.c
};

// Copies the configurations. previous (may be NULL) gives its state. 0,
// -ENOMEM, or -EINVAL with a sentence in sim_error().
int impairment_list_create(struct link *link, unsigned direction,
                           const struct impairment_config *configs,
                           size_t count, const struct impairment_list *previous,
                           struct impairment_list **out);
void impairment_list_destroy(struct impairment_list *list); // NULL is fine

// Is this frame a victim?
bool impairment_choose(struct impairment *impairment, struct link *link,
                       unsigned direction, const struct packet *frame);
// What happens to a victim. To be called config.bytes times for corruption,
// which has one fault for each bit.
struct fault impairment_fault(struct impairment *impairment,
                              const struct packet *frame);
// Is the choice made by the dice alone (a loss), not by a filter or a count?
bool impairment_is_random(const struct impairment *impairment);
// How the victim was chosen: "by count, frame 3 of \"tcp\"". For captures.
void impairment_describe(const struct impairment *impairment, char *out,
                         size_t size);

int impairment_config_copy(const struct impairment_config *from,
                           struct impairment_config *out); // -ENOMEM
void impairment_config_fini(struct impairment_config *config);
bool impairment_config_equal(const struct impairment_config *a,
                             const struct impairment_config *b);

#endif
