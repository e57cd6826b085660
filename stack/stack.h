// The public face of one host's TCP/IP stack.
// SPDX-License-Identifier: MIT
#ifndef STACK_STACK_H
#define STACK_STACK_H

// Theory of operation
//
// A stack does no I/O and knows no clock. Its host (a simulator, a TAP runner,
// a unit test) creates it with a table of functions, feeds it frames with
// iface_input, calls stack_run when the deadline it asked for has come, and
// gets frames back through each interface's transmit function. All state hangs
// from struct stack; there are no globals.
//
//      host ── iface_input ──▶ link ─▶ network ─▶ transport ─▶ socket ──
//      on_event ──▶ app host ◀── transmit ───── link ◀─ network ◀─ transport ◀─
//      socket ◀── calls ───── app
//
// Every call runs to its end and returns; nothing blocks. Socket events are
// delivered at the end of the outermost call (iface_input, stack_run, or a
// socket call made from outside), never in the middle of protocol work, so an
// on_event function may call anything, close its own socket included.
//
// Link, network and transport protocols are rows of tables (protocols.h);
// protocols.c lists them all.

#include "stack/counters.h"
#include "stack/packet.h"
#include "stack/settings.h"

struct stack;
struct socket;
struct tcp_info;

// --- Host
// -----------------------------------------------------------------------------------

enum stack_trace_kind {
    TRACE_IFACE_IN,   // packet: a frame came in
    TRACE_IFACE_OUT,  // packet: a frame goes to transmit
    TRACE_DROP,       // packet (may be NULL), reason
    TRACE_TCP_STATE,  // socket, from, to: enum tcp_state
    TRACE_TCP_UPDATE, // socket: after a segment or timer changed a connection's
                      // variables
    TRACE_NEIGHBOUR,  // address, from, to: enum neighbour_state
};

struct stack_trace {
    enum stack_trace_kind kind;
    struct stack *stack;
    struct iface *iface;
    const struct packet *packet;
    struct socket *socket;
    const struct ip_addr *address;
    enum drop_reason reason;
    int from, to;
};

struct stack_host {
    void *context; // first argument of each function
    // The host's clock. The stack reads it and never writes; it must not go
    // backwards.
    const ns_t *now;
    // Ask to be called (stack_run) at `deadline`, which replaces the one
    // before; NS_NEVER: not needed. Called at the end of stack calls, only when
    // the deadline changed.
    void (*set_deadline)(void *context, ns_t deadline);
    // Fill with random bytes. A simulator gives a seeded stream.
    void (*random)(void *context, void *bytes, size_t length);
    // May be NULL. Called for the kinds whose bit (1 << kind) is in trace_mask.
    // Borrows all.
    void (*trace)(void *context, const struct stack_trace *event);
    uint32_t trace_mask;
};

struct stack_config {
    struct stack_host host;
    struct packet_pool *pool; // shared or own; outlives the stack
    const struct stack_settings
        *settings;         // NULL: defaults; otherwise outlives the stack
    const char *name;      // copied; for messages
    uint32_t number;       // upper bits of the packet ids it gives out
    bool no_ipv4, no_ipv6; // a shorter list of protocols
};

// The loopback interface exists and is up when it returns. 0, -ENOMEM, -EINVAL.
int stack_create(const struct stack_config *config, struct stack **out);
// Closes every socket without a word on the wire, frees all. NULL is fine.
void stack_destroy(struct stack *stack);
// Runs what is due at *host.now. Calling early or twice is harmless.
void stack_run(struct stack *stack);

const char *stack_name(const struct stack *stack);
void *stack_host_context(const struct stack *stack);
const struct stack_settings *stack_get_settings(const struct stack *stack);
uint64_t stack_counter(const struct stack *stack, enum stack_counter counter);
uint64_t stack_drops(const struct stack *stack, enum drop_reason reason);
// Packets that the stack holds now, everywhere: the sum received + created must
// equal delivered + sent + dropped + held. stack_check must()s this and the
// other invariants.
uint64_t stack_held(const struct stack *stack);
void stack_check(const struct stack *stack);
// Forgets what earlier connections taught about peers: Fast Open cookies.
void stack_forget_peers(struct stack *stack);
// Changes the trace mask while the stack lives.
void stack_set_trace_mask(struct stack *stack, uint32_t mask);

