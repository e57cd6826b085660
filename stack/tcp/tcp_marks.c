// Ends of records in data that is not sent yet (MSG_EOR).
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// A segment never carries bytes from both sides of a mark. Marks are rare, so
// they live in a small array of their own that exists only while there are any.

enum { SMALLEST = 8 };

static size_t marks_size(uint32_t capacity)
{
    return sizeof(struct tcp_marks) + capacity * sizeof(tcp_seq);
}

int tcp_marks_add(struct tcp_connection *c, tcp_seq at)
{
    struct tcp_pool *pool = &tcp_table_of(c)->pool;
    struct tcp_marks *old = c->marks;
    if (!old || old->count == old->capacity) {
        uint32_t capacity = old ? old->capacity * 2 : SMALLEST;
        struct tcp_marks *marks = tcp_pool_alloc(pool, marks_size(capacity));
        if (!marks)
            return -ENOMEM;
        marks->capacity = capacity;
        marks->count = old ? old->count : 0;
        if (old) {
            memcpy(marks->at, old->at, old->count * sizeof(tcp_seq));
            tcp_pool_free(pool, old, marks_size(old->capacity));
        }
        c->marks = marks;
    }
    c->marks->at[c->marks->count++] = at;
    return 0;
}

uint32_t tcp_marks_limit(const struct tcp_connection *c, uint32_t unsent)
{
    return c->marks ? min_u32(unsent, c->marks->at[0] - c->snd_nxt) : unsent;
}

bool tcp_marks_has(const struct tcp_connection *c, tcp_seq seq)
{
    return c->marks && c->marks->at[0] == seq;
}

void tcp_marks_sent(struct tcp_connection *c)
{
    struct tcp_marks *marks = c->marks;
    uint32_t reached = 0;
    if (!marks)
        return;
    while (reached < marks->count && seq_le(marks->at[reached], c->snd_nxt))
        reached++;
    memmove(&marks->at[0], &marks->at[reached],
            (marks->count - reached) * sizeof(tcp_seq));
    marks->count -= reached;
    if (marks->count == 0)
        tcp_marks_clear(c);
}

void tcp_marks_clear(struct tcp_connection *c)
{
    if (c->marks)
        tcp_pool_free(&tcp_table_of(c)->pool, c->marks,
                      marks_size(c->marks->capacity));
    c->marks = NULL;
}
