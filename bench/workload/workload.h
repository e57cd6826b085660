// Whole simulations as benchmarks: what a workload is, what it reports.
// SPDX-License-Identifier: MIT
#ifndef WORKLOAD_WORKLOAD_H
#define WORKLOAD_WORKLOAD_H

// Theory of operation
//
// A workload builds a network of some size, runs it, and says what went over
// the wire. Each runs in a process of its own, so that peak memory is its own;
// the clock runs from the first line of the workload to its last, building
// included. A workload has one thread: on an idle machine its wall time and its
// processor time are the same, on a busy one the latter is nearer to the truth.
// Compare figures within one run of the program only.
//
// A kind of workload is what scales; a run of it is the kind with a size, and
// is written KIND:SIZE on the command line ("hosts:100000"). W1 to W7 are runs
// that have names of their own, the growth table is each kind at growing sizes,
// and the instruction counts that bench/check.sh compares are of small ones.

#include "sim/sim.h"

struct workload_result {
    double wall_seconds, cpu_seconds, simulated_seconds;
    uint64_t frames; // that entered a link
    uint64_t events;
    uint64_t units;      // connections or hosts; 0: not a matter of them
    uint64_t unit_bytes; // memory per unit, idle
    uint64_t peak_bytes; // resident, of the process
    uint64_t payload;    // bytes delivered to applications
};

// What the time is divided by in the growth table.
enum workload_cost { COST_UNIT, COST_FRAME, COST_EVENT };

struct workload_kind {
    const char *name; // "hosts"
    const char *unit; // one of what its size counts: "host"
    enum workload_cost cost;
    void (*run)(struct workload_result *result, uint64_t size);
    const uint64_t *sizes; // of the growth table, ended by 0; NULL: not there
};
extern const struct workload_kind workload_kinds[]; // ended by a NULL name
const struct workload_kind *workload_find_kind(const char *name, size_t length);

struct workload {
    const char *id;   // "W1"
    const char *name; // what it is
    const char *kind; // of workload_kinds
    uint64_t size;
    bool is_quick; // part of bench-quick
};
extern const struct workload workloads[]; // ended by a NULL id

double workload_clock(void);      // seconds of wall time
double workload_cpu(void);        // of this process's processor time
uint64_t workload_resident(void); // bytes resident now
// Fills frames, events and simulated time; ends the simulation.
void workload_end(struct sim *sim, struct workload_result *result);

// --- Printing ---------------------------------------------------------------

// Runs it in a process of its own. False: it did not end well.
bool workload_run_apart(const struct workload_kind *kind, uint64_t size,
                        struct workload_result *result);
// Every kind with sizes, `names` alone if there are some. False: one failed.
bool growth_print(int name_count, char *const *names);

// --- Building ---------------------------------------------------------------

struct sim *workload_sim(void);
struct host *workload_host(struct sim *sim, bool is_router, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));
// Joins two nodes; gives end i the address a.b.c.(i + 1)/30 of `network` (host
// order).
struct link *workload_link(struct sim *sim, struct host *a, struct host *b,
                           uint32_t network, uint64_t rate_bps, ns_t delay,
                           uint32_t queue_packets);
void workload_route(struct host *host, uint32_t network, uint8_t length,
                    uint32_t gateway);
struct app *workload_app(struct sim *sim, struct host *host,
                         struct app_config config);

#endif
