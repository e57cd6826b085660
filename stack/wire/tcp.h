// TCP header with its options (RFC 9293 3.1, RFC 7323, RFC 2018, RFC 7413).
// SPDX-License-Identifier: MIT
#ifndef WIRE_TCP_H
#define WIRE_TCP_H

#include "stack/wire/address.h"

typedef uint32_t tcp_seq; // compare only with the functions below: numbers wrap

static inline bool seq_lt(tcp_seq a, tcp_seq b) { return (int32_t)(a - b) < 0; }
static inline bool seq_le(tcp_seq a, tcp_seq b)
{
    return (int32_t)(a - b) <= 0;
}
static inline bool seq_gt(tcp_seq a, tcp_seq b) { return (int32_t)(a - b) > 0; }
static inline bool seq_ge(tcp_seq a, tcp_seq b)
{
    return (int32_t)(a - b) >= 0;
}
static inline tcp_seq seq_max(tcp_seq a, tcp_seq b)
{
    return seq_gt(a, b) ? a : b;
}
static inline tcp_seq seq_min(tcp_seq a, tcp_seq b)
{
    return seq_lt(a, b) ? a : b;
}

enum {
    TCP_HEADER_SIZE = 20,
    TCP_MAX_HEADER_SIZE = 60,
    TCP_MAX_OPTIONS_SIZE = 40
};
enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80
};
enum {
    TCP_OPTION_END = 0,
    TCP_OPTION_NOP = 1,
    TCP_OPTION_MSS = 2,
    TCP_OPTION_WINDOW_SCALE = 3,
    TCP_OPTION_SACK_PERMITTED = 4,
    TCP_OPTION_SACK = 5,
    TCP_OPTION_TIMESTAMPS = 8,
    TCP_OPTION_FAST_OPEN = 34,
    TCP_OPTION_EXPERIMENTAL = 254 // Fast Open with magic 0xf989 (RFC 6994)
};
enum {
    TCP_MAX_SACK_BLOCKS = 4,
    TCP_MAX_COOKIE_SIZE = 16,
    TCP_MAX_WINDOW_SCALE = 14
};

struct tcp_sack_block {
    tcp_seq start, end; // [start, end)
};

struct tcp_options {
    bool has_mss, has_window_scale, has_sack_permitted, has_timestamps,
        has_fast_open;
    uint16_t mss;
    uint8_t window_scale; // as received; RFC 7323 2.3 caps its use at 14
    uint32_t ts_value, ts_echo;
    uint8_t sack_count; // 0..4
    struct tcp_sack_block sack[TCP_MAX_SACK_BLOCKS];
    bool fast_open_is_experimental;
    uint8_t cookie_length; // 0: a request for a cookie
    uint8_t cookie[TCP_MAX_COOKIE_SIZE];
};

struct tcp_header {
    uint16_t source_port, destination_port;
    tcp_seq seq, ack;
    uint8_t header_length; // bytes, 20..60
    uint8_t flags;         // TCP_FIN ... TCP_CWR
    uint8_t
        reserved; // the four bits between data offset and flags (AE is bit 0)
    uint16_t window; // as on the wire, unscaled
    uint16_t checksum;
    uint16_t urgent;
};

// Header without options: 20..60 (the data offset), or -EINVAL.
int tcp_parse(const uint8_t *bytes, size_t length, struct tcp_header *out);
// The options of a header that tcp_parse accepted: bytes is where they start
// (header + 20), length is header_length - 20. A malformed option ends the
// walk: what came before it stands, as in Linux; returns 0, or -EINVAL to tell
// that it happened (*out is filled in either case). A known option of a length
// that is not its own is skipped.
int tcp_options_parse(const uint8_t *bytes, size_t length,
                      struct tcp_options *out);
// Writes the options in Linux's order (MSS, SACK-permitted with TS, NOP+WS, TS,
// Fast Open, SACK), padded to 4 bytes; returns how many. What does not fit in
// 40 bytes is left out, SACK blocks first.
size_t tcp_options_emit(const struct tcp_options *options, uint8_t *bytes);
// The same in BSD's order (MSS, window scale, SACK-permitted, TS, SACK, Fast
// Open), each aligned by NOPs in front, the rest filled with end-of-list.
size_t tcp_options_emit_bsd(const struct tcp_options *options, uint8_t *bytes);
// Writes the fixed 20 bytes; header_length says where the data starts. Checksum
// as given.
size_t tcp_emit(const struct tcp_header *header, uint8_t *bytes);
void tcp_fill_checksum(uint8_t *segment, size_t length,
                       const struct ip_addr *source,
                       const struct ip_addr *destination);
bool tcp_checksum_is_good(const uint8_t *segment, size_t length,
                          const struct ip_addr *source,
                          const struct ip_addr *destination);
char *tcp_flags_format(
    uint8_t flags,
    char *out); // tcpdump's "[S.]" letters without brackets; 9 bytes

#endif
