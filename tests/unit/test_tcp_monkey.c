// Random segments and calls against one stack, whose invariants must hold.
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "tests/unit/tcp_rig.h"
#include "tests/unit/unit.h"

// The numbers of the segments are near the right ones, so that most of them get
// somewhere. After each step the invariants of TCP and of the stack are
// asserted; at the end nothing may leak.

static uint64_t dice(struct rig *r, uint64_t sides)
{
    return net_random(r->net) % sides;
}

static uint32_t near(struct rig *r, uint32_t right)
{
    switch (dice(r, 8)) {
    case 0:
        return right + (uint32_t)dice(r, 3000);
    case 1:
        return right - (uint32_t)dice(r, 3000);
    case 2:
        return (uint32_t)net_random(r->net);
    case 3:
        return right + 1;
    case 4:
        return right - 1;
    default:
        return right;
    }
}

static uint8_t random_flags(struct rig *r)
{
    static const uint8_t usual[] = {TCP_ACK,
                                    TCP_ACK,
                                    TCP_ACK,
                                    TCP_ACK | TCP_PSH,
                                    TCP_ACK | TCP_FIN,
                                    TCP_SYN,
                                    TCP_SYN | TCP_ACK,
                                    TCP_RST,
                                    TCP_RST | TCP_ACK,
                                    TCP_ACK | TCP_URG,
                                    TCP_ACK | TCP_ECE,
                                    TCP_ACK | TCP_CWR,
                                    0};
    // Resets end most runs: rarely.
    uint8_t flags = usual[dice(r, sizeof usual)];
    if ((flags & TCP_RST) && dice(r, 10) > 0)
        flags = TCP_ACK;
    return dice(r, 40) == 0 ? (uint8_t)net_random(r->net) : flags;
}

static void random_options(struct rig *r, const struct tcp_connection *c,
                           struct tcp_options *o)
{
    if (dice(r, 2) == 0) {
        o->has_timestamps = true;
        o->ts_value = near(r, c ? c->ts_recent : 100);
        o->ts_echo = near(r, c && c->iss_is_set ? tcp_timestamp(c) : 0);
    }
    o->sack_count = (uint8_t)dice(r, 4);
    for (unsigned i = 0; i < o->sack_count; i++) {
        o->sack[i].start = near(r, r->snd_una + (uint32_t)dice(r, 10) * 536);
        o->sack[i].end = o->sack[i].start + (uint32_t)dice(r, 4) * 536;
    }
    o->has_mss = dice(r, 4) == 0;
    o->mss = (uint16_t)dice(r, 2000);
    o->has_window_scale = dice(r, 8) == 0;
    o->window_scale = (uint8_t)dice(r, 20);
    o->has_sack_permitted = dice(r, 3) > 0;
}

static tcp_seq likely_ack(struct rig *r)
{
    switch (dice(r, 4)) {
    case 0:
        return r->snd_nxt;
    case 1:
        return r->snd_una + 536;
    default:
        return r->snd_una;
    }
}

static void random_segment(struct rig *r)
{
    const struct tcp_connection *c = rig_connection(r);
    rig_learn(r);
    struct rig_segment s = {.flags = random_flags(r),
                            .seq = near(r, r->rcv_nxt),
                            .ack = near(r, likely_ack(r)),
                            .length = dice(r, 3) ? 0 : dice(r, 1400),
                            .urgent = (uint16_t)dice(r, 100),
                            .window = (uint16_t)dice(r, 65536),
                            .zero_window = dice(r, 10) == 0,
                            .tos = (uint8_t)dice(r, 4)};
    random_options(r, c, &s.options);
    rig_inject(r, &s);
}

