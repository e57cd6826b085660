// What leaves when: records, low water, pacing, ECN, bursts.
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "tests/unit/tcp_rig.h"
#include "tests/unit/unit.h"

static const uint8_t zeros[200000];

// An established connection with MSS 1000 and a wide window.
static void establish(struct rig *r, bool with_ecn)
{
    r->settings.tcp_window_scaling = 1;
    r->settings.tcp_ecn = with_ecn;
    rig_start(r);
    rig_connect(r);
    uint8_t ece = with_ecn ? TCP_ECE : 0;
    struct rig_segment syn = {.flags = (uint8_t)(TCP_SYN | TCP_ACK | ece),
                              .seq = RIG_PEER_ISN,
                              .ack = RIG_ISN + 1};
    syn.options = (struct tcp_options){.has_mss = true,
                                       .mss = 1000,
                                       .has_window_scale = true,
                                       .window_scale = 6,
                                       .has_sack_permitted = true};
    net_run(r->net, 10 * NS_PER_MS); // a round trip that can be timed
    rig_inject(r, &syn);
    rig_learn(r);
    rig_forget_sent(r);
}

static void peer_ack(struct rig *r, uint8_t flags, tcp_seq ack)
{
    rig_learn(r);
    rig_inject(r, &(struct rig_segment){.flags = (uint8_t)(TCP_ACK | flags),
                                        .seq = r->rcv_nxt,
                                        .ack = ack});
    rig_learn(r);
}

static int64_t give(struct rig *r, size_t length, int flags)
{
    return socket_send(r->socket, zeros, length, flags);
}

static void ends_of_records_are_ends_of_segments(void) // MSG_EOR
{
    struct rig r;
    rig_create(&r);
    establish(&r, false);
    socket_set_option(r.socket, OPTION_CORK, 1);
    give(&r, 300, 0);
    give(&r, 300, MESSAGE_END_OF_RECORD);
    give(&r, 300, 0);
    give(&r, 1000, MESSAGE_END_OF_RECORD);
    give(&r, 10, 0);
    socket_set_option(r.socket, OPTION_CORK, 0);
    CHECK_EQUAL(r.sent_count, 3);
    CHECK_EQUAL(r.sent[0].length, 600);
    CHECK(r.sent[0].header.flags & TCP_PSH);
    CHECK_EQUAL(r.sent[1].length, 1000);
    CHECK_EQUAL(r.sent[2].length, 300);
    rig_destroy(&r);
}

static void msg_more_holds_small_segments_for_its_call(void)
{
    struct rig r;
    rig_create(&r);
    establish(&r, false);
    give(&r, 100, MESSAGE_MORE);
    CHECK_EQUAL(r.sent_count, 0);
    give(&r, 1000, MESSAGE_MORE);
    CHECK_EQUAL(r.sent_count, 1);
    CHECK_EQUAL(r.sent[0].length, 1000);
    give(&r, 50, 0);
    CHECK_EQUAL(r.sent_count, 2);
    CHECK_EQUAL(r.sent[1].length, 150);
    CHECK(r.sent[1].header.flags & TCP_PSH);
    rig_destroy(&r);
}

static void cork_lets_go_in_the_end(void)
{
    struct rig r;
    rig_create(&r);
    establish(&r, false);
    socket_set_option(r.socket, OPTION_CORK, 1);
    give(&r, 100, 0);
    net_run(r.net, 150 * NS_PER_MS);
    CHECK_EQUAL(r.sent_count, 0);
    net_run(r.net, 100 * NS_PER_MS);
    CHECK_EQUAL(r.sent_count, 1);
    CHECK_EQUAL(r.sent[0].length, 100);
    rig_destroy(&r);
}

static void low_water_holds_the_writer(void) // TCP_NOTSENT_LOWAT
{
    struct rig r;
    rig_create(&r);
    establish(&r, false);
    socket_set_option(r.socket, OPTION_NOT_SENT_LOW_WATER, 4000);
    CHECK_EQUAL(give(&r, 10000, 0), 5000); // one segment more than the mark
    CHECK_EQUAL(give(&r, 10000, 0), 5000); // all had left
    CHECK_EQUAL(give(&r, 10000, 0), 5000); // cwnd is full now
    CHECK_EQUAL(give(&r, 10000, 0), -EAGAIN);
    CHECK(!(socket_events(r.socket) & EVENT_WRITABLE));
    peer_ack(&r, 0, RIG_ISN + 1 + 4000);
    CHECK(socket_events(r.socket) & EVENT_WRITABLE);
    rig_destroy(&r);
}

