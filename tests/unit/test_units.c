// Numbers with units, read and written.
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "sim/config/tree/value.h"
#include "sim/engine/random.h"
#include "tests/unit/unit.h"

static int64_t time_of(const char *text)
{
    int64_t ns = -77;
    int error = parse_time(text, &ns);
    return error ? error : ns;
}

static int64_t rate_of(const char *text)
{
    uint64_t bps = 77;
    int error = parse_rate(text, &bps);
    return error ? error : (int64_t)bps;
}

static int64_t size_of(const char *text)
{
    uint64_t bytes = 77;
    int error = parse_size(text, &bytes);
    return error ? error : (int64_t)bytes;
}

static int64_t chance_of(const char *text)
{
    uint64_t chance = 77;
    int error = parse_chance(text, &chance);
    return error ? error : (int64_t)chance;
}

static int64_t integer_of(const char *text)
{
    int64_t number = 77;
    int error = parse_integer(text, &number);
    return error ? error : number;
}

static void times_are_read_with_every_unit(void)
{
    CHECK_EQUAL(time_of("7ns"), 7);
    CHECK_EQUAL(time_of("10us"), 10000);
    CHECK_EQUAL(time_of("10\xc2\xb5s"), 10000);
    CHECK_EQUAL(time_of("10\xce\xbcs"), 10000);
    CHECK_EQUAL(time_of("20ms"), 20000000);
    CHECK_EQUAL(time_of("1.5s"), 1500000000);
    CHECK_EQUAL(time_of("20 ms"), 20000000);
    CHECK_EQUAL(time_of("2m"), INT64_C(120000000000));
    CHECK_EQUAL(time_of("2min"), INT64_C(120000000000));
    CHECK_EQUAL(time_of("1h30m"), INT64_C(5400000000000));
    CHECK_EQUAL(time_of("1d"), INT64_C(86400000000000));
    CHECK_EQUAL(time_of("0"), 0);
    CHECK_EQUAL(time_of("-5ms"), -5000000);
}

static void a_time_is_exact_to_the_nanosecond_or_rounded_to_nearest(void)
{
    CHECK_EQUAL(time_of("0.000000001s"), 1);
    CHECK_EQUAL(time_of("0.0000000004s"), 0);
    CHECK_EQUAL(time_of("0.0000000005s"), 1);
    CHECK_EQUAL(time_of("0.1ms"), 100000);
    CHECK_EQUAL(time_of("0.3s"), 300000000);
}

static void times_without_a_unit_or_with_nonsense_are_refused(void)
{
    CHECK_EQUAL(time_of("20"), -EINVAL);
    CHECK_EQUAL(time_of("1.5"), -EINVAL);
    CHECK_EQUAL(time_of(""), -EINVAL);
    CHECK_EQUAL(time_of("ms"), -EINVAL);
    CHECK_EQUAL(time_of("20 ms "), -EINVAL);
    CHECK_EQUAL(time_of("20  ms"), -EINVAL);
    CHECK_EQUAL(time_of("20mss"), -EINVAL);
    CHECK_EQUAL(time_of("1.ms"), -EINVAL);
    CHECK_EQUAL(time_of(".5s"), -EINVAL);
    CHECK_EQUAL(time_of("--5s"), -EINVAL);
    CHECK_EQUAL(time_of("1e3s"), -EINVAL);
    CHECK_EQUAL(time_of("5S"), -EINVAL);
}

static void times_beyond_292_years_are_out_of_range(void)
{
    CHECK_EQUAL(time_of("9223372036s"), INT64_C(9223372036000000000));
    CHECK_EQUAL(time_of("9223372037s"), -ERANGE);
    CHECK_EQUAL(time_of("99999999999999999999ns"), -ERANGE);
    CHECK_EQUAL(time_of("9223372036s 1d"), -EINVAL);
    CHECK_EQUAL(time_of("9223372036s1d"), -ERANGE);
    CHECK_EQUAL(time_of("18446744073709551615d"), -ERANGE);
}

