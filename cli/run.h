// One run of one scenario, from its file to its summary.
// SPDX-License-Identifier: MIT
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/load.h"

struct sim;

struct run_options {
    struct scenario_options load; // capture_dir is filled in by run_scenario
    const char *out;              // folder; NULL: pcap-out/SCENARIO
    bool is_one_of_many;          // --out then holds a folder per scenario
    bool is_json, is_quiet, check_determinism;
    int verbosity;
    const char *command; // for complaints; NULL: "run"
    // The scenario itself, instead of a file; the path then only names it.
    const char *text;
    // In step with the clock, with the taps' devices.
    bool is_realtime;
    double speed;   // of it: simulated seconds per second; 0: 1
    bool is_replay; // in virtual time, with taps that `prepare` feeds
    // Called when the network is built, before it runs; an exit status. NULL.
    int (*prepare)(void *context, struct sim *sim);
    // Called when the captures are whole; an exit status. NULL.
    int (*finish)(void *context, struct sim *sim);
    void *context; // of both
};
// Loads, builds, runs, reports. Returns an exit status.
int run_scenario(const char *path, const struct run_options *options);

#endif
