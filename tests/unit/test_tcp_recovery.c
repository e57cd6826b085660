// Loss recovery, segment by segment.
// SPDX-License-Identifier: MIT
#include "tests/unit/tcp_rig.h"
#include "tests/unit/unit.h"

enum { MSS = 1000, FIRST = RIG_ISN + 1 };
static const uint8_t zeros[50000];

// Ten segments of 1,000 bytes are out, 100 ms after the handshake; the round
// trip is 50 ms.
static void send_ten(struct rig *r, bool timestamps)
{
    r->settings.tcp_window_scaling = 1;
    r->settings.tcp_timestamps = timestamps;
    rig_start(r);
    rig_connect(r);
    net_run(r->net, 50 * NS_PER_MS);
    struct rig_segment syn = {
        .flags = TCP_SYN | TCP_ACK, .seq = RIG_PEER_ISN, .ack = FIRST};
    syn.options = (struct tcp_options){.has_mss = true,
                                       .mss = timestamps ? MSS + 12 : MSS,
                                       .has_window_scale = true,
                                       .window_scale = 6,
                                       .has_timestamps = timestamps,
                                       .ts_value = 1,
                                       .ts_echo = rig_last(r)->options.ts_value,
                                       .has_sack_permitted = true};
    rig_inject(r, &syn);
    rig_learn(r);
    net_run(r->net, 100 * NS_PER_MS);
    rig_forget_sent(r);
    socket_send(r->socket, zeros, 10 * MSS, 0);
    CHECK_EQUAL(r->sent_count, 10);
    net_run(r->net, 50 * NS_PER_MS);
    rig_forget_sent(r);
}

static void create(struct rig *r)
{
    rig_create(r);
    send_ten(r, false);
}

// ACK of the first `acked` segments, SACK of segments [from, to).
static void ack_sack(struct rig *r, unsigned acked, unsigned from, unsigned to)
{
    struct rig_segment s = {
        .flags = TCP_ACK, .seq = r->rcv_nxt, .ack = FIRST + acked * MSS};
    if (to > from) {
        s.options.sack_count = 1;
        s.options.sack[0] =
            (struct tcp_sack_block){FIRST + from * MSS, FIRST + to * MSS};
    }
    rig_inject(r, &s);
    rig_learn(r);
    tcp_check(rig_connection(r));
}

// Which segment the i-th one sent since then is.
static unsigned segment_of(const struct rig *r, unsigned i)
{
    CHECK(i < r->sent_count);
    return (r->sent[i].header.seq - FIRST) / MSS;
}

static void three_sacks_mean_loss(void) // RFC 8985 6.2, RFC 6675
{
    struct rig r;
    create(&r);
    ack_sack(&r, 0, 1, 2);
    ack_sack(&r, 0, 1, 3);
    CHECK_EQUAL(r.sent_count, 0);
    ack_sack(&r, 0, 1, 4);
    CHECK_EQUAL(r.sent_count, 1);
    CHECK_EQUAL(segment_of(&r, 0), 0);
    const struct tcp_connection *c = rig_connection(&r);
    CHECK_EQUAL(c->ca_state, TCP_CA_RECOVERY);
    CHECK_EQUAL(c->cc.ssthresh, 7 * MSS);
    CHECK_EQUAL(c->lost_out, 1);
    ack_sack(&r, 10, 0, 0);
    CHECK_EQUAL(c->ca_state, TCP_CA_OPEN);
    CHECK(c->cc.cwnd >= 7 * MSS && c->cc.cwnd <= 8 * MSS);
    rig_destroy(&r);
}

static void a_single_sack_is_believed_after_a_quarter_rtt(void) // RFC 8985
{
    struct rig r;
    create(&r);
    ack_sack(&r, 0, 1, 2);
    net_run(r.net, 10 * NS_PER_MS);
    CHECK_EQUAL(r.sent_count, 0);
    net_run(r.net, 8 * NS_PER_MS); // 12.5 ms and slack
    CHECK(r.sent_count >= 1);
    CHECK_EQUAL(segment_of(&r, 0), 0);
    rig_destroy(&r);
}

