// TCP Fast Open, both sides (RFC 7413).
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

#include <stdlib.h>

// Theory of operation
//
// A server gives a client a cookie, a keyed hash of both addresses, in the
// SYN-ACK of an ordinary connection. A client that knows the cookie of a server
// sends it in a later SYN together with data; the server then delivers the data
// and may answer before the handshake is over.
//
// Client. The stack remembers per server what it learnt (struct
// tcp_fast_open_entry): cookie, MSS, the form of option that worked. The SYN
// and its data are two records, [iss, iss + 1) and the data, that leave in one
// packet. Retransmitted SYNs are plain ones. What the SYN-ACK does not
// acknowledge is lost and goes again at once, which costs no congestion window:
// nothing says that it was congestion (RFC 7413 4.2.2).
//
// Server. The cookie is computed, not kept. A good one makes the child of the
// listener ready at once, in SYN-RECEIVED: it can be accepted, read and
// written. is_fast_open marks it; is_passive children without it become ready
// with the last ACK. A reset or an ICMP error ends it like an established
// connection, and it stays in the accept queue.
//
// Cookies are SipHash-2-4 of client's and server's address under the key of the
// settings, as Linux makes them, so that hosts that share a key know each
// other's cookies.

enum { COOKIE_SIZE = 8, MOST_ENTRIES = 64, OPTION_SPACE = 40 };

enum { MODE_CLIENT = 1, MODE_SERVER = 2 };

// --- Cookies ----------------------------------------------------------------

static void make_cookie(const struct tcp_connection *c,
                        const struct ip_addr *client,
                        const struct ip_addr *server, uint8_t *out)
{
    const struct stack_settings *settings = tcp_settings(c);
    struct siphash_key key = {(uint64_t)settings->tcp_fast_open_key0,
                              (uint64_t)settings->tcp_fast_open_key1};
    size_t length = ip_addr_length(client->family);
    uint8_t both[32];
    memcpy(both, client->bytes, length);
    memcpy(both + length, server->bytes, length);
    uint64_t hash = siphash(&key, both, 2 * length);
    for (unsigned i = 0; i < COOKIE_SIZE; i++)
        out[i] = (uint8_t)(hash >> 8 * i);
}

// --- What is known of servers -----------------------------------------------

struct tcp_fast_open_entry {
    struct ip_addr server; // IP_NONE: free
    uint64_t used;         // order of use
    uint16_t mss;          // 0: not known
    uint8_t length;        // of the cookie; 0: none
    uint8_t cookie[TCP_MAX_COOKIE_SIZE];
    bool is_experimental; // the cookie came in that form
    // A request was not answered: the other form is due (once).
    bool wants_experimental, has_tried_both;
    uint8_t losses; // SYNs with data lost in a row
    ns_t lost_at;
};

static struct tcp_fast_open_entry *find_entry(struct tcp_connection *c)
{
    struct tcp_table *table = tcp_table_of(c);
    for (unsigned i = 0; table->fast_open && i < MOST_ENTRIES; i++)
        if (ip_addr_equal(&table->fast_open[i].server,
                          &c->socket.remote.addr)) {
            table->fast_open[i].used = ++table->fast_open_uses;
            return &table->fast_open[i];
        }
    return NULL;
}

// The entry of this server, maybe in the place of the one longest unused.
static struct tcp_fast_open_entry *make_entry(struct tcp_connection *c)
{
    struct tcp_table *table = tcp_table_of(c);
    struct tcp_fast_open_entry *entry = find_entry(c);
    if (entry)
        return entry;
    if (!table->fast_open)
        table->fast_open = calloc(MOST_ENTRIES, sizeof(*entry));
    if (!table->fast_open)
        return NULL;
    entry = &table->fast_open[0];
    for (unsigned i = 1; i < MOST_ENTRIES; i++)
        if (table->fast_open[i].used < entry->used)
            entry = &table->fast_open[i];
    *entry = (struct tcp_fast_open_entry){.server = c->socket.remote.addr,
                                          .used = ++table->fast_open_uses};
    return entry;
}

void stack_forget_peers(struct stack *stack)
{
    tcp_fast_open_forget(stack->tcp);
}

void tcp_fast_open_forget(struct tcp_table *table)
{
    free(table->fast_open);
    table->fast_open = NULL;
}

// --- Client -----------------------------------------------------------------

static bool is_client(const struct tcp_connection *c)
{
    return tcp_settings(c)->tcp_fast_open & MODE_CLIENT;
}

