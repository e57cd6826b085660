// Scenarios from texts, for the tests of their configuration.
// SPDX-License-Identifier: MIT
#ifndef TESTS_CONFIG_FIXTURE_H
#define TESTS_CONFIG_FIXTURE_H

#include "sim/config/scenario.h"

// All mistakes of a scenario called t.yaml, one a line; "" when it has none.
// The text is good until the next call with the same buffer.
struct mistakes {
    char text[8192];
};
const char *mistakes_in(const char *yaml, struct mistakes *out);
// The same with --set assignments (count of them).
const char *mistakes_with(const char *yaml, const char **sets, size_t count,
                          struct mistakes *out);
const char *mistakes_format(const struct diagnostics *diagnostics,
                            struct mistakes *out);

// Loads what has no mistake, and builds it. Never NULL.
struct scenario *scenario_of(const char *yaml);
struct scenario *built_scenario_of(const char *yaml);
// Part of what `check` shows: from the line that begins with `from` up to the
// one that begins with `to` (NULL: the end).
struct shown {
    char text[16384];
};
const char *show_part(const struct scenario *scenario, const char *from,
                      const char *to, struct shown *out);

#endif
