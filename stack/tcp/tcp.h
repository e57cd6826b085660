// The functions of TCP's own files, and how they divide the work.
// SPDX-License-Identifier: MIT
#ifndef TCP_TCP_H
#define TCP_TCP_H

// Theory of operation
//
// Input decides, output sends, one function writes the state.
//
// receive/    tcp_input            header, checksum, whose it is; prediction
//             tcp_segment_arrives  RFC 9293 3.10.7.4 step by step
//             tcp_time_wait, tcp_reset, tcp_ecn
//             tcp_reassembly, tcp_receive   in order, ahead of gaps; reading
//             tcp_window, tcp_delayed_ack   what the peer is told, and when
// handshake/  tcp_listen, tcp_syn_sent, tcp_options, tcp_isn
//             tcp_cookie, tcp_fast_open   without memory, with data
// recovery/   tcp_ack              what an ACK says; the order of the rest
//             tcp_sack             the scoreboard: what the peer holds
//             tcp_rack, tcp_tlp    what is lost (RFC 8985, RFC 6675)
//             tcp_recovery, tcp_undo, tcp_cwnd   what follows, and taking it
//                                  back; PRR
//             tcp_retransmit, tcp_rtt, tcp_rate
// send/       tcp_output           whether and how much; tcp_burst, tcp_marks,
//                                  tcp_pacing, tcp_mtu_probe, tcp_send_room
//             tcp_segment          builds a segment
//             tcp_segments, tcp_send_buffer   records of what is out; bytes
// congestion/ the controls, behind congestion.h
// here        tcp_state, tcp_timer, tcp_socket, tcp_table, tcp_path, ...

#include "stack/tcp/connection.h"

// --- Table of a stack (tcp_table.c) -----------------------------------------

struct tcp_table {
    struct tcp_connection **buckets; // by 4-tuple
    uint32_t mask, count;
    struct tcp_connection *bound[64]; // bound and listening, by port
    struct tcp_path **paths;
    uint32_t path_mask, path_count;
    struct tcp_pool pool;
    uint32_t orphans;      // without an application, not yet in TIME-WAIT
    uint32_t time_waits;   // in TIME-WAIT
    ns_t challenge_second; // RFC 5961 7: count of this second
    uint32_t challenges;
    struct tcp_fast_open_entry *fast_open; // servers known; NULL: none yet
    uint64_t fast_open_uses;
};

int tcp_table_create(struct stack *stack);
void tcp_table_destroy(struct stack *stack);
// The connection with these ends; NULL.
struct tcp_connection *tcp_table_find(struct stack *stack,
                                      const struct endpoint *local,
                                      const struct endpoint *remote);
// The best listener for a destination: bound to the address before any.
struct tcp_connection *tcp_table_find_listener(const struct tcp_table *table,
                                               const struct endpoint *local,
                                               uint16_t iface_index);
// Any socket that is bound to this address and port; NULL.
struct tcp_connection *tcp_table_find_bound(const struct tcp_table *table,
                                            const struct endpoint *local);
// socket.local and socket.remote are final. -EADDRNOTAVAIL: taken; -ENOMEM.
int tcp_table_add(struct tcp_connection *c);
void tcp_table_remove(struct tcp_connection *c); // harmless when not in it
// bind: -EADDRINUSE. A port that is 0 is chosen.
int tcp_table_bind(struct tcp_connection *c, const struct endpoint *local);
void tcp_table_unbind(struct tcp_connection *c);
// -EADDRINUSE: somebody listens there already.
int tcp_table_may_listen(struct tcp_connection *c);
// Chooses a port for an unbound connection whose remote end is set.
int tcp_table_pick_port(struct tcp_connection *c);
// tcp_path.c. Finds or makes the path; errors of ip_path_find.
int tcp_path_get(struct stack *stack, const struct ip_addr *source,
                 const struct ip_addr *destination, uint16_t bound_iface,
                 struct tcp_path **out);
void tcp_path_put(struct stack *stack, struct tcp_path *path);
// The path, looked up again when stale: 0 or the error of ip_path_find.
int tcp_path_refresh(struct tcp_connection *c);

// --- State (tcp_state.c) ----------------------------------------------------

