// What the application reads.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

enum { MERGE_LIMIT = 256 };

// A stream of tiny segments must not pin a buffer each: they are copied behind
// the one before while that has room.
static bool merge(struct tcp_connection *c, struct packet *packet)
{
    struct packet *tail = c->receive_queue.tail;
    if (!tail || packet->length > MERGE_LIMIT || packet_is_shared(tail) ||
        packet_tail_room(tail) < packet->length)
        return false;
    memcpy(packet_put(tail, packet->length), packet->data, packet->length);
    tail->cb.tcp.end_seq = packet->cb.tcp.end_seq;
    c->receive_queue.bytes += packet->length;
    stack_deliver(tcp_stack(c), packet);
    return true;
}

void tcp_receive_enqueue(struct tcp_connection *c, struct packet *packet)
{
    c->receive_bytes += packet->length;
    if (!merge(c, packet))
        packet_queue_push(&c->receive_queue, packet);
}

void tcp_receive_clear(struct tcp_connection *c, enum drop_reason reason)
{
    struct packet *packet;
    while ((packet = packet_queue_pop(&c->receive_queue)))
        stack_drop(tcp_stack(c), packet, reason);
    c->receive_bytes = 0;
}

// The urgent byte is out of band unless asked for inline; it is not in sight
// of a reader then.
static bool is_urgent_here(const struct tcp_connection *c, tcp_seq seq)
{
    return c->urgent_valid && !c->urgent_inline && seq == c->rcv_up;
}

// Nothing more will come after what is queued.
static bool is_at_end(const struct tcp_connection *c)
{
    return c->fin_received || c->receive_shutdown ||
           tcp_is_in(c, TCP_IN(CLOSED) | TCP_IN(TIME_WAIT));
}

// What came with the SYN of a simultaneous open waits for ESTABLISHED.
static bool has_text(const struct tcp_connection *c)
{
    return c->receive_bytes > 0 &&
           (c->state != TCP_SYN_RECEIVED || c->is_passive);
}

bool tcp_is_readable(const struct tcp_connection *c)
{
    return has_text(c) || (is_at_end(c) && c->state != TCP_LISTEN);
}

static void consumed(struct tcp_connection *c, struct packet *packet,
                     uint32_t n)
{
    c->receive_bytes -= n;
    c->copied_seq += n;
    if (n < packet->length) {
        must(packet_pull(packet, n));
        packet->cb.tcp.seq += n;
        c->receive_queue.bytes -= n;
    } else {
        packet_queue_pop(&c->receive_queue);
        stack_deliver(tcp_stack(c), packet);
    }
}

// How much of the packet from `offset` may be read in one go: up to the urgent
// mark, at which reading pauses once (RFC 9293 3.8.5, BSD's SIOCATMARK).
static uint32_t readable_run(const struct tcp_connection *c,
                             const struct packet *packet, uint32_t offset)
{
    tcp_seq at = packet->cb.tcp.seq + offset;
    uint32_t length = packet->length - offset;
    if (c->urgent_valid && !c->urgent_inline && seq_gt(c->rcv_up, at) &&
        seq_lt(c->rcv_up, at + length))
        return c->rcv_up - at;
    return length;
}

static size_t peek(struct tcp_connection *c, uint8_t *to, size_t size)
{
    size_t done = 0;
    const struct packet *packet = c->receive_queue.head;
    for (; packet && done < size; packet = packet->next) {
        for (uint32_t offset = 0; offset < packet->length && done < size;) {
            if (is_urgent_here(c, packet->cb.tcp.seq + offset)) {
                offset++;
                continue;
            }
            size_t n = readable_run(c, packet, offset);
            n = n < size - done ? n : size - done;
            memcpy(to + done, packet->data + offset, n);
            offset += (uint32_t)n;
            done += n;
        }
    }
    return done;
}

static size_t read_out(struct tcp_connection *c, uint8_t *to, size_t size)
{
    size_t done = 0;
    struct packet *packet;
    while (done < size && (packet = c->receive_queue.head)) {
        if (is_urgent_here(c, packet->cb.tcp.seq)) {
            consumed(c, packet, 1);
            continue;
        }
        size_t n = readable_run(c, packet, 0);
        n = n < size - done ? n : size - done;
        if (to)
            memcpy(to + done, packet->data, n);
        done += n;
        consumed(c, packet, (uint32_t)n);
    }
    return done;
}

static int64_t nothing_to_read(struct tcp_connection *c)
{
    if (c->socket.error)
        return socket_take_error(&c->socket);
    if (is_at_end(c))
        return c->irs || c->fin_received || c->receive_shutdown ? 0 : -ENOTCONN;
    return -EAGAIN;
}

// RFC 9293 3.8.5: the byte that the urgent pointer points at.
static int64_t receive_urgent(struct tcp_connection *c, uint8_t *to,
                              size_t size, bool is_peek)
{
    if (c->urgent_inline || !c->urgent_valid || c->urgent_was_read)
        return -EINVAL;
    if (!c->urgent_is_held)
        return -EAGAIN;
    if (size > 0)
        *to = c->urgent_byte;
    if (!is_peek)
        c->urgent_was_read = true;
    return size > 0;
}

int64_t tcp_receive(struct tcp_connection *c, void *bytes, size_t size,
                    int flags)
{
    if (c->state == TCP_LISTEN)
        return -ENOTCONN;
    if (flags & MESSAGE_URGENT)
        return receive_urgent(c, bytes, size, flags & MESSAGE_PEEK);
    if (!has_text(c))
        return size == 0 && !c->socket.error ? 0 : nothing_to_read(c);
    if (flags & MESSAGE_PEEK)
        return (int64_t)peek(c, bytes, size);
    size_t n = read_out(c, bytes, size);
    tcp_window_autotune(c);
    tcp_window_update(c);
    return n > 0 || size == 0 ? (int64_t)n : nothing_to_read(c);
}

int64_t tcp_receive_packet(struct tcp_connection *c, struct packet **out)
{
    if (c->state == TCP_LISTEN)
        return -ENOTCONN;
    struct packet *packet =
        has_text(c) ? packet_queue_pop(&c->receive_queue) : NULL;
    if (!packet)
        return nothing_to_read(c);
    c->receive_bytes -= packet->length;
    c->copied_seq += packet->length;
    stack_release(tcp_stack(c), packet);
    tcp_window_autotune(c);
    tcp_window_update(c);
    *out = packet;
    return packet->length;
}
