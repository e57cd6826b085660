// What every unit test file includes: CUnit, and how a file lists its tests.
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <CUnit/CUnit.h>

#include "stack/base.h"

// A file tests/unit/test_<module>.c ends with
//     const struct unit_test suite_<module>[] = {UNIT(a_sentence),
//     UNIT(another), {0}};
// and has one row in the list of tests/unit/main.c.
struct unit_test {
    const char *name;
    void (*run)(void);
};
#define UNIT(function)                                                         \
    {                                                                          \
#function, function                                                    \
    }

#define CHECK(condition)       CU_ASSERT(condition)
#define CHECK_FATAL(condition) CU_ASSERT_FATAL(condition)
// Compares integers; on failure the runner shows both values.
#define CHECK_EQUAL(actual, expected)                                          \
    unit_check_equal((long long)(actual), (long long)(expected),               \
                     #actual " == " #expected, __FILE__, __LINE__)
#define CHECK_TEXT(actual, expected)                                           \
    unit_check_text(actual, expected, #actual, __FILE__, __LINE__)
#define CHECK_BYTES(actual, expected, length)                                  \
    unit_check_bytes(actual, expected, length, #actual, __FILE__, __LINE__)
// Calls function(context) in a process of its own, which a must() or a
// sanitizer is expected to end.
#define CHECK_DIES(function, context)                                          \
    unit_check_dies(function, context, #function, __FILE__, __LINE__)
void unit_check_dies(void (*function)(void *context), void *context,
                     const char *what, const char *file, int line);
void unit_check_equal(long long actual, long long expected, const char *what,
                      const char *file, int line);
void unit_check_text(const char *actual, const char *expected, const char *what,
                     const char *file, int line);
void unit_check_bytes(const void *actual, const void *expected, size_t length,
                      const char *what, const char *file, int line);

#endif
