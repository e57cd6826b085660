// The socket options of a TCP connection.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

enum { MOST_BUFFER = 1 << 30, LEAST_BUFFER = 256 };

static bool is_flag(int64_t value) { return value == 0 || value == 1; }

static bool is_buffer_size(int64_t value)
{
    return value >= LEAST_BUFFER && value <= MOST_BUFFER;
}

static int set_send_buffer(struct tcp_connection *c, int64_t value)
{
    if (!is_buffer_size(value))
        return -EINVAL;
    c->has_send_limit = true;
    c->send_limit = (uint32_t)value;
    return 0;
}

static int set_receive_buffer(struct tcp_connection *c, int64_t value)
{
    if (!is_buffer_size(value))
        return -EINVAL;
    c->has_receive_limit = true;
    c->receive_limit = (uint32_t)value;
    return 0;
}

static void released(struct tcp_connection *c)
{
    tcp_hold(c);
    if (tcp_is_in(c, TCP_HAS_OUTPUT))
        tcp_output(c);
    tcp_release(c);
}

// Nagle off pushes what waits, corked or not (Linux).
static int set_no_delay(struct tcp_connection *c, int64_t value)
{
    if (!is_flag(value))
        return -EINVAL;
    c->no_delay = value == 1;
    if (value && tcp_is_in(c, TCP_HAS_OUTPUT)) {
        tcp_hold(c);
        tcp_output_push(c);
        tcp_release(c);
    }
    return 0;
}

static int set_cork(struct tcp_connection *c, int64_t value)
{
    if (!is_flag(value))
        return -EINVAL;
    c->cork = value == 1;
    if (!value)
        released(c);
    return 0;
}

static int set_quick_ack(struct tcp_connection *c, int64_t value)
{
    if (!is_flag(value))
        return -EINVAL;
    c->pingpong = value == 0;
    if (value && c->ack_scheduled && tcp_is_in(c, TCP_SYNCHRONISED)) {
        tcp_hold(c);
        tcp_send_ack(c);
        tcp_release(c);
    }
    return 0;
}

static int set_keepalive(struct tcp_connection *c, int64_t value)
{
    if (!is_flag(value))
        return -EINVAL;
    c->keepalive = value == 1;
    if (tcp_is_in(c, TCP_SYNCHRONISED & ~TCP_IN(TIME_WAIT)))
        tcp_keepalive_start(c);
    return 0;
}

// Times of keepalive count from now on.
void tcp_settings_changed(struct socket *socket)
{
    struct tcp_connection *c = (struct tcp_connection *)socket;
    if ((c->keepalive || tcp_settings(c)->tcp_keepalive) &&
        tcp_is_in(c, TCP_SYNCHRONISED & ~TCP_IN(TIME_WAIT)))
        tcp_keepalive_start(c);
}

static int set_linger(struct tcp_connection *c, int64_t value)
{
    if (value < -1)
        return -EINVAL;
    int64_t ms = value <= 0 ? value : (value + NS_PER_MS - 1) / NS_PER_MS;
    c->linger_ms = (int32_t)min_i64(ms, INT32_MAX);
    return 0;
}

static int set_max_segment(struct tcp_connection *c, int64_t value)
{
    static const char group[] = "tcp", name[] = "mss";
    const struct setting_info *info = setting_find(group, name);
    if (c->state != TCP_CLOSED && c->state != TCP_LISTEN)
        return -EINVAL;
    if (value != 0 && value < 48)
        return -EINVAL;
    return socket_set_setting(&c->socket, info, value) ? -EINVAL : 0;
}

int tcp_set_option(struct socket *socket, enum socket_option option,
                   int64_t value)
{
    struct tcp_connection *c = (struct tcp_connection *)socket;
    switch ((int)option) {
    case OPTION_NO_DELAY:
        return set_no_delay(c, value);
    case OPTION_CORK:
        return set_cork(c, value);
    case OPTION_QUICK_ACK:
        return set_quick_ack(c, value);
    case OPTION_KEEPALIVE:
        return set_keepalive(c, value);
    case OPTION_LINGER:
        return set_linger(c, value);
    case OPTION_SEND_BUFFER:
        return set_send_buffer(c, value);
    case OPTION_RECEIVE_BUFFER:
        return set_receive_buffer(c, value);
    case OPTION_MAX_SEGMENT:
        return set_max_segment(c, value);
    case OPTION_URGENT_INLINE:
        c->urgent_inline = value != 0;
        return is_flag(value) ? 0 : -EINVAL;
    case OPTION_NOT_SENT_LOW_WATER:
        c->not_sent_low_water = (uint32_t)value;
        return value >= 0 && value <= UINT32_MAX ? 0 : -EINVAL;
    default:
        return -ENOPROTOOPT;
    }
}

static int64_t send_limit(const struct tcp_connection *c)
{
    return c->send_limit ? c->send_limit : tcp_settings(c)->tcp_send_buffer;
}

static int64_t receive_limit(const struct tcp_connection *c)
{
    return c->receive_limit ? c->receive_limit
                            : tcp_settings(c)->tcp_receive_buffer;
}

static int64_t max_segment(const struct tcp_connection *c)
{
    // BSD counts the timestamps as data here.
    if (c->mss)
        return c->mss +
               (tcp_settings(c)->tcp_bsd_options && c->has_timestamps ? 12 : 0);
    int64_t wanted = tcp_settings(c)->tcp_mss;
    return wanted ? wanted : 536;
}

int tcp_get_option(const struct socket *socket, enum socket_option option,
                   int64_t *out)
{
    const struct tcp_connection *c = (const struct tcp_connection *)socket;
    switch ((int)option) {
    case OPTION_NO_DELAY:
        *out = c->no_delay || !tcp_settings(c)->tcp_nagle;
        return 0;
    case OPTION_CORK:
        *out = c->cork;
        return 0;
    case OPTION_QUICK_ACK:
        *out = !c->pingpong;
        return 0;
    case OPTION_KEEPALIVE:
        *out = c->keepalive || tcp_settings(c)->tcp_keepalive;
        return 0;
    case OPTION_LINGER:
        *out = c->linger_ms < 0 ? -1 : c->linger_ms * NS_PER_MS;
        return 0;
    case OPTION_SEND_BUFFER:
        *out = send_limit(c);
        return 0;
    case OPTION_RECEIVE_BUFFER:
        *out = receive_limit(c);
        return 0;
    case OPTION_MAX_SEGMENT:
        *out = max_segment(c);
        return 0;
    case OPTION_URGENT_INLINE:
        *out = c->urgent_inline;
        return 0;
    case OPTION_NOT_SENT_LOW_WATER:
        *out = c->not_sent_low_water;
        return 0;
    case OPTION_UNSENT:
        *out = c->iss_is_set ? tcp_unsent(c) : 0;
        return 0;
    case OPTION_UNACKED:
        *out = c->write_seq - c->snd_una;
        return 0;
    case OPTION_UNREAD:
        *out = c->receive_bytes;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}
