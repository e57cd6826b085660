// The simulator: one network with its time, nodes, links and applications.
// SPDX-License-Identifier: MIT
#ifndef SIM_SIM_H
#define SIM_SIM_H

// Theory of operation
//
// A simulation is built (by a YAML scenario, a Lua script, a test), run until a
// time, a stop request or idleness, and finished: captures are closed and the
// books are checked (every packet accounted for). Nothing in it reads the wall
// clock; the program around it does, to show progress.
//
// Folders: engine/ time, order, randomness; node/ hosts, routers, switches;
// link/ the wires; capture/ files for Wireshark; frame/ decoding and building
// by hand; app/ plain traffic; config/ scenario files; report/ results.

#include "sim/app/app.h"
#include "sim/capture/capture.h"
#include "sim/engine/engine.h"
#include "sim/engine/random.h"
#include "sim/frame/frame.h"
#include "sim/link/fault_plan.h"
#include "sim/link/link.h"
#include "sim/node/node.h"

struct sim_config {
    const char *name; // of the scenario; copied
    uint64_t seed;
    size_t packet_memory_limit; // bytes; 0: none
};

// A failed expectation, from `expect:` or a script.
struct sim_failure {
    ns_t time;
    char *text; // what was expected and what was seen, with its place; may have
                // lines
    struct sim_failure *next;
};

struct flow_table;

struct sim {
    struct engine engine;
    struct packet_pool *pool;
    uint64_t seed;
    char *name;
    struct node *nodes, **nodes_end;
    struct link *links, **links_end;
    struct app *apps, **apps_end;
    struct flow_table *flows; // report/flows.h
    uint32_t next_node_number, next_link_number;
    uint32_t next_source;                                   // see sim_new_order
    struct name_table *node_names, *link_names, *app_names; // sim/name_table.h
    struct host_index *addresses;                           // sim/host_index.h
    uint64_t expectations; // checked so far, failed ones included
    struct sim_failure *failures, **failures_end;
    uint32_t failure_count;
    char error[512]; // sentence for the last -EINVAL
    bool is_finished;
    struct fault_plan *fault_plan; // link/fault_plan.h; NULL: dice
    bool records_faults;
    uint32_t capture_count; // made so far
    // What a captures directory needs; NULL: none.
    char *capture_dir;
};

int sim_create(const struct sim_config *config, struct sim **out); // -ENOMEM
void sim_destroy(struct sim *sim); // NULL is fine

static inline ns_t sim_now(const struct sim *sim) { return sim->engine.now; }
struct node *sim_find_node(struct sim *sim, const char *name);
const char *sim_error(const struct sim *sim);
void sim_set_error(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// The number of an event source that belongs to no node (scripts, timetables):
// node 0.
uint64_t sim_new_order(struct sim *sim);
// ENGINE_LIMIT: sim_error() says which limit.
enum engine_result sim_run(struct sim *sim, ns_t until);
void sim_stop(struct sim *sim); // from a handler: the run ends after this event
// Closes captures, checks the invariants of every link and stack. Results stay
// readable. 0, or the first capture's error.
int sim_finish(struct sim *sim);

void sim_fail(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_expect_passed(struct sim *sim); // counts a check that held

// XXH3 over the final state: time, every counter of every node and link,
// applications, connections, captures' hashes. The same run gives the same
// number.
uint64_t sim_fingerprint(const struct sim *sim);

// Addresses by name: the first address of that host (of the given family;
// IP_NONE: IPv4 first).
int sim_resolve(struct sim *sim, const char *host, uint8_t family,
                struct ip_addr *out); // -ENOENT
// The host that owns an address: NULL none.
struct host *sim_host_of_address(struct sim *sim,
                                 const struct ip_addr *address);
// Routes for everything: each host and router gets the routes that a shortest
// path (fewest links, then order of creation) over routers gives, for both
// families, except for prefixes to which it has a route already and hosts with
// one way out, which get a default route.
int sim_compute_routes(struct sim *sim);

#endif
