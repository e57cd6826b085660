// Whole simulations as benchmarks: what a workload is, what it reports.
// SPDX-License-Identifier: MIT
#ifndef WORKLOAD_WORKLOAD_H
#define WORKLOAD_WORKLOAD_H

// Theory of operation
//
// A workload builds a network, runs it, and says what went over the wire. Each
// runs in a process of its own, so that peak memory is its own; the clock runs
// from the first line of the workload to its last, building included, unless it
// restarts it. Figures are of wall time on one core; compare them within one
// run of the program only.

#include "sim/sim.h"

struct workload_result {
    double wall_seconds, simulated_seconds;
    uint64_t frames; // that entered a link
    uint64_t events;
    uint64_t units;      // connections or hosts; 0: not a matter of them
    uint64_t unit_bytes; // memory per unit, idle
    uint64_t peak_bytes; // resident, of the process
    uint64_t payload;    // bytes delivered to applications
};

struct workload {
    const char *id;   // "W1"
    const char *name; // what it is
    const char *unit; // of units; NULL
    bool is_quick;    // part of bench-quick
    void (*run)(struct workload_result *result);
};
extern const struct workload workloads[]; // ended by a NULL id

double workload_clock(void);      // seconds
uint64_t workload_resident(void); // bytes resident now
// Fills frames, events and simulated time; ends the simulation.
void workload_end(struct sim *sim, struct workload_result *result);

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
