// Segment by segment: what one stack answers to a peer that the test plays.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "stack/wire/icmp.h"
#include "tests/unit/tcp_rig.h"
#include "tests/unit/unit.h"

static void peer(struct rig *r, uint8_t flags, tcp_seq seq, size_t length)
{
    rig_learn(r);
    rig_inject(r, &(struct rig_segment){.flags = flags,
                                        .seq = seq,
                                        .ack = r->snd_nxt,
                                        .length = length});
    rig_learn(r);
}

static void peer_ack(struct rig *r, tcp_seq ack)
{
    rig_learn(r);
    rig_inject(r, &(struct rig_segment){
                      .flags = TCP_ACK, .seq = r->rcv_nxt, .ack = ack});
}

static void send_bytes(struct rig *r, size_t length)
{
    uint8_t bytes[20000] = {0};
    must(length <= sizeof bytes);
    CHECK_EQUAL(socket_send(r->socket, bytes, length, 0), (int64_t)length);
}

static uint64_t drops(const struct rig *r, enum drop_reason reason)
{
    return stack_drops(r->host->stack, reason);
}

// --- Handshake --------------------------------------------------------------

static void a_syn_announces_what_we_can(void) // RFC 9293 3.7.1, RFC 7323 2
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_timestamps = 1;
    r.settings.tcp_window_scaling = 1;
    rig_start(&r);
    rig_connect(&r);
    const struct rig_sent *syn = rig_last(&r);
    CHECK_EQUAL(syn->header.flags, TCP_SYN);
    CHECK_EQUAL(syn->header.seq, RIG_ISN);
    CHECK_EQUAL(syn->options.mss, 1460);
    CHECK(syn->options.has_sack_permitted && syn->options.has_timestamps);
    CHECK_EQUAL(syn->options.window_scale, 7);
    rig_destroy(&r);
}

static void options_that_the_peer_lacks_stay_off(void)
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_timestamps = 1;
    r.settings.tcp_window_scaling = 1;
    rig_start(&r);
    rig_establish(&r);
    const struct tcp_connection *c = rig_connection(&r);
    CHECK(!c->has_timestamps && !c->has_sack && !c->has_window_scale);
    CHECK_EQUAL(c->mss, 536); // RFC 9293 3.7.1: the default
    rig_destroy(&r);
}

static void crossing_syns_open_one_connection(void) // RFC 9293 figure 7
{
    struct rig r;
    rig_reach(&r, TCP_SYN_SENT);
    rig_inject(&r,
               &(struct rig_segment){.flags = TCP_SYN, .seq = RIG_PEER_ISN});
    CHECK_EQUAL(rig_state(&r), TCP_SYN_RECEIVED);
    CHECK_EQUAL(rig_last(&r)->header.flags, TCP_SYN | TCP_ACK);
    CHECK_EQUAL(rig_last(&r)->header.seq, RIG_ISN);
    rig_inject(&r, &(struct rig_segment){.flags = TCP_SYN | TCP_ACK,
                                         .seq = RIG_PEER_ISN,
                                         .ack = RIG_ISN + 1});
    CHECK_EQUAL(rig_state(&r), TCP_ESTABLISHED);
    rig_destroy(&r);
}

static void close_before_the_handshake_is_over(void) // RFC 9293 3.10.4
{
    struct rig r;
    rig_reach(&r, TCP_SYN_SENT);
    rig_inject(&r,
               &(struct rig_segment){.flags = TCP_SYN, .seq = RIG_PEER_ISN});
    CHECK_EQUAL(rig_state(&r), TCP_SYN_RECEIVED);
    socket_close(r.socket);
    CHECK_EQUAL(rig_state(&r), TCP_FIN_WAIT_1);
    rig_learn(&r);
    peer(&r, TCP_ACK, r.rcv_nxt, 0);
    CHECK_EQUAL(rig_state(&r), TCP_FIN_WAIT_2);
    peer(&r, TCP_ACK | TCP_FIN, r.rcv_nxt, 0);
    CHECK_EQUAL(rig_state(&r), TCP_TIME_WAIT);
    rig_destroy(&r);
}