// A connection in CLOSED with the settings of the stack. NULL: *error says why,
// -ENOMEM or -EMFILE.
struct tcp_connection *tcp_connection_create(struct stack *stack,
                                             uint8_t family, int *error);
// The only writer of c->state.
void tcp_set_state(struct tcp_connection *c, enum tcp_state state);
// The connection ends: error (0 or negative errno) goes to the socket, state to
// CLOSED. The memory goes now or in tcp_release.
void tcp_end(struct tcp_connection *c, int error);
// The application has closed it: one more to be limited. May end it.
void tcp_count_orphan(struct tcp_connection *c);
// Brackets work on a connection: tcp_release frees it when nobody wants it any
// more. Returns false when it did.
void tcp_hold(struct tcp_connection *c);
bool tcp_release(struct tcp_connection *c);
// Frees for good. State is CLOSED or the stack is being destroyed.
void tcp_connection_destroy(struct tcp_connection *c);
void tcp_check(const struct tcp_connection *c); // must()s the invariants

static inline struct stack *tcp_stack(const struct tcp_connection *c)
{
    return c->socket.stack;
}
static inline ns_t tcp_now(const struct tcp_connection *c)
{
    return *c->socket.stack->host.now;
}
// What happens at time 0 is noted a nanosecond late, for 0 means never.
static inline void tcp_begin_retransmitting(struct tcp_connection *c)
{
    c->retransmit_started = max_i64(tcp_now(c), 1);
}
static inline struct tcp_table *tcp_table_of(const struct tcp_connection *c)
{
    return c->socket.stack->tcp;
}
static inline const struct stack_settings *
tcp_settings(const struct tcp_connection *c)
{
    return c->socket.settings;
}
static inline void tcp_count(struct tcp_connection *c, enum stack_counter what)
{
    c->socket.stack->counters[what]++;
}
static inline bool tcp_is_in(const struct tcp_connection *c, unsigned mask)
{
    return mask >> c->state & 1;
}
#define TCP_IN(state) (1u << TCP_##state)
// States in which our FIN is not sent yet and data may be.
#define TCP_CAN_SEND                                                           \
    (TCP_IN(ESTABLISHED) | TCP_IN(CLOSE_WAIT) | TCP_IN(SYN_RECEIVED))
// Data may leave in SYN-RECEIVED of a child that Fast Open made.
static inline bool tcp_may_output(const struct tcp_connection *c)
{
    unsigned states = TCP_IN(ESTABLISHED) | TCP_IN(CLOSE_WAIT) |
                      TCP_IN(FIN_WAIT_1) | TCP_IN(CLOSING) | TCP_IN(LAST_ACK);
    return tcp_is_in(c, states) ||
           (c->state == TCP_SYN_RECEIVED && c->is_fast_open);
}
// States in which the peer may send data.
#define TCP_CAN_RECEIVE                                                        \
    (TCP_IN(ESTABLISHED) | TCP_IN(FIN_WAIT_1) | TCP_IN(FIN_WAIT_2))
// States in which the output may hold unacknowledged data or FIN.
#define TCP_HAS_OUTPUT                                                         \
    (TCP_IN(ESTABLISHED) | TCP_IN(CLOSE_WAIT) | TCP_IN(FIN_WAIT_1) |           \
     TCP_IN(CLOSING) | TCP_IN(LAST_ACK) | TCP_IN(SYN_RECEIVED))
// Past the handshake.
#define TCP_SYNCHRONISED                                                       \
    (TCP_IN(ESTABLISHED) | TCP_IN(CLOSE_WAIT) | TCP_IN(FIN_WAIT_1) |           \
     TCP_IN(FIN_WAIT_2) | TCP_IN(CLOSING) | TCP_IN(LAST_ACK) |                 \
     TCP_IN(TIME_WAIT))

// --- A segment that arrived -------------------------------------------------

struct tcp_arrival {
    struct packet *packet; // window: payload. NULL once somebody took it
    tcp_seq seq, end_seq;  // SYN and FIN included
    tcp_seq ack;
    uint32_t payload;
    uint32_t window; // scaled, except of SYNs
    uint8_t flags, header_length;
    uint8_t ecn; // low bits of TOS
    uint16_t urgent;
    uint16_t window_field;
    bool has_isn; // of the answer to a SYN that ends a TIME-WAIT
    tcp_seq isn;
    // After header prediction only timestamps and sack_count are set.
    struct tcp_options options;
};

