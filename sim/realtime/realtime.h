// Runs a simulation at the pace of the clock, with the devices of its taps.
// SPDX-License-Identifier: MIT
#ifndef REALTIME_REALTIME_H
#define REALTIME_REALTIME_H

// Theory of operation
//
// Simulated time is made to equal the time since the start (times a speed
// factor). The loop runs what is due, then sleeps in epoll until the next event
// is (a timer descriptor), a device has frames, or a signal comes:
//
//      wait ─▶ read the clock ─▶ run events up to it ─▶ read devices
//        ▲                                                   │ frames enter at
//        └──── write what was kept back ◀─ run what that caused ◀─┘ that time
//
// This is the only place that reads a clock. The engine below does not know
// that it is being paced; what comes from outside enters between two events, at
// a time that no frame of an earlier round has, so that a recording of (time,
// frame) replays to the same bytes.
//
// A machine that is too slow, or was stopped for a while, falls behind the
// clock. Events then run late but in order and at their own times, a slice of
// simulated time at once, so that devices are served and signals heard in
// between; the run catches up as soon as it can. How late events ran is
// counted, and a warning is given when it is too much.
//
// Invariants: R1. Simulated time never leaves the clock behind. R2. Every
// frame of the simulation that is due at a time has been handed to its device
// before the loop sleeps.

#include <stdio.h>

#include "sim/realtime/lateness.h"
#include "sim/sim.h"

struct realtime_options {
    ns_t until;   // simulated; NS_NEVER: until a signal or sim_stop
    double speed; // simulated seconds per second; 0: 1. With taps it must be 1
    FILE *log;    // for warnings; NULL: none
    const char *prefix; // of warnings: "wirebed bridge"
};

struct realtime_stats {
    struct lateness lateness; // of events, in real time
    ns_t behind_worst;        // how far simulated time was behind the clock
    uint64_t warnings;
    uint64_t waits; // times it slept
    double wall_seconds, cpu_seconds;
};

// Opens the devices of all taps, runs, closes them. SIGINT and SIGTERM end the
// run with ENGINE_INTERRUPTED; a second one kills. A simulation without taps
// ends when idle. 0 with *result, or a negative errno with a sentence in
// sim_error(). *stats is filled in any case.
int realtime_run(struct sim *sim, const struct realtime_options *options,
                 struct realtime_stats *stats, enum engine_result *result);
// How such a run ends, for a replay too: leases are given back. Time passes to
// `until` unless that is NS_NEVER.
void realtime_end(struct sim *sim, ns_t until);
// "lateness: mean ..., 99 % ..., worst ..."
void realtime_print(struct sim *sim, const struct realtime_stats *stats,
                    FILE *out);

#endif