// --- Interfaces
// -----------------------------------------------------------------------------

enum iface_type { IFACE_LOOPBACK, IFACE_ETHERNET, IFACE_POINT_TO_POINT };

enum iface_flag {
    IFACE_UP = 1 << 0,
    IFACE_BROADCAST = 1 << 1, // has a broadcast address
    IFACE_MULTICAST = 1 << 2, // carries multicast
    IFACE_NEEDS_NEIGHBOUR =
        1 << 3, // next hops must be resolved to hardware addresses
    IFACE_IS_LOOPBACK = 1 << 4,
    IFACE_CHECKSUM_OFFLOAD =
        1 << 5, // device fills and checks transport checksums
    IFACE_PROMISCUOUS = 1 << 6,
};

struct iface_config {
    const char *name; // "eth0"; copied, at most 15 bytes
    enum iface_type type;
    struct mac_addr mac; // Ethernet
    uint32_t mtu;        // bytes of IP packet: 68..65535, IPv6 needs 1280
    // Takes a whole frame (link header included); consumes the packet.
    void (*transmit)(void *context, struct iface *iface, struct packet *frame);
    void *context;
};

// The interface starts up. 0, -ENOMEM, -EEXIST (name), -EINVAL. Ethernet with
// IPv6 gets its link-local address at once (after DAD when that is on).
int iface_create(struct stack *stack, const struct iface_config *config,
                 struct iface **out);
void iface_destroy(struct iface *iface);
// A frame arrived; consumes the packet.
void iface_input(struct iface *iface, struct packet *frame);
void iface_set_up(struct iface *iface,
                  bool is_up); // down: neighbours are forgotten
int iface_set_mtu(struct iface *iface, uint32_t mtu);

struct iface *iface_find(struct stack *stack, const char *name); // NULL: none
struct iface *iface_find_index(struct stack *stack,
                               unsigned index); // 1: loopback
struct iface *iface_next(struct stack *stack,
                         struct iface *previous); // NULL starts, NULL ends
const char *iface_name(const struct iface *iface);
unsigned iface_index(const struct iface *iface);
struct mac_addr iface_mac(const struct iface *iface);
uint32_t iface_mtu(const struct iface *iface);
uint32_t iface_flags(const struct iface *iface);
struct stack *iface_stack(const struct iface *iface);
void *iface_context(const struct iface *iface);

// --- Addresses and routes
// -------------------------------------------------------------------

// Adds the address and the route to its prefix. -EEXIST, -EINVAL (multicast,
// network or broadcast address of the prefix but for /31 and /32, MTU below
// 1280 for IPv6), -ENOMEM.
int iface_add_address(struct iface *iface, const struct ip_prefix *prefix);
int iface_remove_address(struct iface *iface,
                         const struct ip_addr *address); // -ENOENT
enum address_state { ADDRESS_TENTATIVE, ADDRESS_PREFERRED, ADDRESS_DUPLICATED };
struct iface_address {
    struct ip_prefix prefix;
    enum address_state state;
};
// The n-th address; false when there are fewer.
bool iface_get_address(const struct iface *iface, size_t n,
                       struct iface_address *out);

struct route {
    struct ip_prefix destination; // host bits cleared; length 0: default
    struct ip_addr gateway;       // IP_NONE: directly connected
    struct iface *iface;
    uint32_t metric; // lower wins among equal prefixes
};
// iface may be NULL where the gateway tells it. -ENETUNREACH: gateway not on a
// link of ours; -EEXIST, -EINVAL, -ENOMEM.
int stack_add_route(struct stack *stack, const struct route *route);
int stack_remove_route(struct stack *stack,
                       const struct ip_prefix *destination); // -ENOENT
