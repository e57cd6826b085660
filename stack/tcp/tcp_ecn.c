// Explicit congestion notification, the receiver's half (RFC 3168).
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

enum { CE = 3 };

// RFC 3168 6.1.3: ECE on every ACK from the first CE until CWR arrives.
void tcp_ecn_received(struct tcp_connection *c, const struct tcp_arrival *a)
{
    if (!c->has_ecn)
        return;
    if (a->flags & TCP_CWR)
        c->ecn_echo = false;
    if (a->payload == 0 || a->ecn == 0)
        return;
    c->ecn_seen = true;
    if (a->ecn == CE && !c->ecn_echo) {
        c->ecn_echo = true;
        c->ack_now = c->ack_scheduled = true; // the sooner the better
    }
}