static void reduction_is_proportional(void) // RFC 6937
{
    struct rig r;
    create(&r);
    socket_send(r.socket, zeros, 20 * MSS, 0);
    unsigned sacked = 1;
    for (unsigned i = 2; i <= 10; i++, sacked++)
        ack_sack(&r, 0, 1, i);
    // Two by limited transmit, then about 7 for 10 delivered.
    CHECK(r.sent_count >= 7 && r.sent_count <= 9);
    rig_destroy(&r);
}

static void limited_transmit_sends_new_data(void) // RFC 3042
{
    struct rig r;
    create(&r);
    socket_send(r.socket, zeros, 20 * MSS, 0);
    CHECK_EQUAL(r.sent_count, 0);
    ack_sack(&r, 0, 1, 2);
    CHECK_EQUAL(r.sent_count, 1);
    CHECK_EQUAL(segment_of(&r, 0), 10);
    net_run(r.net, 2 * NS_PER_MS); // else it waits for a larger burst
    ack_sack(&r, 0, 1, 3);
    CHECK_EQUAL(r.sent_count, 2);
    rig_destroy(&r);
}

static void a_dsack_takes_the_reduction_back(void) // RFC 3708, RFC 2883
{
    struct rig r;
    create(&r);
    ack_sack(&r, 0, 1, 4);
    CHECK_EQUAL(rig_connection(&r)->ca_state, TCP_CA_RECOVERY);
    CHECK_EQUAL(r.sent_count, 1);
    // Everything arrived, the retransmission as a duplicate.
    ack_sack(&r, 10, 0, 1);
    const struct tcp_connection *c = rig_connection(&r);
    CHECK_EQUAL(c->ca_state, TCP_CA_OPEN);
    CHECK(c->cc.cwnd >= 10 * MSS);
    CHECK_EQUAL(c->statistics.spurious, 1);
    rig_destroy(&r);
}

static void reordering_is_learnt(void)
{
    struct rig r;
    create(&r);
    ack_sack(&r, 0, 5, 6);
    ack_sack(&r, 0, 0, 0);
    ack_sack(&r, 5, 5, 6); // the first five were only late
    const struct tcp_connection *c = rig_connection(&r);
    CHECK(c->reordering_seen);
    CHECK(c->duplicate_threshold > 3);
    CHECK_EQUAL(r.sent_count, 0);
    rig_destroy(&r);
}

static void a_lost_tail_is_probed(void) // RFC 8985 7
{
    struct rig r;
    create(&r);
    ack_sack(&r, 8, 0, 0);
    CHECK_EQUAL(r.sent_count, 0);
    ns_t start = r.net->now;
    net_run(r.net, 120 * NS_PER_MS);
    CHECK_EQUAL(r.sent_count, 1);
    CHECK_EQUAL(segment_of(&r, 0), 9);
    ns_t wait = r.sent[0].time - start;
    CHECK(wait >= 100 * NS_PER_MS && wait <= 105 * NS_PER_MS);
    // The probe brings the SACK that shows the hole.
    net_run(r.net, 50 * NS_PER_MS);
    rig_forget_sent(&r);
    ack_sack(&r, 8, 9, 10);
    net_run(r.net, 20 * NS_PER_MS);
    CHECK(r.sent_count >= 1);
    CHECK_EQUAL(segment_of(&r, 0), 8);
    rig_destroy(&r);
}

static void run_to_timeout(struct rig *r)
{
    unsigned before = rig_connection(r)->statistics.timeouts;
    while (rig_connection(r)->statistics.timeouts == before)
        net_run(r->net, NS_PER_MS);
}

