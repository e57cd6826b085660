// Runs a Lua script on a simulation of its own, for tests of the Lua layer.
// SPDX-License-Identifier: MIT
#ifndef TESTS_LUA_FIXTURE_H
#define TESTS_LUA_FIXTURE_H

#include "lua/script.h"

struct lua_fixture {
    struct scenario *scenario;
    struct sim *sim;
    struct script *script;
    FILE *stream;
    char *log; // what print and log wrote; whole after lua_run
    size_t log_size;
    int load_result, finish_result;
    enum engine_result run_result;
};

struct lua_case {
    const char *path; // NULL: "test.lua"
    uint64_t seed;    // 0: 1
    const char *text; // NULL: the file at path
    size_t memory;    // limits; 0: defaults
    uint64_t instructions;
};

// Loads, settles, runs for 1,000 s at most, finishes. Results stay readable
// until lua_end.
void lua_run(struct lua_fixture *f, const struct lua_case *c);
void lua_run_text(struct lua_fixture *f, const char *text);
void lua_end(struct lua_fixture *f);
const char *
lua_error_text(const struct lua_fixture *f); // "" when there is none
// All texts of failed expectations, one after the other; "" when there is none.
// The caller frees.
char *lua_failures(const struct lua_fixture *f);

#endif
