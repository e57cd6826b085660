// The histogram of latenesses.
// SPDX-License-Identifier: MIT
#include "sim/realtime/lateness.h"
#include "tests/unit/unit.h"

static void nothing_has_no_mean(void)
{
    struct lateness l = {0};

    CHECK_EQUAL(lateness_mean(&l), 0);
    CHECK_EQUAL(lateness_quantile(&l, 990), 0);
}

static void the_mean_and_the_worst_are_exact(void)
{
    struct lateness l = {0};

    lateness_add(&l, 100);
    lateness_add(&l, 300);
    lateness_add(&l, -5); // early counts as in time
    CHECK_EQUAL(lateness_mean(&l), 133);
    CHECK_EQUAL(l.worst, 300);
}

static void a_quantile_is_at_most_an_eighth_too_large(void)
{
    for (ns_t value = 1; value < INT64_MAX / 1000; value = value * 3 + 1) {
        struct lateness l = {0};

        for (int i = 0; i < 99; i++)
            lateness_add(&l, value);
        lateness_add(&l, INT64_MAX / 4);
        CHECK(lateness_quantile(&l, 990) >= value);
        CHECK(lateness_quantile(&l, 990) <= value + value / 8);
        CHECK_EQUAL(lateness_quantile(&l, 1000), INT64_MAX / 4);
    }
}

const struct unit_test suite_lateness[] = {
    UNIT(nothing_has_no_mean),
    UNIT(the_mean_and_the_worst_are_exact),
    UNIT(a_quantile_is_at_most_an_eighth_too_large),
    {0}};
