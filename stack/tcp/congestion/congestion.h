// The interface of congestion controls: a struct of hooks, one file each.
// SPDX-License-Identifier: MIT
#ifndef TCP_CONGESTION_H
#define TCP_CONGESTION_H

// Theory of operation
//
// Loss detection decides what is lost and when to send; the congestion control
// decides how much may be in flight. They meet in struct congestion, which
// every connection embeds. Windows are in bytes and whole multiples of the MSS:
// the controls count segments, as Linux does, so that a small segment is worth
// as much as a full one on both sides of the comparison with cwnd; a remainder
// of less than a segment stays in the control's private state.
//
// When each hook is called:
//   init      once, when the connection becomes established (cwnd is the
//             initial window)
//   release   once, at the end of the connection
//   on_ack    every ACK that newly delivers data, outside loss recovery and in
//             CA_LOSS; grows cwnd. Not called when the sender was not limited
//             by cwnd.
//   ssthresh  a congestion event begins (entering CWR, RECOVERY or LOSS):
//             returns the new ssthresh in bytes; the caller sets cwnd (PRR or
//             rate halving) and prior_cwnd, prior_ssthresh
//   on_state  after ca_state changed
//   on_event  see enum congestion_event
//   on_delivered
//             every ACK, in every state, after its records are taken off the
//             queue and before loss detection may call ssthresh; of the sample
//             only now, acked_*, prior_in_flight and is_ece are set
//   on_rtt    each ACK that gives an RTT sample, before on_ack (delay-based
//             exits from slow start)
//   undo      the congestion event was spurious: returns the cwnd to go back to
//   main_control
//             model-based controls (BBR): if set, called on each ACK after all
//             updates and owns cwnd and pacing_rate_bps; on_ack is then not
//             called
// Every hook but ssthresh, and on_ack where there is no main_control, may be
// NULL.

#include "stack/stack.h"
#include "stack/wire/tcp.h"

struct congestion;

enum congestion_event {
    CONGESTION_TX_START,     // first transmission when nothing was in flight
    CONGESTION_CWND_RESTART, // window was reduced after idle (RFC 5681 4.1)
    CONGESTION_COMPLETE_CWR, // recovery ended
    CONGESTION_LOSS,         // retransmission timeout
};

// One ACK's worth of news.
struct congestion_sample {
    ns_t now;
    uint32_t acked_bytes; // newly cumulatively acknowledged or SACKed
    uint32_t acked_segments;
    uint32_t lost_segments;              // newly believed lost
    uint32_t prior_in_flight, in_flight; // bytes before and after the ACK
    ns_t rtt;                            // of this ACK; -1: none
    uint32_t delivered; // segments delivered in the sample's interval
    ns_t interval;      // of the rate sample; 0: none
    // Segments delivered since the beginning, and that number when what the
    // rate sample is about was sent.
    uint32_t total_delivered, prior_delivered;
    bool is_app_limited, is_ece, is_retransmission;
};

struct congestion_ops {
    const char *name;
    void (*init)(struct congestion *cc);
    void (*release)(struct congestion *cc);
    void (*on_ack)(struct congestion *cc,
                   const struct congestion_sample *sample);
    uint32_t (*ssthresh)(struct congestion *cc);
    void (*on_state)(struct congestion *cc, enum tcp_ca_state state);
    void (*on_event)(struct congestion *cc, enum congestion_event event);
    void (*on_delivered)(struct congestion *cc,
                         const struct congestion_sample *sample);
    void (*on_rtt)(struct congestion *cc,
                   const struct congestion_sample *sample);
    uint32_t (*undo)(struct congestion *cc);
    void (*main_control)(struct congestion *cc,
                         const struct congestion_sample *sample);
    // Asks for ECN and has the receiver's half echo each mark exactly instead
    // of holding ECE until CWR (RFC 8257 3.2).
    bool needs_ecn;
};

enum { CONGESTION_PRIVATE_SIZE = 88 };

struct congestion {
    const struct congestion_ops *ops;
    uint32_t mss;        // sender's MSS, bytes
    uint32_t cwnd;       // bytes
    uint32_t ssthresh;   // bytes; UINT32_MAX: slow start has not ended yet
    uint32_t cwnd_clamp; // bytes; an upper bound
    uint32_t prior_cwnd, prior_ssthresh; // before the last reduction, for undo
    tcp_seq snd_una,
        snd_nxt;    // copies of the connection's, kept by it before each hook
    ns_t now;       // likewise
    ns_t last_sent; // likewise: when data left last; 0: never
    ns_t srtt, min_rtt;       // likewise; 0: none yet
    uint64_t pacing_rate_bps; // 0: not paced
    union {
        uint64_t align;
        uint8_t bytes[CONGESTION_PRIVATE_SIZE];
    } private; // the control's own state; zeroed before init
};

static inline bool congestion_is_slow_start(const struct congestion *cc)
{
    return cc->cwnd < cc->ssthresh;
}
static inline uint32_t congestion_segments(const struct congestion *cc)
{
    return max_u32(cc->cwnd / cc->mss, 1);
}
// Slow start (RFC 5681 3.1) that grows by all of what was acknowledged, without
// RFC 3465's limit of two segments, as Linux; stops at ssthresh and returns how
// many of the acknowledged segments are left over for congestion avoidance.
uint32_t congestion_slow_start(struct congestion *cc, uint32_t acked_segments);
// Grows cwnd by one segment for each `per_segment` acknowledged ones; *count
// keeps the remainder between calls.
void congestion_additive_increase(struct congestion *cc, uint32_t *count,
                                  uint32_t per_segment,
                                  uint32_t acked_segments);
// The undo hook of controls that only need the old window back.
uint32_t congestion_undo(struct congestion *cc);

extern const struct congestion_ops congestion_newreno, congestion_cubic,
    congestion_cubic_plus, congestion_dctcp, congestion_bbr;
// The list (congestion.c), ended by NULL; the setting tcp.congestion is an
// index into it. "reno" is a second name of newreno. CUBIC is first: it is the
// default.
extern const struct congestion_ops *const congestion_controls[];

#endif
