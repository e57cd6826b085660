// Results of a run, for people and for programs.
// SPDX-License-Identifier: MIT
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "sim/sim.h"

// --- Flows
// ----------------------------------------------------------------------------------
//
// A flow is one TCP connection as its two ends saw it, or one UDP conversation
// of an application. Connections are noticed through the stacks' trace events
// and read when they end or when the run does.
struct flow {
    struct host *client,
        *server; // client: who sent the SYN; server NULL: unknown
    struct endpoint local, remote;                    // as the client sees them
    const struct tcp_info *client_info, *server_info; // the last there is;
                                                      // never NULL
    bool has_client, has_server; // which infos are there; the others are zero
    ns_t opened_at, closed_at;   // NS_NEVER: not yet
    ns_t first_data_at,
        last_data_at;  // of payload delivered in either direction
    struct flow *next; // in order of opening
};
// Called by hosts for TRACE_TCP_STATE (sim/node/host.c). The table is made on
// first use.
void flow_table_on_state(struct host *host, const struct stack_trace *event);
void flow_table_finish(struct sim *sim); // reads the live ones
void flow_table_destroy(struct flow_table *table);
const struct flow *flow_next(const struct sim *sim,
                             const struct flow *previous);
uint64_t
flow_count(const struct sim *sim); // all there were; beyond 10,000 only counted

// What people ask of a flow first, from the ends' variables.
struct flow_figures {
    uint64_t bytes_up,
        bytes_down;           // payload delivered: client to server, and back
    ns_t duration;            // from the SYN to the last payload delivered
    uint64_t goodput_bps;     // of both directions together; 0: no payload
    uint64_t retransmissions; // segments, both ends
    ns_t rtt_min, rtt;        // of the end that sent more; 0: no sample
};
struct flow_figures flow_get_figures(const struct flow *flow);

// --- Reports ----------------------------------------------------------------

struct report_options {
    double wall_seconds; // 0: leave out (a stable report has no wall time)
    bool use_colour;
    bool is_interrupted;
    int verbosity; // 0 normal, 1 every counter
};
// A JSON object without wall time; the caller frees it. Print it with
// JSON_SORT_KEYS. NULL: out of memory.
json_t *report_json(struct sim *sim, const struct report_options *options);
// The failed expectations alone.
void report_failures(struct sim *sim, const struct report_options *options,
                     FILE *out);
void report_text(struct sim *sim, const struct report_options *options,
                 FILE *out);

#endif
