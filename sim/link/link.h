// Links: two directions, each with a rate, a delay, a queue and impairments.
// SPDX-License-Identifier: MIT
#ifndef LINK_LINK_H
#define LINK_LINK_H

// Theory of operation
//
//   port_send ─▶ hooks ─▶ queue ─▶ transmitter (rate) ─▶ impairments ─▶
//   propagation ─▶ hooks ─▶ input
//               (tx)     (limit)                         (in order)     (delay,
//               jitter) (rx)
//
// A direction takes a frame at `now`. If it is down, or the frame is larger
// than its MTU, or the queue has no room, the frame is dropped there. Otherwise
// it waits until the transmitter is free and occupies it for length * 8 / rate;
// a lost frame has used the wire all the same. Then the impairments are asked
// in the order in which the scenario lists them; each may drop, duplicate,
// corrupt, delay, reorder, mark or hold it. A frame that is left arrives after
// the propagation delay.
//
// A FIFO queue needs no event of its own: departure times are known when a
// frame enters, so a direction keeps its frames in a list ordered by arrival
// time with one event for the head. Changing rate, delay or queue while frames
// wait recomputes those that have not begun to be sent.
//
// Each frame's fate is decided when it enters, which lets the sender's capture
// say it in the frame's own record. What happens later (the link goes down with
// frames in flight, a queue is cut short) is reported to the capture as an
// amendment.
//
// Invariants: L1. in = delivered + sum(dropped) + queued + in flight -
// duplicated, always (checked by link_check). L2. Without jitter, reordering or
// delay changes frames arrive in the order in which they were sent.

#include "sim/node/node.h"

enum link_drop {
    LINK_DROP_DOWN,      // link was down, or went down with the frame on it
    LINK_DROP_MTU,       // larger than the direction's MTU
    LINK_DROP_QUEUE,     // queue limit
    LINK_DROP_LOSS,      // impairment: loss
    LINK_DROP_FILTER,    // impairment with a filter or a count
    LINK_DROP_SCRIPT,    // a hook's verdict
    LINK_DROP_NO_BUFFER, // packet pool exhausted (duplicates)
    LINK_DROP_END, // still on the link when the run ended (not a loss; listed
                   // apart)
    LINK_DROP_COUNT
};
const char *
link_drop_name(enum link_drop reason); // "down", "mtu", "queue", ...

// What else happened to a frame, as bits; the capture's comment says them in
// words.
enum link_fate {
    FATE_DROPPED = 1 << 0,
    FATE_DUPLICATED = 1 << 1, // the original of a pair
    FATE_DUPLICATE = 1 << 2,  // the copy
    FATE_CORRUPTED = 1 << 3,
    FATE_REORDERED = 1 << 4,
    FATE_DELAYED = 1 << 5,
    FATE_MARKED = 1 << 6, // CE
    FATE_HELD = 1 << 7,
    FATE_EDITED = 1 << 8,
    FATE_INJECTED = 1 << 9,
};

// --- Impairments

enum impairment_action {
    IMPAIR_DROP,
    IMPAIR_DELAY,
    IMPAIR_REORDER,
    IMPAIR_DUPLICATE,
    IMPAIR_CORRUPT,
    IMPAIR_HOLD,
    IMPAIR_MARK
};
const char *
impairment_action_name(enum impairment_action action); // "drop", "delay", ...

enum loss_model { LOSS_INDEPENDENT, LOSS_GILBERT_ELLIOTT };

// A frame is a victim when all conditions that are set hold. Counting (nth,
// every) counts the frames for which the filter and the window hold.
struct impairment_selector {
    chance_t probability; // CHANCE_ALWAYS when not given
    chance_t correlation; // with the last decision (netem); 0: none
    enum loss_model model;
    chance_t ge_p, ge_r;      // good to bad, bad to good
    chance_t ge_bad, ge_good; // loss while bad (1-h), while good (1-k)
    uint32_t *nth;            // sorted list of 1-based numbers; NULL: all
    size_t nth_count;
    uint32_t every;   // every n-th; 0: all
    ns_t from, until; // window of simulated time; until NS_NEVER or 0: open
    char *filter;     // pcap filter expression; NULL: all
    // A script's choice; NULL: none. Asked last.
    bool (*choose)(void *context, struct link *link, unsigned direction,
                   const struct packet *frame);
    void *choose_context;
};

struct impairment_config {
    enum impairment_action action;
    struct impairment_selector select;
    ns_t delay; // DELAY, REORDER (0: overtakes by not waiting for the delay, as
                // netem), DUPLICATE
    ns_t jitter; // DELAY
    enum distribution distribution;
    uint32_t bytes;    // CORRUPT: how many bits are flipped, 0: 1
    uint32_t position; // REORDER: arrives after so many frames that follow;
                       // HOLD: until then; 0: by delay
    uint32_t copies;   // DUPLICATE; 0: 1
};

// Nothing is chosen by chance: every frame is a victim.
extern const struct impairment_config impairment_default;

