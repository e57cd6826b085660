// What a connection does when its time has come.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// Timeouts in a row after which the path may swallow large packets (Linux
// tcp_retries1, RFC 9293 3.8.3 R1).
enum { RETRIES_OF_A_BLACK_HOLE = 3 };

// --- Deadlines --------------------------------------------------------------

static ns_t earliest(const struct tcp_connection *c)
{
    ns_t at = NS_NEVER;
    for (unsigned i = 0; i < TCP_DEADLINE_COUNT; i++)
        at = min_i64(at, c->deadlines[i]);
    return at;
}

// The heap entry is moved only towards earlier; a timer that runs too early
// finds nothing due and is set again.
void tcp_deadline_set(struct tcp_connection *c, enum tcp_deadline which,
                      ns_t at)
{
    c->deadlines[which] = at;
    if (at < c->timer.deadline)
        stack_timer_set(tcp_stack(c), &c->timer, at);
}

void tcp_deadline_clear(struct tcp_connection *c, enum tcp_deadline which)
{
    c->deadlines[which] = NS_NEVER;
}

void tcp_retransmit_timer_set(struct tcp_connection *c,
                              enum tcp_retransmit_kind kind, ns_t after)
{
    c->retransmit_kind = (uint8_t)kind;
    tcp_deadline_set(c, TCP_DEADLINE_RETRANSMIT, tcp_now(c) + after);
}

// --- Giving up --------------------------------------------------------------

static void give_up(struct tcp_connection *c)
{
    tcp_end(c, c->soft_error ? c->soft_error : -ETIMEDOUT);
}

// How long retransmissions go on when they are limited by count: the sum of
// the backed-off timeouts (Linux's reading of RFC 9293 3.8.3 R2).
static ns_t time_of_retries(const struct tcp_connection *c, unsigned retries)
{
    ns_t rto = tcp_settings(c)->tcp_min_rto;
    ns_t most = tcp_settings(c)->tcp_max_rto, sum = 0;
    for (unsigned i = 0; i <= retries; i++) {
        sum += rto;
        rto = min_i64(rto * 2, most);
    }
    return sum;
}

// Since when nothing has been acknowledged: the first retransmission, as Linux
// counts, or the first transmission while there was none. Unlike Linux we look
// at progress within an episode of recovery, too: RFC 9293 3.8.3 speaks of
// retransmissions of the same segment, and an episode on a bad link may last.
static ns_t stuck_since(const struct tcp_connection *c)
{
    const struct tcp_segments *s = &c->segments;
    if (c->retransmit_started || !s->ring)
        return max_i64(c->retransmit_started, c->advanced_at);
    return s->ring[s->first & s->mask].sent_at;
}

static bool retransmitted_too_long(const struct tcp_connection *c)
{
    const struct stack_settings *settings = tcp_settings(c);
    if (c->retransmits == 0)
        return false;
    if (tcp_is_in(c, TCP_IN(SYN_SENT)))
        return c->retransmits >= settings->tcp_syn_retries;
    if (tcp_is_in(c, TCP_IN(SYN_RECEIVED)))
        return c->retransmits >= settings->tcp_syn_ack_retries;
    unsigned retries = (unsigned)settings->tcp_retries;
    if (c->socket.is_orphan)
        retries = min_u32(retries, (uint32_t)settings->tcp_orphan_retries);
    return tcp_now(c) - stuck_since(c) >= time_of_retries(c, retries);
}

// RFC 5482: counted from the first transmission of the data that waits.
static bool user_timeout_is_over(const struct tcp_connection *c)
{
    ns_t limit = tcp_settings(c)->tcp_user_timeout;
    return limit > 0 && c->retransmits > 0 &&
           tcp_now(c) - stuck_since(c) >= limit;
}

// --- Retransmission ---------------------------------------------------------

// The next timeout comes no later than the user timeout would.
static ns_t clamp_to_user_timeout(const struct tcp_connection *c, ns_t rto)
{
    ns_t limit = tcp_settings(c)->tcp_user_timeout;
    if (limit == 0)
        return rto;
    ns_t left = stuck_since(c) + limit - tcp_now(c);
    return left <= 0 ? 1 * NS_PER_MS : min_i64(rto, left);
}

static void back_off(struct tcp_connection *c)
{
    if (c->backoff < UINT8_MAX)
        c->backoff++;
    if (c->retransmits < UINT8_MAX)
        c->retransmits++;
    tcp_retransmit_timer_set(c, TCP_RETRANSMIT_RTO,
                             clamp_to_user_timeout(c, tcp_rto(c)));
}