// After repeated losses of SYNs with data the path may not carry them: leave it
// for a minute, doubled with each (RFC 7413 4.1.3, Linux).
static bool is_resting(const struct tcp_connection *c,
                       const struct tcp_fast_open_entry *entry)
{
    if (entry->losses < 2)
        return false;
    ns_t rest = (60 * NS_PER_S) << min_u32(entry->losses, 10);
    return tcp_now(c) - entry->lost_at < rest;
}

static bool may_send_data(struct tcp_connection *c)
{
    const struct tcp_fast_open_entry *entry = find_entry(c);
    if (entry && is_resting(c, entry))
        return false;
    if (tcp_settings(c)->tcp_fast_open_no_cookie & MODE_CLIENT)
        return true;
    return entry && entry->length > 0;
}

bool tcp_fast_open_defers(struct tcp_connection *c)
{
    if (!is_client(c) || !tcp_settings(c)->tcp_fast_open_connect)
        return false;
    c->fo_asked = true;
    return may_send_data(c);
}

// The option of a first SYN.
static void fill_client_option(struct tcp_connection *c,
                               struct tcp_options *out)
{
    const struct tcp_fast_open_entry *entry = find_entry(c);
    if (!c->fo_asked || c->syn_retransmitted)
        return;
    if (entry && is_resting(c, entry))
        return;
    if (tcp_settings(c)->tcp_fast_open_no_cookie & MODE_CLIENT)
        return;
    out->has_fast_open = true;
    c->fo_sent_option = true;
    if (!entry)
        return;
    out->fast_open_is_experimental =
        entry->length > 0 ? entry->is_experimental : entry->wants_experimental;
    c->fo_is_experimental = out->fast_open_is_experimental;
    out->cookie_length = entry->length;
    memcpy(out->cookie, entry->cookie, entry->length);
}

static uint32_t most_data(struct tcp_connection *c)
{
    const struct tcp_fast_open_entry *entry = find_entry(c);
    uint32_t mss = c->mss;
    if (entry && entry->mss > 0)
        mss = min_u32(mss, entry->mss);
    // Room for options that middleboxes add, as Linux leaves it.
    return mss > OPTION_SPACE ? mss - OPTION_SPACE : 0;
}

static int send_syn(struct tcp_connection *c, uint32_t payload)
{
    tcp_begin_retransmitting(c); // as tcp_send_syn
    if (!tcp_record_new(c, c->iss + 1, SEGMENT_SYN))
        return -ENOMEM;
    if (payload > 0 && !tcp_record_new(c, c->iss + 1 + payload, SEGMENT_PUSH)) {
        payload = 0;
        c->snd_nxt = c->iss + 1;
    }
    tcp_seq end = c->snd_nxt;
    c->snd_nxt = c->iss; // new as far as tcp_segment_send goes
    int error = tcp_segment_send(c, c->iss, payload, TCP_SYN);
    c->snd_nxt = end;
    c->last_sent_at = tcp_now(c);
    c->fo_sent_data = payload > 0;
    return error;
}

int64_t tcp_fast_open_send(struct tcp_connection *c, const void *bytes,
                           size_t length)
{
    uint32_t room = may_send_data(c) ? most_data(c) : 0;
    size_t wanted = length < room ? length : room;
    c->fo_asked = true;
    c->fo_deferred = false;
    size_t taken = wanted > 0 ? tcp_buffer_append(c, bytes, wanted) : 0;
    c->write_seq += (uint32_t)taken;
    c->push_seq = c->write_seq;
    if (taken == length) // nothing is left that could carry an ACK
        c->writer_waits = false;
    tcp_hold(c);
    send_syn(c, (uint32_t)taken);
    tcp_release(c);
    return taken > 0 ? (int64_t)taken : -EINPROGRESS;
}

int tcp_fast_open_may_send(const struct tcp_connection *c)
{
    if (!is_client(c))
        return -EOPNOTSUPP;
    if (c->state == TCP_SYN_SENT)
        return c->fo_deferred ? 0 : -EALREADY;
    return 0;
}

