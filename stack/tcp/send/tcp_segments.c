// The ring of records of what was sent and is not acknowledged.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// Records are in sequence order by position, and linked (older, newer) in order
// of their latest transmission, which is what time-based loss detection walks.
// A record that was delivered leaves that second order. Inserting in the middle
// moves everything behind it and is as rare as a peer that SACKs half a
// segment.

enum { SMALLEST_RING = 8 };

static size_t ring_size(uint32_t capacity)
{
    return capacity * sizeof(struct tcp_segment);
}

static int grow(struct tcp_connection *c)
{
    struct tcp_segments *s = &c->segments;
    uint32_t old = s->ring ? s->mask + 1 : 0;
    uint32_t capacity = old ? old * 2 : SMALLEST_RING;
    struct tcp_pool *pool = &tcp_table_of(c)->pool;
    struct tcp_segment *ring = tcp_pool_alloc(pool, ring_size(capacity));
    if (!ring)
        return -ENOMEM;
    for (uint32_t p = s->first; p != s->last; p++)
        ring[p & (capacity - 1)] = s->ring[p & s->mask];
    tcp_pool_free(pool, s->ring, ring_size(old));
    s->ring = ring;
    s->mask = capacity - 1;
    return 0;
}

static bool is_full(const struct tcp_segments *s)
{
    return !s->ring || s->last - s->first > s->mask;
}

struct tcp_segment *tcp_segments_push(struct tcp_connection *c, tcp_seq seq,
                                      tcp_seq end_seq, uint16_t flags)
{
    struct tcp_segments *s = &c->segments;
    if (is_full(s) && grow(c) != 0)
        return NULL;
    struct tcp_segment *segment = &s->ring[s->last & s->mask];
    *segment = (struct tcp_segment){.seq = seq,
                                    .end_seq = end_seq,
                                    .flags = flags,
                                    .older = SEGMENT_NONE,
                                    .newer = SEGMENT_NONE};
    s->last++;
    return segment;
}

static bool is_linked(const struct tcp_segments *s, uint32_t position)
{
    const struct tcp_segment *segment = &s->ring[position & s->mask];
    return segment->older != SEGMENT_NONE || s->oldest == position;
}

void tcp_segments_unlink(struct tcp_connection *c, uint32_t position)
{
    struct tcp_segments *s = &c->segments;
    if (!is_linked(s, position))
        return;
    struct tcp_segment *segment = tcp_segment_at(c, position);
    if (segment->older == SEGMENT_NONE)
        s->oldest = segment->newer;
    else
        tcp_segment_at(c, segment->older)->newer = segment->newer;
    if (segment->newer == SEGMENT_NONE)
        s->newest = segment->older;
    else
        tcp_segment_at(c, segment->newer)->older = segment->older;
    segment->older = segment->newer = SEGMENT_NONE;
}

void tcp_segments_sent(struct tcp_connection *c, uint32_t position)
{
    struct tcp_segments *s = &c->segments;
    tcp_segments_unlink(c, position);
    struct tcp_segment *segment = tcp_segment_at(c, position);
    segment->older = s->newest;
    segment->newer = SEGMENT_NONE;
    if (s->newest == SEGMENT_NONE)
        s->oldest = position;
    else
        tcp_segment_at(c, s->newest)->newer = position;
    s->newest = position;
}

void tcp_segments_relink(struct tcp_connection *c, uint32_t position)
{
    struct tcp_segments *s = &c->segments;
    struct tcp_segment *segment = tcp_segment_at(c, position);
    if (is_linked(s, position))
        return;
    uint32_t before = SEGMENT_NONE, after = s->oldest;
    while (after != SEGMENT_NONE &&
           tcp_segment_at(c, after)->sent_at <= segment->sent_at) {
        before = after;
        after = tcp_segment_at(c, after)->newer;
    }
    segment->older = before;
    segment->newer = after;
    if (before == SEGMENT_NONE)
        s->oldest = position;
    else
        tcp_segment_at(c, before)->newer = position;
    if (after == SEGMENT_NONE)
        s->newest = position;
    else
        tcp_segment_at(c, after)->older = position;
}

