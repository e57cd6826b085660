// The TCP connection as TCP's own files know it.
// SPDX-License-Identifier: MIT
#ifndef TCP_CONNECTION_H
#define TCP_CONNECTION_H

// Theory of operation
//
// The sequence space of the sender, and what holds it:
//
//      snd_una            snd_nxt              write_seq
//      |--- segments[] -----|---- not yet sent ----|
//      |----------- send buffer or source ---------|
//
// Each segment sent is one record in `segments`, a ring that grows by doubling.
// A record holds no bytes: those are in the send buffer (a ring of chunks from
// the pool of the table) or come from the source function, asked once more for
// a retransmission. SYN and FIN take their place in the sequence space like
// bytes; tcp_send_buffer.c knows where the bytes are.
//
// The receiver keeps the packets as they came: in order in `receive_queue`,
// ahead of a gap in `gaps`, a sorted array of contiguous stretches.
//
// Counters named as Linux names them, in segments:
//      packets_out   records in the ring
//      sacked_out    of them, SACKed (without SACK: duplicate ACKs)
//      lost_out      of them, believed lost and not SACKed
//      retrans_out   of them, retransmitted and that copy still in flight
//      in flight     packets_out - sacked_out - lost_out + retrans_out
//
// Time. One struct timer serves all deadlines of a connection; it is armed for
// the earliest and re-armed lazily.
//
// Life. tcp_socket.c creates a connection; tcp_set_state(CLOSED) takes it out
// of the table, drops its buffers and cancels its timers; the memory goes when
// the application has let go too (socket.is_orphan), at the end of the
// outermost function of TCP that works on it (tcp_release). Nothing that TCP
// calls in between frees it.
//
// Invariants (tcp_check, in tests after every step):
//  C1. snd_una <= snd_nxt <= write_seq
//  C2. the records tile [snd_una's record start, snd_nxt) without gap or
//      overlap; only the first may begin left of snd_una
//  C3. the four counts above agree with the records' flags
//  C4. the runs are sorted, apart from each other, and right of rcv_nxt
//  C5. the right edge of the window offered never moves left
//  C6. in TIME-WAIT and CLOSED nothing is queued for sending
//  C7. data outstanding => the retransmission timer is armed

#include <errno.h>

#include "stack/internal.h"
#include "stack/net/ip.h"
#include "stack/socket/socket.h"
#include "stack/tcp/congestion/congestion.h"
#include "stack/wire/tcp.h"

struct tcp_connection;

// --- Pool of blocks (tcp_pool.c) --------------------------------------------

// Blocks of 2^(TCP_POOL_MIN + class) bytes, kept on free lists per class once
// they are freed. Serves rings, runs and chunks.
enum { TCP_POOL_MIN = 6, TCP_POOL_CLASSES = 20, TCP_CHUNK_SIZE = 1024 };
struct tcp_pool {
    void *free[TCP_POOL_CLASSES];
    uint64_t live; // blocks handed out
};
void *tcp_pool_alloc(struct tcp_pool *pool, size_t size); // NULL: no memory
void tcp_pool_free(struct tcp_pool *pool, void *block, size_t size);
void tcp_pool_fini(struct tcp_pool *pool);

// --- Sender's records (tcp_segments.c) --------------------------------------

enum tcp_segment_flag {
    SEGMENT_SACKED = 1 << 0,
    SEGMENT_LOST = 1 << 1,
    SEGMENT_RETRANSMITTED = 1 << 2, // and that copy counts in retrans_out
    SEGMENT_EVER_RETRANSMITTED = 1 << 3,
    SEGMENT_SYN = 1 << 4,
    SEGMENT_FIN = 1 << 5,
    SEGMENT_APP_LIMITED = 1 << 6,
    SEGMENT_PUSH = 1 << 7,
    SEGMENT_END_OF_RECORD = 1 << 8,
    SEGMENT_CWR = 1 << 9,
};