// Ends of an arrival: consume the packet if it is still there.
void tcp_arrival_drop(struct tcp_connection *c, struct tcp_arrival *a,
                      enum drop_reason reason);
void tcp_arrival_done(struct tcp_connection *c, struct tcp_arrival *a);

// tcp_segment_arrives.c: RFC 9293 3.10.7.4 from step "first" on.
void tcp_process(struct tcp_connection *c, struct tcp_arrival *a);
// RFC 7323 5: is the segment older than what was seen?
bool tcp_paws_rejects(const struct tcp_connection *c,
                      const struct tcp_arrival *a);
// tcp_time_wait.c. Returns true when the segment opens a new incarnation: then
// it is the listener's, and the connection has ended.
bool tcp_time_wait_input(struct tcp_connection *c, struct tcp_arrival *a);
// Steps six to eight for a segment whose ACK was taken: URG, text, FIN.
void tcp_process_text(struct tcp_connection *c, struct tcp_arrival *a);
// Says that the peer's FIN is in order now.
void tcp_fin_received(struct tcp_connection *c);

// tcp_listen.c. Consume the arrival.
void tcp_listen_input(struct tcp_connection *listener, struct tcp_arrival *a);
// The handshake of a child is over. False: the accept queue is full.
bool tcp_listen_child_ready(struct tcp_connection *c);
void tcp_listen_forget_child(struct tcp_connection *c);
// A child for a SYN, with all numbers, in the table but not among the
// listener's children yet; NULL: no memory or no path.
struct tcp_connection *tcp_listen_new_child(struct tcp_connection *parent,
                                            const struct tcp_arrival *a);
void tcp_listen_adopt(struct tcp_connection *parent,
                      struct tcp_connection *child); // now SYN-RECEIVED
// tcp_cookie.c. Answers a SYN without keeping anything; consumes it.
void tcp_cookie_answer(struct tcp_connection *listener, struct tcp_arrival *a);
// True: the ACK brought a cookie back and was consumed.
bool tcp_cookie_accept(struct tcp_connection *listener, struct tcp_arrival *a);
int tcp_listener_create(struct tcp_connection *c, int backlog);
void tcp_listener_destroy(struct tcp_connection *c); // ends all children
struct tcp_connection *tcp_listener_take(struct tcp_connection *c);
void tcp_listener_remove(struct tcp_connection *child); // of the accept queue
// tcp_fast_open.c. Client: whether connect waits for data; 0 or why the socket
// cannot; the SYN with what fits of the data (bytes taken or -EINPROGRESS); the
// SYN-ACK has come.
bool tcp_fast_open_defers(struct tcp_connection *c);
int tcp_fast_open_may_send(const struct tcp_connection *c);
int64_t tcp_fast_open_send(struct tcp_connection *c, const void *bytes,
                           size_t length);
void tcp_fast_open_established(struct tcp_connection *c,
                               const struct tcp_options *options);
// Server: a child in SYN-RECEIVED, before its SYN-ACK; it leaves the state.
void tcp_fast_open_child(struct tcp_connection *listener,
                         struct tcp_connection *child, struct tcp_arrival *a);
void tcp_fast_open_done(struct tcp_connection *child);
// Both: the option of our SYN or SYN-ACK.
void tcp_fast_open_option(struct tcp_connection *c, bool is_syn_ack,
                          struct tcp_options *out);
void tcp_fast_open_forget(struct tcp_table *table);
// tcp_syn_sent.c. Consumes the arrival.
void tcp_syn_sent_input(struct tcp_connection *c, struct tcp_arrival *a);
// Established: windows, congestion control, timers, events.
void tcp_become_established(struct tcp_connection *c,
                            const struct tcp_arrival *a);

// --- tcp_reset.c ------------------------------------------------------------

// Answers a segment that has no connection (RFC 9293 3.10.7.1) or must not have
// come. Consumes.
void tcp_reset_reply(struct stack *stack, struct tcp_arrival *a,
                     enum drop_reason reason);
