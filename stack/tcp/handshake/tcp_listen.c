// LISTEN: a SYN becomes a child; children that are ready wait to be accepted.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

#include <stdlib.h>

// A child is a whole connection from its SYN on (1 KiB, no buffers). It counts
// in the listener twice: as pending until its handshake is over, as ready until
// the application takes it. Both counts are limited by the backlog. A full
// accept queue makes the listener ignore SYNs and last ACKs: the peer comes
// again (Linux with tcp_abort_on_overflow off).

int tcp_listener_create(struct tcp_connection *c, int backlog)
{
    if (!c->listener) {
        c->listener = calloc(1, sizeof(*c->listener));
        if (!c->listener)
            return -ENOMEM;
        c->listener->owner = c;
    }
    int64_t most = tcp_settings(c)->tcp_backlog_max;
    c->listener->backlog =
        (uint32_t)(backlog < 0 ? most : min_i64(backlog, most));
    return 0;
}

// Cookies are believed for so long after the last one was given.
#define COOKIES_ACCEPTED (128 * NS_PER_S)

static bool accept_queue_is_full(const struct tcp_listener *l)
{
    return l->ready_count > l->backlog;
}

static bool pending_is_full(const struct tcp_listener *l)
{
    return l->pending_count >= max_u32(l->backlog, 1);
}

// --- SYN --------------------------------------------------------------------

static int copy_settings(struct tcp_connection *child,
                         const struct tcp_connection *parent)
{
    child->socket.settings = parent->socket.settings;
    if (!parent->socket.owns_settings)
        return 0;
    struct stack_settings *copy = malloc(sizeof(*copy));
    if (!copy) {
        child->socket.settings = tcp_stack(child)->settings;
        return -ENOMEM;
    }
    *copy = *parent->socket.settings;
    child->socket.settings = copy;
    child->socket.owns_settings = true;
    return 0;
}

static void inherit(struct tcp_connection *child,
                    const struct tcp_connection *parent)
{
    child->socket.bound_iface = parent->socket.bound_iface;
    child->socket.reuse_address = parent->socket.reuse_address;
    child->socket.ttl = parent->socket.ttl;
    child->socket.tos = parent->socket.tos;
    child->no_delay = parent->no_delay;
    child->keepalive = parent->keepalive;
    child->urgent_inline = parent->urgent_inline;
    child->linger_ms = parent->linger_ms;
    child->has_send_limit = parent->has_send_limit;
    child->send_limit = parent->send_limit;
    child->has_receive_limit = parent->has_receive_limit;
    child->receive_limit = parent->receive_limit;
}

static void set_ends(struct tcp_connection *child, const struct tcp_arrival *a,
                     const uint16_t ports[2])
{
    const struct packet *packet = a->packet;
    child->socket.local =
        (struct endpoint){.addr = packet->ip.destination, .port = ports[1]};
    child->socket.remote =
        (struct endpoint){.addr = packet->ip.source, .port = ports[0]};
    if (packet->iface && ip_addr_is_link_local(&packet->ip.source)) {
        child->socket.bound_iface = packet->iface->index;
        child->socket.local.scope = packet->iface->index;
        child->socket.remote.scope = packet->iface->index;
    }
}

static void start_numbers(struct tcp_connection *child,
                          const struct tcp_arrival *a)
{
    child->irs = a->seq;
    child->rcv_nxt = child->copied_seq = child->rcv_wup = a->seq + 1;
    child->iss = a->has_isn ? a->isn : tcp_isn(child);
    child->snd_una = child->snd_nxt = child->iss;
    child->write_seq = child->push_seq = child->iss + 1;
    child->snd_small = child->iss;
    child->ts_offset = tcp_timestamp_offset(child);
    tcp_window_init(child);
    tcp_negotiate(child, a);
    tcp_rtt_init(child);
    tcp_init_send_limit(child);
    child->iss_is_set = true;
    child->snd_wnd = child->max_window = a->window_field;
    child->snd_wl1 = a->seq;
    child->duplicate_threshold =
        (uint8_t)min_i64(tcp_settings(child)->tcp_duplicate_threshold, 255);
    child->reorder_steps = 1;
    bool wants_ecn = (a->flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR);
    child->has_ecn = wants_ecn && tcp_ecn_is_allowed(child);
}

static int prepare_child(struct tcp_connection *child,
                         struct tcp_connection *parent,
                         const struct tcp_arrival *a, const uint16_t ports[2])
{
    int error = copy_settings(child, parent);
    if (error)
        return error;
    inherit(child, parent);
    set_ends(child, a, ports);
    error = tcp_path_get(tcp_stack(child), &child->socket.local.addr,
                         &child->socket.remote.addr, child->socket.bound_iface,
                         &child->path);
    if (error)
        return error;
    error = tcp_table_add(child);
    if (error)
        return error;
    start_numbers(child, a);
    tcp_sync_mss(child);
    return 0;
}

struct tcp_connection *tcp_listen_new_child(struct tcp_connection *parent,
                                            const struct tcp_arrival *a)
{
    struct stack *stack = tcp_stack(parent);
    int error;
    uint8_t *header = a->packet->data - a->header_length;
    uint16_t ports[2] = {(uint16_t)(header[0] << 8 | header[1]),
                         (uint16_t)(header[2] << 8 | header[3])};
    struct tcp_connection *child =
        tcp_connection_create(stack, parent->socket.family, &error);
    if (child && prepare_child(child, parent, a, ports) != 0) {
        tcp_connection_destroy(child);
        return NULL;
    }
    return child;
}

