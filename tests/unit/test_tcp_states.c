// Every state of TCP against every event (RFC 9293 3.10).
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stack/tcp/tcp.h"
#include "stack/wire/bytes.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "tests/unit/net_fixture.h"
#include "tests/unit/unit.h"

// One stack, whose peer is this file: segments are injected as raw frames, and
// what the stack sends is noted. The table at the end has a row per event and a
// column per state; a cell is the state afterwards and the flags of what was
// sent: "E A" is ESTABLISHED after an ACK, "-" nothing.

enum { PEER_ISN = 1000, OUR_ISN = 5000, WINDOW = 20000, PORT = 80 };

struct rig {
    struct net *net;
    struct net_host *host;
    struct stack_settings settings;
    struct socket *socket; // NULL: none, or given up
    uint16_t our_port, peer_port;
    tcp_seq snd_una, snd_nxt, rcv_nxt; // of the stack under test
    char sent[64];
};

// --- What the stack sends ---------------------------------------------------

static void note_reply(struct rig *r, const struct tcp_header *h)
{
    char flags[10];
    size_t used = strlen(r->sent);
    tcp_flags_format(h->flags, flags);
    if (used + 12 < sizeof r->sent)
        snprintf(r->sent + used, sizeof r->sent - used, "%s%s", used ? "," : "",
                 flags);
}

static enum net_verdict on_frame(void *context, struct net_frame *frame)
{
    struct rig *r = context;
    const uint8_t *b = frame->packet->data;
    struct tcp_header h;
    if (get_be16(b + 12) != 0x0800 || b[23] != 6)
        return NET_DROP;
    size_t length = get_be16(b + 16) - (size_t)IPV4_HEADER_SIZE;
    must(tcp_parse(b + 34, length, &h) > 0);
    r->our_port = h.source_port;
    note_reply(r, &h);
    return NET_DROP;
}

// --- What the peer sends ----------------------------------------------------

struct segment {
    uint8_t flags;
    tcp_seq seq, ack;
    size_t length;
    uint16_t urgent;
};

static void put_headers(uint8_t *frame, uint8_t protocol, size_t length)
{
    static const uint8_t link[14] = {2, 0, 0, 0, 0, 1, 2, 9, 9, 9, 9, 9, 8, 0};
    struct ipv4_header ip = {.total_length = (uint16_t)(20 + length),
                             .ttl = 64,
                             .protocol = protocol,
                             .source = net_addr("10.0.0.9"),
                             .destination = net_addr("10.0.0.1")};
    memcpy(frame, link, sizeof link);
    ipv4_emit(&ip, frame + 14);
}

static void inject(struct rig *r, const struct segment *s)
{
    uint8_t frame[14 + 20 + 20 + 2000] = {0};
    struct tcp_header h = {.source_port = r->peer_port,
                           .destination_port = r->our_port,
                           .seq = s->seq,
                           .ack = s->ack,
                           .header_length = 20,
                           .flags = s->flags,
                           .window = 30000,
                           .urgent = s->urgent};
    struct ip_addr from = net_addr("10.0.0.9"), to = net_addr("10.0.0.1");
    must(s->length <= 2000);
    put_headers(frame, 6, 20 + s->length);
    tcp_emit(&h, frame + 34);
    tcp_fill_checksum(frame + 34, 20 + s->length, &from, &to);
    net_inject(r->host, r->host->eth, frame, 54 + s->length);
}

// A port unreachable that quotes a segment of ours.
static void inject_icmp(struct rig *r, tcp_seq seq)
{
    uint8_t frame[14 + 20 + 8 + 28] = {0};
    uint8_t *icmp = frame + 34, *quoted = icmp + 8;
    struct ipv4_header ip = {.total_length = 40,
                             .ttl = 64,
                             .protocol = 6,
                             .source = net_addr("10.0.0.1"),
                             .destination = net_addr("10.0.0.9")};
    struct icmp_header h = {.type = ICMP4_UNREACHABLE,
                            .code = ICMP4_PORT_UNREACHABLE};
    put_headers(frame, 1, 8 + 28);
    icmp_emit(&h, icmp);
    ipv4_emit(&ip, quoted);
    put_be16(quoted + 20, r->our_port);
    put_be16(quoted + 22, r->peer_port);
    put_be32(quoted + 24, seq);
    icmp_fill_checksum(icmp, 8 + 28, NULL, NULL);
    net_inject(r->host, r->host->eth, frame, sizeof frame);
}

