// HyStart++: leaving slow start in two steps (RFC 9406).
// SPDX-License-Identifier: MIT
#ifndef TCP_HYSTART_PLUS_H
#define TCP_HYSTART_PLUS_H

// Theory of operation
//
// A round trip that has grown by an eighth means either that a queue builds, or
// nothing: jitter. Instead of leaving slow start for it, the sender grows at a
// quarter of the speed (conservative slow start) for up to five rounds. If the
// round trip falls below what made it careful, that was jitter and slow start
// goes on; otherwise it ends. Only the first slow start of a connection is
// watched: a later one has an ssthresh to go by (4.3).
//
// The round trips are in microseconds; UINT32_MAX stands for infinity.

#include "stack/tcp/congestion/congestion.h"

struct hystart_plus {
    uint32_t last_min, current_min; // of the round before, and of this one
    uint32_t baseline;              // what made it careful; infinity: it is not
    tcp_seq window_end;             // the round ends when this is acknowledged
    uint8_t samples, careful_rounds;
    uint8_t credit; // segments acknowledged in the careful phase, not yet used
};

void hystart_plus_init(struct hystart_plus *h, const struct congestion *cc);
// Every RTT sample. May end slow start: sets ssthresh to cwnd.
void hystart_plus_on_rtt(struct hystart_plus *h, struct congestion *cc,
                         ns_t rtt);
// Slow start in place of congestion_slow_start(); likewise returns what is left
// over. An unpaced sender grows by eight segments an ACK at most (4.2, L).
uint32_t hystart_plus_grow(struct hystart_plus *h, struct congestion *cc,
                           uint32_t acked_segments);

#endif