void tcp_listen_adopt(struct tcp_connection *parent,
                      struct tcp_connection *child)
{
    child->is_passive = true;
    child->listener = parent->listener;
    parent->listener->pending_count++;
    child->statistics.segments_in++;
    tcp_set_state(child, TCP_SYN_RECEIVED);
}

static void make_child(struct tcp_connection *parent, struct tcp_arrival *a)
{
    struct tcp_connection *child = tcp_listen_new_child(parent, a);
    if (!child) {
        tcp_arrival_drop(parent, a, DROP_NO_BUFFER);
        return;
    }
    tcp_listen_adopt(parent, child);
    tcp_hold(child);
    tcp_fast_open_child(parent, child, a);
    tcp_send_syn(child);
    if (child->is_fast_open && child->state == TCP_SYN_RECEIVED)
        tcp_listen_child_ready(child);
    tcp_release(child);
    tcp_arrival_done(parent, a);
}

void tcp_listen_input(struct tcp_connection *c, struct tcp_arrival *a)
{
    struct stack *stack = tcp_stack(c);
    if (a->flags & TCP_RST) {
        tcp_arrival_drop(c, a, DROP_TCP_UNEXPECTED);
    } else if (a->flags & TCP_ACK) {
        if (!tcp_cookie_accept(c, a))
            tcp_reset_reply(stack, a, DROP_TCP_UNEXPECTED);
    } else if (!(a->flags & TCP_SYN) ||
               ((a->flags & TCP_FIN) && !tcp_settings(c)->tcp_accept_syn_fin)) {
        tcp_arrival_drop(c, a, DROP_TCP_UNEXPECTED);
    } else if (accept_queue_is_full(c->listener)) {
        tcp_arrival_drop(c, a, DROP_TCP_BACKLOG_FULL);
    } else if (!pending_is_full(c->listener)) {
        make_child(c, a);
    } else if (tcp_settings(c)->tcp_syn_cookies) {
        c->listener->cookies_until = tcp_now(c) + COOKIES_ACCEPTED;
        tcp_cookie_answer(c, a);
    } else {
        tcp_arrival_drop(c, a, DROP_TCP_BACKLOG_FULL);
    }
}

// --- Accept queue -----------------------------------------------------------

bool tcp_listen_child_ready(struct tcp_connection *c)
{
    struct tcp_listener *l = c->listener;
    if (accept_queue_is_full(l))
        return false;
    must(l->pending_count > 0);
    l->pending_count--;
    l->ready_count++;
    c->is_ready = true;
    c->list_next = NULL;
    if (l->ready_tail)
        l->ready_tail->list_next = c;
    else
        l->ready_head = c;
    l->ready_tail = c;
    tcp_count(c, COUNT_TCP_PASSIVE_OPENS);
    socket_notify(&l->owner->socket, EVENT_READABLE);
    return true;
}

// A child that ended in SYN-RECEIVED: nobody ever knew it.
void tcp_listen_forget_child(struct tcp_connection *c)
{
    must(c->listener && c->listener->pending_count > 0);
    c->listener->pending_count--;
    c->listener = NULL;
    c->socket.is_orphan = true;
}

void tcp_listener_remove(struct tcp_connection *child)
{
    struct tcp_listener *l = child->listener;
    struct tcp_connection *before = NULL, *at = l->ready_head;
    while (at != child) {
        before = at;
        at = at->list_next;
    }
    if (before)
        before->list_next = child->list_next;
    else
        l->ready_head = child->list_next;
    if (l->ready_tail == child)
        l->ready_tail = before;
    l->ready_count--;
    child->is_ready = false;
    child->listener = NULL;
}

struct tcp_connection *tcp_listener_take(struct tcp_connection *c)
{
    struct tcp_listener *l = c->listener;
    struct tcp_connection *child = l->ready_head;
    if (!child)
        return NULL;
    l->ready_head = child->list_next;
    if (!l->ready_head)
        l->ready_tail = NULL;
    l->ready_count--;
    child->is_ready = false;
    child->list_next = NULL;
    child->listener = NULL;
    return child;
}

// --- End of the listener ----------------------------------------------------

static void end_child(struct tcp_connection *child)
{
    child->socket.is_orphan = true;
    tcp_hold(child);
    unsigned open = TCP_SYNCHRONISED & ~TCP_IN(TIME_WAIT);
    if (child->is_fast_open)
        open |= TCP_IN(SYN_RECEIVED);
    if (!tcp_stack(child)->is_destroying && tcp_is_in(child, open))
        tcp_reset_send(child);
    tcp_end(child, 0);
    tcp_release(child);
}

// Children in SYN-RECEIVED are found in the list of all sockets, which is in
// order of creation.
static void end_pending(struct tcp_connection *c)
{
    struct tcp_listener *l = c->listener;
    struct list *all = &tcp_stack(c)->all_sockets, *node = all->next, *next;
    for (; l->pending_count > 0 && node != all; node = next) {
        next = node->next;
        struct socket *socket = CONTAINER_OF(node, struct socket, all);
        struct tcp_connection *child = (struct tcp_connection *)socket;
        if (socket->ops == &tcp_socket_ops && child != c &&
            child->listener == l && !child->is_ready)
            end_child(child);
    }
    must(l->pending_count == 0);
}

void tcp_listener_destroy(struct tcp_connection *c)
{
    struct tcp_connection *child;
    if (!c->listener)
        return;
    while ((child = tcp_listener_take(c)))
        end_child(child);
    end_pending(c);
    free(c->listener);
    c->listener = NULL;
}