static void learn(struct tcp_connection *c, const struct tcp_options *o)
{
    struct tcp_fast_open_entry *entry = make_entry(c);
    bool has_cookie =
        c->fo_sent_option && o->has_fast_open && o->cookie_length > 0;
    if (!entry)
        return;
    entry->mss = c->peer_mss;
    if (has_cookie) {
        entry->length = o->cookie_length;
        memcpy(entry->cookie, o->cookie, o->cookie_length);
        entry->is_experimental = o->fast_open_is_experimental;
    } else if (c->fo_sent_option && !c->syn_retransmitted && !c->fo_sent_data &&
               entry->length == 0) {
        entry->wants_experimental =
            !entry->has_tried_both && !c->fo_is_experimental;
        entry->has_tried_both |= c->fo_is_experimental;
    }
    bool is_data_lost = c->syn_retransmitted && !has_cookie && c->packets_out;
    if (is_data_lost) {
        if (entry->losses < UINT8_MAX)
            entry->losses++;
        entry->lost_at = tcp_now(c);
    } else {
        entry->losses = 0;
    }
}

void tcp_fast_open_established(struct tcp_connection *c,
                               const struct tcp_options *options)
{
    if (!c->fo_asked)
        return;
    learn(c, options);
    if (!c->fo_sent_data)
        return;
    if (c->packets_out == 0) {
        c->fo_data_acked = true;
        c->delivered -= c->delivered > 1; // SYN and data were one segment
        return;
    }
    for (uint32_t p = c->segments.first; p != c->segments.last; p++)
        tcp_mark_lost(c, p);
    tcp_retransmit_uncongested(c);
}

// --- Server -----------------------------------------------------------------

static bool is_server(const struct tcp_connection *listener)
{
    const struct stack_settings *settings = tcp_settings(listener);
    const struct tcp_listener *l = listener->listener;
    if (!(settings->tcp_fast_open & MODE_SERVER))
        return false;
    if (settings->tcp_fast_open_queue > 0)
        return l->fast_open_count < settings->tcp_fast_open_queue;
    return settings->tcp_fast_open_listeners &&
           l->fast_open_count < max_u32(l->backlog, 1);
}

static bool is_good_cookie(const struct tcp_connection *child,
                           const struct tcp_options *o)
{
    uint8_t cookie[COOKIE_SIZE];
    make_cookie(child, &child->socket.remote.addr, &child->socket.local.addr,
                cookie);
    return o->cookie_length == COOKIE_SIZE &&
           memcmp(cookie, o->cookie, COOKIE_SIZE) == 0;
}

// RFC 7413 4.2.1: the data counts before the SYN-ACK leaves, which
// acknowledges it.
static void open_fast(struct tcp_connection *child, struct tcp_arrival *a)
{
    child->is_fast_open = true;
    child->listener->fast_open_count++;
    tcp_congestion_init(child);
    a->seq++;
    a->flags &= (uint8_t)~TCP_SYN;
    if (a->payload > 0) {
        child->fo_data_acked = true;
        tcp_receive_text(child, a);
    }
    // The SYN-ACK acknowledges it; the peer's data proper has yet to come.
    child->rcv_wup = child->rcv_nxt;
    child->ack_scheduled = child->ack_now = false;
    child->ack_timeout_us = child->quick_acks = 0;
}

void tcp_fast_open_child(struct tcp_connection *listener,
                         struct tcp_connection *child, struct tcp_arrival *a)
{
    const struct tcp_options *o = &a->options;
    if (!is_server(listener) || (a->payload == 0 && !o->has_fast_open))
        return;
    if (tcp_settings(child)->tcp_fast_open_no_cookie & MODE_SERVER) {
        open_fast(child, a);
        return;
    }
    if (!o->has_fast_open)
        return;
    child->fo_is_experimental = o->fast_open_is_experimental;
    if (is_good_cookie(child, o))
        open_fast(child, a);
    else
        child->fo_gives_cookie = true; // asked for, or no longer good
}

// The child is over its handshake, or over: it makes room for another. Its
// listener may be gone, or be another one by now.
void tcp_fast_open_done(struct tcp_connection *child)
{
    struct tcp_connection *owner = tcp_table_find_listener(
        tcp_table_of(child), &child->socket.local, child->socket.bound_iface);
    if (owner && owner->listener && owner->listener->fast_open_count > 0)
        owner->listener->fast_open_count--;
}

void tcp_fast_open_option(struct tcp_connection *c, bool is_syn_ack,
                          struct tcp_options *out)
{
    if (!is_syn_ack) {
        fill_client_option(c, out);
        return;
    }
    if (!c->fo_gives_cookie)
        return;
    out->has_fast_open = true;
    out->fast_open_is_experimental = c->fo_is_experimental;
    out->cookie_length = COOKIE_SIZE;
    make_cookie(c, &c->socket.remote.addr, &c->socket.local.addr, out->cookie);
}
