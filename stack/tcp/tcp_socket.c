// The socket calls of a TCP connection.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

static struct tcp_connection *of(struct socket *socket)
{
    return (struct tcp_connection *)socket;
}

int tcp_socket_open(struct stack *stack, uint8_t family, struct socket **out)
{
    int error;
    struct tcp_connection *c = tcp_connection_create(stack, family, &error);
    if (!c)
        return error;
    *out = &c->socket;
    return 0;
}

// --- Open -------------------------------------------------------------------

static int do_bind(struct socket *socket, const struct endpoint *local)
{
    struct tcp_connection *c = of(socket);
    if (c->state != TCP_CLOSED || c->is_bound)
        return -EINVAL;
    return tcp_table_bind(c, local);
}

static int do_listen(struct socket *socket, int backlog)
{
    struct tcp_connection *c = of(socket);
    if (c->state == TCP_LISTEN)
        return tcp_listener_create(c, backlog);
    if (c->state != TCP_CLOSED || c->irs || socket->remote.port)
        return -EINVAL;
    if (!c->is_bound) {
        struct endpoint any = {.addr = ip_addr_any(socket->family)};
        int error = tcp_table_bind(c, &any);
        if (error)
            return error;
    }
    int error = tcp_table_may_listen(c);
    if (error)
        return error;
    error = tcp_listener_create(c, backlog);
    if (error == 0)
        tcp_set_state(c, TCP_LISTEN);
    return error;
}

static int do_accept(struct socket *socket, struct socket **out)
{
    struct tcp_connection *c = of(socket);
    if (c->state != TCP_LISTEN)
        return -EINVAL;
    struct tcp_connection *child = tcp_listener_take(c);
    if (!child)
        return -EAGAIN;
    *out = &child->socket;
    return 0;
}

static int may_connect(const struct tcp_connection *c,
                       const struct endpoint *remote)
{
    if (c->fo_deferred)
        return -EISCONN;
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
        return -EALREADY;
    if (c->state != TCP_CLOSED || c->iss_is_set)
        return -EISCONN;
    if (remote->port == 0 || socket_is_group_address(&c->socket, &remote->addr))
        return remote->port == 0 ? -ECONNREFUSED : -ENETUNREACH;
    return 0;
}

// Path, source address, port, place in the table: all or nothing.
static int claim_tuple(struct tcp_connection *c, const struct endpoint *remote)
{
    struct socket *s = &c->socket;
    struct endpoint before = s->local;
    uint16_t iface = s->bound_iface ? s->bound_iface : remote->scope;
    int error =
        tcp_path_get(s->stack, &s->local.addr, &remote->addr, iface, &c->path);
    if (error)
        return error;
    bool was_bound = c->is_bound;
    tcp_table_unbind(c);
    s->local.addr = c->path->path.source;
    s->remote = *remote;
    if (s->local.port == 0)
        error = tcp_table_pick_port(c);
    if (error == 0)
        error = tcp_table_add(c);
    if (error == 0)
        return 0;
    s->local = before;
    s->remote = (struct endpoint){0};
    tcp_path_put(s->stack, c->path);
    c->path = NULL;
    if (was_bound)
        tcp_table_bind(c, &before);
    return error;
}

static void start(struct tcp_connection *c)
{
    const struct stack_settings *settings = tcp_settings(c);
    c->iss = tcp_isn(c);
    c->snd_una = c->snd_nxt = c->iss;
    c->write_seq = c->push_seq = c->snd_small = c->iss + 1;
    c->ts_offset = tcp_timestamp_offset(c);
    c->ecn_asked = tcp_ecn_is_asked_for(c);
    c->duplicate_threshold =
        (uint8_t)min_i64(settings->tcp_duplicate_threshold, 255);
    c->reorder_steps = 1;
    tcp_rtt_init(c);
    tcp_window_init(c);
    c->peer_mss = UINT16_MAX;
    tcp_sync_mss(c);
    tcp_init_send_limit(c);
}

// Up to SYN-SENT, but for the SYN.
static int begin(struct tcp_connection *c, const struct endpoint *remote)
{
    int error = may_connect(c, remote);
    if (error == 0)
        error = claim_tuple(c, remote);
    if (error)
        return error;
    start(c);
    c->iss_is_set = true;
    tcp_set_state(c, TCP_SYN_SENT);
    tcp_count(c, COUNT_TCP_ACTIVE_OPENS);
    return 0;
}

static int do_connect(struct socket *socket, const struct endpoint *remote)
{
    struct tcp_connection *c = of(socket);
    int error = begin(c, remote);
    if (error)
        return error;
    if (tcp_fast_open_defers(c)) {
        c->fo_deferred = true;
        return 0;
    }
    tcp_hold(c);
    tcp_send_syn(c);
    tcp_release(c);
    return -EINPROGRESS;
}