// RST of a connection of ours, at snd_nxt.
void tcp_reset_send(struct tcp_connection *c);
// An acceptable RST came: ends the connection with the error of its state.
void tcp_reset_received(struct tcp_connection *c, struct tcp_arrival *a);
// RFC 5961 7: at most tcp.challenge-ack-limit a second.
void tcp_challenge_ack(struct tcp_connection *c);
// ACK for a segment outside the window: rate-limited per connection when it
// carries no data (Linux tcp_invalid_ratelimit).
void tcp_out_of_window_ack(struct tcp_connection *c,
                           const struct tcp_arrival *a);

// --- tcp_isn.c --------------------------------------------------------------

tcp_seq tcp_isn(const struct tcp_connection *c);
uint32_t tcp_timestamp_offset(const struct tcp_connection *c);
// TS value of now: milliseconds plus the connection's offset.
static inline uint32_t tcp_timestamp(const struct tcp_connection *c)
{
    return (uint32_t)(tcp_now(c) / NS_PER_MS) + c->ts_offset;
}

// --- tcp_options.c ----------------------------------------------------------

// The options of our SYN or SYN-ACK.
void tcp_syn_options(struct tcp_connection *c, bool is_syn_ack,
                     struct tcp_options *out);
// Takes what the peer's SYN or SYN-ACK offers; the intersection remains.
void tcp_negotiate(struct tcp_connection *c, const struct tcp_arrival *a);
// Path MTU, peer's MSS or options have changed: recomputes c->mss.
void tcp_sync_mss(struct tcp_connection *c);
// What the path carries beside the timestamps option, and a segment of ours
// beside the SACK blocks that it would carry now.
uint32_t tcp_full_mss(const struct tcp_connection *c);
// The IP packet that a segment of mss bytes becomes.
uint32_t tcp_mss_to_mtu(const struct tcp_connection *c);
// Recomputes mss if the path's MTU was found to have changed.
void tcp_check_mtu(struct tcp_connection *c);
uint32_t tcp_mss_now(const struct tcp_connection *c);
uint16_t tcp_mss_to_advertise(const struct tcp_connection *c);

// --- Records (tcp_segments.c) -----------------------------------------------

static inline struct tcp_segment *tcp_segment_at(struct tcp_connection *c,
                                                 uint32_t position)
{
    return &c->segments.ring[position & c->segments.mask];
}
// A new record at the end; NULL: no memory.
struct tcp_segment *tcp_segments_push(struct tcp_connection *c, tcp_seq seq,
                                      tcp_seq end_seq, uint16_t flags);
void tcp_segments_pop(struct tcp_connection *c); // the first
void tcp_segments_clear(struct tcp_connection *c);
// Position of the record that contains seq; segments.last: none.
uint32_t tcp_segments_find(const struct tcp_connection *c, tcp_seq seq);
// Splits so that a record begins at seq. -ENOMEM.
int tcp_segments_split(struct tcp_connection *c, uint32_t position,
                       tcp_seq seq);
// The record was (re)transmitted now: newest in the order of transmission.
void tcp_segments_sent(struct tcp_connection *c, uint32_t position);
// Takes a record out of the order of transmission (delivered or lost), and back
// to its place by time.
void tcp_segments_relink(struct tcp_connection *c, uint32_t position);
void tcp_segments_unlink(struct tcp_connection *c, uint32_t position);

static inline uint32_t tcp_packets_in_flight(const struct tcp_connection *c)
{
    return c->packets_out - c->sacked_out - c->lost_out + c->retrans_out;
}
static inline uint32_t tcp_cwnd_segments(const struct tcp_connection *c)
{
    return c->cc.cwnd / c->cc.mss;
}

// --- Send buffer (tcp_send_buffer.c) ----------------------------------------

// Bytes taken; fewer when memory is short.
size_t tcp_buffer_append(struct tcp_connection *c, const uint8_t *bytes,
                         size_t length);
// Copies `length` bytes of the stream from seq into `to`, returns their sum.
uint32_t tcp_buffer_copy(struct tcp_connection *c, tcp_seq seq, uint8_t *to,
                         uint32_t length);
// The first n bytes were acknowledged.
void tcp_buffer_release(struct tcp_connection *c, uint32_t n);
void tcp_buffer_clear(struct tcp_connection *c);