static void on_syn_timeout(struct tcp_connection *c)
{
    if (retransmitted_too_long(c) || user_timeout_is_over(c)) {
        give_up(c);
        return;
    }
    c->statistics.timeouts++;
    tcp_count(c, COUNT_TCP_TIMEOUTS);
    c->syn_retransmitted = true;
    tcp_retransmit(c, c->segments.first);
    back_off(c);
}

// RFC 6298 5.4 to 5.6.
static void on_rto(struct tcp_connection *c)
{
    if (c->packets_out == 0)
        return;
    if (tcp_is_in(c, TCP_IN(SYN_SENT) | TCP_IN(SYN_RECEIVED))) {
        on_syn_timeout(c);
        return;
    }
    if (retransmitted_too_long(c) || user_timeout_is_over(c)) {
        give_up(c);
        return;
    }
    c->statistics.timeouts++;
    tcp_count(c, COUNT_TCP_TIMEOUTS);
    if (c->retransmits >= RETRIES_OF_A_BLACK_HOLE)
        tcp_mtu_probe_black_hole(c);
    tcp_recovery_enter_loss(c);
    tcp_retransmit_after_timeout(c);
    back_off(c);
}

// --- Zero window probes, RFC 9293 3.8.6.1 -----------------------------------

static bool probed_too_long(const struct tcp_connection *c)
{
    const struct stack_settings *settings = tcp_settings(c);
    ns_t limit = settings->tcp_user_timeout;
    ns_t since = tcp_now(c) - c->retransmit_started;
    if (limit > 0 && c->probes_out > 0 && since >= limit)
        return true;
    // A peer that answers keeps us waiting for ever; an orphan does not.
    unsigned most = (unsigned)settings->tcp_retries;
    if (c->socket.is_orphan)
        most = min_u32(most, (uint32_t)settings->tcp_orphan_retries);
    return c->probes_out >= most;
}

static void on_persist(struct tcp_connection *c)
{
    if (c->packets_out > 0 || (tcp_unsent(c) == 0 && !tcp_fin_unsent(c))) {
        c->probes_out = 0;
        return;
    }
    if (c->probes_out == 0)
        c->retransmit_started = tcp_now(c);
    if (probed_too_long(c)) {
        give_up(c);
        return;
    }
    tcp_send_window_probe(c);
    if (c->packets_out > 0) { // it carried data, which has its own timer
        c->backoff = 0;
        c->retransmit_started = 0;
        tcp_rearm_rto(c);
        return;
    }
    if (c->probes_out < UINT8_MAX)
        c->probes_out++;
    if (c->backoff < tcp_settings(c)->tcp_retries)
        c->backoff++;
    tcp_retransmit_timer_set(c, TCP_RETRANSMIT_PERSIST,
                             clamp_to_user_timeout(c, tcp_rto(c)));
}

// Nothing in flight could bring a window update: the persist timer must.
void tcp_persist_check(struct tcp_connection *c)
{
    if (c->packets_out > 0 || !tcp_is_in(c, TCP_HAS_OUTPUT) ||
        tcp_deadline_is_set(c, TCP_DEADLINE_RETRANSMIT))
        return;
    if (tcp_unsent(c) == 0 && !tcp_fin_unsent(c))
        return;
    tcp_retransmit_timer_set(c, TCP_RETRANSMIT_PERSIST,
                             max_i64(tcp_rto(c), tcp_settings(c)->tcp_min_rto));
}

static void on_retransmit(struct tcp_connection *c)
{
    switch ((enum tcp_retransmit_kind)c->retransmit_kind) {
    case TCP_RETRANSMIT_RTO:
        on_rto(c);
        break;
    case TCP_RETRANSMIT_PERSIST:
        on_persist(c);
        break;
    case TCP_RETRANSMIT_PROBE:
        tcp_tlp_on_timer(c);
        break;
    case TCP_RETRANSMIT_REORDER:
        tcp_rack_on_timer(c);
        break;
    }
}

void tcp_rearm_rto_from_first(struct tcp_connection *c)
{
    if (c->packets_out == 0) {
        tcp_deadline_clear(c, TCP_DEADLINE_RETRANSMIT);
        return;
    }
    const struct tcp_segment *first = tcp_segment_at(c, c->segments.first);
    ns_t after = first->sent_at + tcp_rto(c) - tcp_now(c);
    tcp_retransmit_timer_set(c, TCP_RETRANSMIT_RTO, max_i64(after, NS_PER_MS));
}