struct tcp_segment {
    tcp_seq seq, end_seq;
    ns_t sent_at;      // last transmission
    ns_t first_sent;   // start of the rate sample that this one ends
    ns_t delivered_at; // connection's at transmission
    uint32_t delivered;
    uint16_t flags;
    uint16_t transmissions;
    uint32_t older, newer; // ring positions in order of transmission
};

// Positions are absolute and grow for ever (modulo 2^32); position p lives in
// ring[p & mask]. first == last: empty.
struct tcp_segments {
    struct tcp_segment *ring; // NULL while empty
    uint32_t mask;
    uint32_t first, last;    // [first, last)
    uint32_t oldest, newest; // by transmission; SEGMENT_NONE
};
#define SEGMENT_NONE UINT32_MAX

// --- Send buffer (tcp_send_buffer.c) ----------------------------------------

struct tcp_source {
    source_fn *function;
    void *context;
    uint64_t length; // of the whole stream
};

struct tcp_send_buffer {
    uint8_t **chunks; // ring of capacity (a power of two), NULL while empty
    uint32_t capacity, first, count;
    uint32_t head; // bytes of the first chunk that are given back already
    uint32_t length;
};

// Where records end in data that is not sent yet.
struct tcp_marks {
    uint32_t count, capacity;
    tcp_seq at[];
};

// The search for the path MTU (tcp_mtu_probe.c). Sizes are of IP packets.
struct tcp_probing {
    bool is_on;
    uint32_t search_low, search_high;
    uint32_t size; // of the probe in flight; 0: none
    tcp_seq start, end;
    ns_t began_at;
};

// What few connections need, from the pool when first needed.
struct tcp_extra {
    struct tcp_marks *marks; // NULL: none
    struct tcp_probing probing;
    ns_t pacing_next; // when the next burst may leave
};

// --- Receiver ---------------------------------------------------------------

struct tcp_run {
    tcp_seq start, end;
    struct packet *head, *tail; // linked by next, cb.tcp.seq ascending
};

// What lies ahead of a gap. Lives from the first packet out of order until the
// last gap is filled.
struct tcp_gaps {
    struct tcp_run *runs; // sorted, apart from each other
    uint32_t count, capacity;
    uint32_t packets;
    uint8_t sack_count;
    struct tcp_sack_block sack[TCP_MAX_SACK_BLOCKS]; // most recent first
};

// --- Path -------------------------------------------------------------------

// Connections between the same two addresses share one, with what was learnt
// about the destination.
struct tcp_path {
    struct ip_path path;
    struct tcp_path *next; // hash chain
    uint32_t references;
    uint16_t bound_iface;
};

// --- Connection -------------------------------------------------------------

enum tcp_deadline {
    TCP_DEADLINE_RETRANSMIT, // retransmit_kind says what for
    TCP_DEADLINE_ACK,        // delayed ACK
    TCP_DEADLINE_KEEP,       // keepalive; FIN-WAIT-2; TIME-WAIT
    TCP_DEADLINE_SEND,       // pacing
    TCP_DEADLINE_COUNT
};

enum tcp_retransmit_kind {
    TCP_RETRANSMIT_RTO,
    TCP_RETRANSMIT_PERSIST, // zero window probe
    TCP_RETRANSMIT_PROBE,   // tail loss probe, RFC 8985 7
    TCP_RETRANSMIT_REORDER, // the reordering window ends, RFC 8985 6
};

enum tcp_chrono {
    TCP_CHRONO_IDLE,
    TCP_CHRONO_BUSY,
    TCP_CHRONO_WINDOW, // busy, and limited by the peer's window
    TCP_CHRONO_BUFFER, // busy, and limited by our buffer
};