// --- Output (tcp_output.c, tcp_segment.c) -----------------------------------

// Sends what may be sent now: lost segments first, then new data.
void tcp_output(struct tcp_connection *c);
void tcp_output_hold(struct tcp_connection *c);     // MSG_MORE: no small ones
void tcp_output_on_timer(struct tcp_connection *c); // pacing
// One segment of new data although cwnd forbids it (tail loss probe).
void tcp_send_one(struct tcp_connection *c);
// As tcp_output, with a partial segment although Nagle would hold it.
void tcp_output_push(struct tcp_connection *c);
// Sends what is owed after an arrival: data, or a bare ACK now or later.
void tcp_output_after_input(struct tcp_connection *c);
void tcp_send_ack(struct tcp_connection *c);
// One segment of zero new bytes left of the window (keepalive, RFC 9293 3.8.4),
// or at snd_una with the URG pointer.
void tcp_send_probe(struct tcp_connection *c);
// A zero window probe: with data when something fits.
int tcp_send_window_probe(struct tcp_connection *c);
int tcp_send_syn(struct tcp_connection *c);
// Sends record `position` again. 0 or what ip_output said; -EAGAIN: nothing
// fits the window.
int tcp_retransmit(struct tcp_connection *c, uint32_t position);
void tcp_retransmit_after_timeout(struct tcp_connection *c);
void tcp_queue_fin(struct tcp_connection *c);
bool tcp_fin_unsent(const struct tcp_connection *c); // queued, never sent
// Bytes written and not sent yet, FIN not counted.
uint32_t tcp_unsent(const struct tcp_connection *c);
// Bytes that socket_send would take now.
uint32_t tcp_send_room(const struct tcp_connection *c);
void tcp_init_send_limit(struct tcp_connection *c);
// Tells the application when it may write again; grows the buffer.
void tcp_send_room_check(struct tcp_connection *c);
static inline tcp_seq tcp_window_end(const struct tcp_connection *c)
{
    // A SYN-ACK that is still out takes no room in it (Fast Open).
    return c->snd_una + c->snd_wnd + (c->state == TCP_SYN_RECEIVED);
}

// tcp_burst.c: segments that leave together, and whether to wait for more.
// window: bytes; quota: segments of cwnd; most: of a burst.
uint32_t tcp_burst_segments(const struct tcp_connection *c);
bool tcp_burst_should_wait(const struct tcp_connection *c, uint32_t length,
                           uint32_t window, uint32_t quota, uint32_t most,
                           bool *cwnd_limited);
// tcp_pacing.c: is it too early for more? Then the timer is set.
bool tcp_pacing_holds(struct tcp_connection *c);
void tcp_pacing_sent(struct tcp_connection *c, uint32_t bytes);
uint64_t tcp_pacing_rate(const struct tcp_connection *c); // bytes a second
// tcp_marks.c: bytes of the `unsent` ones before the next mark.
int tcp_marks_add(struct tcp_connection *c, tcp_seq at); // -ENOMEM
uint32_t tcp_marks_limit(const struct tcp_connection *c, uint32_t unsent);
bool tcp_marks_has(const struct tcp_connection *c, tcp_seq seq); // the next
void tcp_marks_sent(struct tcp_connection *c); // snd_nxt has moved
void tcp_marks_clear(struct tcp_connection *c);
struct tcp_extra *tcp_extra_get(struct tcp_connection *c); // NULL: no memory
void tcp_extra_free(struct tcp_connection *c);
// A segment of exactly so many new bytes, whatever mss says. 0 or the error.
int tcp_send_exactly(struct tcp_connection *c, uint32_t length);
// tcp_mtu_probe.c
void tcp_mtu_probe_init(struct tcp_connection *c); // after the handshake
void tcp_mtu_probe_black_hole(struct tcp_connection *c);
// The size that is proven, where it is smaller than mtu.
uint32_t tcp_mtu_probe_limit(const struct tcp_connection *c, uint32_t mtu);
// Sends a probe if one is due. *must_wait: one will be soon, hold new data.
bool tcp_mtu_probe_send(struct tcp_connection *c, bool *must_wait);
void tcp_mtu_probe_acked(struct tcp_connection *c); // snd_una has moved
// A loss was found. True: it is the probe's, and dealt with.
bool tcp_mtu_probe_is_lost(struct tcp_connection *c);
// A record of what was sent for the first time just now; counts it.
struct tcp_segment *tcp_record_new(struct tcp_connection *c, tcp_seq end_seq,
                                   uint16_t flags);
