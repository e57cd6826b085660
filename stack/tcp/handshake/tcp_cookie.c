// SYN cookies: handshakes that are kept by the peer.
// SPDX-License-Identifier: MIT
#include "stack/siphash.h"
#include "stack/tcp/tcp.h"

// When a listener holds as many half-open children as its backlog allows, a SYN
// is answered without remembering it (RFC 4987 3.6). What must not be forgotten
// goes into our ISN,
//
//      h1(4-tuple) + peer's ISN + (minute << 24) + (h2(4-tuple, minute) +
//      index into mss_table) mod 2^24
//
// and, if the peer has timestamps, into the low six bits of our timestamp:
//
//      0..3  the peer's window scale, 15: none       4  SACK       5  ECN
//
// The ACK brings both back. A cookie is good for this minute and the last.

static const uint16_t mss_table[] = {536, 1300, 1440, 1460};

enum { MINUTE_S = 64, NO_SCALE = 15, BIT_SACK = 16, BIT_ECN = 32, BITS = 63 };
enum { COOKIE_AGE = 2 }; // minutes

struct tuple {
    uint32_t source[4], destination[4];
    uint32_t ports, minute, purpose;
};

static uint32_t keyed_hash(const struct stack *stack,
                           const struct tcp_arrival *a, uint32_t purpose,
                           uint32_t minute)
{
    const uint8_t *h = a->packet->data - a->header_length;
    struct tuple t = {.minute = minute, .purpose = purpose};
    memcpy(t.source, a->packet->ip.source.words, sizeof(t.source));
    memcpy(t.destination, a->packet->ip.destination.words,
           sizeof(t.destination));
    t.ports = (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 |
              (uint32_t)h[2] << 8 | h[3];
    return (uint32_t)siphash(&stack->secret, &t, sizeof(t));
}

enum { PURPOSE_BASE = 0x5359, PURPOSE_DATA = 0x434b };

static uint32_t minute_of(const struct stack *stack)
{
    return (uint32_t)(stack_now(stack) / (MINUTE_S * NS_PER_S));
}

static tcp_seq make(const struct stack *stack, const struct tcp_arrival *a,
                    tcp_seq peer_isn, uint32_t data)
{
    uint32_t minute = minute_of(stack);
    uint32_t low = keyed_hash(stack, a, PURPOSE_DATA, minute) + data;
    return keyed_hash(stack, a, PURPOSE_BASE, 0) + peer_isn + (minute << 24) +
           (low & 0xffffff);
}

// The data of a cookie; -1: it is not one of ours, or too old.
static int read(const struct stack *stack, const struct tcp_arrival *a,
                tcp_seq peer_isn, tcp_seq cookie)
{
    uint32_t minute = minute_of(stack);
    cookie -= keyed_hash(stack, a, PURPOSE_BASE, 0) + peer_isn;
    uint32_t age = (minute - (cookie >> 24)) & 0xff;
    if (age >= COOKIE_AGE)
        return -1;
    uint32_t data = cookie - keyed_hash(stack, a, PURPOSE_DATA, minute - age);
    data &= 0xffffff;
    return data < ARRAY_LENGTH(mss_table) ? (int)data : -1;
}

static uint32_t index_of_mss(const struct tcp_connection *child)
{
    uint32_t i = ARRAY_LENGTH(mss_table) - 1;
    while (i > 0 && mss_table[i] > child->peer_mss)
        i--;
    return i;
}

// --- SYN --------------------------------------------------------------------

// The timestamp must not be later than the clock.
static void hide_options(struct tcp_connection *child)
{
    uint32_t bits = child->has_window_scale ? child->snd_wscale : NO_SCALE;
    bits |= child->has_sack ? BIT_SACK : 0u;
    bits |= child->has_ecn ? BIT_ECN : 0u;
    uint32_t now = tcp_timestamp(child),
             hidden = (now & ~(uint32_t)BITS) | bits;
    if (hidden > now)
        hidden -= BITS + 1;
    child->ts_offset += hidden - now;
}

// What cannot be hidden anywhere is not offered.
static void forget_options(struct tcp_connection *child)
{
    child->has_sack = child->has_window_scale = child->has_ecn = false;
    child->snd_wscale = child->rcv_wscale = 0;
}

void tcp_cookie_answer(struct tcp_connection *listener, struct tcp_arrival *a)
{
    struct tcp_connection *child = tcp_listen_new_child(listener, a);
    if (!child) {
        tcp_arrival_drop(listener, a, DROP_NO_BUFFER);
        return;
    }
    child->iss = make(tcp_stack(child), a, a->seq, index_of_mss(child));
    child->snd_una = child->snd_nxt = child->iss;
    if (child->has_timestamps)
        hide_options(child);
    else
        forget_options(child);
    tcp_count(child, COUNT_TCP_COOKIES_SENT);
    tcp_segment_send(child, child->iss, 0, TCP_SYN | TCP_ACK);
    tcp_connection_destroy(child);
    tcp_arrival_done(listener, a);
}

// --- ACK --------------------------------------------------------------------

// The SYN as it must have been.
static struct tcp_arrival recall_syn(const struct tcp_arrival *a, int data)
{
    struct tcp_arrival syn = *a;
    syn.flags = TCP_SYN;
    syn.seq = a->seq - 1;
    syn.has_isn = true;
    syn.isn = a->ack - 1;
    syn.options =
        (struct tcp_options){.has_mss = true,
                             .mss = mss_table[data],
                             .has_timestamps = a->options.has_timestamps,
                             .ts_value = a->options.ts_value};
    if (!a->options.has_timestamps)
        return syn;
    uint32_t bits = a->options.ts_echo & BITS;
    syn.options.has_window_scale = (bits & NO_SCALE) != NO_SCALE;
    syn.options.window_scale = bits & NO_SCALE;
    syn.options.has_sack_permitted = (bits & BIT_SACK) != 0;
    if (bits & BIT_ECN)
        syn.flags |= TCP_ECE | TCP_CWR;
    return syn;
}

// Our SYN-ACK as if it had been remembered: sent, and not to be timed.
static bool recall_syn_ack(struct tcp_connection *child)
{
    struct tcp_segment *record =
        tcp_record_new(child, child->iss + 1, SEGMENT_SYN);
    if (record)
        record->flags |= SEGMENT_EVER_RETRANSMITTED;
    return record != NULL;
}

bool tcp_cookie_accept(struct tcp_connection *listener, struct tcp_arrival *a)
{
    struct stack *stack = tcp_stack(listener);
    if (listener->listener->cookies_until < stack_now(stack) ||
        (a->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK)
        return false;
    int data = read(stack, a, a->seq - 1, a->ack - 1);
    if (data < 0)
        return false;
    struct tcp_arrival syn = recall_syn(a, data);
    struct tcp_connection *child = tcp_listen_new_child(listener, &syn);
    if (!child) {
        tcp_arrival_drop(listener, a, DROP_NO_BUFFER);
        return true;
    }
    tcp_hold(child);
    tcp_listen_adopt(listener, child);
    a->window = (uint32_t)a->window_field << child->snd_wscale;
    tcp_count(child, COUNT_TCP_COOKIES_ACCEPTED);
    if (recall_syn_ack(child))
        tcp_process(child, a);
    tcp_arrival_drop(listener, a, DROP_TCP_UNEXPECTED); // unless it was taken
    if (child->state == TCP_SYN_RECEIVED)
        tcp_end(child, 0); // the queue is full: as if the ACK had been lost
    tcp_release(child);
    return true;
}