bool stack_get_route(const struct stack *stack, size_t n, struct route *out);

// RFC 4861 7.3.2, for both families.
enum neighbour_state {
    NEIGHBOUR_NONE,
    NEIGHBOUR_INCOMPLETE, // asked, no answer yet; packets wait
    NEIGHBOUR_REACHABLE,  // confirmed lately
    NEIGHBOUR_STALE,      // usable, not confirmed lately
    NEIGHBOUR_DELAY,      // used while stale; waits for a hint from above
    NEIGHBOUR_PROBE,      // being asked by unicast
    NEIGHBOUR_FAILED,     // no answer; packets are refused for a while
    NEIGHBOUR_PERMANENT,  // set by hand
};
const char *neighbour_state_name(enum neighbour_state state); // ip(8)'s words
struct neighbour_info {
    struct ip_addr address;
    struct mac_addr mac; // meaningful except in INCOMPLETE and FAILED
    struct iface *iface;
    enum neighbour_state state;
    bool is_router;
};
bool stack_get_neighbour(const struct stack *stack, size_t n,
                         struct neighbour_info *out);
int stack_set_neighbour(struct iface *iface, const struct ip_addr *address,
                        const struct mac_addr *mac);

// --- Sockets
// --------------------------------------------------------------------------------
//
// Non-blocking, all of them. A call that cannot proceed answers -EAGAIN, and
// on_event tells when to try again (edge: what became possible since the last
// time; ask socket_events for the level). Errors are negative errno values as
// Linux gives for the same situation.

enum socket_type { SOCKET_STREAM, SOCKET_DATAGRAM, SOCKET_RAW };

enum socket_event {
    EVENT_READABLE =
        1
        << 0, // data, end of stream, a pending error, or a connection to accept
    EVENT_WRITABLE = 1 << 1,    // room in the send buffer; connect has finished
    EVENT_ERROR = 1 << 2,       // socket_take_error has something
    EVENT_PEER_CLOSED = 1 << 3, // FIN received
    EVENT_CLOSED = 1 << 4, // both directions are over; nothing more will come
    EVENT_URGENT = 1 << 5, // urgent data
};

// protocol: only for SOCKET_RAW (the IP protocol number received and sent; ICMP
// for ping). -EPROTONOSUPPORT, -EMFILE (limits.sockets), -ENOMEM.
int socket_open(struct stack *stack, enum socket_type type, uint8_t family,
                uint8_t protocol, struct socket **out);
// Gives the socket back; a stream goes on to FIN and TIME-WAIT by itself. The
// pointer is dead.
void socket_close(struct socket *socket);
// Stream: RST instead of FIN. Otherwise as socket_close.
void socket_abort(struct socket *socket);

void socket_set_handler(struct socket *socket,
                        void (*on_event)(void *context, struct socket *socket,
                                         uint32_t events),
                        void *context);
uint32_t socket_events(const struct socket *socket);
// Returns and clears the pending error: 0 or a negative errno (-ECONNREFUSED,
// -ETIMEDOUT, ...).
int socket_take_error(struct socket *socket);

int socket_bind(struct socket *socket,
                const struct endpoint *local); // port 0: ephemeral
int socket_listen(struct socket *socket, int backlog);
int socket_accept(struct socket *socket, struct socket **out); // -EAGAIN
// Stream: -EINPROGRESS, then EVENT_WRITABLE or EVENT_ERROR. Datagram: 0 at
// once; family IP_NONE dissolves.
int socket_connect(struct socket *socket, const struct endpoint *remote);
enum shutdown_how {
    SHUTDOWN_RECEIVE = 1,
    SHUTDOWN_SEND = 2,
    SHUTDOWN_BOTH = 3
};
int socket_shutdown(struct socket *socket, enum shutdown_how how);