// With a source: the sequence space covers what the source has.
void tcp_refill(struct tcp_connection *c);

// tcp_segment.c. Builds one segment and gives it to IP. payload bytes are taken
// from the stream at seq. 0 or a negative errno of ip_prepare/ip_output.
int tcp_segment_send(struct tcp_connection *c, tcp_seq seq, uint32_t payload,
                     uint8_t flags);

// What each segment that carries an ACK changes.
void tcp_ack_sent(struct tcp_connection *c);

// --- Receiver ---------------------------------------------------------------

// tcp_reassembly.c. The data of an acceptable segment, in order or not.
// Consumes the packet of the arrival (delivers, queues or drops it). Moves
// rcv_nxt; sets what ACK is owed.
void tcp_receive_text(struct tcp_connection *c, struct tcp_arrival *a);
void tcp_gaps_clear(struct tcp_connection *c, enum drop_reason reason);
// The SACK option to send; D-SACK first. Returns the number of blocks.
unsigned tcp_sack_to_send(struct tcp_connection *c, unsigned room,
                          struct tcp_sack_block *out);
void tcp_note_duplicate(struct tcp_connection *c, tcp_seq start, tcp_seq end);
// tcp_receive.c: the socket's side.
int64_t tcp_receive(struct tcp_connection *c, void *bytes, size_t size,
                    int flags);
int64_t tcp_receive_packet(struct tcp_connection *c, struct packet **out);
void tcp_receive_enqueue(struct tcp_connection *c, struct packet *packet);
void tcp_receive_clear(struct tcp_connection *c, enum drop_reason reason);
bool tcp_is_readable(const struct tcp_connection *c);
// tcp_window.c
uint32_t tcp_receive_space(const struct tcp_connection *c);
uint32_t tcp_window_left(const struct tcp_connection *c); // of the one offered
// Chooses the window of the segment that leaves now; moves rcv_wup. Returns the
// header's field.
uint16_t tcp_window_select(struct tcp_connection *c);
void tcp_window_init(struct tcp_connection *c); // before the SYN or SYN-ACK
bool tcp_window_grow(struct tcp_connection *c, uint32_t payload);
// The peer's MSS is known: BSD rounds its buffer up to whole segments.
void tcp_window_established(struct tcp_connection *c);
// The application has read: maybe the peer should hear of it.
void tcp_window_update(struct tcp_connection *c);
void tcp_window_autotune(struct tcp_connection *c);
// tcp_delayed_ack.c: RFC 9293 3.8.6.3 as Linux does it.
void tcp_ack_event_data(struct tcp_connection *c, const struct tcp_arrival *a);
void tcp_ack_decide(struct tcp_connection *c);
void tcp_ack_quickly(struct tcp_connection *c, unsigned count);
void tcp_ack_on_timer(struct tcp_connection *c);

// --- Loss recovery ----------------------------------------------------------

// News of one ACK, filled by tcp_ack.c and tcp_sack.c.
enum tcp_ack_flag {
    ACK_DATA = 1 << 0,          // the segment carries data
    ACK_WINDOW_UPDATE = 1 << 1, // changed the window
    ACK_DATA_ACKED = 1 << 2,    // acknowledged new data
    ACK_RETRANS_ACKED = 1 << 3, // some of it had been retransmitted
    ACK_SYN_ACKED = 1 << 4,
    ACK_DATA_SACKED = 1 << 5, // new SACKs
    ACK_ECE = 1 << 6,
    ACK_LOST_RETRANSMIT = 1 << 7, // a retransmission was lost again
    ACK_UNA_ADVANCED = 1 << 8,
    ACK_DSACK = 1 << 9,
    ACK_DSACK_PROBE = 1 << 10,     // and it is about the tail loss probe
    ACK_ORIGINAL_SACKED = 1 << 11, // delivered without retransmission
    ACK_RENEGED = 1 << 12,
    ACK_SET_TIMER = 1 << 13,
};
#define ACK_ACKED         (ACK_DATA_ACKED | ACK_SYN_ACKED)
#define ACK_NOT_DUPLICATE (ACK_DATA | ACK_WINDOW_UPDATE | ACK_ACKED)