// --- Reaching a state -------------------------------------------------------

static struct tcp_connection *find_connection(const struct rig *r)
{
    struct socket *s = NULL;
    while ((s = socket_next(r->host->stack, s)))
        if (((struct tcp_connection *)s)->state != TCP_LISTEN)
            return (struct tcp_connection *)s;
    return NULL;
}

static enum tcp_state state_now(const struct rig *r)
{
    const struct tcp_connection *c = find_connection(r);
    if (c)
        return (enum tcp_state)c->state;
    return socket_next(r->host->stack, NULL) ? TCP_LISTEN : TCP_CLOSED;
}

static void learn_numbers(struct rig *r)
{
    const struct tcp_connection *c = find_connection(r);
    r->rcv_nxt = PEER_ISN + 1;
    r->snd_una = r->snd_nxt = OUR_ISN + 1;
    if (!c || !c->iss_is_set)
        return;
    r->snd_una = c->snd_una;
    r->snd_nxt = c->snd_nxt;
    if (c->irs)
        r->rcv_nxt = c->rcv_nxt;
}

static void set_up(struct rig *r)
{
    *r = (struct rig){.settings = stack_settings_default,
                      .our_port = PORT,
                      .peer_port = 4000};
    r->settings.tcp_timestamps = 0;
    r->settings.tcp_sequence_wrap_test = OUR_ISN;
    r->settings.tcp_receive_buffer = WINDOW;
    r->settings.tcp_window_scaling = 0;
    r->settings.tcp_autotune = 0;
    r->net = net_create(1);
    r->host = net_add_stack(r->net, "host", &r->settings);
    net_add_iface(r->host, 0, "eth0", 0, "10.0.0.1/24");
    struct ip_addr peer = net_addr("10.0.0.9");
    struct mac_addr mac = {{2, 9, 9, 9, 9, 9}};
    must(stack_set_neighbour(r->host->eth, &peer, &mac) == 0);
    net_set_hook(r->net, on_frame, r);
    must(socket_open(r->host->stack, SOCKET_STREAM, IP_V4, 0, &r->socket) == 0);
}

static void do_listen(struct rig *r)
{
    struct endpoint any = {.addr = ip_addr_any(IP_V4), .port = PORT};
    must(socket_bind(r->socket, &any) == 0);
    must(socket_listen(r->socket, 5) == 0);
}

static void do_connect(struct rig *r)
{
    struct endpoint peer = net_endpoint("10.0.0.9:4000");
    must(socket_connect(r->socket, &peer) == -EINPROGRESS);
}

static void send_peer(struct rig *r, uint8_t flags)
{
    learn_numbers(r);
    inject(r, &(struct segment){flags, r->rcv_nxt, r->snd_nxt, 0, 0});
}

static void do_establish(struct rig *r)
{
    do_connect(r);
    inject(r,
           &(struct segment){TCP_SYN | TCP_ACK, PEER_ISN, OUR_ISN + 1, 0, 0});
}

static void send_fin_without_ack(struct rig *r)
{
    learn_numbers(r);
    inject(r,
           &(struct segment){TCP_FIN | TCP_ACK, r->rcv_nxt, r->snd_una, 0, 0});
}

static void reach(struct rig *r, enum tcp_state state)
{
    set_up(r);
    switch (state) {
    case TCP_CLOSED:
        break;
    case TCP_LISTEN:
        do_listen(r);
        break;
    case TCP_SYN_SENT:
        do_connect(r);
        break;
    case TCP_SYN_RECEIVED:
        do_listen(r);
        inject(r, &(struct segment){TCP_SYN, PEER_ISN, 0, 0, 0});
        break;
    default:
        do_establish(r);
        break;
    }
    if (state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK)
        send_peer(r, TCP_FIN | TCP_ACK);
    if (state == TCP_FIN_WAIT_1 || state == TCP_FIN_WAIT_2 ||
        state == TCP_CLOSING || state == TCP_LAST_ACK || state == TCP_TIME_WAIT)
        must(socket_shutdown(r->socket, SHUTDOWN_SEND) == 0);
    if (state == TCP_FIN_WAIT_2 || state == TCP_TIME_WAIT)
        send_peer(r, TCP_ACK);
    if (state == TCP_TIME_WAIT)
        send_peer(r, TCP_FIN | TCP_ACK);
    if (state == TCP_CLOSING)
        send_fin_without_ack(r);
    must(state_now(r) == state);
    learn_numbers(r);
    r->sent[0] = '\0';
}