static void a_late_syn_ack_may_echo_the_first_syn(void) // RFC 7323 3.2
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_timestamps = 1;
    rig_start(&r);
    rig_connect(&r);
    uint32_t first = rig_last(&r)->options.ts_value;
    net_run(r.net, 1100 * NS_PER_MS);
    CHECK_EQUAL(r.sent_count, 2);
    struct rig_segment s = {.flags = TCP_SYN | TCP_ACK,
                            .seq = RIG_PEER_ISN,
                            .ack = RIG_ISN + 1,
                            .options = {.has_timestamps = true,
                                        .ts_value = 9,
                                        .ts_echo = first - 1}};
    rig_inject(&r, &s); // of another incarnation
    CHECK_TEXT(r.flags_sent, "S,S,R");
    s.options.ts_echo = first;
    rig_inject(&r, &s);
    CHECK_EQUAL(rig_state(&r), TCP_ESTABLISHED);
    rig_destroy(&r);
}

static void a_zero_window_in_the_syn_ack_holds_data(void)
{
    struct rig r;
    rig_reach(&r, TCP_SYN_SENT);
    rig_inject(&r, &(struct rig_segment){.flags = TCP_SYN | TCP_ACK,
                                         .seq = RIG_PEER_ISN,
                                         .ack = RIG_ISN + 1,
                                         .zero_window = true});
    rig_forget_sent(&r);
    send_bytes(&r, 100);
    CHECK_EQUAL(r.sent_count, 0);
    net_run(r.net, 1200 * NS_PER_MS); // the persist timer probes
    CHECK(r.sent_count >= 1);
    CHECK_EQUAL(rig_last(&r)->length, 0);
    CHECK_EQUAL(rig_last(&r)->header.seq, RIG_ISN); // RFC 9293 3.8.6.1
    rig_forget_sent(&r);
    peer_ack(&r, RIG_ISN + 1);
    CHECK_EQUAL(r.sent_count, 1);
    CHECK_EQUAL(rig_last(&r)->length, 100);
    rig_destroy(&r);
}

static void ece_and_cwr_on_a_syn_get_ece_back(void) // RFC 3168 6.1.1
{
    struct rig r;
    rig_reach(&r, TCP_LISTEN);
    rig_inject(&r, &(struct rig_segment){.flags = TCP_SYN | TCP_ECE | TCP_CWR,
                                         .seq = RIG_PEER_ISN});
    CHECK_EQUAL(rig_last(&r)->header.flags, TCP_SYN | TCP_ACK | TCP_ECE);
    CHECK(rig_connection(&r)->has_ecn);
    rig_destroy(&r);
}

// Nine SYNs for a backlog of five; the peer has every option.
static void overflow_backlog(struct rig *r)
{
    for (unsigned i = 0; i < 9; i++) {
        struct rig_segment syn = {.flags = TCP_SYN, .seq = RIG_PEER_ISN};
        syn.options = (struct tcp_options){.has_mss = true,
                                           .mss = 1450,
                                           .has_timestamps = true,
                                           .ts_value = 77,
                                           .has_window_scale = true,
                                           .window_scale = 3,
                                           .has_sack_permitted = true};
        r->peer_port = (uint16_t)(4000 + i);
        rig_inject(r, &syn);
    }
}

static void a_full_backlog_ignores_syns(void)
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_syn_cookies = 0;
    rig_start(&r);
    rig_listen(&r);
    overflow_backlog(&r);
    CHECK_EQUAL(r.sent_count, 5);
    CHECK_EQUAL(drops(&r, DROP_TCP_BACKLOG_FULL), 4);
    CHECK(rig_accept(&r) == NULL);
    rig_destroy(&r);
}

