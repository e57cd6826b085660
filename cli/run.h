// One run of one scenario, from its file to its summary.
// SPDX-License-Identifier: MIT
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/load.h"

struct run_options {
    struct scenario_options load; // capture_dir is filled in by run_scenario
    const char *out;              // folder; NULL: pcap-out/SCENARIO
    bool is_one_of_many;          // --out then holds a folder per scenario
    bool is_json, is_quiet, check_determinism;
    int verbosity;
};
// Loads, builds, runs, reports. Returns an exit status.
int run_scenario(const char *path, const struct run_options *options);

#endif