enum tcp_resend { RESEND_NOTHING, RESEND_LOST, RESEND_NEW };

struct tcp_ack_news {
    uint32_t flags; // enum tcp_ack_flag
    tcp_seq prior_una;
    uint32_t prior_packets, prior_in_flight, prior_delivered, prior_lost;
    uint32_t prior_sacked;
    uint32_t acked_bytes, acked_segments;
    ns_t first_sent, last_sent; // of acked records sent once; -1: none
    ns_t sack_first, sack_last; // likewise of SACKed ones
    tcp_seq reordered;          // lowest start of a record delivered late
    tcp_seq prior_highest_sack;
    bool has_reordered;
    ns_t rtt; // of the latest record, for congestion controls; -1: none
    enum tcp_resend resend;
    // Rate sample.
    ns_t sample_delivered_at, send_interval;
    uint32_t sample_delivered;
    bool sample_is_retransmission, sample_is_app_limited;
};

// tcp_ack.c: false: not acceptable (already answered).
bool tcp_ack_process(struct tcp_connection *c, struct tcp_arrival *a);
// tcp_sack.c
void tcp_sack_process(struct tcp_connection *c, const struct tcp_arrival *a,
                      struct tcp_ack_news *news);
// End of the highest SACKed record, or snd_una.
tcp_seq tcp_highest_sack(struct tcp_connection *c);
// Dup-ACK emulation of SACK where the peer has none.
void tcp_reno_sack_add(struct tcp_connection *c, uint32_t duplicates);
void tcp_reno_sack_remove(struct tcp_connection *c, uint32_t acked);
void tcp_note_reordering(struct tcp_connection *c, tcp_seq low);
// tcp_rack.c
bool tcp_uses_rack(const struct tcp_connection *c);
void tcp_rack_advance(struct tcp_connection *c,
                      const struct tcp_segment *segment);
void tcp_rack_update_window(struct tcp_connection *c,
                            const struct tcp_ack_news *news);
// Time until `segment` is lost by a reordering window; <= 0: it is.
ns_t tcp_rack_time_left(const struct tcp_connection *c,
                        const struct tcp_segment *segment, ns_t window);
// Marks what is lost by time. True: the reordering timer was armed.
bool tcp_rack_mark_lost(struct tcp_connection *c);
void tcp_rack_on_timer(struct tcp_connection *c);
void tcp_mark_lost(struct tcp_connection *c, uint32_t position);
// NewReno (RFC 6582), and RFC 6675 4 for those who turn RACK off.
void tcp_reno_mark_lost(struct tcp_connection *c, bool una_advanced);
void tcp_sack_mark_by_count(struct tcp_connection *c, bool fast);
// tcp_tlp.c
bool tcp_tlp_schedule(struct tcp_connection *c, bool has_advanced);
void tcp_tlp_on_timer(struct tcp_connection *c);
void tcp_tlp_process_ack(struct tcp_connection *c, tcp_seq ack, uint32_t flags);
// tcp_recovery.c
void tcp_recovery_on_ack(struct tcp_connection *c, struct tcp_ack_news *news,
                         uint32_t duplicates);
void tcp_recovery_enter_loss(struct tcp_connection *c);
void tcp_recovery_enter(struct tcp_connection *c, bool is_ece);
void tcp_recovery_enter_cwr(struct tcp_connection *c);
// A reduction that is over at once (tail loss probe).
void tcp_recovery_pass_cwr(struct tcp_connection *c);
// tcp_undo.c
bool tcp_undo_recovery(struct tcp_connection *c);
bool tcp_undo_by_dsack(struct tcp_connection *c);
bool tcp_undo_loss(struct tcp_connection *c, bool is_frto);
bool tcp_undo_partial(struct tcp_connection *c, tcp_seq prior_una);
void tcp_keep_open(struct tcp_connection *c);
bool tcp_any_retransmitted(struct tcp_connection *c);
void tcp_set_ca_state(struct tcp_connection *c, enum tcp_ca_state state);
// PRR, RFC 6937: cwnd for what this ACK delivered.
void tcp_cwnd_reduce(struct tcp_connection *c, uint32_t delivered,
                     uint32_t lost, uint32_t flags);