static void cookies_carry_a_handshake_through_a_full_backlog(void) // RFC 4987
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_timestamps = 1;
    r.settings.tcp_window_scaling = 1;
    rig_start(&r);
    rig_listen(&r);
    overflow_backlog(&r);
    CHECK_EQUAL(r.sent_count, 9);
    CHECK_EQUAL(stack_counter(r.host->stack, COUNT_TCP_COOKIES_SENT), 4);
    net_run(r.net, 70 * NS_PER_S); // the children are gone, the cookie is not
    const struct rig_sent syn_ack = r.sent[8];
    struct rig_segment ack = {.flags = TCP_ACK,
                              .seq = RIG_PEER_ISN + 1,
                              .ack = syn_ack.header.seq + 101,
                              .length = 5,
                              .options = {.has_timestamps = true,
                                          .ts_value = 80,
                                          .ts_echo = syn_ack.options.ts_value}};
    rig_forget_sent(&r);
    rig_inject(&r, &ack);
    CHECK_TEXT(r.flags_sent, "R"); // forged
    ack.ack -= 100;
    rig_inject(&r, &ack);
    CHECK_EQUAL(rig_state(&r), TCP_ESTABLISHED);
    const struct tcp_connection *c = rig_connection(&r);
    CHECK(c->has_sack && c->has_timestamps);
    CHECK_EQUAL(c->snd_wscale, 3);
    CHECK_EQUAL(c->peer_mss, 1440);
    CHECK_EQUAL(c->rcv_nxt, RIG_PEER_ISN + 6);
    CHECK(rig_accept(&r) != NULL);
    // Too old.
    r.peer_port = 4007;
    net_run(r.net, 70 * NS_PER_S);
    rig_forget_sent(&r);
    rig_inject(&r, &ack);
    CHECK_TEXT(r.flags_sent, "R");
    rig_destroy(&r);
}

static void a_refused_connection_says_so(void)
{
    struct rig r;
    rig_reach(&r, TCP_SYN_SENT);
    rig_inject(&r, &(struct rig_segment){.flags = TCP_RST | TCP_ACK,
                                         .seq = 0,
                                         .ack = RIG_ISN + 1});
    CHECK_EQUAL(socket_take_error(r.socket), -ECONNREFUSED);
    rig_destroy(&r);
}

static void an_unanswered_connection_times_out(void)
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_syn_retries = 2;
    rig_start(&r);
    rig_connect(&r);
    ns_t start = r.net->now;
    net_run(r.net, 6900 * NS_PER_MS);
    CHECK_EQUAL(r.sent_count, 3);
    CHECK_EQUAL(r.sent[1].time - start, 1 * NS_PER_S);
    CHECK_EQUAL(r.sent[2].time - start, 3 * NS_PER_S);
    CHECK_EQUAL(rig_state(&r), TCP_SYN_SENT);
    net_run(r.net, 200 * NS_PER_MS);
    CHECK_EQUAL(socket_take_error(r.socket), -ETIMEDOUT);
    rig_destroy(&r);
}

// --- Receiving --------------------------------------------------------------

static void an_old_ack_with_new_data_is_taken(void)
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    send_bytes(&r, 100);
    peer_ack(&r, RIG_ISN + 101);
    rig_inject(&r, &(struct rig_segment){.flags = TCP_ACK,
                                         .seq = r.rcv_nxt,
                                         .ack = RIG_ISN + 51,
                                         .length = 10});
    CHECK_EQUAL(rig_connection(&r)->rcv_nxt, RIG_PEER_ISN + 11);
    CHECK_EQUAL(rig_connection(&r)->snd_una, RIG_ISN + 101);
    rig_destroy(&r);
}

static void an_empty_segment_does_not_move_rcv_nxt(void)
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    tcp_seq before = r.rcv_nxt;
    peer(&r, TCP_ACK, before + 5, 0);
    peer(&r, TCP_ACK, before, 0);
    CHECK_EQUAL(r.rcv_nxt, before);
    rig_destroy(&r);
}

static void data_beyond_the_window_is_cut_off(void)
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    tcp_seq start = r.rcv_nxt;
    for (unsigned i = 0; i < 19; i++)
        peer(&r, TCP_ACK, r.rcv_nxt, 1000);
    peer(&r, TCP_ACK, r.rcv_nxt, 1500);
    CHECK_EQUAL(r.rcv_nxt - start, RIG_WINDOW);
    net_run(r.net, 500 * NS_PER_MS);
    CHECK_EQUAL(rig_last(&r)->header.window, 0);
    uint8_t bytes[RIG_WINDOW];
    rig_forget_sent(&r);
    CHECK_EQUAL(socket_receive(r.socket, bytes, sizeof bytes, 0), RIG_WINDOW);
    CHECK_EQUAL(r.sent_count, 1); // the window opens again
    CHECK(rig_last(&r)->header.window > RIG_WINDOW / 2);
    rig_destroy(&r);
}

