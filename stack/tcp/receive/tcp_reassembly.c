// Puts arriving data in order; remembers what lies ahead of gaps.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// Data in order goes to the receive queue. Data ahead of a gap goes into a run,
// a stretch without holes; there are as many runs as holes, so a binary search
// finds the place and a packet is linked at one end of a run (or, when it
// bridges what others left open, swallows whole runs). The runs are also what
// SACK reports; gaps->sack lists them by recency (RFC 2018 4), the D-SACK block
// (RFC 2883) comes before them.
//
// Of overlapping bytes those that came first are kept, except that a packet
// which covers a whole run replaces it.

enum { SMALLEST = 4 };

static void use_sequence(struct packet *packet, tcp_seq seq)
{
    packet->next = NULL;
    packet->cb.tcp.seq = seq;
    packet->cb.tcp.end_seq = seq + packet->length;
}

static uint32_t drop_list(struct stack *stack, struct packet *list,
                          enum drop_reason reason)
{
    uint32_t count = 0;
    for (; list; count++) {
        struct packet *next = list->next;
        list->next = NULL;
        stack_drop(stack, list, reason);
        list = next;
    }
    return count;
}

// --- SACK blocks ------------------------------------------------------------

void tcp_note_duplicate(struct tcp_connection *c, tcp_seq start, tcp_seq end)
{
    if (!c->has_sack || !tcp_settings(c)->tcp_dsack)
        return;
    if (!c->has_dsack) {
        c->dsack = (struct tcp_sack_block){start, end};
        c->has_dsack = true;
    } else if (seq_le(start, c->dsack.end) && seq_le(c->dsack.start, end)) {
        c->dsack.start = seq_min(c->dsack.start, start);
        c->dsack.end = seq_max(c->dsack.end, end);
    } // else: of several stretches the first is told, RFC 2883 4
}

static void sack_forget(struct tcp_gaps *g, unsigned i)
{
    memmove(&g->sack[i], &g->sack[i + 1],
            (g->sack_count - i - 1u) * sizeof(g->sack[0]));
    g->sack_count--;
}

// The run has got news: first in the list, in place of what it swallowed.
static void sack_remember(struct tcp_gaps *g, const struct tcp_run *run)
{
    for (unsigned i = g->sack_count; i-- > 0;)
        if (seq_le(run->start, g->sack[i].start) &&
            seq_le(g->sack[i].end, run->end))
            sack_forget(g, i);
    if (g->sack_count == TCP_MAX_SACK_BLOCKS)
        g->sack_count--;
    memmove(&g->sack[1], &g->sack[0], g->sack_count * sizeof(g->sack[0]));
    g->sack[0] = (struct tcp_sack_block){run->start, run->end};
    g->sack_count++;
}

unsigned tcp_sack_to_send(struct tcp_connection *c, unsigned room,
                          struct tcp_sack_block *out)
{
    unsigned count = 0;
    if (c->has_dsack && room > 0)
        out[count++] = c->dsack;
    for (unsigned i = 0; c->gaps && i < c->gaps->sack_count && count < room;
         i++)
        out[count++] = c->gaps->sack[i];
    return count;
}

// --- Runs -------------------------------------------------------------------

static size_t runs_size(uint32_t capacity)
{
    return capacity * sizeof(struct tcp_run);
}

static void free_gaps(struct tcp_connection *c)
{
    struct tcp_pool *pool = &tcp_table_of(c)->pool;
    tcp_pool_free(pool, c->gaps->runs, runs_size(c->gaps->capacity));
    tcp_pool_free(pool, c->gaps, sizeof(*c->gaps));
    c->gaps = NULL;
}

void tcp_gaps_clear(struct tcp_connection *c, enum drop_reason reason)
{
    if (!c->gaps)
        return;
    for (uint32_t i = 0; i < c->gaps->count; i++)
        drop_list(tcp_stack(c), c->gaps->runs[i].head, reason);
    free_gaps(c);
}

static bool make_gaps(struct tcp_connection *c)
{
    struct tcp_pool *pool = &tcp_table_of(c)->pool;
    struct tcp_gaps *g = tcp_pool_alloc(pool, sizeof(*g));
    if (!g)
        return false;
    *g = (struct tcp_gaps){.capacity = SMALLEST};
    g->runs = tcp_pool_alloc(pool, runs_size(SMALLEST));
    if (!g->runs) {
        tcp_pool_free(pool, g, sizeof(*g));
        return false;
    }
    c->gaps = g;
    return true;
}

static bool grow_runs(struct tcp_connection *c)
{
    struct tcp_pool *pool = &tcp_table_of(c)->pool;
    struct tcp_gaps *g = c->gaps;
    struct tcp_run *runs = tcp_pool_alloc(pool, runs_size(g->capacity * 2));
    if (!runs)
        return false;
    memcpy(runs, g->runs, runs_size(g->count));
    tcp_pool_free(pool, g->runs, runs_size(g->capacity));
    g->runs = runs;
    g->capacity *= 2;
    return true;
}