static void the_send_buffer_grows_with_the_window(void)
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_send_buffer = 8000;
    r.settings.tcp_autotune = 1;
    establish(&r, false);
    CHECK_EQUAL(give(&r, sizeof zeros, 0), 8000);
    // Two initial windows fit now.
    CHECK_EQUAL(give(&r, sizeof zeros, 0), 12000);
    CHECK_EQUAL(give(&r, sizeof zeros, 0), -EAGAIN);
    peer_ack(&r, 0, RIG_ISN + 1 + 8000);
    CHECK(give(&r, sizeof zeros, 0) > 12000);
    rig_destroy(&r);
}

static void pacing_spreads_a_window(void)
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_pacing = 1;
    establish(&r, false);
    give(&r, 100000, 0); // the first ten are not held
    CHECK_EQUAL(r.sent_count, 10);
    for (unsigned i = 0; i < 10; i++) {
        net_run(r.net, NS_PER_MS);
        peer_ack(&r, 0, RIG_ISN + 1 + 1000 * (i + 1));
    }
    net_run(r.net, 5 * NS_PER_MS);
    unsigned most = 0, burst = 0;
    for (unsigned i = 11; i < r.sent_count; i++) {
        burst = r.sent[i].time == r.sent[i - 1].time ? burst + 1 : 1;
        most = burst > most ? burst : most;
    }
    CHECK(r.sent_count >= 20);
    CHECK(most <= 4);
    rig_destroy(&r);
}

static void congestion_marks_are_echoed_until_cwr(void) // RFC 3168 6.1.3
{
    struct rig r;
    rig_create(&r);
    establish(&r, true);
    CHECK(rig_connection(&r)->has_ecn);
    struct rig_segment data = {.flags = TCP_ACK,
                               .seq = r.rcv_nxt,
                               .ack = r.snd_nxt,
                               .length = 100,
                               .tos = 3}; // CE
    rig_inject(&r, &data);
    CHECK(rig_last(&r)->header.flags & TCP_ECE);
    data.seq += 100;
    data.tos = 2;
    rig_inject(&r, &data);
    CHECK(rig_last(&r)->header.flags & TCP_ECE);
    data.seq += 100;
    data.flags |= TCP_CWR;
    rig_inject(&r, &data);
    CHECK(!(rig_last(&r)->header.flags & TCP_ECE));
    rig_destroy(&r);
}

static void an_echo_halves_the_window_once(void) // RFC 3168 6.1.2
{
    struct rig r;
    rig_create(&r);
    establish(&r, true);
    give(&r, 40000, 0);
    CHECK_EQUAL(r.sent_count, 10);
    CHECK_EQUAL(r.sent[0].tos & 3, 2); // ECT(0)
    rig_forget_sent(&r);
    peer_ack(&r, TCP_ECE, RIG_ISN + 1 + 2000);
    CHECK_EQUAL(rig_connection(&r)->ca_state, TCP_CA_CWR);
    uint32_t ssthresh = rig_connection(&r)->cc.ssthresh;
    CHECK_EQUAL(ssthresh, 7000); // CUBIC's beta
    peer_ack(&r, TCP_ECE, RIG_ISN + 1 + 4000);
    CHECK_EQUAL(rig_connection(&r)->cc.ssthresh, ssthresh);
    unsigned marked = 0;
    for (unsigned i = 0; i < r.sent_count; i++)
        marked += (r.sent[i].header.flags & TCP_CWR) != 0;
    CHECK_EQUAL(marked, 1);
    rig_destroy(&r);
}

static void a_burst_ends_with_push(void)
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_min_burst = 4;
    establish(&r, false);
    give(&r, 10000, 0);
    CHECK_EQUAL(r.sent_count, 10);
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQUAL((r.sent[i].header.flags & TCP_PSH) != 0,
                    i == 3 || i == 7 || i == 9);
    rig_destroy(&r);
}

static void without_offload_only_the_last_segment_has_push(void)
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_offload = 0;
    establish(&r, false);
    give(&r, 9500, 0);
    CHECK_EQUAL(r.sent_count, 10);
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQUAL((r.sent[i].header.flags & TCP_PSH) != 0, i == 9);
    rig_destroy(&r);
}

const struct unit_test suite_tcp_sending[] = {
    UNIT(ends_of_records_are_ends_of_segments),
    UNIT(msg_more_holds_small_segments_for_its_call),
    UNIT(cork_lets_go_in_the_end),
    UNIT(low_water_holds_the_writer),
    UNIT(the_send_buffer_grows_with_the_window),
    UNIT(pacing_spreads_a_window),
    UNIT(congestion_marks_are_echoed_until_cwr),
    UNIT(an_echo_halves_the_window_once),
    UNIT(a_burst_ends_with_push),
    UNIT(without_offload_only_the_last_segment_has_push),
    {0}};