static void the_window_never_shrinks(void) // RFC 9293 3.8.6
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    tcp_seq edge = 0;
    for (unsigned i = 0; i < 30; i++) {
        peer(&r, TCP_ACK, r.rcv_nxt, i % 2 ? 1 : 900);
        const struct rig_sent *s = rig_last(&r);
        tcp_seq now = s->header.ack + s->header.window;
        CHECK(edge == 0 || seq_ge(now, edge));
        edge = now;
        uint8_t byte[100];
        if (i % 5 == 0)
            socket_receive(r.socket, byte, sizeof byte, 0);
    }
    rig_destroy(&r);
}

static void gaps_are_reported_latest_first(void) // RFC 2018 4
{
    struct rig r;
    rig_reach(&r, TCP_LISTEN);
    rig_inject(&r,
               &(struct rig_segment){.flags = TCP_SYN,
                                     .seq = RIG_PEER_ISN,
                                     .options = {.has_sack_permitted = true}});
    rig_learn(&r);
    peer(&r, TCP_ACK, r.rcv_nxt, 0);
    tcp_seq base = r.rcv_nxt;
    peer(&r, TCP_ACK, base + 200, 100);
    peer(&r, TCP_ACK, base + 600, 100);
    peer(&r, TCP_ACK, base + 400, 100);
    const struct tcp_options *o = &rig_last(&r)->options;
    CHECK_EQUAL(o->sack_count, 3);
    CHECK_EQUAL(o->sack[0].start, base + 400);
    CHECK_EQUAL(o->sack[1].start, base + 600);
    CHECK_EQUAL(o->sack[2].start, base + 200);
    // What came twice is said first (RFC 2883).
    peer(&r, TCP_ACK, base + 200, 100);
    o = &rig_last(&r)->options;
    CHECK_EQUAL(o->sack[0].start, base + 200);
    CHECK_EQUAL(o->sack[0].end, base + 300);
    CHECK_EQUAL(o->sack_count, 4);
    // The gaps close.
    peer(&r, TCP_ACK, base, 700);
    CHECK_EQUAL(r.rcv_nxt, base + 700);
    CHECK(rig_connection(&r)->gaps == NULL);
    struct socket *child = rig_accept(&r);
    uint8_t bytes[800];
    CHECK_EQUAL(socket_receive(child, bytes, sizeof bytes, 0), 700);
    bool is_same = true;
    for (unsigned i = 0; i < 700; i++)
        is_same &= bytes[i] == (uint8_t)(base + i);
    CHECK(is_same);
    rig_destroy(&r);
}

static void a_fin_ahead_of_a_gap_waits(void)
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    tcp_seq base = r.rcv_nxt;
    peer(&r, TCP_ACK | TCP_FIN, base + 100, 100);
    CHECK_EQUAL(rig_state(&r), TCP_ESTABLISHED);
    peer(&r, TCP_ACK, base, 100);
    CHECK_EQUAL(rig_state(&r), TCP_CLOSE_WAIT);
    CHECK_EQUAL(r.rcv_nxt, base + 201);
    rig_destroy(&r);
}

static void urgent_data_is_read_out_of_band(void) // RFC 9293 3.8.5
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    tcp_seq base = r.rcv_nxt;
    rig_inject(&r, &(struct rig_segment){.flags = TCP_ACK | TCP_URG,
                                         .seq = base,
                                         .ack = r.snd_nxt,
                                         .length = 10,
                                         .urgent = 5});
    uint8_t bytes[20], urgent = 0;
    CHECK(socket_events(r.socket) & EVENT_URGENT);
    CHECK_EQUAL(socket_receive(r.socket, &urgent, 1, MESSAGE_URGENT), 1);
    CHECK_EQUAL(urgent, (uint8_t)(base + 4));
    CHECK_EQUAL(socket_receive(r.socket, &urgent, 1, MESSAGE_URGENT), -EINVAL);
    CHECK_EQUAL(socket_receive(r.socket, bytes, sizeof bytes, 0), 9);
    CHECK_EQUAL(bytes[4], (uint8_t)(base + 5));
    rig_destroy(&r);
}