// --- Directions and links

enum queue_kind { QUEUE_FIFO };

struct queue_config {
    enum queue_kind kind;
    uint32_t limit_packets; // waiting, the one being sent not counted; 0: none
    uint64_t limit_bytes;   // 0: none
    ns_t limit_time;        // longest wait a frame may face; 0: none
};

struct link_direction_config {
    uint64_t rate_bps; // 0: infinite
    uint32_t overhead; // bytes per frame that the rate counts besides the frame
                       // (preamble, FCS, gap); 0
    ns_t delay;
    ns_t jitter; // >= 0
    enum distribution jitter_distribution;
    chance_t jitter_correlation;
    bool keep_order; // jitter does not reorder
    uint32_t mtu;    // bytes of the packet in the frame; 0: whatever the
                     // interfaces send
    struct queue_config queue;
    struct impairment_config *impairments; // owned by the direction after
                                           // sim_add_link / link_set copies it
    size_t impairment_count;
};
// 1000 packets of FIFO, no rate, no delay, nothing impaired.
extern const struct link_direction_config link_direction_default;

struct link_config {
    const char *name; // NULL: "a-b"
    struct node *ends[2];
    const char *port_names[2]; // NULL: next free "ethN"
    struct mac_addr
        macs[2]; // all zero: chosen, 02:00:00:NN:NN:PP (node number, port)
    uint32_t iface_mtu;     // of hosts' interfaces; 0: 1500
    bool is_point_to_point; // IP without Ethernet
    bool starts_down;
    struct link_direction_config direction[2]; // [0]: ends[0] to ends[1]
};

struct link_direction_stats {
    uint64_t frames_in, bytes_in; // given to the link
    uint64_t frames_delivered, bytes_delivered;
    uint64_t dropped[LINK_DROP_COUNT]; // frames
    uint64_t duplicated, corrupted, reordered, delayed, marked, held, edited,
        injected;               // frames
    uint64_t queued, in_flight; // now
    uint64_t peak_queue_packets, peak_queue_bytes;
    ns_t total_queue_delay, peak_queue_delay; // of frames that began to be sent
    ns_t busy;                                // time the transmitter was busy
};

struct link_direction;
struct link {
    struct sim *sim;
    struct link *next; // of the simulation, in order of creation
    char *name;
    uint32_t number; // from 1
    struct port *ends[2];
    bool is_up, is_point_to_point;
    int next_hook_id;
    struct link_direction *direction[2];
};

// Makes the ports (and interfaces of hosts, without addresses). -EEXIST,
// -ENOMEM, -EINVAL with a sentence in sim_error() (a filter that libpcap
// refuses).
int sim_add_link(struct sim *sim, const struct link_config *config,
                 struct link **out);
struct link *sim_find_link(struct sim *sim, const char *name);
// Impairment lists are copied. As above for failures; nothing is changed then.
int link_set(struct link *link, unsigned direction,
             const struct link_direction_config *config);
const struct link_direction_config *link_get(const struct link *link,
                                             unsigned direction);
// Frames on a link that goes down are dropped. Interfaces stay up; carrier
// tells them.
void link_set_up(struct link *link, bool is_up);
struct link_direction_stats link_get_stats(const struct link *link,
                                           unsigned direction);
void link_check(const struct link *link);
// Drops what is on the link as LINK_DROP_END; for sim_finish.
void link_end(struct link *link);
void link_destroy(struct link *link); // before its nodes; NULL is fine
// Of the `count` records of the capture at that end that begin with number
// `first`: how many are older than any frame of theirs that is still on the
// link.
uint32_t link_settled_records(const struct link *link, unsigned end,
                              uint32_t first, uint32_t count);
// Releases what an IMPAIR_HOLD keeps.
void link_release_held(struct link *link, unsigned direction);
void link_direction_config_fini(
    struct link_direction_config *config); // frees lists inside
int link_direction_config_copy(const struct link_direction_config *from,
                               struct link_direction_config *out);

// --- Hooks

enum hook_point {
    HOOK_SENT,
    HOOK_ARRIVING
}; // entering the direction; about to be delivered
struct hook_verdict {
    enum { VERDICT_PASS, VERDICT_DROP, VERDICT_DELAY } action;
    ns_t delay;     // VERDICT_DELAY, at HOOK_SENT only
    bool is_edited; // the hook wrote into the packet (after
                    // packet_make_writable)
};
typedef struct hook_verdict link_hook_fn(void *context, struct link *link,
                                         unsigned direction,
                                         struct packet *frame);
// Hooks run in order of addition. Returns an id for removal, > 0; -ENOMEM.
int link_add_hook(struct link *link, unsigned direction, enum hook_point point,
                  link_hook_fn *hook, void *context);
void link_remove_hook(struct link *link, int id);
// Puts a frame of the caller's making on the wire, as if ends[direction] had
// sent it; past the hooks. Consumes.
void link_inject(struct link *link, unsigned direction, struct packet *frame);

#endif
