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

// --- The extra block --------------------------------------------------------

struct tcp_extra *tcp_extra_get(struct tcp_connection *c)
{
    if (c->extra)
        return c->extra;
    c->extra = tcp_pool_alloc(&tcp_table_of(c)->pool, sizeof(*c->extra));
    if (c->extra)
        *c->extra = (struct tcp_extra){0};
    return c->extra;
}

void tcp_extra_free(struct tcp_connection *c)
{
    tcp_marks_clear(c);
    tcp_pool_free(&tcp_table_of(c)->pool, c->extra, sizeof(*c->extra));
    c->extra = NULL;
}

// --- Marks ------------------------------------------------------------------

static struct tcp_marks *marks_of(const struct tcp_connection *c)
{
    return c->extra ? c->extra->marks : NULL;
}

int tcp_marks_add(struct tcp_connection *c, tcp_seq at)
{
    struct tcp_pool *pool = &tcp_table_of(c)->pool;
    struct tcp_extra *extra = tcp_extra_get(c);
    if (!extra)
        return -ENOMEM;
    struct tcp_marks *old = extra->marks;
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
        extra->marks = marks;
    }
    extra->marks->at[extra->marks->count++] = at;
    return 0;
}

uint32_t tcp_marks_limit(const struct tcp_connection *c, uint32_t unsent)
{
    const struct tcp_marks *marks = marks_of(c);
    return marks ? min_u32(unsent, marks->at[0] - c->snd_nxt) : unsent;
}

bool tcp_marks_has(const struct tcp_connection *c, tcp_seq seq)
{
    const struct tcp_marks *marks = marks_of(c);
    return marks && marks->at[0] == seq;
}

void tcp_marks_sent(struct tcp_connection *c)
{
    struct tcp_marks *marks = marks_of(c);
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
    struct tcp_marks *marks = marks_of(c);
    if (!marks)
        return;
    tcp_pool_free(&tcp_table_of(c)->pool, marks, marks_size(marks->capacity));
    c->extra->marks = NULL;
}