static void urgent_data_stays_in_the_stream_when_asked(void) // RFC 6093
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    socket_set_option(r.socket, OPTION_URGENT_INLINE, 1);
    rig_inject(&r, &(struct rig_segment){.flags = TCP_ACK | TCP_URG,
                                         .seq = r.rcv_nxt,
                                         .ack = r.snd_nxt,
                                         .length = 10,
                                         .urgent = 5});
    uint8_t bytes[20];
    CHECK_EQUAL(socket_receive(r.socket, bytes, sizeof bytes, 0), 10);
    rig_destroy(&r);
}

static void a_timestamp_from_the_past_is_refused(void) // RFC 7323 5
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_timestamps = 1;
    rig_start(&r);
    rig_listen(&r);
    struct rig_segment s = {
        .flags = TCP_SYN,
        .seq = RIG_PEER_ISN,
        .options = {.has_timestamps = true, .ts_value = UINT32_MAX - 10}};
    rig_inject(&r, &s);
    rig_learn(&r);
    s = (struct rig_segment){
        .flags = TCP_ACK,
        .seq = r.rcv_nxt,
        .ack = r.snd_nxt,
        .length = 10,
        .options = {.has_timestamps = true, .ts_value = 5}}; // it has wrapped
    rig_inject(&r, &s);
    rig_learn(&r);
    CHECK_EQUAL(r.rcv_nxt, RIG_PEER_ISN + 11);
    s.seq = r.rcv_nxt;
    s.options.ts_value = UINT32_MAX - 5; // older than 5
    rig_inject(&r, &s);
    rig_learn(&r);
    CHECK_EQUAL(r.rcv_nxt, RIG_PEER_ISN + 11);
    CHECK_EQUAL(drops(&r, DROP_TCP_PAWS), 1);
    rig_destroy(&r);
}

static void challenges_are_limited(void) // RFC 5961 7
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    for (unsigned i = 0; i < 5; i++)
        peer(&r, TCP_RST, r.rcv_nxt + 10, 0);
    CHECK_EQUAL(r.sent_count, 1);
    net_run(r.net, 600 * NS_PER_MS);
    peer(&r, TCP_SYN, r.rcv_nxt + 10, 0);
    CHECK_EQUAL(r.sent_count, 2);
    CHECK_EQUAL(stack_counter(r.host->stack, COUNT_TCP_CHALLENGE_ACKS), 2);
    rig_destroy(&r);
}

// --- ACKs -------------------------------------------------------------------

static void every_second_segment_is_acknowledged(void) // RFC 9293 3.8.6.3
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    uint8_t bytes[2000];
    for (unsigned i = 0; i < 40; i++) { // past the quick ACKs of the start
        peer(&r, TCP_ACK, r.rcv_nxt, 536);
        socket_receive(r.socket, bytes, sizeof bytes, 0);
    }
    net_run(r.net, 100 * NS_PER_MS);
    rig_forget_sent(&r);
    for (unsigned i = 0; i < 4; i++) {
        peer(&r, TCP_ACK, r.rcv_nxt, 536);
        socket_receive(r.socket, bytes, sizeof bytes, 0);
    }
    CHECK_EQUAL(r.sent_count, 2);
    rig_forget_sent(&r);
    ns_t start = r.net->now;
    peer(&r, TCP_ACK, r.rcv_nxt, 536);
    CHECK_EQUAL(r.sent_count, 0);
    net_run(r.net, 500 * NS_PER_MS);
    CHECK_EQUAL(r.sent_count, 1);
    CHECK(rig_last(&r)->time - start <= 200 * NS_PER_MS);
    rig_destroy(&r);
}

// --- Sending ----------------------------------------------------------------

static void nagle_holds_the_second_small_segment(void) // RFC 9293 3.7.4
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    send_bytes(&r, 10);
    send_bytes(&r, 10);
    send_bytes(&r, 10);
    CHECK_EQUAL(r.sent_count, 1);
    peer_ack(&r, RIG_ISN + 11);
    CHECK_EQUAL(r.sent_count, 2);
    CHECK_EQUAL(rig_last(&r)->length, 20);
    socket_set_option(r.socket, OPTION_NO_DELAY, 1);
    send_bytes(&r, 10);
    CHECK_EQUAL(r.sent_count, 3);
    rig_destroy(&r);
}