// --- Send -------------------------------------------------------------------

static int may_send(struct tcp_connection *c)
{
    if (c->socket.error)
        return socket_take_error(&c->socket);
    if (c->state == TCP_SYN_SENT ||
        (c->state == TCP_SYN_RECEIVED && !c->is_fast_open))
        return -EAGAIN;
    if (!tcp_is_in(c, TCP_CAN_SEND) || c->send_shutdown)
        return -EPIPE;
    return c->has_source ? -EBUSY : 0;
}

// RFC 9293 3.8.5: the pointer names the byte behind the last urgent one.
static void mark_urgent(struct tcp_connection *c)
{
    c->snd_up = c->write_seq;
    c->snd_urgent = true;
}

// A call that took less than it was given pushes: nobody knows when the rest
// comes.
static void push_sent(struct tcp_connection *c, int flags, bool all)
{
    bool more_follows = (flags & MESSAGE_MORE) && all;
    if (!more_follows)
        c->push_seq = c->write_seq;
    if (!all)
        c->wants_room = true;
    if ((flags & MESSAGE_END_OF_RECORD) && all)
        tcp_marks_add(c, c->write_seq); // best effort
    if (more_follows)
        tcp_output_hold(c);
    else
        tcp_output(c);
}

static int64_t send_fast_open(struct tcp_connection *c, const void *bytes,
                              size_t length, const struct endpoint *to)
{
    int error = tcp_fast_open_may_send(c);
    if (error == 0 && !c->fo_deferred) {
        if (!to || to->addr.family != c->socket.family)
            return -EOPNOTSUPP;
        error = begin(c, to);
    }
    return error ? error : tcp_fast_open_send(c, bytes, length);
}

static int64_t do_send(struct socket *socket, const void *bytes, size_t length,
                       int flags, const struct endpoint *to)
{
    struct tcp_connection *c = of(socket);
    c->writer_waits = (flags & MESSAGE_WAITS) != 0;
    if (c->fo_deferred || (flags & MESSAGE_FAST_OPEN))
        return send_fast_open(c, bytes, length, to);
    if (to && !tcp_is_in(c, TCP_SYNCHRONISED | TCP_IN(SYN_SENT)))
        return c->state == TCP_CLOSED ? -EPIPE : -EAGAIN;
    int error = may_send(c);
    if (error || length == 0)
        return error;
    size_t room = tcp_send_room(c);
    if (room == 0) {
        c->wants_room = true;
        return -EAGAIN;
    }
    size_t wanted = length < room ? length : room;
    size_t taken = tcp_buffer_append(c, bytes, wanted);
    if (taken == 0)
        return -ENOBUFS;
    tcp_hold(c);
    c->write_seq += (uint32_t)taken;
    if ((flags & MESSAGE_URGENT) && taken == length)
        mark_urgent(c);
    push_sent(c, flags, taken == length);
    tcp_trace_update(c);
    tcp_release(c);
    return (int64_t)taken;
}

static int do_set_source(struct socket *socket, source_fn *function,
                         void *context, uint64_t length)
{
    struct tcp_connection *c = of(socket);
    bool is_fresh = c->stream_acked == 0 && c->buffer.length == 0 &&
                    !c->has_source && !c->send_shutdown;
    if (!function || c->state == TCP_LISTEN || !is_fresh)
        return -EINVAL;
    c->source = (struct tcp_source){function, context, length};
    c->has_source = true;
    tcp_hold(c);
    tcp_output(c);
    tcp_release(c);
    return 0;
}

// --- Receive ----------------------------------------------------------------

static int64_t do_receive(struct socket *socket, void *bytes, size_t size,
                          int flags, struct endpoint *from, struct endpoint *to)
{
    struct tcp_connection *c = of(socket);
    tcp_hold(c);
    int64_t n = tcp_receive(c, bytes, size, flags);
    tcp_release(c);
    if (n >= 0 && from)
        *from = socket->remote;
    if (n >= 0 && to)
        *to = socket->local;
    return n;
}

static int64_t do_receive_packet(struct socket *socket, struct packet **out)
{
    struct tcp_connection *c = of(socket);
    tcp_hold(c);
    int64_t n = tcp_receive_packet(c, out);
    tcp_release(c);
    return n;
}

static uint32_t do_events(const struct socket *socket)
{
    const struct tcp_connection *c = (const struct tcp_connection *)socket;
    uint32_t events = 0;
    if (c->state == TCP_LISTEN)
        return c->listener->ready_count > 0 ? EVENT_READABLE : 0;
    if (tcp_is_readable(c) && c->iss_is_set)
        events |= EVENT_READABLE;
    bool may_write =
        c->fo_deferred ||
        (tcp_may_output(c) && tcp_is_in(c, TCP_CAN_SEND) && !c->send_shutdown);
    if (may_write && tcp_send_room(c) > 0)
        events |= EVENT_WRITABLE;
    if (c->fin_received)
        events |= EVENT_PEER_CLOSED;
    if (c->iss_is_set && tcp_is_in(c, TCP_IN(CLOSED) | TCP_IN(TIME_WAIT)))
        events |= EVENT_CLOSED;
    if (c->urgent_is_held && !c->urgent_was_read)
        events |= EVENT_URGENT;
    return events;
}