void tcp_cwnd_end_reduction(struct tcp_connection *c);
void tcp_cwnd_begin_reduction(struct tcp_connection *c);
static inline bool tcp_in_reduction(const struct tcp_connection *c)
{
    return c->ca_state == TCP_CA_CWR || c->ca_state == TCP_CA_RECOVERY;
}
void tcp_retransmit_lost(struct tcp_connection *c);
void tcp_retransmit_too_big(struct tcp_connection *c); // after tcp_sync_mss
void tcp_retransmit_uncongested(struct tcp_connection *c);
// tcp_cwnd.c: the embedded congestion control.
void tcp_congestion_init(struct tcp_connection *c);
void tcp_congestion_sync(struct tcp_connection *c);
void tcp_congestion_on_delivered(struct tcp_connection *c,
                                 const struct tcp_ack_news *news);
void tcp_congestion_on_ack(struct tcp_connection *c, struct tcp_ack_news *news);
void tcp_cwnd_validate(struct tcp_connection *c, bool is_limited);
void tcp_cwnd_after_idle(struct tcp_connection *c);
uint32_t tcp_initial_cwnd(const struct tcp_connection *c); // segments
// tcp_rtt.c
void tcp_rtt_sample(struct tcp_connection *c, ns_t rtt);
void tcp_rtt_init(struct tcp_connection *c);
ns_t tcp_rto(const struct tcp_connection *c); // backed off
void tcp_min_rtt_update(struct tcp_connection *c, ns_t rtt);
// tcp_chrono.c
void tcp_chrono_update(struct tcp_connection *c);
ns_t tcp_chrono_read(const struct tcp_connection *c, uint8_t which);
// tcp_rate.c
void tcp_rate_sent(struct tcp_connection *c, struct tcp_segment *segment);
void tcp_rate_delivered(struct tcp_connection *c, struct tcp_segment *segment,
                        struct tcp_ack_news *news);
void tcp_rate_generate(struct tcp_connection *c, struct tcp_ack_news *news,
                       struct congestion_sample *out);
void tcp_rate_check_app_limited(struct tcp_connection *c);

// tcp_ecn.c, RFC 3168
bool tcp_ecn_is_asked_for(const struct tcp_connection *c);
bool tcp_ecn_is_allowed(const struct tcp_connection *c);
void tcp_ecn_received(struct tcp_connection *c, const struct tcp_arrival *a);

// --- Timers (tcp_timer.c) ---------------------------------------------------

void tcp_timer_on_expiry(struct timer *timer);
void tcp_deadline_set(struct tcp_connection *c, enum tcp_deadline which,
                      ns_t at);
void tcp_deadline_clear(struct tcp_connection *c, enum tcp_deadline which);
static inline bool tcp_deadline_is_set(const struct tcp_connection *c,
                                       enum tcp_deadline which)
{
    return c->deadlines[which] != NS_NEVER;
}
// (Re)arms RTO, or what is to come before it; stops it when nothing is
// outstanding.
void tcp_rearm_rto(struct tcp_connection *c);
// The same counted from the transmission of the first record.
void tcp_rearm_rto_from_first(struct tcp_connection *c);
void tcp_retransmit_timer_set(struct tcp_connection *c,
                              enum tcp_retransmit_kind kind, ns_t after);
void tcp_keepalive_start(struct tcp_connection *c);
void tcp_persist_check(struct tcp_connection *c);

// --- The rest ---------------------------------------------------------------

void tcp_settings_changed(struct socket *socket);
int tcp_set_option(struct socket *socket, enum socket_option option,
                   int64_t value);
int tcp_get_option(const struct socket *socket, enum socket_option option,
                   int64_t *out);

void tcp_icmp_error(struct stack *stack, const struct icmp_error *error);
void tcp_input(struct stack *stack, struct packet *packet);
int tcp_info_get(const struct socket *socket, struct tcp_info *out);
extern const struct socket_ops tcp_socket_ops;
void tcp_trace_update(struct tcp_connection *c);

#endif
