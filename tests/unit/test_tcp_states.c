// Every state of TCP against every event (RFC 9293 3.10).
// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "stack/wire/icmp.h"
#include "tests/unit/tcp_rig.h"
#include "tests/unit/unit.h"

// The table at the end has a row per event and a column per state; a cell is
// the state afterwards and the flags of what was sent: "E ." is ESTABLISHED
// after an ACK, "-" nothing.

// --- Events -----------------------------------------------------------------

static void syn_in_window(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_SYN, .seq = r->rcv_nxt});
}
static void syn_beyond_window(struct rig *r)
{
    rig_inject(
        r, &(struct rig_segment){.flags = TCP_SYN, .seq = r->rcv_nxt + 100000});
}
static void syn_again(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_SYN, .seq = RIG_PEER_ISN});
}
static void syn_ack(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_SYN | TCP_ACK,
                                        .seq = RIG_PEER_ISN,
                                        .ack = r->snd_nxt});
}
static void syn_ack_of_nothing(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_SYN | TCP_ACK,
                                        .seq = RIG_PEER_ISN,
                                        .ack = r->snd_nxt + 7});
}
static void ack_of_all(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){
                      .flags = TCP_ACK, .seq = r->rcv_nxt, .ack = r->snd_nxt});
}
static void ack_that_is_old(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_ACK,
                                        .seq = r->rcv_nxt,
                                        .ack = r->snd_una - 1});
}
static void ack_of_what_was_never_sent(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_ACK,
                                        .seq = r->rcv_nxt,
                                        .ack = r->snd_nxt + 1});
}
static void ack_beyond_the_window(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_ACK,
                                        .seq = r->rcv_nxt + 2 * RIG_WINDOW,
                                        .ack = r->snd_nxt});
}
static void no_flags_at_all(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.seq = r->rcv_nxt, .ack = r->snd_nxt});
}
static void data_in_order(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_ACK,
                                        .seq = r->rcv_nxt,
                                        .ack = r->snd_nxt,
                                        .length = 100});
}
static void data_left_of_the_window(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_ACK,
                                        .seq = r->rcv_nxt - 200,
                                        .ack = r->snd_nxt,
                                        .length = 100});
}
static void data_right_of_the_window(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_ACK,
                                        .seq = r->rcv_nxt + 2 * RIG_WINDOW,
                                        .ack = r->snd_nxt,
                                        .length = 100});
}
static void data_after_a_gap(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_ACK,
                                        .seq = r->rcv_nxt + 500,
                                        .ack = r->snd_nxt,
                                        .length = 100});
}
static void data_across_the_left_edge(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_ACK,
                                        .seq = r->rcv_nxt - 50,
                                        .ack = r->snd_nxt,
                                        .length = 100});
}
static void fin_in_order(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_FIN | TCP_ACK,
                                        .seq = r->rcv_nxt,
                                        .ack = r->snd_nxt});
}
static void fin_without_our_ack(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_FIN | TCP_ACK,
                                        .seq = r->rcv_nxt,
                                        .ack = r->snd_una});
}
static void fin_again(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_FIN | TCP_ACK,
                                        .seq = r->rcv_nxt - 1,
                                        .ack = r->snd_nxt});
}
static void rst_at_the_edge(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_RST, .seq = r->rcv_nxt});
}
static void rst_in_the_window(struct rig *r)
{
    rig_inject(r,
               &(struct rig_segment){.flags = TCP_RST, .seq = r->rcv_nxt + 10});
}
static void rst_beyond_the_window(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_RST,
                                        .seq = r->rcv_nxt + 2 * RIG_WINDOW});
}
static void rst_ack_at_the_edge(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_RST | TCP_ACK,
                                        .seq = r->rcv_nxt,
                                        .ack = r->snd_nxt});
}
static void urgent_data(struct rig *r)
{
    rig_inject(r, &(struct rig_segment){.flags = TCP_ACK | TCP_URG,
                                        .seq = r->rcv_nxt,
                                        .ack = r->snd_nxt,
                                        .length = 10,
                                        .urgent = 10});
}
static void port_unreachable(struct rig *r)
{
    rig_inject_icmp(r, ICMP4_PORT_UNREACHABLE, 0, r->snd_una);
}
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
    rig_reach(&r, state);
    row->event(&r);
    snprintf(actual, sizeof actual, "%s %s", short_names[rig_state(&r)],
             r.flags_sent[0] ? r.flags_sent : "-");
    snprintf(what, sizeof what, "%s in %s", row->name, tcp_state_name(state));
    unit_check_text(actual, row->cells[state], what, __FILE__, __LINE__);
    rig_destroy(&r);
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
        "C R.", "C R.", "C R.", "C -",
        "C -", "C -"),
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
