// Tests of the random streams and the distributions.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <string.h>

#include "sim/engine/random.h"
#include "tests/unit/unit.h"

enum { DRAWS = 200000 };

static void the_generator_gives_the_published_sequence(void)
{
    // State 1, 2, 3, 4: values of the authors' reference implementation.
    struct random random = {{1, 2, 3, 4}};

    CHECK(random_next(&random) == UINT64_C(11520));
    CHECK(random_next(&random) == UINT64_C(0));
    CHECK(random_next(&random) == UINT64_C(1509978240));
    CHECK(random_next(&random) == UINT64_C(1215971899390074240));
}

static void a_stream_is_the_same_for_the_same_seed_and_name(void)
{
    struct random a, b;

    random_init(&a, 42, "link wan a>b 1 drop");
    random_init(&b, 42, "link wan a>b 1 drop");
    for (unsigned i = 0; i < 100; i++)
        CHECK(random_next(&a) == random_next(&b));
}

static void streams_differ_by_seed_and_by_name(void)
{
    struct random a, b, c;
    unsigned same = 0;

    random_init(&a, 1, "x");
    random_init(&b, 2, "x");
    random_init(&c, 1, "y");
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t x = random_next(&a);

        same += x == random_next(&b);
        same += x == random_next(&c);
    }
    CHECK_EQUAL(same, 0);
}

static void below_stays_below_and_reaches_everything(void)
{
    struct random random;
    unsigned counts[7] = {0};

    random_init(&random, 1, "below");
    for (unsigned i = 0; i < 70000; i++) {
        uint64_t x = random_below(&random, 7);

        CHECK_FATAL(x < 7);
        counts[x]++;
    }
    for (unsigned i = 0; i < 7; i++)
        CHECK(counts[i] > 9600 && counts[i] < 10400); // 4 sigma: 370
    CHECK_EQUAL(random_below(&random, 1), 0);
}

static void between_takes_both_ends(void)
{
    struct random random;
    bool low = false, high = false;

    random_init(&random, 1, "between");
    for (unsigned i = 0; i < 1000; i++) {
        int64_t x = random_between(&random, -3, 3);

        CHECK_FATAL(x >= -3 && x <= 3);
        low |= x == -3;
        high |= x == 3;
    }
    CHECK(low && high);
    CHECK_EQUAL(random_between(&random, 5, 5), 5);
    (void)random_between(&random, INT64_MIN, INT64_MAX);
}

static void bytes_fill_exactly_the_length(void)
{
    struct random random;
    uint8_t bytes[16];

    memset(bytes, 0xaa, sizeof(bytes));
    random_init(&random, 1, "bytes");
    random_bytes(&random, bytes, 11);
    for (unsigned i = 11; i < 16; i++)
        CHECK_EQUAL(bytes[i], 0xaa);
}

static void a_chance_of_all_and_nothing_is_certain(void)
{
    struct random random;

    random_init(&random, 1, "chance");
    for (unsigned i = 0; i < 1000; i++) {
        CHECK(random_chance(&random, CHANCE_ALWAYS));
        CHECK(!random_chance(&random, 0));
    }
}

static void a_chance_is_met_as_often_as_it_says(void)
{
    struct random random;
    unsigned hits = 0;

    random_init(&random, 1, "often");
    for (unsigned i = 0; i < DRAWS; i++)
        hits += random_chance(&random, CHANCE_ALWAYS / 100);
    CHECK(hits > 1820 && hits < 2180); // 2000, 4 sigma: 178
}

// Mean and standard deviation of what is drawn, in units of the scale.
static void check_moments(enum distribution d, double mean, double sigma)
{
    const int64_t scale = 1000000;
    struct random random;
    double sum = 0, squares = 0;

    random_init(&random, 1, distribution_name(d));
    for (unsigned i = 0; i < DRAWS; i++) {
        double x = (double)random_deviation(&random, d, scale) / (double)scale;

        sum += x;
        squares += x * x;
    }
    double m = sum / DRAWS, s = sqrt(squares / DRAWS - m * m);
    CHECK(fabs(m - mean) < 0.01);
    CHECK(fabs(s - sigma) < 0.02);
}

static void a_uniform_deviation_has_its_moments(void)
{
    check_moments(DISTRIBUTION_UNIFORM, 0, 1 / sqrt(3));
}
static void a_normal_deviation_has_its_moments(void)
{
    check_moments(DISTRIBUTION_NORMAL, 0, 1);
}
static void a_pareto_deviation_has_its_moments(void)
{
    check_moments(DISTRIBUTION_PARETO, 0, 1);
}
static void a_pareto_normal_deviation_has_its_moments(void)
{
    check_moments(DISTRIBUTION_PARETO_NORMAL, 0, 1);
}

// The share of draws within one sigma, and above three.
static void check_shape(enum distribution d, double within, double above)
{
    struct random random;
    unsigned near = 0, far = 0;

    random_init(&random, 2, distribution_name(d));
    for (unsigned i = 0; i < DRAWS; i++) {
        int64_t x = random_deviation(&random, d, 1000000);

        near += x >= -1000000 && x <= 1000000;
        far += x > 3000000;
    }
    CHECK(fabs((double)near / DRAWS - within) < 0.01);
    CHECK(fabs((double)far / DRAWS - above) < 0.002);
}

static void the_shapes_are_those_of_their_distributions(void)
{
    check_shape(DISTRIBUTION_NORMAL, 0.683, 0.00135);
    check_shape(DISTRIBUTION_PARETO, 0.915, 0.0155);
    check_shape(DISTRIBUTION_UNIFORM, 1, 0);
}

static void a_scale_of_nothing_deviates_by_nothing(void)
{
    struct random random;

    random_init(&random, 1, "none");
    CHECK_EQUAL(random_deviation(&random, DISTRIBUTION_NORMAL, 0), 0);
    // A day: no overflow.
    int64_t day = INT64_C(86400) * NS_PER_S;
    for (unsigned i = 0; i < 10000; i++) {
        int64_t x = random_deviation(&random, DISTRIBUTION_PARETO, day);
        CHECK(x > -2 * day && x < 20 * day);
    }
}

const struct unit_test suite_random[] = {
    UNIT(the_generator_gives_the_published_sequence),
    UNIT(a_stream_is_the_same_for_the_same_seed_and_name),
    UNIT(streams_differ_by_seed_and_by_name),
    UNIT(below_stays_below_and_reaches_everything),
    UNIT(between_takes_both_ends),
    UNIT(bytes_fill_exactly_the_length),
    UNIT(a_chance_of_all_and_nothing_is_certain),
    UNIT(a_chance_is_met_as_often_as_it_says),
    UNIT(a_uniform_deviation_has_its_moments),
    UNIT(a_normal_deviation_has_its_moments),
    UNIT(a_pareto_deviation_has_its_moments),
    UNIT(a_pareto_normal_deviation_has_its_moments),
    UNIT(the_shapes_are_those_of_their_distributions),
    UNIT(a_scale_of_nothing_deviates_by_nothing),
    {0},
};
