// Explicit congestion notification: negotiation and the receiver's half.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// Two ways of telling the sender about marks. RFC 3168 6.1.3: ECE on every ACK
// from the first CE until CWR arrives, so that a lost ACK loses nothing. RFC
// 8257 3.2, while the congestion control needs exact feedback: ECE says whether
// what this ACK covers was marked; an ACK that is owed leaves before the answer
// changes, so that one ACK never covers both kinds.

enum { CE = 3 };

static bool control_needs_ecn(const struct tcp_connection *c)
{
    return congestion_controls[tcp_settings(c)->tcp_congestion]->needs_ecn;
}

bool tcp_ecn_is_asked_for(const struct tcp_connection *c)
{
    return tcp_settings(c)->tcp_ecn == 1 || control_needs_ecn(c);
}

bool tcp_ecn_is_allowed(const struct tcp_connection *c)
{
    return tcp_settings(c)->tcp_ecn != 0 || control_needs_ecn(c);
}

static void echo_exactly(struct tcp_connection *c, bool is_marked)
{
    if (c->ecn_echo == is_marked)
        return;
    if (c->ack_scheduled)
        tcp_send_ack(c); // still with the old answer, and without this data
    c->ecn_echo = is_marked;
    c->ack_now = c->ack_scheduled = true;
}

void tcp_ecn_received(struct tcp_connection *c, const struct tcp_arrival *a)
{
    if (!c->has_ecn)
        return;
    bool is_exact = c->cc.ops && c->cc.ops->needs_ecn;
    if (a->flags & TCP_CWR && !is_exact)
        c->ecn_echo = false;
    if (a->payload == 0 || a->ecn == 0)
        return;
    if (is_exact) {
        echo_exactly(c, a->ecn == CE);
    } else if (a->ecn == CE && !c->ecn_echo) {
        c->ecn_echo = true;
        c->ack_now = c->ack_scheduled = true; // the sooner the better
    }
}