struct tcp_listener {
    struct tcp_connection *owner;
    struct tcp_connection *ready_head, *ready_tail; // accept queue
    uint32_t backlog;
    uint32_t ready_count;
    uint32_t pending_count;   // in SYN-RECEIVED
    uint32_t fast_open_count; // ready in SYN-RECEIVED
    ns_t cookies_until;       // SYN cookies were given lately
};

// Counts that only tcp_info shows.
struct tcp_statistics {
    uint64_t bytes_sent, bytes_retransmitted, bytes_received;
    uint32_t segments_out, segments_in, data_segments_out, data_segments_in;
    uint32_t retransmitted, received_again, duplicate_acks, out_of_order;
    uint32_t probes, timeouts, fast_retransmits, spurious, zero_windows;
};

// Times that are kept by the million are 32-bit microseconds (_us).
struct tcp_connection {
    struct socket socket; // first
    struct tcp_connection *hash_next;
    struct tcp_connection *list_next; // bound sockets, or an accept queue
    struct tcp_listener *listener;    // own (LISTEN), the parent's, or NULL
    struct tcp_path *path;            // NULL until connect
    uint8_t state;                    // enum tcp_state; tcp_set_state writes it
    uint8_t ca_state;                 // enum tcp_ca_state
    uint8_t retransmit_kind;          // enum tcp_retransmit_kind
    uint8_t snd_wscale, rcv_wscale;
    uint8_t quick_acks; // ACKs still to be sent at once
    uint8_t pingpong;   // interactive: ACKs ride on answers
    uint8_t
        duplicate_threshold; // segments of reordering; starts as the setting

    // Negotiated.
    bool has_sack : 1, has_timestamps : 1, has_window_scale : 1, has_ecn : 1;
    bool is_passive : 1; // came from a listener
    bool is_hashed : 1, is_bound : 1, is_ready : 1;
    bool iss_is_set : 1; // a connection was begun: a socket has one life
    // What the application wants.
    bool no_delay : 1, cork : 1, urgent_inline : 1, keepalive : 1;
    bool has_source : 1;
    bool receive_shutdown : 1, send_shutdown : 1;
    bool has_send_limit : 1, has_receive_limit : 1; // buffers set by hand
    // Streams.
    bool fin_received : 1, fin_queued : 1, fin_wanted : 1;
    bool urgent_valid : 1, urgent_is_held : 1, urgent_was_read : 1;
    bool snd_urgent : 1;
    bool has_fin_seq : 1; // a FIN has come, maybe ahead of a gap
    uint8_t urgent_byte;
    uint8_t chrono; // enum tcp_chrono
    // ACKs owed.
    bool ack_scheduled : 1, ack_now : 1, has_dsack : 1;
    // RFC 3168.
    bool ecn_echo : 1, ecn_send_cwr : 1, ecn_asked : 1;
    // Loss recovery.
    bool frto : 1, is_cwnd_limited : 1, reordering_seen : 1, is_reneging : 1;
    bool rack_advanced : 1, rack_dsack_seen : 1, tlp_is_retransmission : 1;
    bool has_undo : 1, has_tlp : 1, syn_retransmitted : 1;
    bool undo_is_fresh : 1; // nothing retransmitted since undo_marker was set
    bool ack_is_pushed : 1, ack_is_pushed_again : 1, wants_room : 1;
    // Fast Open (tcp_fast_open.c).
    bool is_fast_open : 1;       // a child that was open from its SYN on
    bool fo_asked : 1;           // client: the application wants it
    bool fo_deferred : 1;        // SYN-SENT, but the SYN waits for data
    bool fo_sent_option : 1;     // our SYN had the option
    bool fo_sent_data : 1;       // and data
    bool fo_data_acked : 1;      // data in a SYN was delivered, either way
    bool fo_is_experimental : 1; // form of the option
    bool fo_gives_cookie : 1;    // our SYN-ACK has one
    bool is_counted : 1;         // among the table's orphans
    bool writer_waits : 1;       // MESSAGE_WAITS during the handshake
    uint8_t in_use : 4; // TCP works on it: tcp_release frees, nobody else

