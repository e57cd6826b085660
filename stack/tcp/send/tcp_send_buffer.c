// The bytes a sender may have to send again, in chunks or from a source.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"
#include "stack/wire/checksum.h"

// Chunks have one size, so the chunk of a stream offset is a division away and
// a retransmission far from the front costs no walk. The first chunk's first
// `head` bytes were acknowledged already.

enum { SMALLEST_RING = 8 };

static size_t ring_size(uint32_t capacity)
{
    return capacity * sizeof(uint8_t *);
}

static bool add_chunk(struct tcp_connection *c)
{
    struct tcp_send_buffer *b = &c->buffer;
    struct tcp_pool *pool = &tcp_table_of(c)->pool;
    if (b->count == b->capacity) {
        uint32_t capacity = b->capacity ? b->capacity * 2 : SMALLEST_RING;
        uint8_t **ring = tcp_pool_alloc(pool, ring_size(capacity));
        if (!ring)
            return false;
        for (uint32_t i = 0; i < b->count; i++)
            ring[i] = b->chunks[(b->first + i) & (b->capacity - 1)];
        tcp_pool_free(pool, b->chunks, ring_size(b->capacity));
        b->chunks = ring;
        b->capacity = capacity;
        b->first = 0;
    }
    uint8_t *chunk = tcp_pool_alloc(pool, TCP_CHUNK_SIZE);
    if (!chunk)
        return false;
    b->chunks[(b->first + b->count++) & (b->capacity - 1)] = chunk;
    return true;
}

size_t tcp_buffer_append(struct tcp_connection *c, const uint8_t *bytes,
                         size_t length)
{
    struct tcp_send_buffer *b = &c->buffer;
    size_t done = 0;
    while (done < length) {
        uint32_t at = b->head + b->length;
        if (at == b->count * TCP_CHUNK_SIZE && !add_chunk(c))
            break;
        uint8_t *chunk =
            b->chunks[(b->first + at / TCP_CHUNK_SIZE) & (b->capacity - 1)];
        uint32_t offset = at % TCP_CHUNK_SIZE;
        size_t n = length - done;
        if (n > TCP_CHUNK_SIZE - offset)
            n = TCP_CHUNK_SIZE - offset;
        memcpy(chunk + offset, bytes + done, n);
        b->length += (uint32_t)n;
        done += n;
    }
    return done;
}

// A sum over bytes that begin at an odd offset has its bytes swapped (RFC 1071
// 2(B)).
static uint32_t add_piece(uint32_t sum, uint32_t offset, uint8_t *to,
                          const uint8_t *from, uint32_t length)
{
    if (offset % 2 == 0)
        return checksum_copy(sum, to, from, length);
    uint32_t piece = checksum_copy(0, to, from, length);
    while (piece >> 16)
        piece = (piece & 0xffff) + (piece >> 16);
    piece = (piece & 0xff) << 8 | piece >> 8;
    sum += piece;
    return sum < piece ? sum + 1 : sum;
}

static uint32_t copy_from_chunks(struct tcp_connection *c, uint32_t offset,
                                 uint8_t *to, uint32_t length)
{
    struct tcp_send_buffer *b = &c->buffer;
    must(offset + length <= b->length);
    uint32_t sum = 0;
    for (uint32_t done = 0; done < length;) {
        uint32_t at = b->head + offset + done;
        uint32_t inside = at % TCP_CHUNK_SIZE;
        uint32_t n = min_u32(length - done, TCP_CHUNK_SIZE - inside);
        const uint8_t *chunk =
            b->chunks[(b->first + at / TCP_CHUNK_SIZE) & (b->capacity - 1)];
        sum = add_piece(sum, done, to + done, chunk + inside, n);
        done += n;
    }
    return sum;
}

// Where in the stream, counted from the first unacknowledged byte, seq lies.
static uint32_t offset_of(const struct tcp_connection *c, tcp_seq seq)
{
    bool is_syn_unacked = c->stream_acked == 0 && c->snd_una == c->iss;
    return seq - c->snd_una - is_syn_unacked;
}

uint32_t tcp_buffer_copy(struct tcp_connection *c, tcp_seq seq, uint8_t *to,
                         uint32_t length)
{
    uint32_t offset = offset_of(c, seq);
    if (!c->has_source)
        return copy_from_chunks(c, offset, to, length);
    c->source.function(c->source.context, c->stream_acked + offset, to, length);
    return checksum_add(0, to, length);
}

static void drop_first_chunk(struct tcp_connection *c)
{
    struct tcp_send_buffer *b = &c->buffer;
    tcp_pool_free(&tcp_table_of(c)->pool,
                  b->chunks[b->first & (b->capacity - 1)], TCP_CHUNK_SIZE);
    b->first = (b->first + 1) & (b->capacity - 1);
    b->count--;
    b->head = b->head > TCP_CHUNK_SIZE ? b->head - TCP_CHUNK_SIZE : 0;
}

void tcp_buffer_release(struct tcp_connection *c, uint32_t n)
{
    c->stream_acked += n;
    if (c->has_source)
        return;
    struct tcp_send_buffer *b = &c->buffer;
    must(n <= b->length);
    b->length -= n;
    b->head += n;
    while (b->head >= TCP_CHUNK_SIZE)
        drop_first_chunk(c);
    if (b->length == 0)
        tcp_buffer_clear(c);
}

void tcp_buffer_clear(struct tcp_connection *c)
{
    if (c->has_source)
        return;
    struct tcp_send_buffer *b = &c->buffer;
    while (b->count > 0)
        drop_first_chunk(c);
    tcp_pool_free(&tcp_table_of(c)->pool, b->chunks, ring_size(b->capacity));
    *b = (struct tcp_send_buffer){0};
}
