// What every benchmark file includes: how it lists what it measures.
// SPDX-License-Identifier: MIT
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

// Theory of operation
//
// A benchmark does the same operation n times; the runner finds an n that takes
// long enough for the clock, repeats it, and keeps the fastest: everything that
// disturbs a measurement makes it slower. A file bench/bench_<module>.c ends
// with
//     const struct bench benches_<module>[] = {{"packet alloc and free", ...},
//                                              {0}};
// and has one row in the list of bench/main.c.

#include "stack/base.h"

struct bench {
    const char *name;
    // All three get what setup returned. setup and teardown may be NULL.
    void *(*setup)(void);
    void (*run)(void *state, uint64_t n);
    void (*teardown)(void *state);
    uint64_t bytes; // that one operation handles; 0: not a matter of bytes
};

// Makes the compiler believe that the value is used, and that memory changed.
#define BENCH_KEEP(value) __asm__ volatile("" : : "r"(value) : "memory")

#endif