// RFC 6298 5.1 to 5.3.
void tcp_rearm_rto(struct tcp_connection *c)
{
    if (c->packets_out == 0) {
        tcp_deadline_clear(c, TCP_DEADLINE_RETRANSMIT);
        return;
    }
    bool replaces_early_one = tcp_deadline_is_set(c, TCP_DEADLINE_RETRANSMIT) &&
                              (c->retransmit_kind == TCP_RETRANSMIT_PROBE ||
                               c->retransmit_kind == TCP_RETRANSMIT_REORDER);
    if (replaces_early_one)
        tcp_rearm_rto_from_first(c);
    else
        tcp_retransmit_timer_set(c, TCP_RETRANSMIT_RTO, tcp_rto(c));
}

// --- Keepalive, FIN-WAIT-2, TIME-WAIT ---------------------------------------

static bool wants_keepalive(const struct tcp_connection *c)
{
    return (c->keepalive || tcp_settings(c)->tcp_keepalive) &&
           tcp_is_in(c, TCP_SYNCHRONISED & ~TCP_IN(TIME_WAIT));
}

void tcp_keepalive_start(struct tcp_connection *c)
{
    bool is_other_use = c->state == TCP_TIME_WAIT ||
                        (c->state == TCP_FIN_WAIT_2 && c->socket.is_orphan);
    if (is_other_use)
        return;
    if (!wants_keepalive(c)) {
        tcp_deadline_clear(c, TCP_DEADLINE_KEEP);
        return;
    }
    tcp_deadline_set(c, TCP_DEADLINE_KEEP,
                     tcp_now(c) + tcp_settings(c)->tcp_keepalive_idle);
}

static void probe_or_give_up(struct tcp_connection *c, ns_t idle)
{
    const struct stack_settings *settings = tcp_settings(c);
    ns_t limit = settings->tcp_user_timeout;
    bool is_over = limit > 0
                       ? idle >= limit && c->keepalive_probes > 0
                       : c->keepalive_probes >= settings->tcp_keepalive_count;
    if (is_over) {
        tcp_reset_send(c);
        give_up(c);
        return;
    }
    tcp_count(c, COUNT_TCP_KEEPALIVES);
    tcp_send_probe(c);
    c->keepalive_probes++;
    tcp_deadline_set(c, TCP_DEADLINE_KEEP,
                     tcp_now(c) + settings->tcp_keepalive_interval);
}

static void on_keepalive(struct tcp_connection *c)
{
    if (!wants_keepalive(c))
        return;
    ns_t idle_limit = tcp_settings(c)->tcp_keepalive_idle;
    ns_t heard = max_i64(c->last_received_at, c->last_ack_at);
    ns_t idle = tcp_now(c) - heard;
    bool is_busy = c->packets_out > 0 || tcp_unsent(c) > 0;
    if (is_busy)
        tcp_deadline_set(c, TCP_DEADLINE_KEEP, tcp_now(c) + idle_limit);
    else if (idle < idle_limit)
        tcp_deadline_set(c, TCP_DEADLINE_KEEP, heard + idle_limit);
    else
        probe_or_give_up(c, idle);
}

static void on_keep(struct tcp_connection *c)
{
    if (c->state == TCP_TIME_WAIT ||
        (c->state == TCP_FIN_WAIT_2 && c->socket.is_orphan))
        tcp_end(c, 0);
    else
        on_keepalive(c);
}

// --- Expiry -----------------------------------------------------------------

static bool is_due(struct tcp_connection *c, enum tcp_deadline which)
{
    if (c->state == TCP_CLOSED || c->deadlines[which] > tcp_now(c))
        return false;
    c->deadlines[which] = NS_NEVER;
    return true;
}

void tcp_timer_on_expiry(struct timer *timer)
{
    struct tcp_connection *c =
        CONTAINER_OF(timer, struct tcp_connection, timer);
    tcp_hold(c);
    bool did_something = false;
    if (is_due(c, TCP_DEADLINE_ACK)) {
        tcp_ack_on_timer(c);
        did_something = true;
    }
    if (is_due(c, TCP_DEADLINE_RETRANSMIT)) {
        on_retransmit(c);
        did_something = true;
    }
    if (is_due(c, TCP_DEADLINE_SEND)) {
        tcp_output_on_timer(c);
        did_something = true;
    }
    if (is_due(c, TCP_DEADLINE_KEEP)) {
        on_keep(c);
        did_something = true;
    }
    if (c->state != TCP_CLOSED && earliest(c) != NS_NEVER)
        stack_timer_set(tcp_stack(c), &c->timer, earliest(c));
    if (did_something)
        tcp_trace_update(c);
    tcp_release(c);
}