static void tear_down(struct rig *r) { net_destroy(r->net); }

// --- Events -----------------------------------------------------------------

static void syn_in_window(struct rig *r)
{
    inject(r, &(struct segment){TCP_SYN, r->rcv_nxt, 0, 0, 0});
}
static void syn_beyond_window(struct rig *r)
{
    inject(r, &(struct segment){TCP_SYN, r->rcv_nxt + 100000, 0, 0, 0});
}
static void syn_again(struct rig *r)
{
    inject(r, &(struct segment){TCP_SYN, PEER_ISN, 0, 0, 0});
}
static void syn_ack(struct rig *r)
{
    inject(r, &(struct segment){TCP_SYN | TCP_ACK, PEER_ISN, r->snd_nxt, 0, 0});
}
static void syn_ack_of_nothing(struct rig *r)
{
    inject(r, &(struct segment){TCP_SYN | TCP_ACK, PEER_ISN, r->snd_nxt + 7, 0,
                                0});
}
static void ack_of_all(struct rig *r)
{
    inject(r, &(struct segment){TCP_ACK, r->rcv_nxt, r->snd_nxt, 0, 0});
}
static void ack_that_is_old(struct rig *r)
{
    inject(r, &(struct segment){TCP_ACK, r->rcv_nxt, r->snd_una - 1, 0, 0});
}
static void ack_of_what_was_never_sent(struct rig *r)
{
    inject(r, &(struct segment){TCP_ACK, r->rcv_nxt, r->snd_nxt + 1, 0, 0});
}
static void ack_beyond_the_window(struct rig *r)
{
    inject(r, &(struct segment){TCP_ACK, r->rcv_nxt + 2 * WINDOW, r->snd_nxt, 0,
                                0});
}
static void no_flags_at_all(struct rig *r)
{
    inject(r, &(struct segment){0, r->rcv_nxt, r->snd_nxt, 0, 0});
}
static void data_in_order(struct rig *r)
{
    inject(r, &(struct segment){TCP_ACK, r->rcv_nxt, r->snd_nxt, 100, 0});
}
static void data_left_of_the_window(struct rig *r)
{
    inject(r, &(struct segment){TCP_ACK, r->rcv_nxt - 200, r->snd_nxt, 100, 0});
}
static void data_right_of_the_window(struct rig *r)
{
    inject(r, &(struct segment){TCP_ACK, r->rcv_nxt + 2 * WINDOW, r->snd_nxt,
                                100, 0});
}
static void data_after_a_gap(struct rig *r)
{
    inject(r, &(struct segment){TCP_ACK, r->rcv_nxt + 500, r->snd_nxt, 100, 0});
}
static void data_across_the_left_edge(struct rig *r)
{
    inject(r, &(struct segment){TCP_ACK, r->rcv_nxt - 50, r->snd_nxt, 100, 0});
}
static void fin_in_order(struct rig *r)
{
    inject(r,
           &(struct segment){TCP_FIN | TCP_ACK, r->rcv_nxt, r->snd_nxt, 0, 0});
}
static void fin_without_our_ack(struct rig *r)
{
    inject(r,
           &(struct segment){TCP_FIN | TCP_ACK, r->rcv_nxt, r->snd_una, 0, 0});
}
static void fin_again(struct rig *r)
{
    inject(r, &(struct segment){TCP_FIN | TCP_ACK, r->rcv_nxt - 1, r->snd_nxt,
                                0, 0});
}
static void rst_at_the_edge(struct rig *r)
{
    inject(r, &(struct segment){TCP_RST, r->rcv_nxt, 0, 0, 0});
}
static void rst_in_the_window(struct rig *r)
{
    inject(r, &(struct segment){TCP_RST, r->rcv_nxt + 10, 0, 0, 0});
}
static void rst_beyond_the_window(struct rig *r)
{
    inject(r, &(struct segment){TCP_RST, r->rcv_nxt + 2 * WINDOW, 0, 0, 0});
}
static void rst_ack_at_the_edge(struct rig *r)
{
    inject(r,
           &(struct segment){TCP_RST | TCP_ACK, r->rcv_nxt, r->snd_nxt, 0, 0});
}
static void urgent_data(struct rig *r)
{
    inject(r, &(struct segment){TCP_ACK | TCP_URG, r->rcv_nxt, r->snd_nxt, 10,
                                10});
}
static void port_unreachable(struct rig *r) { inject_icmp(r, r->snd_una); }
static void time_passes(struct rig *r) { net_run(r->net, 1100 * NS_PER_MS); }
static void much_time_passes(struct rig *r) { net_run(r->net, 70 * NS_PER_S); }
static void call_close(struct rig *r)
{
    socket_close(r->socket);
    r->socket = NULL;
}
static void call_shutdown(struct rig *r)
{
    socket_shutdown(r->socket, SHUTDOWN_SEND);
}
static void call_abort(struct rig *r)
{
    socket_abort(r->socket);
    r->socket = NULL;
}
static void call_send(struct rig *r) { socket_send(r->socket, "abc", 3, 0); }