// --- Close ------------------------------------------------------------------

static void send_fin(struct tcp_connection *c, enum tcp_state state)
{
    c->send_shutdown = true;
    if (!c->cc.ops) // in SYN-RECEIVED: ESTABLISHED is skipped
        tcp_congestion_init(c);
    tcp_set_state(c, state);
    tcp_queue_fin(c);
    tcp_output_push(c);
}

// RFC 9293 3.10.4.
static void close_send_side(struct tcp_connection *c)
{
    if (tcp_is_in(c, TCP_IN(ESTABLISHED) | TCP_IN(SYN_RECEIVED)))
        send_fin(c, TCP_FIN_WAIT_1);
    else if (c->state == TCP_CLOSE_WAIT)
        send_fin(c, TCP_LAST_ACK);
}

static int do_shutdown(struct socket *socket, enum shutdown_how how)
{
    struct tcp_connection *c = of(socket);
    if (!tcp_is_in(c, TCP_SYNCHRONISED))
        return -ENOTCONN;
    tcp_hold(c);
    if (how & SHUTDOWN_RECEIVE) {
        c->receive_shutdown = true;
        socket_notify(socket, EVENT_READABLE);
    }
    if ((how & SHUTDOWN_SEND) && !c->send_shutdown)
        close_send_side(c);
    tcp_trace_update(c);
    tcp_release(c);
    return 0;
}

static void reset_and_end(struct tcp_connection *c)
{
    // RFC 9293 3.10.5: where both sides have closed there is nothing to reset.
    unsigned silent = TCP_IN(CLOSED) | TCP_IN(LISTEN) | TCP_IN(SYN_SENT) |
                      TCP_IN(CLOSING) | TCP_IN(LAST_ACK) | TCP_IN(TIME_WAIT);
    if (!tcp_is_in(c, silent))
        tcp_reset_send(c);
    tcp_end(c, 0);
}

static void start_fin_wait_2_limit(struct tcp_connection *c)
{
    ns_t limit = tcp_settings(c)->tcp_fin_wait_2;
    if (limit > 0)
        tcp_deadline_set(c, TCP_DEADLINE_KEEP, tcp_now(c) + limit);
}

static void do_close(struct socket *socket)
{
    struct tcp_connection *c = of(socket);
    bool has_unread = c->receive_bytes > 0;
    tcp_hold(c);
    if (c->state == TCP_LISTEN)
        tcp_listener_destroy(c);
    tcp_receive_clear(c, DROP_SOCKET_CLOSED);
    if (tcp_is_in(c, TCP_IN(LISTEN) | TCP_IN(SYN_SENT)))
        tcp_end(c, 0);
    else if (has_unread || c->linger_ms == 0) // RFC 2525 2.17, RFC 1122
        reset_and_end(c);
    else if (c->state == TCP_FIN_WAIT_2)
        start_fin_wait_2_limit(c);
    else
        close_send_side(c);
    tcp_count_orphan(c);
    tcp_trace_update(c);
    tcp_release(c);
}

static void do_abort(struct socket *socket)
{
    struct tcp_connection *c = of(socket);
    tcp_hold(c);
    if (c->state == TCP_LISTEN)
        tcp_listener_destroy(c);
    reset_and_end(c);
    tcp_release(c);
}

// The stack ends. Children go with their listener's memory, or before it.
static void do_destroy(struct socket *socket)
{
    struct tcp_connection *c = of(socket);
    if (c->state == TCP_LISTEN)
        tcp_listener_destroy(c);
    if (c->listener && c->is_ready)
        tcp_listener_remove(c);
    else if (c->listener && c->state == TCP_SYN_RECEIVED)
        tcp_listen_forget_child(c);
    tcp_connection_destroy(c);
}

const struct socket_ops tcp_socket_ops = {
    .close = do_close,
    .abort = do_abort,
    .events = do_events,
    .bind = do_bind,
    .listen = do_listen,
    .accept = do_accept,
    .connect = do_connect,
    .shutdown = do_shutdown,
    .send = do_send,
    .receive = do_receive,
    .receive_packet = do_receive_packet,
    .set_source = do_set_source,
    .set_option = tcp_set_option,
    .get_option = tcp_get_option,
    .get_info = tcp_info_get,
    .settings_changed = tcp_settings_changed,
    .destroy = do_destroy,
};