// Index of the first run that ends at or right of seq.
static uint32_t find_run(const struct tcp_gaps *g, tcp_seq seq)
{
    uint32_t low = 0, high = g->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (seq_lt(g->runs[middle].end, seq))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_runs(struct tcp_connection *c, uint32_t at, uint32_t count)
{
    struct tcp_gaps *g = c->gaps;
    memmove(&g->runs[at], &g->runs[at + count],
            runs_size(g->count - at - count));
    g->count -= count;
}

// Runs that the packet covers whole are replaced by it.
static void swallow(struct tcp_connection *c, uint32_t at, tcp_seq end)
{
    struct tcp_gaps *g = c->gaps;
    uint32_t covered = 0;
    while (at + covered < g->count && seq_le(g->runs[at + covered].end, end)) {
        struct tcp_run *run = &g->runs[at + covered];
        g->packets -= drop_list(tcp_stack(c), run->head, DROP_TCP_OLD_DATA);
        covered++;
    }
    remove_runs(c, at, covered);
}

static void join_with_next(struct tcp_connection *c, uint32_t at)
{
    struct tcp_gaps *g = c->gaps;
    if (at + 1 >= g->count || g->runs[at].end != g->runs[at + 1].start)
        return;
    struct tcp_run *left = &g->runs[at], *right = &g->runs[at + 1];
    left->tail->next = right->head;
    left->tail = right->tail;
    left->end = right->end;
    remove_runs(c, at + 1, 1);
}

static bool insert_run(struct tcp_connection *c, uint32_t at,
                       struct packet *packet)
{
    struct tcp_gaps *g = c->gaps;
    if (g->count == g->capacity && !grow_runs(c))
        return false;
    memmove(&g->runs[at + 1], &g->runs[at], runs_size(g->count - at));
    g->runs[at] = (struct tcp_run){.start = packet->cb.tcp.seq,
                                   .end = packet->cb.tcp.end_seq,
                                   .head = packet,
                                   .tail = packet};
    g->count++;
    return true;
}

// The packet lies between runs now (may touch them).
static bool place(struct tcp_connection *c, uint32_t at, struct packet *packet)
{
    struct tcp_gaps *g = c->gaps;
    struct tcp_run *run = at < g->count ? &g->runs[at] : NULL;
    if (run && run->end == packet->cb.tcp.seq) {
        run->tail->next = packet;
        run->tail = packet;
        run->end = packet->cb.tcp.end_seq;
    } else if (run && run->start == packet->cb.tcp.end_seq) {
        packet->next = run->head;
        run->head = packet;
        run->start = packet->cb.tcp.seq;
    } else if (!insert_run(c, at, packet)) {
        return false;
    }
    join_with_next(c, at);
    sack_remember(g, &g->runs[at]);
    return true;
}

static void trim_front(struct packet *packet, tcp_seq seq)
{
    uint32_t n = seq - packet->cb.tcp.seq;
    must(packet_pull(packet, n));
    packet->cb.tcp.seq = seq;
}

static void trim_back(struct packet *packet, tcp_seq end)
{
    must(packet_trim(packet, end - packet->cb.tcp.seq));
    packet->cb.tcp.end_seq = end;
}

// Cuts off what the runs around have already. False: all of it.
static bool cut_overlap(struct tcp_connection *c, uint32_t *at,
                        struct packet *packet)
{
    struct tcp_gaps *g = c->gaps;
    tcp_seq seq = packet->cb.tcp.seq, end = packet->cb.tcp.end_seq;
    if (*at < g->count && seq_lt(g->runs[*at].start, end) &&
        seq_le(g->runs[*at].start, seq) && seq_gt(g->runs[*at].end, seq)) {
        struct tcp_run *run = &g->runs[*at];
        tcp_note_duplicate(c, seq, seq_min(end, run->end));
        if (seq_le(end, run->end)) {
            sack_remember(g, run);
            return false;
        }
        trim_front(packet, run->end);
    }
    uint32_t next = *at;
    if (next < g->count && g->runs[next].end == packet->cb.tcp.seq)
        next++;
    uint32_t before = g->count;
    if (next < before && seq_le(g->runs[next].end, end))
        tcp_note_duplicate(c, g->runs[next].start, g->runs[next].end);
    swallow(c, next, end);
    if (next < g->count && seq_lt(g->runs[next].start, end)) {
        tcp_note_duplicate(c, g->runs[next].start, end);
        trim_back(packet, g->runs[next].start);
    }
    return true;
}

static void queue_ahead(struct tcp_connection *c, struct packet *packet)
{
    struct stack *stack = tcp_stack(c);
    c->statistics.out_of_order++;
    tcp_count(c, COUNT_TCP_OUT_OF_ORDER);
    c->ack_now = true;
    bool is_full =
        c->gaps && c->gaps->packets >= tcp_settings(c)->tcp_out_of_order_limit;
    if (is_full || (!c->gaps && !make_gaps(c))) {
        stack_drop(stack, packet, DROP_TCP_OUT_OF_ORDER_LIMIT);
        return;
    }
    uint32_t at = find_run(c->gaps, packet->cb.tcp.seq);
    if (!cut_overlap(c, &at, packet)) {
        c->statistics.received_again++;
        stack_drop(stack, packet, DROP_TCP_OLD_DATA);
        return;
    }
    if (!place(c, at, packet)) {
        stack_drop(stack, packet, DROP_TCP_OUT_OF_ORDER_LIMIT);
        if (c->gaps->count == 0)
            free_gaps(c);
        return;
    }
    c->gaps->packets++;
}

// --- In order ---------------------------------------------------------------

static void accept_bytes(struct tcp_connection *c, struct packet *packet)
{
    c->statistics.bytes_received += packet->length;
    c->rcv_nxt = packet->cb.tcp.end_seq;
    tcp_receive_enqueue(c, packet);
}

// Takes over the packets of a run that rcv_nxt has reached.
static void take_run(struct tcp_connection *c, const struct tcp_run *run)
{
    struct packet *packet = run->head;
    while (packet) {
        struct packet *next = packet->next;
        packet->next = NULL;
        c->gaps->packets--;
        if (seq_le(packet->cb.tcp.end_seq, c->rcv_nxt)) {
            stack_drop(tcp_stack(c), packet, DROP_TCP_OLD_DATA);
        } else {
            if (seq_lt(packet->cb.tcp.seq, c->rcv_nxt))
                trim_front(packet, c->rcv_nxt);
            accept_bytes(c, packet);
        }
        packet = next;
    }
}

static void forget_old_sacks(struct tcp_connection *c)
{
    struct tcp_gaps *g = c->gaps;
    for (unsigned i = g->sack_count; i-- > 0;)
        if (seq_le(g->sack[i].start, c->rcv_nxt))
            sack_forget(g, i);
}

static void fill_gaps(struct tcp_connection *c)
{
    struct tcp_gaps *g = c->gaps;
    uint32_t reached = 0;
    while (reached < g->count && seq_le(g->runs[reached].start, c->rcv_nxt)) {
        struct tcp_run *run = &g->runs[reached++];
        if (seq_lt(run->start, c->rcv_nxt))
            tcp_note_duplicate(c, run->start, seq_min(run->end, c->rcv_nxt));
        take_run(c, run);
    }
    remove_runs(c, 0, reached);
    forget_old_sacks(c);
    if (g->count > 0)
        return;
    free_gaps(c);
    c->ack_now = true; // RFC 5681 4.2: the gap is filled, say so at once
}

static void in_order(struct tcp_connection *c, struct tcp_arrival *a,
                     struct packet *packet)
{
    tcp_ack_event_data(c, a);
    accept_bytes(c, packet);
    if (c->gaps)
        fill_gaps(c);
    tcp_window_autotune(c);
    socket_notify(&c->socket, EVENT_READABLE);
}

static void old_data(struct tcp_connection *c, struct tcp_arrival *a)
{
    c->statistics.received_again++;
    tcp_note_duplicate(c, a->seq, a->seq + a->payload);
    tcp_ack_quickly(c, 16);
    c->ack_scheduled = c->ack_now = true;
    tcp_arrival_drop(c, a, DROP_TCP_OLD_DATA);
}

void tcp_receive_text(struct tcp_connection *c, struct tcp_arrival *a)
{
    tcp_seq end = a->seq + a->payload;
    if (seq_le(end, c->rcv_nxt)) {
        old_data(c, a);
        return;
    }
    struct packet *packet = a->packet;
    a->packet = NULL;
    use_sequence(packet, a->seq);
    tcp_seq edge = c->rcv_nxt + tcp_window_left(c);
    if (!seq_lt(a->seq, edge)) { // no room at all
        c->ack_scheduled = c->ack_now = true;
        stack_drop(tcp_stack(c), packet, DROP_TCP_OUT_OF_WINDOW);
        return;
    }
    if (seq_gt(end, edge))
        trim_back(packet, edge);
    if (seq_lt(a->seq, c->rcv_nxt)) {
        tcp_note_duplicate(c, a->seq, c->rcv_nxt);
        c->ack_now = true;
        trim_front(packet, c->rcv_nxt);
    }
    if (packet->cb.tcp.seq == c->rcv_nxt)
        in_order(c, a, packet);
    else {
        c->ack_scheduled = true;
        tcp_ack_event_data(c, a);
        queue_ahead(c, packet);
    }
}