// --- The table --------------------------------------------------------------

struct row {
    const char *name;
    void (*event)(struct rig *r);
    const char *cells[TCP_STATE_COUNT];
};

static const char *const short_names[] = {"C",  "L",  "SS", "SR", "E", "F1",
                                          "F2", "CW", "CL", "LA", "TW"};

static void run_cell(const struct row *row, enum tcp_state state)
{
    struct rig r;
    char actual[128], what[256];
    reach(&r, state);
    row->event(&r);
    snprintf(actual, sizeof actual, "%s %s", short_names[state_now(&r)],
             r.sent[0] ? r.sent : "-");
    snprintf(what, sizeof what, "%s in %s", row->name, tcp_state_name(state));
    unit_check_text(actual, row->cells[state], what, __FILE__, __LINE__);
    tear_down(&r);
}

static void run_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int s = 0; s < TCP_STATE_COUNT; s++)
            run_cell(&rows[i], (enum tcp_state)s);
}

// clang-format off
#define ROW(event, ...) {#event, event, {__VA_ARGS__}}
static const struct row table[] = {
    //  CLOSED   LISTEN   SYN-SENT  SYN-RECEIVED  ESTABLISHED
    //  FIN-WAIT-1  FIN-WAIT-2  CLOSE-WAIT  CLOSING  LAST-ACK  TIME-WAIT
    ROW(syn_in_window,
        "C R.", "SR S.", "SR S.", "L -", "E .",
        "F1 .", "F2 .", "CW .", "CL .",
        "LA .", "TW ."),
    ROW(syn_beyond_window,
        "C R.", "SR S.", "SR S.", "SR .", "E .",
        "F1 .", "F2 .", "CW .", "CL .",
        "LA .", "TW ."),
    ROW(syn_again,
        "C R.", "SR S.", "SR S.", "SR S.", "E .",
        "F1 .", "F2 .", "CW .", "CL .",
        "LA .", "TW ."),
    ROW(syn_ack,
        "C R", "L R", "E .", "SR .", "E .",
        "F1 .", "F2 .", "CW .", "CL .",
        "LA .", "TW ."),
    ROW(syn_ack_of_nothing,
        "C R", "L R", "SS R", "SR .", "E .",
        "F1 .", "F2 .", "CW .", "CL .",
        "LA .", "TW ."),
    ROW(ack_of_all,
        "C R", "L R", "SS -", "E -", "E -",
        "F2 -", "F2 -", "CW .", "TW -",
        "C -", "TW -"),
    ROW(ack_that_is_old,
        "C R", "L R", "SS R", "SR R", "E -",
        "F1 -", "F2 -", "CW .", "CL -",
        "LA -", "TW -"),
    ROW(ack_of_what_was_never_sent,
        "C R", "L R", "SS R", "SR R", "E .",
        "F1 .", "F2 .", "CW .", "CL .",
        "LA .", "TW -"),
    ROW(ack_beyond_the_window,
        "C R", "L R", "SS -", "SR .", "E .",
        "F1 .", "F2 .", "CW .", "CL .",
        "LA .", "TW ."),
    ROW(no_flags_at_all,
        "C R.", "L -", "SS -", "SR -", "E -",
        "F1 -", "F2 -", "CW -", "CL -",
        "LA -", "TW -"),
    ROW(data_in_order,
        "C R", "L R", "SS -", "E .", "E .",
        "F2 .", "F2 .", "CW .", "TW -",
        "C -", "TW ."),
    ROW(data_left_of_the_window,
        "C R", "L R", "SS -", "SR .", "E .",
        "F1 .", "F2 .", "CW .", "CL .",
        "LA .", "TW ."),
    ROW(data_right_of_the_window,
        "C R", "L R", "SS -", "SR .", "E .",
        "F1 .", "F2 .", "CW .", "CL .",
        "LA .", "TW ."),
    ROW(data_after_a_gap,
        "C R", "L R", "SS -", "E .", "E .",
        "F2 .", "F2 .", "CW .", "TW -",
        "C -", "TW ."),
    ROW(data_across_the_left_edge,
        "C R", "L R", "SS -", "E .", "E .",
        "F2 .", "F2 .", "CW .", "TW -",
        "C -", "TW ."),
    ROW(fin_in_order,
        "C R", "L R", "SS -", "CW -", "CW -",
        "TW .", "TW .", "CW .", "TW -",
        "C -", "TW ."),
    ROW(fin_without_our_ack,
        "C R", "L R", "SS R", "SR R", "CW -",
        "CL .", "TW .", "CW .", "CL .",
        "LA .", "TW ."),
    ROW(fin_again,
        "C R", "L R", "SS -", "E .", "E .",
        "F2 .", "F2 .", "CW .", "TW -",
        "C -", "TW ."),
    ROW(rst_at_the_edge,
        "C -", "L -", "SS -", "L -", "C -",
        "C -", "C -", "C -", "C -",
        "C -", "C -"),
    ROW(rst_in_the_window,
        "C -", "L -", "SS -", "SR .", "E .",
        "F1 .", "F2 .", "CW .", "CL .",
        "LA .", "TW -"),
    ROW(rst_beyond_the_window,
        "C -", "L -", "SS -", "SR -", "E -",
        "F1 -", "F2 -", "CW -", "CL -",
        "LA -", "TW -"),
    ROW(rst_ack_at_the_edge,
        "C -", "L -", "C -", "L -", "C -",
        "C -", "C -", "C -", "C -",
        "C -", "C -"),
    ROW(urgent_data,
        "C R", "L R", "SS -", "E .", "E .",
        "F2 .", "F2 .", "CW .", "TW -",
        "C -", "TW ."),
    ROW(port_unreachable,
        "C -", "L -", "C -", "SR -", "E -",
        "F1 -", "F2 -", "CW -", "CL -",
        "LA -", "TW -"),
    ROW(time_passes,
        "C -", "L -", "SS S", "SR S.", "E -",
        "F1 F.,F.", "F2 -", "CW .", "CL F.,F.",
        "LA F.,F.", "TW -"),
    ROW(much_time_passes,
        "C -", "L -", "SS S,S,S,S,S,S", "L S.,S.,S.,S.,S.", "E -",
        "F1 F.,F.,F.,F.,F.,F.,F.,F.", "F2 -", "CW .", "CL F.,F.,F.,F.,F.,F.,F.,F.",
        "LA F.,F.,F.,F.,F.,F.,F.,F.", "C -"),
    ROW(call_close,
        "C -", "C -", "C -", "C -", "F1 F.",
        "F1 -", "F2 -", "LA F.", "CL -",
        "LA -", "TW -"),
    ROW(call_shutdown,
        "C -", "L -", "SS -", "SR -", "F1 F.",
        "F1 -", "F2 -", "LA F.", "CL -",
        "LA -", "TW -"),
    ROW(call_abort,
        "C -", "C -", "C -", "C -", "C R.",
        "C R.", "C R.", "C R.", "C R.",
        "C R.", "C -"),
    ROW(call_send,
        "C -", "L -", "SS -", "SR -", "E P.",
        "F1 -", "F2 -", "CW P.", "CL -",
        "LA -", "TW -"),
};
// clang-format on

static void each_state_answers_each_event(void)
{
    run_rows(table, ARRAY_LENGTH(table));
}

const struct unit_test suite_tcp_states[] = {
    UNIT(each_state_answers_each_event), {0}};
