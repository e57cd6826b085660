// Counts malloc, calloc, realloc and aligned_alloc, and makes them fail.
// SPDX-License-Identifier: MIT
#ifndef TESTS_MALLOC_FIXTURE_H
#define TESTS_MALLOC_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

// The n-th allocation from now fails (1: the next), and it alone; 0: none. The
// runner is linked so that every call in it comes by here.
void malloc_fail_after(unsigned n);
// Has the failure that was asked for happened?
bool malloc_has_failed(void);
uint64_t malloc_count(void); // calls so far

#endif
