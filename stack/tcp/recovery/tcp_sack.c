// The scoreboard: which records the peer says it holds (RFC 2018, RFC 2883).
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// Each block names a stretch of sequence space. Its first record is found by
// binary search; records that were SACKed before are skipped in one step: the
// first record of a SACKed stretch notes in `newer` (which it no longer needs,
// being out of the order of transmission) where the stretch ended when it was
// last seen. So an ACK costs what it tells that is new.

tcp_seq tcp_highest_sack(struct tcp_connection *c)
{
    const struct tcp_segments *s = &c->segments;
    bool is_valid = c->sacked_out > 0 && c->has_sack &&
                    c->highest_sack - s->first - 1 < s->last - s->first;
    if (!is_valid)
        return c->snd_una;
    return tcp_segment_at(c, c->highest_sack - 1)->end_seq;
}

// --- Reordering -------------------------------------------------------------

// A record from `low` on was delivered after something above it: the distance
// is how far the path reorders.
void tcp_note_reordering(struct tcp_connection *c, tcp_seq low)
{
    tcp_seq high = tcp_highest_sack(c);
    if (!seq_lt(low, high))
        return;
    uint32_t segments = (high - low + c->mss - 1) / c->mss;
    int64_t most = tcp_settings(c)->tcp_max_reordering;
    if (segments > c->duplicate_threshold)
        c->duplicate_threshold =
            (uint8_t)min_i64(min_i64(segments, most), UINT8_MAX);
    c->reordering_seen = true;
}

// --- One record -------------------------------------------------------------

static void note_late(struct tcp_connection *c, const struct tcp_segment *s,
                      struct tcp_ack_news *news)
{
    if (seq_lt(s->seq, news->prior_highest_sack) &&
        (!news->has_reordered || seq_lt(s->seq, news->reordered))) {
        news->reordered = s->seq;
        news->has_reordered = true;
    }
    if (!seq_gt(s->end_seq, c->high_seq))
        news->flags |= ACK_ORIGINAL_SACKED;
    if (news->sack_first < 0)
        news->sack_first = s->sent_at;
    news->sack_last = s->sent_at;
}

static void mark(struct tcp_connection *c, uint32_t position,
                 struct tcp_ack_news *news)
{
    struct tcp_segment *s = tcp_segment_at(c, position);
    tcp_rack_advance(c, s);
    if (s->flags & SEGMENT_RETRANSMITTED) {
        // With LOST: the retransmission arrived. Without: which copy did, a
        // D-SACK will tell.
        if (s->flags & SEGMENT_LOST) {
            s->flags &= (uint16_t) ~(SEGMENT_LOST | SEGMENT_RETRANSMITTED);
            c->lost_out--;
            c->retrans_out--;
        }
    } else {
        if (!(s->flags & SEGMENT_EVER_RETRANSMITTED))
            note_late(c, s, news);
        if (s->flags & SEGMENT_LOST) {
            s->flags &= (uint16_t)~SEGMENT_LOST;
            c->lost_out--;
        }
    }
    s->flags |= SEGMENT_SACKED;
    news->flags |= ACK_DATA_SACKED;
    c->sacked_out++;
    c->delivered++;
    tcp_rate_delivered(c, s, news);
    tcp_segments_unlink(c, position);
    if (c->highest_sack - c->segments.first <= position - c->segments.first ||
        c->highest_sack - c->segments.first >
            c->segments.last - c->segments.first)
        c->highest_sack = position + 1;
}

// --- One block --------------------------------------------------------------

// A peer that SACKs a part of a segment has cut it to its own purposes; the
// record is not delivered before all of it is (Linux).
static bool is_inside(const struct tcp_segment *s,
                      const struct tcp_sack_block *block)
{
    return seq_ge(s->seq, block->start) && seq_le(s->end_seq, block->end);
}

// [first, end) as far as it is SACKed throughout.
static void note_run(struct tcp_connection *c, uint32_t first, uint32_t end)
{
    uint32_t last = end;
    if (end - first < 2 || !(tcp_segment_at(c, first)->flags & SEGMENT_SACKED))
        return;
    while (last - first > 1 &&
           !(tcp_segment_at(c, last - 1)->flags & SEGMENT_SACKED))
        last--;
    tcp_segment_at(c, first)->newer = last;
}

static void mark_block(struct tcp_connection *c,
                       const struct tcp_sack_block *block,
                       struct tcp_ack_news *news)
{
    const struct tcp_segments *q = &c->segments;
    uint32_t first = tcp_segments_find(c, block->start), p = first;
    while (p - q->first < q->last - q->first &&
           seq_lt(tcp_segment_at(c, p)->seq, block->end)) {
        struct tcp_segment *s = tcp_segment_at(c, p);
        if (s->flags & SEGMENT_SACKED) {
            p = s->newer == SEGMENT_NONE ? p + 1 : s->newer;
            continue;
        }
        if (is_inside(s, block))
            mark(c, p, news);
        p++;
    }
    note_run(c, first, p);
}

// --- D-SACK -----------------------------------------------------------------

static bool is_dsack(const struct tcp_arrival *a)
{
    const struct tcp_sack_block *b = a->options.sack;
    if (seq_lt(b[0].start, a->ack))
        return true;
    return a->options.sack_count > 1 && seq_le(b[0].end, b[1].end) &&
           seq_ge(b[0].start, b[1].start);
}