static void a_window_taken_back_is_respected(void) // RFC 9293 3.8.6
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    send_bytes(&r, 2000);
    unsigned sent = r.sent_count;
    CHECK(sent >= 3);
    rig_inject(&r, &(struct rig_segment){.flags = TCP_ACK,
                                         .seq = r.rcv_nxt,
                                         .ack = RIG_ISN + 537,
                                         .window = 100});
    send_bytes(&r, 2000);
    CHECK_EQUAL(r.sent_count, sent);
    net_run(r.net, 3 * NS_PER_S); // retransmissions fit the window
    for (unsigned i = sent; i < r.sent_count; i++)
        CHECK(seq_le(r.sent[i].header.seq + r.sent[i].length,
                     RIG_ISN + 537 + 100));
    CHECK(r.sent_count > sent);
    rig_destroy(&r);
}

static void three_duplicates_repair_a_loss_without_sack(void) // RFC 5681 3.2
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    send_bytes(&r, 536 * 8);
    rig_forget_sent(&r);
    peer_ack(&r, RIG_ISN + 1);
    peer_ack(&r, RIG_ISN + 1);
    CHECK_EQUAL(r.sent_count, 0);
    peer_ack(&r, RIG_ISN + 1);
    CHECK_EQUAL(r.sent_count, 1);
    CHECK_EQUAL(rig_last(&r)->header.seq, RIG_ISN + 1);
    CHECK_EQUAL(rig_connection(&r)->ca_state, TCP_CA_RECOVERY);
    // A partial ACK: the next hole at once, and recovery goes on (RFC 6582).
    rig_forget_sent(&r);
    peer_ack(&r, RIG_ISN + 1 + 536 * 2);
    CHECK(r.sent_count >= 1);
    CHECK_EQUAL(r.sent[0].header.seq, RIG_ISN + 1 + 536 * 2);
    CHECK_EQUAL(rig_connection(&r)->ca_state, TCP_CA_RECOVERY);
    rig_destroy(&r);
}

static void retransmissions_back_off(void) // RFC 6298 5.5
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    send_bytes(&r, 10);
    net_run(r.net, 4 * NS_PER_S);
    CHECK(r.sent_count >= 4);
    ns_t first = r.sent[2].time - r.sent[1].time;
    ns_t second = r.sent[3].time - r.sent[2].time;
    CHECK_EQUAL(second, 2 * first);
    rig_destroy(&r);
}

static void user_timeout_ends_what_is_not_acknowledged(void) // RFC 5482
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_user_timeout = 3 * NS_PER_S;
    rig_start(&r);
    rig_establish(&r);
    send_bytes(&r, 10);
    net_run(r.net, 2900 * NS_PER_MS);
    CHECK_EQUAL(rig_state(&r), TCP_ESTABLISHED);
    net_run(r.net, 500 * NS_PER_MS); // from the first retransmission on
    CHECK_EQUAL(rig_state(&r), TCP_CLOSED);
    CHECK_EQUAL(socket_take_error(r.socket), -ETIMEDOUT);
    rig_destroy(&r);
}

static void keepalive_asks_and_gives_up(void) // RFC 9293 3.8.4
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_keepalive = 1;
    r.settings.tcp_keepalive_idle = 10 * NS_PER_S;
    r.settings.tcp_keepalive_interval = 2 * NS_PER_S;
    r.settings.tcp_keepalive_count = 3;
    rig_start(&r);
    rig_establish(&r);
    rig_forget_sent(&r);
    net_run(r.net, 10500 * NS_PER_MS);
    CHECK_EQUAL(r.sent_count, 1);
    CHECK_EQUAL(rig_last(&r)->header.seq, RIG_ISN);
    peer_ack(&r, RIG_ISN + 1); // alive
    net_run(r.net, 9 * NS_PER_S);
    CHECK_EQUAL(r.sent_count, 1);
    net_run(r.net, 10 * NS_PER_S);
    CHECK_EQUAL(rig_state(&r), TCP_CLOSED);
    CHECK_EQUAL(socket_take_error(r.socket), -ETIMEDOUT);
    CHECK_TEXT(r.flags_sent, ".,.,.,.,R.");
    rig_destroy(&r);
}

