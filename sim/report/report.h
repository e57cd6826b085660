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
    struct endpoint local, remote;            // as the client sees them
    struct tcp_info client_info, server_info; // the last there is
    bool has_client, has_server;              // which infos are there
    ns_t opened_at, closed_at;                // NS_NEVER: not yet
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
size_t flow_count(const struct sim *sim);

// --- Reports
// --------------------------------------------------------------------------------

struct report_options {
    double wall_seconds; // 0: leave out (a stable report has no wall time)
    bool use_colour;
    bool is_interrupted;
    int verbosity; // 0 normal, 1 every counter
};
// A JSON object with sorted keys and no wall time; the caller frees it.
json_t *report_json(struct sim *sim, const struct report_options *options);
void report_text(struct sim *sim, const struct report_options *options,
                 FILE *out);

#endif