static void undo_one(struct tcp_connection *c, uint32_t count)
{
    if (c->undo_retrans > 0 && c->has_undo)
        c->undo_retrans -= min_u32(count, c->undo_retrans);
}

// The records a D-SACK is about that are still here: a retransmission of a
// record that had arrived already was needless.
static void dsack_records(struct tcp_connection *c,
                          const struct tcp_sack_block *block)
{
    const struct tcp_segments *q = &c->segments;
    uint32_t p = tcp_segments_find(c, block->start);
    for (; p - q->first < q->last - q->first; p++) {
        struct tcp_segment *s = tcp_segment_at(c, p);
        if (!seq_lt(s->seq, block->end))
            break;
        if (!(s->flags & SEGMENT_EVER_RETRANSMITTED))
            continue;
        if (seq_gt(s->end_seq, c->undo_marker))
            undo_one(c, 1);
        if (s->flags & SEGMENT_RETRANSMITTED && s->flags & SEGMENT_SACKED) {
            s->flags &= (uint16_t)~SEGMENT_RETRANSMITTED;
            c->retrans_out--;
        }
    }
}

static void take_dsack(struct tcp_connection *c,
                       const struct tcp_sack_block *block, tcp_seq prior_una,
                       struct tcp_ack_news *news)
{
    uint32_t length = block->end - block->start, count = 1;
    if (length > c->mss)
        count = (length + c->mss - 1) / c->mss;
    else if (c->has_tlp && c->tlp_high_seq == block->end)
        news->flags |= ACK_DSACK_PROBE;
    if (c->statistics.spurious + count > c->statistics.retransmitted)
        return; // the network duplicated it, not we
    c->statistics.spurious += count;
    for (uint32_t i = 0; i < count; i++)
        tcp_count(c, COUNT_TCP_SPURIOUS_RETRANSMITS);
    news->flags |= ACK_DSACK;
    if (c->reordering_seen && !(news->flags & ACK_DSACK_PROBE))
        c->rack_dsack_seen = true;
    bool is_old =
        seq_le(block->end, prior_una) && seq_gt(block->end, c->undo_marker);
    if (is_old)
        undo_one(c, count);
    else if (c->segments.ring)
        dsack_records(c, block);
}

// --- The option -------------------------------------------------------------

static bool is_plausible(const struct tcp_connection *c,
                         const struct tcp_sack_block *block)
{
    return seq_lt(block->start, block->end) && seq_le(block->end, c->snd_nxt) &&
           seq_gt(block->end, c->snd_una);
}

void tcp_sack_process(struct tcp_connection *c, const struct tcp_arrival *a,
                      struct tcp_ack_news *news)
{
    const struct tcp_sack_block *blocks = a->options.sack;
    bool has_dsack = is_dsack(a);
    if (has_dsack && seq_lt(blocks[0].start, blocks[0].end) &&
        seq_le(blocks[0].end, c->snd_nxt) &&
        c->snd_una - blocks[0].start <= max_u32(c->max_window, 1u << 20))
        take_dsack(c, &blocks[0], news->prior_una, news);
    if (c->packets_out == 0)
        return;
    for (unsigned i = has_dsack; i < a->options.sack_count; i++)
        if (is_plausible(c, &blocks[i]))
            mark_block(c, &blocks[i], news);
    bool may_learn = c->ca_state != TCP_CA_LOSS || c->has_undo;
    if (news->has_reordered && may_learn)
        tcp_note_reordering(c, news->reordered);
}

// --- Without SACK -----------------------------------------------------------

// Each duplicate ACK says that one segment has left the network, though not
// which one.
void tcp_reno_sack_add(struct tcp_connection *c, uint32_t duplicates)
{
    if (duplicates == 0)
        return;
    uint32_t most = c->packets_out - min_u32(c->packets_out, c->lost_out);
    uint32_t before = c->sacked_out;
    c->sacked_out += duplicates;
    uint32_t holes = max_u32(c->lost_out, 1); // the first one is a hole
    most = c->packets_out > holes ? c->packets_out - holes : 0;
    if (c->sacked_out > most) { // more than can be: they were reordered
        c->sacked_out = most;
        c->duplicate_threshold = (uint8_t)min_i64(
            max_u32(c->duplicate_threshold, min_u32(c->packets_out + 1, 255)),
            min_i64(tcp_settings(c)->tcp_max_reordering, 255));
        c->reordering_seen = true;
    }
    if (c->sacked_out > before)
        c->delivered += c->sacked_out - before;
}

void tcp_reno_sack_remove(struct tcp_connection *c, uint32_t acked)
{
    if (acked == 0)
        return;
    // One of them filled the hole, the others had been counted.
    uint32_t news = acked > c->sacked_out ? acked - c->sacked_out : 1;
    c->delivered += max_u32(news, 1);
    c->sacked_out -= min_u32(acked - 1, c->sacked_out);
    uint32_t holes = max_u32(c->lost_out, 1);
    uint32_t most = c->packets_out > holes ? c->packets_out - holes : 0;
    c->sacked_out = min_u32(c->sacked_out, most);
}