static void a_narrower_path_shrinks_segments(void) // RFC 1191
{
    struct rig r;
    rig_create(&r);
    rig_start(&r);
    rig_connect(&r);
    rig_inject(
        &r, &(struct rig_segment){.flags = TCP_SYN | TCP_ACK,
                                  .seq = RIG_PEER_ISN,
                                  .ack = RIG_ISN + 1,
                                  .options = {.has_mss = true, .mss = 1460}});
    rig_learn(&r);
    send_bytes(&r, 2920);
    rig_forget_sent(&r);
    // About nothing that is in flight: ignored (RFC 5927).
    rig_inject_icmp(&r, ICMP4_FRAGMENTATION_NEEDED, 600, RIG_ISN + 50000);
    CHECK_EQUAL(r.sent_count, 0);
    rig_inject_icmp(&r, ICMP4_FRAGMENTATION_NEEDED, 1000, RIG_ISN + 1);
    CHECK(r.sent_count > 0);
    for (unsigned i = 0; i < r.sent_count; i++)
        CHECK(r.sent[i].length <= 960);
    CHECK_EQUAL(rig_connection(&r)->mss, 960);
    rig_destroy(&r);
}

// --- Closing ----------------------------------------------------------------

static void close_with_unread_data_resets(void) // RFC 2525 2.17
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    peer(&r, TCP_ACK, r.rcv_nxt, 10);
    rig_forget_sent(&r);
    socket_close(r.socket);
    CHECK_TEXT(r.flags_sent, "R.");
    CHECK_EQUAL(rig_state(&r), TCP_CLOSED);
    rig_destroy(&r);
}

static void no_linger_resets(void)
{
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    socket_set_option(r.socket, OPTION_LINGER, 0);
    socket_close(r.socket);
    CHECK_TEXT(r.flags_sent, "R.");
    rig_destroy(&r);
}

static void data_for_nobody_is_reset(void) // RFC 1122 4.2.2.13
{
    struct rig r;
    rig_reach(&r, TCP_FIN_WAIT_2);
    socket_close(r.socket);
    peer(&r, TCP_ACK, r.rcv_nxt, 10);
    CHECK_TEXT(r.flags_sent, "R");
    CHECK_EQUAL(rig_state(&r), TCP_CLOSED);
    rig_destroy(&r);
}

static void an_orphan_does_not_wait_for_ever(void) // Linux tcp_fin_timeout
{
    struct rig r;
    rig_reach(&r, TCP_FIN_WAIT_2);
    net_run(r.net, 100 * NS_PER_S);
    CHECK_EQUAL(rig_state(&r), TCP_FIN_WAIT_2); // somebody still has it
    socket_close(r.socket);
    net_run(r.net, 61 * NS_PER_S);
    CHECK_EQUAL(rig_state(&r), TCP_CLOSED);
    rig_destroy(&r);
}

static void too_many_orphans_are_reset(void)
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_max_orphans = 0;
    rig_start(&r);
    rig_establish(&r);
    rig_forget_sent(&r);
    socket_close(r.socket);
    CHECK_TEXT(r.flags_sent, "F.,R.");
    CHECK_EQUAL(rig_state(&r), TCP_CLOSED);
    rig_destroy(&r);
}

static void a_full_time_wait_table_is_no_reason_to_fail(void)
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_max_time_waits = 0;
    rig_start(&r);
    rig_establish(&r);
    socket_shutdown(r.socket, SHUTDOWN_SEND);
    peer(&r, TCP_ACK, r.rcv_nxt, 0);
    peer(&r, TCP_ACK | TCP_FIN, r.rcv_nxt, 0);
    CHECK_EQUAL(rig_state(&r), TCP_CLOSED);
    CHECK_EQUAL(socket_take_error(r.socket), 0);
    rig_destroy(&r);
}