static void random_call(struct rig *r)
{
    uint8_t bytes[3000] = {0};
    if (!r->socket)
        return;
    switch (dice(r, 12)) {
    case 0:
        if (dice(r, 6) == 0)
            socket_shutdown(r->socket, (enum shutdown_how)(1 + dice(r, 3)));
        break;
    case 1:
        if (dice(r, 6) == 0) {
            (dice(r, 2) ? socket_close : socket_abort)(r->socket);
            r->socket = NULL;
        }
        break;
    case 2:
        socket_receive(r->socket, bytes, sizeof bytes,
                       (int)(dice(r, 8) ? 0 : MESSAGE_URGENT));
        break;
    case 3:
        socket_receive(r->socket, bytes, dice(r, 50), MESSAGE_PEEK);
        break;
    case 4:
        socket_set_option(r->socket, OPTION_CORK, (int64_t)dice(r, 2));
        break;
    case 5:
        socket_set_option(r->socket, OPTION_NO_DELAY, (int64_t)dice(r, 2));
        break;
    case 6:
        rig_inject_icmp(r, (uint8_t)dice(r, 5), (uint16_t)dice(r, 1500),
                        near(r, r->snd_una));
        break;
    default: {
        static const int flags[] = {
            0, 0, 0, MESSAGE_MORE, MESSAGE_URGENT, MESSAGE_END_OF_RECORD};
        socket_send(r->socket, bytes, dice(r, sizeof bytes), flags[dice(r, 6)]);
        break;
    }
    }
}

static void check(struct rig *r)
{
    struct socket *s = NULL;
    while ((s = socket_next(r->host->stack, s)))
        tcp_check((const struct tcp_connection *)s);
    stack_check(r->host->stack);
}

static void accept_all(struct rig *r)
{
    struct socket *child;
    while (r->socket && socket_accept(r->socket, &child) == 0)
        socket_close(child);
}

static void prepare(struct rig *r, uint64_t seed)
{
    rig_create(r);
    r->settings.tcp_timestamps = seed % 3 == 0;
    r->settings.tcp_window_scaling = seed % 5 == 0;
    r->settings.tcp_autotune = seed % 7 == 0;
    r->settings.tcp_rack = seed % 11 != 0;
    r->settings.tcp_mtu_probing = (int64_t)(seed % 4 == 0) * 2;
    r->settings.tcp_pacing = seed % 6 == 0;
    r->settings.tcp_ecn = (int64_t)(seed % 3);
    r->settings.tcp_sequence_wrap_test =
        seed % 2 ? RIG_ISN : UINT32_MAX - RIG_ISN;
    rig_start(r);
    r->net->random_state = seed * 0x9e3779b97f4a7c15u + 1;
}

static void connect_anew(struct rig *r)
{
    if (r->socket)
        socket_close(r->socket);
    must(socket_open(r->host->stack, SOCKET_STREAM, IP_V4, 0, &r->socket) == 0);
    rig_connect(r);
    if (dice(r, 4) == 0)
        return; // SYN-SENT for once
    struct rig_segment syn = {.flags = TCP_SYN | TCP_ACK,
                              .seq = RIG_PEER_ISN,
                              .ack = rig_last(r)->header.seq + 1};
    random_options(r, NULL, &syn.options);
    syn.options.ts_echo = rig_last(r)->options.ts_value;
    rig_inject(r, &syn);
}

static void step(struct rig *r, bool listens)
{
    const struct tcp_connection *c = rig_connection(r);
    if (!listens && (!c || c->state == TCP_CLOSED))
        connect_anew(r);
    if (dice(r, 3))
        random_segment(r);
    else
        random_call(r);
    if (dice(r, 4) == 0)
        net_run(r->net, (ns_t)dice(r, 400) * NS_PER_MS);
    if (listens)
        accept_all(r);
    rig_forget_sent(r);
    check(r);
}

static void run(uint64_t seed)
{
    struct rig r;
    bool listens = seed % 4 == 0;
    prepare(&r, seed);
    if (listens)
        rig_listen(&r);
    for (unsigned i = 0; i < 300; i++)
        step(&r, listens);
    rig_destroy(&r);
}

static void a_monkey_breaks_no_invariant(void)
{
    for (uint64_t seed = 1; seed <= 400; seed++)
        run(seed);
    CHECK(true);
}

const struct unit_test suite_tcp_monkey[] = {UNIT(a_monkey_breaks_no_invariant),
                                             {0}};
