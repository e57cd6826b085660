// Initial sequence numbers and timestamp offsets that a stranger cannot guess.
// SPDX-License-Identifier: MIT
#include "stack/siphash.h"
#include "stack/tcp/tcp.h"

// RFC 6528 3: ISN = M + F(4-tuple, secret), M a clock of 4 microseconds. The
// clock makes the numbers of one incarnation follow those of the one before, on
// which TIME-WAIT reuse rests. Timestamp offsets (RFC 7323 5.4) depend on the
// addresses only, so that a peer sees one clock over all connections in turn.

struct tuple {
    uint32_t local[4], remote[4];
    uint16_t local_port, remote_port;
    uint32_t purpose;
};
enum { PURPOSE_ISN = 1, PURPOSE_TIMESTAMP = 2 };

static uint32_t keyed_hash(const struct tcp_connection *c, uint32_t purpose,
                           bool with_ports)
{
    struct tuple t = {.purpose = purpose};
    memcpy(t.local, c->socket.local.addr.words, sizeof(t.local));
    memcpy(t.remote, c->socket.remote.addr.words, sizeof(t.remote));
    if (with_ports) {
        t.local_port = c->socket.local.port;
        t.remote_port = c->socket.remote.port;
    }
    uint64_t h = siphash(&tcp_stack(c)->secret, &t, sizeof(t));
    return (uint32_t)(h ^ h >> 32);
}

tcp_seq tcp_isn(const struct tcp_connection *c)
{
    int64_t fixed = tcp_settings(c)->tcp_sequence_wrap_test;
    if (fixed >= 0)
        return (tcp_seq)fixed;
    uint32_t clock = (uint32_t)(tcp_now(c) / (4 * NS_PER_US));
    return clock + keyed_hash(c, PURPOSE_ISN, true);
}

uint32_t tcp_timestamp_offset(const struct tcp_connection *c)
{
    return keyed_hash(c, PURPOSE_TIMESTAMP, false);
}