static void a_timeout_starts_slowly(void) // RFC 5681 3.1, RFC 6298 5
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_tail_loss_probe = 0;
    send_ten(&r, false);
    run_to_timeout(&r);
    const struct tcp_connection *c = rig_connection(&r);
    CHECK_EQUAL(c->ca_state, TCP_CA_LOSS);
    CHECK_EQUAL(r.sent_count, 1);
    CHECK_EQUAL(segment_of(&r, 0), 0);
    CHECK_EQUAL(c->cc.cwnd, MSS);
    CHECK_EQUAL(c->backoff, 1);
    rig_forget_sent(&r);
    ack_sack(&r, 1, 0, 0);
    CHECK_EQUAL(r.sent_count, 2); // slow start
    CHECK_EQUAL(segment_of(&r, 0), 1);
    rig_destroy(&r);
}

static void without_sack_a_repair_is_not_undone(void)
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_sack = 0;
    send_ten(&r, false);
    for (unsigned i = 0; i < 4; i++)
        ack_sack(&r, 0, 0, 0);
    const struct tcp_connection *c = rig_connection(&r);
    CHECK_EQUAL(c->ca_state, TCP_CA_RECOVERY);
    CHECK_EQUAL(segment_of(&r, 0), 0);
    net_run(r.net, 50 * NS_PER_MS);
    ack_sack(&r, 10, 0, 0);
    // Held until something beyond is acknowledged (RFC 6582 4.1).
    CHECK_EQUAL(c->ca_state, TCP_CA_RECOVERY);
    socket_send(r.socket, zeros, 5 * MSS, 0);
    net_run(r.net, 50 * NS_PER_MS);
    ack_sack(&r, 12, 0, 0);
    CHECK_EQUAL(c->ca_state, TCP_CA_OPEN);
    CHECK(c->cc.cwnd <= 8 * MSS);
    CHECK_EQUAL(c->cc.ssthresh, 7 * MSS);
    rig_destroy(&r);
}

static void small_segments_go_again_as_one(void) // RFC 9293 3.8.1
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_nagle = 0;
    rig_start(&r);
    rig_establish(&r);
    rig_forget_sent(&r);
    for (unsigned i = 0; i < 3; i++)
        socket_send(r.socket, zeros, 10, 0);
    CHECK_EQUAL(r.sent_count, 3);
    run_to_timeout(&r);
    CHECK_EQUAL(r.sent_count, 4);
    CHECK_EQUAL(r.sent[3].length, 30);
    tcp_check(rig_connection(&r));
    rig_learn(&r);
    rig_inject(&r, &(struct rig_segment){
                       .flags = TCP_ACK, .seq = r.rcv_nxt, .ack = FIRST + 10});
    tcp_check(rig_connection(&r));
    run_to_timeout(&r);
    CHECK_EQUAL(rig_last(&r)->header.seq, FIRST + 10);
    CHECK_EQUAL(rig_last(&r)->length, 20);
    rig_destroy(&r);
}

static void a_late_flight_undoes_a_timeout(void) // RFC 5682, F-RTO
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_tail_loss_probe = 0;
    send_ten(&r, false);
    socket_send(r.socket, zeros, 10 * MSS, 0);
    run_to_timeout(&r);
    rig_forget_sent(&r);
    ack_sack(&r, 1, 0, 0); // step 2b: two new segments instead
    CHECK_EQUAL(r.sent_count, 2);
    CHECK_EQUAL(segment_of(&r, 0), 10);
    ack_sack(&r, 2, 0, 0); // step 3b: never sent twice, and acknowledged
    const struct tcp_connection *c = rig_connection(&r);
    CHECK_EQUAL(c->ca_state, TCP_CA_OPEN);
    CHECK_EQUAL(c->lost_out, 0);
    CHECK(c->cc.cwnd >= 10 * MSS);
    rig_destroy(&r);
}

static void an_echo_of_the_original_undoes_a_timeout(void) // RFC 3522, Eifel
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_tail_loss_probe = 0;
    r.settings.tcp_frto = 0;
    send_ten(&r, true);
    uint32_t echo = tcp_timestamp(rig_connection(&r)) - 50;
    run_to_timeout(&r);
    struct rig_segment s = {
        .flags = TCP_ACK,
        .seq = r.rcv_nxt,
        .ack = FIRST + MSS,
        .options = {.has_timestamps = true, .ts_value = 2, .ts_echo = echo}};
    rig_inject(&r, &s);
    CHECK_EQUAL(rig_connection(&r)->ca_state, TCP_CA_OPEN);
    CHECK(rig_connection(&r)->cc.cwnd >= 10 * MSS);
    rig_destroy(&r);
}