static void a_new_syn_ends_time_wait(void) // RFC 9293 3.6.1, RFC 6191
{
    struct rig r;
    rig_reach(&r, TCP_LISTEN);
    rig_inject(&r,
               &(struct rig_segment){.flags = TCP_SYN, .seq = RIG_PEER_ISN});
    rig_learn(&r);
    peer(&r, TCP_ACK, r.rcv_nxt, 0);
    struct socket *child = rig_accept(&r);
    socket_close(child);
    peer(&r, TCP_ACK, r.rcv_nxt, 0);
    peer(&r, TCP_ACK | TCP_FIN, r.rcv_nxt, 0);
    CHECK_EQUAL(rig_state(&r), TCP_TIME_WAIT);
    rig_forget_sent(&r);
    rig_inject(
        &r, &(struct rig_segment){.flags = TCP_SYN, .seq = RIG_PEER_ISN - 5});
    CHECK_TEXT(r.flags_sent, "."); // an old duplicate
    rig_inject(&r, &(struct rig_segment){.flags = TCP_SYN,
                                         .seq = RIG_PEER_ISN + 1000});
    CHECK_TEXT(r.flags_sent, ".,S.");
    CHECK_EQUAL(rig_state(&r), TCP_SYN_RECEIVED);
    CHECK(seq_gt(rig_last(&r)->header.seq, RIG_ISN + 60000));
    rig_destroy(&r);
}

static void time_wait_can_be_guarded_against_resets(void) // RFC 1337
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_time_wait_guard = 1;
    rig_start(&r);
    rig_establish(&r);
    socket_shutdown(r.socket, SHUTDOWN_SEND);
    peer(&r, TCP_ACK, r.rcv_nxt, 0);
    peer(&r, TCP_ACK | TCP_FIN, r.rcv_nxt, 0);
    CHECK_EQUAL(rig_state(&r), TCP_TIME_WAIT);
    peer(&r, TCP_RST, r.rcv_nxt, 0);
    CHECK_EQUAL(rig_state(&r), TCP_TIME_WAIT);
    rig_destroy(&r);
}

static void a_connection_at_rest_is_small(void)
{
    CHECK(sizeof(struct tcp_connection) <= 1024);
    struct rig r;
    rig_reach(&r, TCP_ESTABLISHED);
    send_bytes(&r, 5000);
    CHECK(r.host->stack->tcp->pool.live > 0);
    for (unsigned i = 0; i < 20; i++) {
        rig_learn(&r);
        peer_ack(&r, r.snd_nxt);
    }
    CHECK_EQUAL(r.host->stack->tcp->pool.live, 0);
    rig_destroy(&r);
}

const struct unit_test suite_tcp_segments[] = {
    UNIT(a_syn_announces_what_we_can),
    UNIT(options_that_the_peer_lacks_stay_off),
    UNIT(crossing_syns_open_one_connection),
    UNIT(close_before_the_handshake_is_over),
    UNIT(a_late_syn_ack_may_echo_the_first_syn),
    UNIT(a_zero_window_in_the_syn_ack_holds_data),
    UNIT(ece_and_cwr_on_a_syn_get_ece_back),
    UNIT(a_full_backlog_ignores_syns),
    UNIT(cookies_carry_a_handshake_through_a_full_backlog),
    UNIT(a_refused_connection_says_so),
    UNIT(an_unanswered_connection_times_out),
    UNIT(an_old_ack_with_new_data_is_taken),
    UNIT(an_empty_segment_does_not_move_rcv_nxt),
    UNIT(data_beyond_the_window_is_cut_off),
    UNIT(the_window_never_shrinks),
    UNIT(gaps_are_reported_latest_first),
    UNIT(a_fin_ahead_of_a_gap_waits),
    UNIT(urgent_data_is_read_out_of_band),
    UNIT(urgent_data_stays_in_the_stream_when_asked),
    UNIT(a_timestamp_from_the_past_is_refused),
    UNIT(challenges_are_limited),
    UNIT(every_second_segment_is_acknowledged),
    UNIT(nagle_holds_the_second_small_segment),
    UNIT(a_window_taken_back_is_respected),
    UNIT(three_duplicates_repair_a_loss_without_sack),
    UNIT(retransmissions_back_off),
    UNIT(user_timeout_ends_what_is_not_acknowledged),
    UNIT(keepalive_asks_and_gives_up),
    UNIT(a_narrower_path_shrinks_segments),
    UNIT(close_with_unread_data_resets),
    UNIT(no_linger_resets),
    UNIT(data_for_nobody_is_reset),
    UNIT(an_orphan_does_not_wait_for_ever),
    UNIT(too_many_orphans_are_reset),
    UNIT(a_full_time_wait_table_is_no_reason_to_fail),
    UNIT(a_new_syn_ends_time_wait),
    UNIT(time_wait_can_be_guarded_against_resets),
    UNIT(a_connection_at_rest_is_small),
    {0}};