void tcp_segments_pop(struct tcp_connection *c)
{
    struct tcp_segments *s = &c->segments;
    must(s->first != s->last);
    tcp_segments_unlink(c, s->first);
    s->first++;
    if (s->first == s->last)
        tcp_segments_clear(c);
}

void tcp_segments_clear(struct tcp_connection *c)
{
    struct tcp_segments *s = &c->segments;
    tcp_pool_free(&tcp_table_of(c)->pool, s->ring, ring_size(s->mask + 1));
    *s = (struct tcp_segments){.oldest = SEGMENT_NONE, .newest = SEGMENT_NONE};
    c->retransmit_hint = c->highest_sack = 0;
}

uint32_t tcp_segments_find(const struct tcp_connection *c, tcp_seq seq)
{
    const struct tcp_segments *s = &c->segments;
    uint32_t low = 0, high = s->last - s->first;
    while (low < high) { // first record that ends right of seq
        uint32_t middle = low + (high - low) / 2;
        const struct tcp_segment *segment =
            &s->ring[(s->first + middle) & s->mask];
        if (seq_le(segment->end_seq, seq))
            low = middle + 1;
        else
            high = middle;
    }
    return s->first + low;
}

static void shift_link(uint32_t *link, uint32_t first, uint32_t beyond)
{
    if (*link != SEGMENT_NONE && *link - first > beyond)
        ++*link;
}

// Makes room for one record after `position`, whose copy it becomes.
static int duplicate(struct tcp_connection *c, uint32_t position)
{
    struct tcp_segments *s = &c->segments;
    if (is_full(s) && grow(c) != 0)
        return -ENOMEM;
    uint32_t beyond = position - s->first;
    for (uint32_t p = s->last; p != position; p--)
        s->ring[p & s->mask] = s->ring[(p - 1) & s->mask];
    s->last++;
    for (uint32_t p = s->first; p != s->last; p++) {
        shift_link(&tcp_segment_at(c, p)->older, s->first, beyond);
        shift_link(&tcp_segment_at(c, p)->newer, s->first, beyond);
    }
    shift_link(&s->oldest, s->first, beyond);
    shift_link(&s->newest, s->first, beyond);
    if (c->retransmit_hint - s->first > beyond)
        c->retransmit_hint++;
    if (c->highest_sack - s->first > beyond)
        c->highest_sack++;
    return 0;
}

static void count_second_half(struct tcp_connection *c, uint16_t flags)
{
    c->packets_out++;
    c->sacked_out += (flags & SEGMENT_SACKED) != 0;
    c->lost_out += (flags & SEGMENT_LOST) != 0;
    c->retrans_out += (flags & SEGMENT_RETRANSMITTED) != 0;
}

int tcp_segments_split(struct tcp_connection *c, uint32_t position, tcp_seq seq)
{
    struct tcp_segments *s = &c->segments;
    const struct tcp_segment *whole = tcp_segment_at(c, position);
    must(seq_lt(whole->seq, seq) && seq_lt(seq, whole->end_seq));
    if (duplicate(c, position) != 0)
        return -ENOMEM;
    struct tcp_segment *left = tcp_segment_at(c, position);
    struct tcp_segment *right = tcp_segment_at(c, position + 1);
    bool was_linked = is_linked(s, position);
    left->end_seq = right->seq = seq;
    left->flags &=
        (uint16_t) ~(SEGMENT_FIN | SEGMENT_PUSH | SEGMENT_END_OF_RECORD);
    right->flags &= (uint16_t)~SEGMENT_SYN;
    right->older = right->newer = SEGMENT_NONE;
    count_second_half(c, right->flags);
    if (!was_linked)
        return 0;
    // The right half follows the left one in the order of transmission.
    right->older = position;
    right->newer = left->newer;
    left->newer = position + 1;
    if (right->newer == SEGMENT_NONE)
        s->newest = position + 1;
    else
        tcp_segment_at(c, right->newer)->older = position + 1;
    return 0;
}
