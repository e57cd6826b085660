// One Lua script that drives a simulation: loading, running, its end.
// SPDX-License-Identifier: MIT
#ifndef LUA_SCRIPT_H
#define LUA_SCRIPT_H

// Theory of operation
//
// A script is one Lua state in a sandbox. Its main chunk runs once, before the
// simulation, and may build the network; what happens over time happens in
// tasks, coroutines that the simulation's events resume (task.c). The sandbox
// (sandbox.c) leaves nothing in reach that could make two runs differ, and
// limits (limits.c) end a script that never ends or never has enough memory.
//
// The program's order of calls:
//
//     scenario_load or scenario_create, scenario_build
//     script_create, script_load
//     scenario_settle
//     sim_run
//     script_finish, sim_finish, script_destroy
//
// Two kinds of bad news. A failed expectation (expect and its family, a task
// that is stuck when the run is over) is recorded with sim_fail: a failed test,
// exit status 1. A mistake in the script (syntax, an error that nothing caught,
// a limit) ends the run; script_error has the sentence with its place and
// traceback: exit status 2.

#include <stdio.h>

#include "sim/config/scenario.h"
#include "sim/sim.h"

struct script;

struct script_options {
    size_t memory_limit;        // bytes of the Lua state; 0: 256 MiB
    uint64_t instruction_limit; // Lua instructions within one instant of
                                // simulated time; 0: 200 million
    FILE *log;                  // where print and log write; NULL: nowhere
};

enum { SCRIPT_MEMORY_LIMIT = 256 << 20, SCRIPT_INSTRUCTION_LIMIT = 200000000 };

// scenario NULL: the script cannot add to the network or change links. Both
// outlive the script. options NULL: defaults. -ENOMEM.
int script_create(struct sim *sim, struct scenario *scenario, const char *path,
                  const struct script_options *options, struct script **out);
// Reads, compiles and runs the main chunk. 0; -EINVAL: the script's mistake;
// another negative errno: the file could not be read. script_error says more.
int script_load(struct script *script);
// The same with the text given; the path names it in messages.
int script_load_text(struct script *script, const char *text, size_t length);
// After the run, before sim_finish. Unless the run was cut short, tasks that
// are stuck become failures. Nothing of the script runs afterwards. 0, or
// -EINVAL when the script made a mistake at any time.
int script_finish(struct script *script, enum engine_result result);
// One sentence with its place, then the simulated time and a traceback on lines
// of their own; NULL: no mistake.
const char *script_error(const struct script *script);
void script_destroy(struct script *script); // NULL is fine

// Compiles a file without running it. 0, or -EINVAL with a sentence and its
// place in text (cut to size), or the negative errno of reading it, likewise.
int script_check(const char *path, char *text, size_t size);

#endif