enum message_flag {
    MESSAGE_PEEK = 1 << 0, // receive: leave the data there
    MESSAGE_MORE = 1 << 1, // send: more follows, hold partial segments
    MESSAGE_URGENT =
        1 << 2, // send: last byte is urgent; receive: the urgent byte
    MESSAGE_TRUNCATE = 1 << 3, // receive datagram: return the real length
    MESSAGE_END_OF_RECORD = 1 << 4,
    // send_to on a stream: connect, with data in the SYN (RFC 7413).
    // -EINPROGRESS: none could go with it.
    MESSAGE_FAST_OPEN = 1 << 5,
    // send: the caller waits until its data is taken, so that the ACK of a
    // handshake may ride on it.
    MESSAGE_WAITS = 1 << 6,
};
// Bytes taken (stream: maybe fewer than given), or -EAGAIN, -EPIPE, -ENOTCONN,
// -ECONNRESET, -EMSGSIZE, -ENETUNREACH, -EHOSTUNREACH, -EDESTADDRREQ, -ENOBUFS
// ...
int64_t socket_send(struct socket *socket, const void *bytes, size_t length,
                    int flags);
int64_t socket_send_to(struct socket *socket, const void *bytes, size_t length,
                       int flags, const struct endpoint *to);
// Bytes put at `bytes`; 0: end of stream (or an empty datagram); -EAGAIN; a
// pending error.
int64_t socket_receive(struct socket *socket, void *bytes, size_t size,
                       int flags);
// from and to may be NULL.
int64_t socket_receive_from(struct socket *socket, void *bytes, size_t size,
                            int flags, struct endpoint *from,
                            struct endpoint *to);
// Takes the next data by reference: *out is then the caller's packet, whose
// window is the payload. Returns its length, 0 at the end of a stream, or as
// socket_receive.
int64_t socket_receive_packet(struct socket *socket, struct packet **out);

// Bufferless sending: the stream's bytes come from a function of the offset and
// no send buffer is kept. It must give the same bytes for the same offset
// whenever asked. `length` bytes in all (UINT64_MAX: until the socket is
// closed). Stream sockets, before any socket_send; afterwards socket_send
// answers -EBUSY. -EINVAL otherwise.
typedef void source_fn(void *context, uint64_t offset, uint8_t *bytes,
                       size_t length);
int socket_set_source(struct socket *socket, source_fn *source, void *context,
                      uint64_t length);

enum socket_option {
    OPTION_REUSE_ADDRESS,      // 0/1
    OPTION_BROADCAST,          // 0/1: may send to broadcast addresses
    OPTION_TTL,                // 1..255
    OPTION_TOS,                // 0..255; TCP owns the ECN bits
    OPTION_DONT_FRAGMENT,      // 0/1
    OPTION_BIND_IFACE,         // interface index, 0: any
    OPTION_NO_DELAY,           // 0/1: Nagle off
    OPTION_CORK,               // 0/1
    OPTION_QUICK_ACK,          // 0/1
    OPTION_KEEPALIVE,          // 0/1
    OPTION_LINGER,             // nanoseconds, -1: off; 0: close sends RST
    OPTION_SEND_BUFFER,        // bytes
    OPTION_RECEIVE_BUFFER,     // bytes
    OPTION_MAX_SEGMENT,        // bytes
    OPTION_URGENT_INLINE,      // 0/1
    OPTION_IPV6_ONLY,          // 0/1
    OPTION_NOT_SENT_LOW_WATER, // bytes
    OPTION_HEADER_INCLUDED,    // raw: 0/1
    OPTION_UNSENT,             // read only: bytes not yet sent
    OPTION_UNACKED,            // read only: bytes not yet acknowledged
    OPTION_UNREAD,             // read only: bytes that could be read now
    OPTION_ERROR_QUEUE, // 0/1: raw and datagram: deliver ICMP errors as errors
};
// -ENOPROTOOPT, -EINVAL.
int socket_set_option(struct socket *socket, enum socket_option option,
                      int64_t value);
int socket_get_option(const struct socket *socket, enum socket_option option,
                      int64_t *out);
