// The state of a connection: its only writer, its birth and its end.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

#include <stdlib.h>

struct tcp_connection *tcp_connection_create(struct stack *stack,
                                             uint8_t family, int *error)
{
    struct tcp_connection *c = calloc(1, sizeof(*c));
    *error = -ENOMEM;
    if (!c)
        return NULL;
    *error =
        socket_init(stack, &c->socket, &tcp_socket_ops, SOCKET_STREAM, family);
    if (*error) {
        free(c);
        return NULL;
    }
    for (unsigned i = 0; i < TCP_DEADLINE_COUNT; i++)
        c->deadlines[i] = NS_NEVER;
    c->segments.oldest = c->segments.newest = SEGMENT_NONE;
    c->linger_ms = -1;
    *error = stack_timer_init(stack, &c->timer, tcp_timer_on_expiry);
    if (*error) {
        socket_fini(&c->socket);
        free(c);
        return NULL;
    }
    return c;
}

static void trace_state(struct tcp_connection *c, enum tcp_state from,
                        enum tcp_state to)
{
    struct stack *stack = tcp_stack(c);
    if (!stack_is_traced(stack, TRACE_TCP_STATE))
        return;
    stack_trace(stack, &(struct stack_trace){.kind = TRACE_TCP_STATE,
                                             .stack = stack,
                                             .socket = &c->socket,
                                             .from = from,
                                             .to = to});
}

// Nothing will be sent again: the records and the bytes behind them go.
static void drop_send_side(struct tcp_connection *c)
{
    tcp_segments_clear(c);
    tcp_buffer_clear(c);
    tcp_extra_free(c);
    c->packets_out = c->sacked_out = c->lost_out = c->retrans_out = 0;
    for (unsigned i = 0; i < TCP_DEADLINE_COUNT; i++)
        c->deadlines[i] = NS_NEVER;
}

static void enter_time_wait(struct tcp_connection *c)
{
    drop_send_side(c);
    tcp_gaps_clear(c, DROP_SOCKET_CLOSED);
    tcp_deadline_set(c, TCP_DEADLINE_KEEP,
                     tcp_now(c) + tcp_settings(c)->tcp_time_wait);
    socket_notify(&c->socket, EVENT_CLOSED);
}

static void enter_closed(struct tcp_connection *c)
{
    drop_send_side(c);
    tcp_gaps_clear(c, DROP_SOCKET_CLOSED);
    timer_cancel(&c->timer);
    tcp_table_remove(c);
    tcp_table_unbind(c);
    if (c->cc.ops && c->cc.ops->release)
        c->cc.ops->release(&c->cc);
    c->cc.ops = NULL;
    tcp_path_put(tcp_stack(c), c->path);
    c->path = NULL;
}

// The limits of what lives on without an application.
static void count_state(struct tcp_connection *c, enum tcp_state from,
                        enum tcp_state to)
{
    struct tcp_table *table = tcp_table_of(c);
    table->time_waits += to == TCP_TIME_WAIT;
    table->time_waits -= from == TCP_TIME_WAIT;
    if (c->is_counted && (to == TCP_TIME_WAIT || to == TCP_CLOSED)) {
        c->is_counted = false;
        table->orphans--;
    }
}

static bool has_too_many_time_waits(const struct tcp_connection *c)
{
    return tcp_table_of(c)->time_waits >=
           (uint64_t)tcp_settings(c)->tcp_max_time_waits;
}

void tcp_set_state(struct tcp_connection *c, enum tcp_state state)
{
    enum tcp_state from = c->state;
    if (from == state)
        return;
    if (state == TCP_TIME_WAIT && has_too_many_time_waits(c)) {
        tcp_count(c, COUNT_TCP_TIME_WAIT_OVERFLOWS);
        tcp_end(c, 0);
        return;
    }
    c->state = (uint8_t)state;
    count_state(c, from, state);
    trace_state(c, from, state);
    if (from == TCP_SYN_RECEIVED && c->is_fast_open)
        tcp_fast_open_done(c);
    if (state == TCP_TIME_WAIT)
        enter_time_wait(c);
    else if (state == TCP_CLOSED)
        enter_closed(c);
}

static void count_end(struct tcp_connection *c, int error)
{
    if (tcp_is_in(c, TCP_IN(SYN_SENT) | TCP_IN(SYN_RECEIVED)))
        tcp_count(c, COUNT_TCP_FAILED_OPENS);
    else if (error == -ECONNRESET && tcp_is_in(c, TCP_SYNCHRONISED))
        tcp_count(c, COUNT_TCP_ESTABLISHED_RESETS);
}

void tcp_end(struct tcp_connection *c, int error)
{
    if (c->state == TCP_CLOSED)
        return;
    count_end(c, error);
    bool was_child =
        c->is_passive && !c->is_fast_open && c->state == TCP_SYN_RECEIVED;
    tcp_set_state(c, TCP_CLOSED);
    if (was_child)
        tcp_listen_forget_child(c);
    if (error)
        socket_set_error(&c->socket, error);
    socket_notify(&c->socket, EVENT_CLOSED | EVENT_READABLE | EVENT_WRITABLE);
}

void tcp_count_orphan(struct tcp_connection *c)
{
    struct tcp_table *table = tcp_table_of(c);
    if (tcp_is_in(c, TCP_IN(CLOSED) | TCP_IN(TIME_WAIT)))
        return;
    if (table->orphans >= (uint64_t)tcp_settings(c)->tcp_max_orphans) {
        tcp_count(c, COUNT_TCP_ORPHANS_RESET);
        tcp_reset_send(c);
        tcp_end(c, 0);
        return;
    }
    c->is_counted = true;
    table->orphans++;
}

void tcp_hold(struct tcp_connection *c)
{
    c->in_use++;
    must(c->in_use != 0);
}

bool tcp_release(struct tcp_connection *c)
{
    must(c->in_use > 0);
    c->in_use--;
    if (c->in_use > 0 || c->state != TCP_CLOSED || !c->socket.is_orphan)
        return true;
    tcp_connection_destroy(c);
    return false;
}

void tcp_connection_destroy(struct tcp_connection *c)
{
    struct stack *stack = tcp_stack(c);
    if (c->state == TCP_LISTEN)
        tcp_listener_destroy(c);
    if (c->state != TCP_CLOSED)
        count_state(c, (enum tcp_state)c->state, TCP_CLOSED);
    enter_closed(c);
    tcp_receive_clear(c, stack->is_destroying ? DROP_STACK_ENDS
                                              : DROP_SOCKET_CLOSED);
    stack_timer_fini(stack, &c->timer);
    socket_fini(&c->socket);
    free(c);
}

void tcp_trace_update(struct tcp_connection *c)
{
    tcp_chrono_update(c);
    struct stack *stack = tcp_stack(c);
    if (stack_is_traced(stack, TRACE_TCP_UPDATE))
        stack_trace(stack, &(struct stack_trace){.kind = TRACE_TCP_UPDATE,
                                                 .stack = stack,
                                                 .socket = &c->socket});
}