    // Send sequence variables, RFC 9293 3.3.1.
    tcp_seq snd_una, snd_nxt, snd_wl1, iss, write_seq, snd_up;
    uint32_t snd_wnd, max_window;
    tcp_seq snd_small; // end of the latest small segment (Minshall)
    tcp_seq push_seq;  // end of the latest data to be pushed
    uint32_t mss;      // payload of a full segment, options taken off
    uint16_t peer_mss; // as announced, or the default
    uint16_t advertised_mss;
    // Receive sequence variables.
    tcp_seq rcv_nxt, irs, rcv_wup, copied_seq, rcv_up, fin_seq;
    uint32_t rcv_wnd;                   // offered at rcv_wup
    uint32_t rcv_ssthresh;              // most that is offered now
    uint32_t rcv_mss;                   // estimate of the peer's segment size
    uint32_t receive_limit, send_limit; // buffers, bytes
    // RFC 7323.
    uint32_t ts_recent, ts_offset, ts_recent_s;
    uint32_t rcv_echo; // of the segment being processed; 0: none

    struct tcp_segments segments;
    uint32_t packets_out, sacked_out, lost_out, retrans_out;
    uint32_t max_packets_out; // in the window that ends at cwnd_usage_seq
    tcp_seq cwnd_usage_seq;
    uint32_t retransmit_hint; // nothing to retransmit left of this position
    uint32_t highest_sack;    // position after the highest SACKed record
    union {
        struct tcp_send_buffer buffer;
        struct tcp_source source; // has_source
    };
    uint64_t stream_acked;   // bytes of the stream acknowledged
    struct tcp_extra *extra; // NULL: not needed yet

    struct packet_queue receive_queue;
    uint32_t receive_bytes;      // payload in the queue not yet read
    uint32_t mss_mtu;            // path MTU that mss was computed from
    struct tcp_gaps *gaps;       // NULL: nothing is out of order
    struct tcp_sack_block dsack; // has_dsack: to be reported once

    // RTT, RFC 6298; srtt 0: no sample yet.
    uint32_t srtt_us, mdev_us, mdev_max_us, rttvar_us, rto_us;
    uint32_t min_rtt_us, min_rtt_at_s;
    tcp_seq rtt_seq;
    uint8_t backoff, retransmits, probes_out, keepalive_probes;
    uint8_t reorder_steps, reorder_persist;
    // Recovery.
    int16_t soft_error; // negative errno of the last ICMP error
    tcp_seq high_seq, undo_marker, tlp_high_seq;
    uint32_t undo_retrans, prr_delivered, prr_out;
    ns_t retransmit_started; // first retransmission of this episode; 0: none
    ns_t rack_sent_at;
    uint32_t rack_rtt_us, rack_last_delivered;
    tcp_seq rack_end_seq;
    // Rate.
    uint32_t delivered, delivered_ce, lost, app_limited;
    uint32_t rate_delivered, rate_interval_us;
    ns_t delivered_at, first_sent;
    // Receive autotuning.
    uint32_t rcv_rtt_us, rcvq_space;
    tcp_seq rcv_rtt_seq, rcvq_seq;
    ns_t rcv_rtt_at, rcvq_at;

    uint32_t ack_timeout_us, oow_ack_at_ms;
    int32_t linger_ms; // -1: off
    uint32_t not_sent_low_water;
    ns_t last_received_at, last_sent_at, last_ack_at, established_at;
    ns_t advanced_at;      // when snd_una moved last
    uint32_t chrono_us[3]; // of those but IDLE
    uint32_t chrono_since_us;
    ns_t deadlines[TCP_DEADLINE_COUNT];
    struct timer timer;
    struct tcp_statistics statistics;
    struct congestion cc;
};

// What a million idle connections cost.
_Static_assert(sizeof(struct tcp_connection) <= 1024, "a connection is small");

#endif