static void rates_are_bits_a_second(void)
{
    CHECK_EQUAL(rate_of("10Mbit"), 10000000);
    CHECK_EQUAL(rate_of("10Mbit/s"), 10000000);
    CHECK_EQUAL(rate_of("1.5Gbit"), 1500000000);
    CHECK_EQUAL(rate_of("64kbit"), 64000);
    CHECK_EQUAL(rate_of("9600bit"), 9600);
    CHECK_EQUAL(rate_of("2.5Tbit"), INT64_C(2500000000000));
}

static void rates_that_may_mean_bits_or_bytes_are_refused(void)
{
    CHECK_EQUAL(rate_of("2Mbps"), -EINVAL);
    CHECK_EQUAL(rate_of("2MB/s"), -EINVAL);
    CHECK_EQUAL(rate_of("2M"), -EINVAL);
    CHECK_EQUAL(rate_of("2"), -EINVAL);
    CHECK_EQUAL(rate_of("2Mbit/m"), -EINVAL);
    CHECK_EQUAL(rate_of("/s"), -EINVAL);
    CHECK_EQUAL(rate_of("-2Mbit"), -EINVAL);
    CHECK_EQUAL(rate_of("99999999Tbit"), -ERANGE);
}

static void sizes_know_decimal_and_binary_prefixes(void)
{
    CHECK_EQUAL(size_of("1500"), 1500);
    CHECK_EQUAL(size_of("1500B"), 1500);
    CHECK_EQUAL(size_of("10MB"), 10000000);
    CHECK_EQUAL(size_of("10kB"), 10000);
    CHECK_EQUAL(size_of("64KiB"), 65536);
    CHECK_EQUAL(size_of("1.5KiB"), 1536);
    CHECK_EQUAL(size_of("2GiB"), INT64_C(2147483648));
    CHECK_EQUAL(size_of("1.5"), -EINVAL);
    CHECK_EQUAL(size_of("10M"), -EINVAL);
    CHECK_EQUAL(size_of("10Mb"), -EINVAL);
    CHECK_EQUAL(size_of("99999999999999999999"), -ERANGE);
    CHECK_EQUAL(size_of("18446744073709551615TB"), -ERANGE);
}

static void chances_are_percentages_or_certainties(void)
{
    CHECK_EQUAL(chance_of("100%"), (int64_t)CHANCE_ALWAYS);
    CHECK_EQUAL(chance_of("50%"), (int64_t)CHANCE_ALWAYS / 2);
    CHECK_EQUAL(chance_of("1"), (int64_t)CHANCE_ALWAYS);
    CHECK_EQUAL(chance_of("0"), 0);
    CHECK_EQUAL(chance_of("0%"), 0);
    CHECK_EQUAL(chance_of("1.5 %"), 64424509);
    CHECK_EQUAL(chance_of("0.5"), -EINVAL);
    CHECK_EQUAL(chance_of("5"), -ERANGE);
    CHECK_EQUAL(chance_of("100.1%"), -ERANGE);
    CHECK_EQUAL(chance_of("-1%"), -EINVAL);
    CHECK_EQUAL(chance_of("1%%"), -EINVAL);
}

static void integers_are_decimal_or_hexadecimal(void)
{
    CHECK_EQUAL(integer_of("42"), 42);
    CHECK_EQUAL(integer_of("-1"), -1);
    CHECK_EQUAL(integer_of("0x1f"), 31);
    CHECK_EQUAL(integer_of("1_000_000"), 1000000);
    CHECK_EQUAL(integer_of("9223372036854775807"), INT64_MAX);
    CHECK_EQUAL(integer_of("9223372036854775808"), -ERANGE);
    CHECK_EQUAL(integer_of("0xffffffffffffffff"), -ERANGE);
    CHECK_EQUAL(integer_of("0x11111111111111111"), -ERANGE);
    CHECK_EQUAL(integer_of("1__0"), -EINVAL);
    CHECK_EQUAL(integer_of("_1"), -EINVAL);
    CHECK_EQUAL(integer_of("1_"), -EINVAL);
    CHECK_EQUAL(integer_of("0x"), -EINVAL);
    CHECK_EQUAL(integer_of("12a"), -EINVAL);
    CHECK_EQUAL(integer_of(""), -EINVAL);
}

