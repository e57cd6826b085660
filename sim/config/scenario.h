// A scenario: what a file or a script says about a network, checked, completed.
// SPDX-License-Identifier: MIT
#ifndef CONFIG_SCENARIO_H
#define CONFIG_SCENARIO_H

#include <stdio.h>

#include "sim/config/tree/value.h"
#include "sim/sim.h"

// Capture choice: all link ends, none, or the links named.
enum capture_choice { CAPTURE_ALL, CAPTURE_NONE, CAPTURE_SOME };

struct scenario_options { // from the command line; zero: not given
    const char **sets;    // --set assignments
    size_t set_count;
    bool has_seed;
    uint64_t seed;
    bool has_until;
    ns_t until;
    const char *capture; // "all", "none" or "LINK,..."; NULL
    bool classic_pcap;
    const char *capture_dir; // NULL: no captures are written
};

struct scenario;

// From a YAML file: reads, applies sets, checks everything (names, addresses,
// values, filters, that the script exists). NULL with diagnostics, or with
// *io_error.
struct scenario *scenario_load(const char *path,
                               const struct scenario_options *options,
                               struct diagnostics *diagnostics, int *io_error);
// An empty one, for the Lua file at `path`, which builds its own network; parts
// are added with scenario_apply. The options' --set assignments may set
// top-level keys (seed, stop, ...). NULL: diagnostics, or out of memory.
struct scenario *scenario_create(const char *path,
                                 const struct scenario_options *options,
                                 struct diagnostics *diagnostics);
// As scenario_load, from text that stands for a file called `name`.
struct scenario *scenario_load_text(const char *name, const char *text,
                                    size_t length,
                                    const struct scenario_options *options,
                                    struct diagnostics *diagnostics);
void scenario_destroy(struct scenario *scenario);

const char *
scenario_name(const struct scenario *scenario); // base name without suffix
const char *
scenario_script(const struct scenario
                    *scenario); // path relative to the working directory; NULL
uint64_t scenario_seed(
    const struct scenario *scenario); // --seed, else the file's, else 1
ns_t scenario_stop(const struct scenario *scenario); // NS_NEVER: until idle
struct sim *
scenario_sim(struct scenario *scenario); // NULL before scenario_build
bool scenario_is_empty(
    const struct scenario *scenario); // no host, no link in it
// Will captures be written (a folder is given, and capture is not none)?
bool scenario_captures(const struct scenario *scenario);
struct document *scenario_document(struct scenario *scenario);

// Makes the simulation with hosts, links, routes, apps, timetable and captures.
// 0, -ENOMEM or a negative errno of the capture folder (sim_error says more).
int scenario_build(struct scenario *scenario);
// A piece of network for a running or a fresh simulation, from a Lua table:
// section is "hosts", "links", "switches", "routers", "apps"; value what YAML
// has there: a map of new entries by name, for apps also a list. Mistakes go to
// diagnostics; 0, or -EINVAL when there are any.
int scenario_apply(struct scenario *scenario, const char *section,
                   struct value *value, struct diagnostics *diagnostics);
// Called once by the program when a script has built its network (or by
// scenario_build for YAML): addresses and routes that were left out, captures.
// May be called again later.
int scenario_settle(struct scenario *scenario, struct diagnostics *diagnostics);

// Changes parameters of a link while it runs: keys as under links.NAME in YAML.
// direction 0, 1 or -1 (both).
int scenario_change_link(struct scenario *scenario, struct link *link,
                         int direction, struct value *changes,
                         struct diagnostics *diagnostics);
// Sets tcp:, ip:, ... settings from a map as under hosts.NAME in YAML.
int scenario_read_settings(struct value *map, struct stack_settings *settings,
                           struct diagnostics *diagnostics);

// After the run: checks `expect:` entries against the results (sim_fail for
// each that fails).
void scenario_check_expectations(struct scenario *scenario);
// What `wirebed check` shows: the whole network with everything that was
// chosen, as YAML.
void scenario_print(const struct scenario *scenario, FILE *out);
// The reference of every key (generated from the schema), as Markdown.
void scenario_print_reference(FILE *out);

#endif