static void sacked_data_that_was_dropped_is_sent_again(void) // RFC 2018 8
{
    struct rig r;
    create(&r);
    ack_sack(&r, 0, 2, 5);
    // The first two are repaired, and what was SACKed is not acknowledged.
    ack_sack(&r, 2, 0, 0);
    const struct tcp_connection *c = rig_connection(&r);
    CHECK_EQUAL(c->sacked_out, 3);
    rig_forget_sent(&r);
    run_to_timeout(&r);
    CHECK_EQUAL(c->sacked_out, 0);
    CHECK(r.sent_count >= 1);
    CHECK_EQUAL(segment_of(&r, 0), 2);
    ack_sack(&r, 10, 0, 0);
    CHECK_EQUAL(c->packets_out, 0);
    rig_destroy(&r);
}

static void a_lost_retransmission_is_noticed(void) // RFC 8985 6.2
{
    struct rig r;
    create(&r);
    socket_send(r.socket, zeros, 20 * MSS, 0);
    ack_sack(&r, 0, 1, 4);
    CHECK_EQUAL(segment_of(&r, 0), 0);
    ack_sack(&r, 0, 1, 10); // new data leaves after the retransmission
    net_run(r.net, 60 * NS_PER_MS);
    tcp_seq end = r.sent[r.sent_count - 1].header.seq + MSS;
    rig_forget_sent(&r);
    ack_sack(&r, 0, 1, (end - FIRST) / MSS); // and was delivered before it
    net_run(r.net, 20 * NS_PER_MS);
    CHECK(r.sent_count >= 1);
    CHECK_EQUAL(segment_of(&r, 0), 0);
    rig_destroy(&r);
}

static void a_forged_sack_changes_nothing(void)
{
    struct rig r;
    create(&r);
    ack_sack(&r, 0, 12, 20); // beyond what was sent
    ack_sack(&r, 0, 5, 400);
    CHECK_EQUAL(rig_connection(&r)->sacked_out, 0);
    CHECK_EQUAL(r.sent_count, 0);
    rig_destroy(&r);
}

static void rtt_is_not_measured_on_retransmissions(void) // Karn
{
    struct rig r;
    rig_create(&r);
    r.settings.tcp_tail_loss_probe = 0;
    send_ten(&r, false);
    uint32_t srtt = rig_connection(&r)->srtt_us;
    run_to_timeout(&r);
    net_run(r.net, 5 * NS_PER_MS);
    ack_sack(&r, 1, 0, 0);
    CHECK_EQUAL(rig_connection(&r)->srtt_us, srtt);
    rig_destroy(&r);
}

const struct unit_test suite_tcp_recovery[] = {
    UNIT(three_sacks_mean_loss),
    UNIT(a_single_sack_is_believed_after_a_quarter_rtt),
    UNIT(reduction_is_proportional),
    UNIT(limited_transmit_sends_new_data),
    UNIT(a_dsack_takes_the_reduction_back),
    UNIT(reordering_is_learnt),
    UNIT(a_lost_tail_is_probed),
    UNIT(a_timeout_starts_slowly),
    UNIT(without_sack_a_repair_is_not_undone),
    UNIT(small_segments_go_again_as_one),
    UNIT(a_late_flight_undoes_a_timeout),
    UNIT(an_echo_of_the_original_undoes_a_timeout),
    UNIT(sacked_data_that_was_dropped_is_sent_again),
    UNIT(a_lost_retransmission_is_noticed),
    UNIT(a_forged_sack_changes_nothing),
    UNIT(rtt_is_not_measured_on_retransmissions),
    {0}};
