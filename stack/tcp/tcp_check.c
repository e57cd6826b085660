// The invariants of tcp.h, asserted.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

struct totals {
    uint32_t sacked, lost, retransmitted, linked;
};

static void count_flags(const struct tcp_segment *s, struct totals *t)
{
    t->sacked += (s->flags & SEGMENT_SACKED) != 0;
    t->lost += (s->flags & SEGMENT_LOST) != 0;
    t->retransmitted += (s->flags & SEGMENT_RETRANSMITTED) != 0;
}

static void check_records(const struct tcp_connection *c)
{
    const struct tcp_segments *s = &c->segments;
    struct totals t = {0};
    tcp_seq next = 0;
    for (uint32_t p = s->first; p != s->last; p++) {
        const struct tcp_segment *segment = &s->ring[p & s->mask];
        must(seq_lt(segment->seq, segment->end_seq));
        must(p == s->first ? seq_le(segment->seq, c->snd_una) &&
                                 seq_gt(segment->end_seq, c->snd_una)
                           : segment->seq == next);
        next = segment->end_seq;
        count_flags(segment, &t);
    }
    must(s->first == s->last || next == c->snd_nxt);
    must(c->packets_out == s->last - s->first);
    must(!c->has_sack || c->sacked_out == t.sacked);
    must(c->lost_out == t.lost && c->retrans_out == t.retransmitted);
    must(c->sacked_out + c->lost_out <= c->packets_out);
}

static void check_gaps(const struct tcp_connection *c)
{
    const struct tcp_gaps *gaps = c->gaps;
    if (!gaps)
        return;
    must(gaps->count > 0 && gaps->count <= gaps->capacity);
    tcp_seq last = c->rcv_nxt;
    for (uint32_t i = 0; i < gaps->count; i++) {
        must(seq_lt(last, gaps->runs[i].start));
        must(seq_lt(gaps->runs[i].start, gaps->runs[i].end));
        last = gaps->runs[i].end;
    }
}

void tcp_check(const struct tcp_connection *c)
{
    if (tcp_is_in(c, TCP_IN(CLOSED) | TCP_IN(TIME_WAIT))) {
        must(!c->segments.ring);
        must(c->has_source || c->buffer.length == 0);
        return;
    }
    if (c->state == TCP_LISTEN)
        return;
    must(seq_le(c->snd_una, c->snd_nxt));
    must(seq_le(c->snd_nxt, c->write_seq) || c->has_source);
    check_records(c);
    check_gaps(c);
    must(c->packets_out == 0 ||
         tcp_deadline_is_set(c, TCP_DEADLINE_RETRANSMIT));
}