static void booleans_are_the_words_of_yaml(void)
{
    bool on = false;
    CHECK_EQUAL(parse_boolean("on", &on), 0);
    CHECK(on);
    CHECK_EQUAL(parse_boolean("False", &on), 0);
    CHECK(!on);
    CHECK_EQUAL(parse_boolean("yes", &on), 0);
    CHECK(on);
    CHECK_EQUAL(parse_boolean("1", &on), -EINVAL);
    CHECK_EQUAL(parse_boolean("", &on), -EINVAL);
}

static void what_is_refused_leaves_the_result_alone(void)
{
    int64_t ns = 5;
    uint64_t size = 6;
    parse_time("1h3x", &ns);
    parse_size("3xx", &size);
    CHECK_EQUAL(ns, 5);
    CHECK_EQUAL(size, 6);
}

static void figures_are_written_short_and_exact(void)
{
    char text[64];
    CHECK_TEXT(format_time(20000000, text, sizeof text), "20ms");
    CHECK_TEXT(format_time(1500000000, text, sizeof text), "1.5s");
    CHECK_TEXT(format_time(1000000001, text, sizeof text), "1.000000001s");
    CHECK_TEXT(format_time(0, text, sizeof text), "0s");
    CHECK_TEXT(format_time(-1500, text, sizeof text), "-1.5us");
    CHECK_TEXT(format_rate(10000000, text, sizeof text), "10Mbit");
    CHECK_TEXT(format_rate(1500, text, sizeof text), "1.5kbit");
    CHECK_TEXT(format_rate(999, text, sizeof text), "999bit");
    CHECK_TEXT(format_size(65536, text, sizeof text), "64KiB");
    CHECK_TEXT(format_size(10000000, text, sizeof text), "10MB");
    CHECK_TEXT(format_size(1500, text, sizeof text), "1500");
    CHECK_TEXT(format_size(0, text, sizeof text), "0");
    CHECK_TEXT(format_chance(CHANCE_ALWAYS, text, sizeof text), "100%");
    CHECK_TEXT(format_chance(64424509, text, sizeof text), "1.5%");
}

// Whatever number there is, what is written reads back as the same.
static void what_is_written_reads_back_as_the_same(void)
{
    struct random random;
    char text[64];
    random_init(&random, 1, "units");
    for (int i = 0; i < 20000; i++) {
        uint64_t n = random_next(&random) >> random_below(&random, 64);
        n &= INT64_MAX;
        CHECK_EQUAL(time_of(format_time(n == INT64_MAX ? 0 : (int64_t)n, text,
                                        sizeof text)),
                    n == INT64_MAX ? 0 : (int64_t)n);
        CHECK_EQUAL(rate_of(format_rate(n, text, sizeof text)), (int64_t)n);
        CHECK_EQUAL(size_of(format_size(n, text, sizeof text)), (int64_t)n);
        n %= CHANCE_ALWAYS + 1;
        CHECK_EQUAL(chance_of(format_chance(n, text, sizeof text)), (int64_t)n);
    }
}

const struct unit_test suite_units[] = {
    UNIT(times_are_read_with_every_unit),
    UNIT(a_time_is_exact_to_the_nanosecond_or_rounded_to_nearest),
    UNIT(times_without_a_unit_or_with_nonsense_are_refused),
    UNIT(times_beyond_292_years_are_out_of_range),
    UNIT(rates_are_bits_a_second),
    UNIT(rates_that_may_mean_bits_or_bytes_are_refused),
    UNIT(sizes_know_decimal_and_binary_prefixes),
    UNIT(chances_are_percentages_or_certainties),
    UNIT(integers_are_decimal_or_hexadecimal),
    UNIT(booleans_are_the_words_of_yaml),
    UNIT(what_is_refused_leaves_the_result_alone),
    UNIT(figures_are_written_short_and_exact),
    UNIT(what_is_written_reads_back_as_the_same),
    {0}};
