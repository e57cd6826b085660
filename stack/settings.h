// Every named setting of a stack: one row each, read by C, YAML and Lua alike.
// SPDX-License-Identifier: MIT
#ifndef STACK_SETTINGS_H
#define STACK_SETTINGS_H

// Theory of operation
//
// A setting is a 64-bit integer with a group, a name, a kind (which says the
// unit), a range and a default. The rows below make the struct, the defaults
// and the table that the configuration and the documentation are generated
// from, so that adding a setting is one row. A stack points at a shared,
// constant struct; a socket points at its stack's until something sets one of
// its own, and then gets a copy (settings are read through socket->settings in
// the transport code).

#include "stack/base.h"

enum setting_kind {
    SETTING_BOOL,       // 0 or 1; written on / off
    SETTING_INTEGER,    // a bare number
    SETTING_TIME,       // nanoseconds
    SETTING_SIZE,       // bytes
    SETTING_CONGESTION, // index of a congestion control, written by name
};

#define MS  NS_PER_MS
#define SEC NS_PER_S
// X(group, name, "yaml-name", kind, minimum, maximum, default, "meaning;
// source")
// clang-format off
#define STACK_SETTINGS(X)                                                                          \
    X(ip, ttl, "ttl", SETTING_INTEGER, 1, 255, 64, "TTL and hop limit of packets sent; RFC 1700")  \
    X(ip, forward, "forward", SETTING_BOOL, 0, 1, 0, "forward packets for others; RFC 1812")       \
    X(ip, accept_broadcast_echo, "accept-broadcast-echo", SETTING_BOOL, 0, 1, 0,                   \
      "answer echo requests sent to broadcast or multicast; RFC 1122 3.2.2.6")                     \
    X(ip, reassembly_timeout, "reassembly-timeout", SETTING_TIME, 1 * SEC, 300 * SEC, 30 * SEC,    \
      "how long fragments wait for the rest; Linux 30 s, RFC 8200 60 s")                           \
    X(ip, reassembly_limit, "reassembly-limit", SETTING_SIZE, 0, INT64_C(1) << 30, 4 << 20,        \
      "bytes of buffers that fragments may hold")                                                  \
    X(ip, icmp_rate, "icmp-rate", SETTING_INTEGER, 0, 1000000, 1000,                               \
      "ICMP errors a second, 0: none are sent; Linux icmp_msgs_per_sec")                           \
    X(ip, icmp_burst, "icmp-burst", SETTING_INTEGER, 1, 1000000, 50,                               \
      "ICMP errors that may leave at once; Linux icmp_msgs_burst")                                 \
    X(ip, path_mtu_discovery, "path-mtu-discovery", SETTING_BOOL, 0, 1, 1,                         \
      "set DF and learn path MTUs from ICMP; RFC 1191, RFC 8201")                                  \
    X(ip, path_mtu_timeout, "path-mtu-timeout", SETTING_TIME, 1 * SEC, 86400 * SEC, 600 * SEC,     \
      "how long a learnt path MTU is believed; RFC 1191 6.3")                                      \
    X(ip, dad_transmits, "dad-transmits", SETTING_INTEGER, 0, 100, 0,                              \
      "solicitations before a new IPv6 address is used, 0: no DAD; RFC 4862 5.1 says 1, but the addresses of a scenario are in use when it begins") \
    X(ip, accept_ra, "accept-ra", SETTING_BOOL, 0, 1, 0,                                           \
      "ask for routers, make addresses of their prefixes; RFC 4861 6.3, RFC 4862 5.5")             \
    X(ip, extension_limit, "extension-limit", SETTING_INTEGER, 0, 64, 8,                           \
      "IPv6 extension headers walked in one packet; RFC 8504 5.3")                                 \
    X(neighbour, reachable_time, "reachable-time", SETTING_TIME, 1 * MS, 3600 * SEC, 30 * SEC,     \
      "confirmed neighbours stay REACHABLE this long; RFC 4861 10")                                \
    X(neighbour, retransmit_time, "retransmit-time", SETTING_TIME, 1 * MS, 3600 * SEC, 1 * SEC,    \
      "time between solicitations; RFC 4861 10")                                                   \
    X(neighbour, delay_first_probe, "delay-first-probe", SETTING_TIME, 0, 3600 * SEC, 5 * SEC,     \
      "time in DELAY before the first probe; RFC 4861 10")                                         \
    X(neighbour, multicast_solicits, "multicast-solicits", SETTING_INTEGER, 1, 100, 3,             \
      "requests before resolution fails; RFC 4861 10")                                             \
    X(neighbour, unicast_solicits, "unicast-solicits", SETTING_INTEGER, 1, 100, 3,                 \
      "probes before a neighbour is given up; RFC 4861 10")                                        \
    X(neighbour, queue, "queue", SETTING_INTEGER, 1, 1000, 101,                                    \
      "packets that wait for one resolution; Linux unres_qlen")                                    \
    X(neighbour, limit, "limit", SETTING_INTEGER, 1, 1000000, 1024,                                \
      "entries in the neighbour table; Linux gc_thresh3")                                          \
    X(neighbour, gratuitous, "gratuitous", SETTING_BOOL, 0, 1, 0,                                  \
      "announce an IPv4 address when it is added; RFC 5227 2.3, Linux arp_notify")                 \
    X(udp, receive_buffer, "receive-buffer", SETTING_SIZE, 256, INT64_C(1) << 30, 212992,          \
      "bytes of datagrams that may wait to be read; Linux rmem_default")                           \
    X(udp, checksum, "checksum", SETTING_BOOL, 0, 1, 1, "send IPv4 checksums; RFC 768")            \
    X(limits, sockets, "sockets", SETTING_INTEGER, 0, 10000000, 1000000, "sockets of this host")   \
    X(limits, packets, "packets", SETTING_INTEGER, 16, 100000000, 1000000,                         \
      "packets held by this host at a time")                                                       \
    X(limits, port_min, "port-min", SETTING_INTEGER, 1, 65535, 32768, "first ephemeral port; Linux") \
    X(limits, port_max, "port-max", SETTING_INTEGER, 1, 65535, 60999, "last ephemeral port; Linux") \
    X(tcp, congestion, "congestion", SETTING_CONGESTION, 0, 255, 0, "congestion control by name")  \
    X(tcp, initial_window, "initial-window", SETTING_INTEGER, 1, 1000, 10,                         \
      "segments sent before the first ACK; RFC 6928")                                              \
    X(tcp, mss, "mss", SETTING_SIZE, 0, 65495, 0, "largest MSS we announce or use, 0: from the MTU; RFC 6691") \
    X(tcp, min_mss, "min-mss", SETTING_SIZE, 8, 65495, 48, "smallest MSS taken from a peer; Linux tcp_min_snd_mss") \
    X(tcp, sack, "sack", SETTING_BOOL, 0, 1, 1, "selective acknowledgement; RFC 2018")             \
    X(tcp, dsack, "dsack", SETTING_BOOL, 0, 1, 1, "report data that came twice; RFC 2883") \
    X(tcp, timestamps, "timestamps", SETTING_BOOL, 0, 1, 1, "timestamps with PAWS; RFC 7323")      \
    X(tcp, window_scaling, "window-scaling", SETTING_BOOL, 0, 1, 1, "window scale option; RFC 7323 2") \
    X(tcp, window_scale, "window-scale", SETTING_INTEGER, -1, 14, -1,                              \
      "shift we announce, -1: from receive-buffer-max")                                            \
    X(tcp, ecn, "ecn", SETTING_INTEGER, 0, 2, 2, "0 off, 1 on, 2 only when the peer asks; RFC 3168, Linux tcp_ecn") \
    X(tcp, send_buffer, "send-buffer", SETTING_SIZE, 1024, INT64_C(1) << 30, 262144,               \
      "bytes that may wait to be acknowledged")                                                    \
    X(tcp, send_buffer_max, "send-buffer-max", SETTING_SIZE, 1024, INT64_C(1) << 30, 4194304,      \
      "where send-buffer autotuning ends; Linux tcp_wmem[2]")                                      \
    X(tcp, receive_buffer, "receive-buffer", SETTING_SIZE, 256, INT64_C(1) << 30, 131072,          \
      "bytes that may wait to be read; Linux tcp_rmem[1]")                                         \
    X(tcp, receive_buffer_max, "receive-buffer-max", SETTING_SIZE, 256, INT64_C(1) << 30, 6291456, \
      "where receive-buffer autotuning ends; Linux tcp_rmem[2]")                                   \
    X(tcp, autotune, "autotune", SETTING_BOOL, 0, 1, 1, "grow buffers with the flow; Linux DRS")   \
    X(tcp, out_of_order_limit, "out-of-order-limit", SETTING_INTEGER, 1, 1000000, 100000,          \
      "segments a connection keeps ahead of a gap")                                                \
    X(tcp, nagle, "nagle", SETTING_BOOL, 0, 1, 1, "hold small segments; RFC 9293 3.7.4")           \
    X(tcp, delayed_ack, "delayed-ack", SETTING_BOOL, 0, 1, 1, "delay ACKs; RFC 9293 3.8.6.3")      \
    X(tcp, delayed_ack_time, "delayed-ack-time", SETTING_TIME, 0, 500 * MS, 40 * MS,               \
      "longest delay of an ACK; RFC 9293: at most 500 ms, Linux 40 ms")                            \
    X(tcp, initial_rto, "initial-rto", SETTING_TIME, 1 * MS, 120 * SEC, 1 * SEC, "RFC 6298 2.1")   \
    X(tcp, min_rto, "min-rto", SETTING_TIME, 1 * MS, 120 * SEC, 200 * MS, "RFC 6298 2.4 says 1 s, Linux 200 ms") \
    X(tcp, max_rto, "max-rto", SETTING_TIME, 1 * SEC, 600 * SEC, 120 * SEC, "RFC 6298 2.5: at least 60 s") \
    X(tcp, syn_retries, "syn-retries", SETTING_INTEGER, 0, 127, 6, "SYNs retransmitted; Linux tcp_syn_retries") \
    X(tcp, syn_ack_retries, "syn-ack-retries", SETTING_INTEGER, 0, 127, 5, "Linux tcp_synack_retries") \
    X(tcp, retries, "retries", SETTING_INTEGER, 1, 127, 15, "timeouts before giving up; Linux tcp_retries2, RFC 9293 3.8.3 R2") \
    X(tcp, orphan_retries, "orphan-retries", SETTING_INTEGER, 1, 127, 8, "as retries, once the application has closed; Linux tcp_orphan_retries") \
    X(tcp, user_timeout, "user-timeout", SETTING_TIME, 0, 86400 * SEC, 0,                          \
      "give up when data stays unacknowledged so long, 0: by retries; RFC 5482")                   \
    X(tcp, keepalive, "keepalive", SETTING_BOOL, 0, 1, 0, "RFC 9293 3.8.4: off by default")        \
    X(tcp, keepalive_idle, "keepalive-idle", SETTING_TIME, 1 * SEC, 86400 * SEC, 7200 * SEC, "idle time before a probe; RFC 9293 3.8.4") \
    X(tcp, keepalive_interval, "keepalive-interval", SETTING_TIME, 1 * SEC, 86400 * SEC, 75 * SEC, "time between probes; Linux") \
    X(tcp, keepalive_count, "keepalive-count", SETTING_INTEGER, 1, 127, 9, "unanswered probes before reset; Linux") \
    X(tcp, time_wait, "time-wait", SETTING_TIME, 0, 600 * SEC, 60 * SEC, "length of TIME-WAIT; RFC 9293 says 4 min, Linux 60 s") \
    X(tcp, time_wait_guard, "time-wait-guard", SETTING_BOOL, 0, 1, 0, "a RST does not end TIME-WAIT; RFC 1337, Linux tcp_rfc1337") \
    X(tcp, fin_wait_2, "fin-wait-2", SETTING_TIME, 0, 600 * SEC, 60 * SEC,                         \
      "a closed socket waits for the peer's FIN so long, 0: for ever; Linux tcp_fin_timeout")      \
    X(tcp, duplicate_threshold, "duplicate-threshold", SETTING_INTEGER, 1, 300, 3, "duplicate ACKs that mean loss; RFC 5681 3.2") \
    X(tcp, max_reordering, "max-reordering", SETTING_INTEGER, 3, 300, 300, "segments of reordering that are learnt at most; Linux tcp_max_reordering") \
    X(tcp, rack, "rack", SETTING_BOOL, 0, 1, 1, "loss detection by time, off: by count, RFC 6675; RFC 8985") \
    X(tcp, tail_loss_probe, "tail-loss-probe", SETTING_BOOL, 0, 1, 1, "RFC 8985 7, Linux tcp_early_retrans") \
    X(tcp, frto, "frto", SETTING_BOOL, 0, 1, 1, "detect spurious timeouts; RFC 5682, Linux tcp_frto") \
    X(tcp, syn_cookies, "syn-cookies", SETTING_BOOL, 0, 1, 1, "answer SYNs beyond the backlog without keeping them; RFC 4987 3.6, Linux tcp_syncookies") \
    X(tcp, mtu_probing, "mtu-probing", SETTING_INTEGER, 0, 2, 0, "search for the path MTU: 0 no, 1 behind a black hole, 2 always; RFC 4821, Linux tcp_mtu_probing") \
    X(tcp, mtu_probe_base, "mtu-probe-base", SETTING_SIZE, 48, 65495, 1024, "MSS that the search begins with; Linux tcp_base_mss") \
    X(tcp, mtu_probe_interval, "mtu-probe-interval", SETTING_TIME, 1 * SEC, 86400 * SEC, 600 * SEC, "time after which a finished search begins again; Linux tcp_probe_interval") \
    X(tcp, pacing, "pacing", SETTING_BOOL, 0, 1, 0, "spread a window over its round trip; Linux fq, SO_MAX_PACING_RATE") \
    X(tcp, max_orphans, "max-orphans", SETTING_INTEGER, 0, 100000000, 65536, "closed connections that still send or wait; more are reset; Linux tcp_max_orphans") \
    X(tcp, max_time_waits, "max-time-waits", SETTING_INTEGER, 0, 100000000, 262144, "connections in TIME-WAIT; more end at once; Linux tcp_max_tw_buckets") \
    X(tcp, abort_on_overflow, "abort-on-overflow", SETTING_BOOL, 0, 1, 0, "a full accept queue resets instead of ignoring the last ACK; Linux") \
    X(tcp, retransmit_joined, "retransmit-joined", SETTING_BOOL, 0, 1, 1, "small segments go again as one; Linux tcp_retrans_collapse") \
    X(tcp, backlog_max, "backlog-max", SETTING_INTEGER, 0, 1000000, 4096, "largest backlog of a listener; Linux somaxconn") \
    X(tcp, timer_slack, "timer-slack", SETTING_TIME, 0, 1 * SEC, 2 * MS, "added to short loss timers; Linux two ticks") \
    X(tcp, offload, "offload", SETTING_BOOL, 0, 1, 1, "send in bursts as a host with segmentation offload; Linux tso") \
    X(tcp, min_burst, "min-burst", SETTING_INTEGER, 1, 44, 2, "segments of the smallest burst; Linux tcp_min_tso_segs") \
    X(tcp, burst_divisor, "burst-divisor", SETTING_INTEGER, 0, 1000, 3, "share of a window that is worth a burst; Linux tcp_tso_win_divisor") \
    X(tcp, challenge_ack_limit, "challenge-ack-limit", SETTING_INTEGER, 0, 1000000, 1000, "challenge ACKs a second; RFC 5961 7") \
    X(tcp, slow_start_after_idle, "slow-start-after-idle", SETTING_BOOL, 0, 1, 1, "restart window after an idle RTO; RFC 5681 4.1") \
    X(tcp, quick_acks, "quick-acks", SETTING_INTEGER, 0, 16, 16,                                   \
      "ACKs that are not delayed when a peer starts, 0: every second segment or in time; Linux 16, BSD 0") \
    X(tcp, rto_slop, "rto-slop", SETTING_TIME, 0, 10 * SEC, 0,                                     \
      "added to every RTO but the first; FreeBSD rexmit_slop 200 ms")                              \
    X(tcp, bsd_options, "bsd-options", SETTING_BOOL, 0, 1, 0,                                      \
      "TCP options in the order and with the padding of BSD instead of Linux")                     \
    X(tcp, bsd_window, "bsd-window", SETTING_BOOL, 0, 1, 0,                                        \
      "offer all free space, in buffers of whole segments, as BSD")                                \
    X(tcp, bsd_errors, "bsd-errors", SETTING_BOOL, 0, 1, 0,                                        \
      "errors of connections by BSD's names: any ICMP error refuses, a reset is always a reset")   \
    X(tcp, accept_syn_fin, "accept-syn-fin", SETTING_BOOL, 0, 1, 0,                                \
      "a listener answers SYN with FIN and forgets the FIN; FreeBSD drop_synfin off")              \
    X(tcp, bsd_time_wait, "bsd-time-wait", SETTING_BOOL, 0, 1, 0,                                  \
      "TIME-WAIT answers only segments with an ACK, as BSD")                                       \
    X(tcp, fast_open, "fast-open", SETTING_INTEGER, 0, 3, 1, "0 off, 1 client, 2 server, 3 both; RFC 7413, Linux tcp_fastopen") \
    X(tcp, fast_open_connect, "fast-open-connect", SETTING_BOOL, 0, 1, 0,                          \
      "connect waits for data to send with the SYN where a cookie is known; Linux TCP_FASTOPEN_CONNECT") \
    X(tcp, fast_open_queue, "fast-open-queue", SETTING_INTEGER, 0, 65535, 0,                       \
      "Fast Open connections of a listener whose handshake is not over; Linux TCP_FASTOPEN")       \
    X(tcp, fast_open_listeners, "fast-open-listeners", SETTING_BOOL, 0, 1, 0,                      \
      "every listener does Fast Open, as many as its backlog")                                     \
    X(tcp, fast_open_no_cookie, "fast-open-no-cookie", SETTING_INTEGER, 0, 3, 0,                   \
      "without cookies: 1 client, 2 server, 3 both; Linux tcp_fastopen 0x4, 0x200")                \
    X(tcp, fast_open_key0, "fast-open-key0", SETTING_INTEGER, INT64_MIN, INT64_MAX, 0,             \
      "first half of the key of cookies; Linux tcp_fastopen_key")                                  \
    X(tcp, fast_open_key1, "fast-open-key1", SETTING_INTEGER, INT64_MIN, INT64_MAX, 0,             \
      "second half of the key of cookies")                                                         \
    X(tcp, syn_text, "syn-text", SETTING_BOOL, 0, 1, 0,                                            \
      "keep text that comes with the SYN of a simultaneous open; RFC 9293 3.10.7.3, not Linux") \
    X(tcp, window_share, "window-share", SETTING_INTEGER, 10, 100, 100,                            \
      "percent of the receive buffer that the window promises; Linux tcp_adv_win_scale: 50")       \
    X(tcp, sequence_wrap_test, "isn", SETTING_INTEGER, -1, UINT32_MAX, -1,                         \
      "initial sequence number, -1: RFC 6528; for tests and traces")

// clang-format on
struct stack_settings {
#define X(group, field, name, kind, min, max, def, doc) int64_t group##_##field;
    STACK_SETTINGS(X)
#undef X
};

struct setting_info {
    const char *group, *name; // "tcp", "min-rto"
    enum setting_kind kind;
    int64_t minimum, maximum, initial;
    size_t offset; // into struct stack_settings
    const char *doc;
};
extern const struct setting_info setting_table[];
extern const size_t setting_table_length;
extern const struct stack_settings stack_settings_default; // Linux's values

const struct setting_info *setting_find(const char *group,
                                        const char *name); // NULL: none
int64_t setting_get(const struct stack_settings *settings,
                    const struct setting_info *info);
// 0, or -ERANGE outside minimum..maximum (nothing changed).
int setting_set(struct stack_settings *settings,
                const struct setting_info *info, int64_t value);

#endif
