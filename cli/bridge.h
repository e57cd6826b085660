// What the commands that reach outside share: their common options.
// SPDX-License-Identifier: MIT
#ifndef CLI_BRIDGE_H
#define CLI_BRIDGE_H

#include "cli/run.h"

enum { BRIDGE_TAPS = 16 };

struct bridge {
    struct run_options run;
    const char *taps[BRIDGE_TAPS]; // --tap of wirebed bridge: [NODE=]DEVICE
    size_t tap_count;
};

// Options that all three have, for getopt_long; they end with a row of zeros.
// clang-format off
#define BRIDGE_OPTIONS                                                         \
    {"for", required_argument, NULL, 'u'},                                     \
    {"seed", required_argument, NULL, 'S'},                                    \
    {"set", required_argument, NULL, 's'},                                     \
    {"out", required_argument, NULL, 'o'},                                     \
    {"pcap", no_argument, NULL, 'p'},                                          \
    {"json", no_argument, NULL, 'j'},                                          \
    {"quiet", no_argument, NULL, 'q'},                                         \
    {"verbose", no_argument, NULL, 'v'},                                       \
    {"help", no_argument, NULL, 'h'}
// clang-format on
#define BRIDGE_OPTIONS_HELP                                                    \
    "  --for T            stop after so long, such as 90s or 5m\n"             \
    "  --seed N           seed of every random choice (default: by chance; "   \
    "the summary\n"                                                            \
    "                     tells it)\n"                                         \
    "  --set PATH=VALUE   set any key of the scenario\n"                       \
    "  --pcap             nanosecond pcap files instead of pcapng\n"           \
    "  --json             print the results as JSON on standard output\n"      \
    "  -q, --quiet        print failures only\n"                               \
    "  -v, --verbose      print every counter and every flow\n"                \
    "  -h, --help         this text\n"

// Prepares for argc arguments; bridge_fini frees.
void bridge_init(struct bridge *bridge, const char *command, int argc);
void bridge_fini(struct bridge *bridge);
// One of BRIDGE_OPTIONS but help. An exit status; -1: it is none of them.
int bridge_read_option(struct bridge *bridge, int answer, const char *value);
// Runs in real time: the file at `path`, or `text` under that name.
int bridge_run(struct bridge *bridge, const char *path, const char *text);
// Prints the commands that set this machine up for `device`, changes nothing.
void bridge_print_setup(const char *device, FILE *out);

#endif
