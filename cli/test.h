// wirebed test: its cases, how they are found, run and told.
// SPDX-License-Identifier: MIT
#ifndef CLI_TEST_H
#define CLI_TEST_H

// Theory of operation
//
// A case is a file, or a scenario with one seed. Each runs in a process of its
// own (a fork of this one that becomes `run` or `packetdrill`), so that a
// crash, an endless loop or a runaway allocation is one failure and no more. Up
// to `jobs` of them run at a time; what they print is kept. Results are told in
// the order of the plan, whatever the order in which they end.
//
// Virtual time makes a rerun exact, so captures are not written until a case
// fails: it is then run once more with them.

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum test_kind { TEST_SCENARIO, TEST_PACKETDRILL };
enum test_verdict {
    TEST_WAITING,
    TEST_RUNNING,
    TEST_PASSED,
    TEST_FAILED,
    TEST_SKIPPED
};

struct test_case {
    char *path;
    char *id; // the path, with "#SEED" where a seed was asked for
    enum test_kind kind;
    bool has_seed;
    uint64_t seed;

    enum test_verdict verdict;
    char *why;    // one line; NULL while it runs and when it passed
    char *output; // what it printed; NULL: nothing
    size_t output_size, output_room;
    double started, seconds;
    pid_t process;
    int pipe; // its output; -1: none
};

struct test_plan {
    struct test_case *cases;
    size_t count, room;
};

struct test_options {
    long jobs;
    double timeout;     // seconds of wall time for one case
    const char *filter; // a shell pattern or a part of the id; NULL: all
    bool has_seeds;
    uint64_t first_seed, last_seed;
    bool fail_fast, is_quiet, is_verbose, is_tap, is_json;
    const char *tolerance; // of packetdrill scripts, as its option has it
    const char *junit;     // file; NULL
    const char *out;       // folder of captures of what failed
};

// --- Finding (test_plan.c) --------------------------------------------------

// Adds what a path names: a file, or all scenarios (.yaml, .lua) and scripts
// (.pkt) below a folder, in order of their names. A .lua file in a folder is
// left out where a .yaml beside it has it as its script. 0, or an exit status
// with the reason told.
int test_plan_add(struct test_plan *plan, const char *path,
                  const struct test_options *options);
// Keeps only cases whose id is in the file, one a line. False: it could not be
// read.
bool test_plan_keep_listed(struct test_plan *plan, const char *file);
void test_plan_fini(struct test_plan *plan);

// --- Running (test_run.c) ---------------------------------------------------

// Runs all; calls on_result for each in order of the plan. True: interrupted.
bool test_plan_run(struct test_plan *plan, const struct test_options *options,
                   void (*on_result)(void *context, const struct test_case *c),
                   void *context);
// The command that repeats a case alone.
void test_print_command(const struct test_case *c,
                        const struct test_options *options, FILE *out);

// --- Telling (test_report.c) ------------------------------------------------

struct test_totals {
    size_t passed, failed, skipped;
};
struct test_totals test_count(const struct test_plan *plan);
void test_print_result(const struct test_case *c, size_t number,
                       const struct test_options *options);
void test_print_json(const struct test_plan *plan);
// 0 or a negative errno.
int test_write_junit(const struct test_plan *plan, const char *file);

#endif