// Any row of settings.h for this socket alone (then the stack's default no
// longer counts).
int socket_set_setting(struct socket *socket,
                       const struct setting_info *setting, int64_t value);
int64_t socket_get_setting(const struct socket *socket,
                           const struct setting_info *setting);

enum socket_type socket_get_type(const struct socket *socket);
struct stack *socket_stack(const struct socket *socket);
struct endpoint socket_local(const struct socket *socket);
struct endpoint socket_remote(const struct socket *socket);
// Walks the live sockets of a stack (connections in TIME-WAIT too), in order of
// creation.
struct socket *socket_next(struct stack *stack, struct socket *previous);

// The last ICMP error that concerned the socket (traceroute reads it).
struct socket_icmp_error {
    uint8_t type, code;
    struct ip_addr from; // who sent it
    struct endpoint to;  // where the quoted packet was going
    uint32_t mtu;        // of "too big"
    int error;           // negative errno it maps to
};
bool socket_take_icmp_error(struct socket *socket,
                            struct socket_icmp_error *out);

// --- TCP
// ------------------------------------------------------------------------------------

enum tcp_state {
    TCP_CLOSED,
    TCP_LISTEN,
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_TIME_WAIT,
    TCP_STATE_COUNT
};
const char *
tcp_state_name(enum tcp_state state); // RFC 9293's words: "SYN-SENT"

enum tcp_ca_state {
    TCP_CA_OPEN,
    TCP_CA_DISORDER,
    TCP_CA_CWR,
    TCP_CA_RECOVERY,
    TCP_CA_LOSS
};

// A connection's variables, read at any time. Counts are since the connection
// began.
struct tcp_info {
    enum tcp_state state;
    enum tcp_ca_state ca_state;
    const char *congestion;
    uint32_t snd_una, snd_nxt, snd_wnd, rcv_nxt, rcv_wnd, iss,
        irs; // wnd: bytes, scaled
    uint8_t snd_wscale, rcv_wscale;
    bool sack, timestamps, ecn, fast_open;
    uint32_t snd_mss, rcv_mss, path_mtu, advertised_mss;
    uint32_t cwnd; // bytes
    uint32_t cwnd_segments;
    uint32_t ssthresh;  // bytes; UINT32_MAX: not set yet
    uint32_t in_flight; // bytes sent, not acknowledged and not believed lost
                        // (RFC 6675 pipe)
    ns_t srtt, rttvar, min_rtt, rto; // srtt 0: no sample yet
    ns_t receive_rtt;                // as a receiver sees it; 0: not known
    // How long there was something to send or to be acknowledged; and how much
    // of that the peer's window or our buffer was what held it up.
    ns_t busy_time, window_limited_time, buffer_limited_time;
    uint32_t backoff, retransmits; // consecutive timeouts now
    uint32_t probes_out; // window probes since the peer was last heard of
    uint32_t unacked, sacked, lost, retrans,
        fackets; // segments, as Linux counts them
    uint32_t reordering;
    uint64_t bytes_sent, bytes_retransmitted, bytes_acked, bytes_received;
    uint64_t segments_out, segments_in, data_segments_out, data_segments_in;
    uint64_t segments_retransmitted,
        segments_received_again; // the last: duplicate data
    uint64_t duplicate_acks_in, out_of_order_in, zero_window_probes, timeouts,
        fast_retransmits;
    uint64_t spurious_retransmits, zero_windows_sent;
    uint32_t delivered, delivered_ce;
    uint64_t delivery_rate_bps, pacing_rate_bps;
    uint32_t send_buffer, send_buffer_used, receive_buffer, receive_buffer_used;
    uint32_t not_sent;
    ns_t established_at, last_data_sent, last_data_received, last_ack_received;
};
int socket_get_tcp_info(const struct socket *socket,
                        struct tcp_info *out); // -EINVAL: not TCP

size_t congestion_count(void);
const char *congestion_name(size_t index); // by the setting's value
int congestion_find(const char *name);     // index or -ENOENT

#endif
