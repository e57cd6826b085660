// Packets of a packetdrill script: built, decoded, compared, written.
// SPDX-License-Identifier: MIT
#ifndef PACKETDRILL_PACKETS_H
#define PACKETDRILL_PACKETS_H

#include "sim/packetdrill/language/ast.h"

#include <stdio.h>

// --- Numbers of the script and numbers on the wire

// Theory of operation
//
// A script counts from its own initial sequence numbers, the stack from random
// ones. A flow keeps both for each direction:
//
//  - In a SYN or SYN-ACK the script's number stands for itself: the peer's ISN
//    on the wire is the script's, and ours is learnt from the first SYN that
//    the stack sends.
//  - In every other segment 0 is the ISN, whatever the SYN said. So is it in
//    SACK blocks and in the quotation of an ICMP message.
//  - Until an ISN is known, numbers stand for themselves.
//
// Timestamps that the stack sends are arbitrary too. Each that a script names
// is remembered with what was on the wire, and put in its place when the script
// echoes it.

enum { FLOW_TIMESTAMPS = 64 };

struct flow {
    struct endpoint local, remote;
    bool has_local_isn, has_remote_isn;
    uint32_t live_local_isn, script_local_isn;
    uint32_t live_remote_isn, script_remote_isn;
    struct {
        uint32_t script, live;
    } timestamps[FLOW_TIMESTAMPS]; // a ring
    uint32_t timestamp_count;
    bool has_first_timestamp;
    uint32_t first_script_timestamp, first_live_timestamp;
};

// One packet of the stack.
struct live_packet {
    ns_t time;      // when it was sent
    ns_t last_time; // of joined segments: the last one's
    struct endpoint from, to;
    uint8_t protocol, ttl, tos;
    struct tcp_header tcp;         // protocol TCP
    struct script_options options; // likewise
    uint32_t payload;              // bytes
    uint32_t segments;             // joined in this one
    struct live_packet *next;
};

// Fills all but the times. false: nothing that a script can name.
bool packet_decode(const uint8_t *bytes, size_t length,
                   struct live_packet *out);
// Is it a segment of this connection?
bool flow_has(const struct flow *flow, const struct live_packet *packet);

// The first segment with a SYN that the stack sends tells its ISN.
void flow_learn_outbound(struct flow *flow, const struct script_tcp *script,
                         const struct live_packet *live);
// Puts the script's numbers in the place of the wire's.
void flow_map_outbound(const struct flow *flow, struct live_packet *packet);
// Remembers the timestamp of a packet that matched.
void flow_note_timestamp(struct flow *flow, const struct script_options *script,
                         const struct script_options *live);

// Puts the wire's numbers in the place of the script's. Learns the peer's ISN
// from its first SYN.
void flow_map_inbound(struct flow *flow, struct script_tcp *tcp);
uint32_t flow_live_local(const struct flow *flow, uint32_t sequence);

enum { PACKET_MAX_BUILT = 65536 };

// Builds what the script injects: an IP packet. Returns its length; 0: too
// large. bytes has room for PACKET_MAX_BUILT.
size_t packet_build(struct flow *flow, const struct script_packet *packet,
                    uint8_t *bytes);
// NULL: can be built for this family. Otherwise what is missing.
const char *packet_unsupported(const struct script_packet *packet,
                               uint8_t family);

size_t options_encode(const struct script_options *options, uint8_t *bytes);
void options_decode(const uint8_t *bytes, size_t length,
                    struct script_options *out);

// --- Comparing

enum packet_field {
    FIELD_IP,
    FIELD_FLAGS,
    FIELD_SEQUENCE,
    FIELD_ACK,
    FIELD_WINDOW,
    FIELD_URGENT,
    FIELD_OPTIONS,
    FIELD_COUNT
};

struct comparison {
    uint32_t differs; // bits by enum packet_field
    bool only_push;   // the difference is one PSH flag
};

struct compare_rules {
    int64_t ts_tick_us; // 0: TS val is not checked
    int64_t tolerance_us;
};

// `actual` is in the script's numbers.
struct comparison packet_compare(const struct script_packet *expected,
                                 const struct live_packet *actual,
                                 const struct flow *flow,
                                 const struct compare_rules *rules);
// Two lines, a column for each field, and a line of marks beneath what differs.
void packet_print_comparison(FILE *out, const struct script_packet *expected,
                             const struct live_packet *actual,
                             const struct comparison *comparison);

// --- Writing

void packet_print_script(FILE *out, const struct script_packet *packet);
void packet_print_live(FILE *out, const struct live_packet *packet);
void options_print(FILE *out, const struct script_options *options);

#endif
