// Tests of the Internet checksum against a reference written word by word.
// SPDX-License-Identifier: MIT
#include "stack/wire/checksum.h"

#include "stack/wire/bytes.h"
#include "tests/unit/unit.h"

enum { SIZE = 4096 + 64 };

// RFC 1071 4.1, one 16-bit word at a time.
static uint16_t reference(uint64_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += get_be16(bytes + i);
    if (length % 2)
        sum += (uint32_t)bytes[length - 1] << 8;
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)~sum;
}

static void fill(uint8_t *bytes, size_t length, uint32_t seed)
{
    for (size_t i = 0; i < length; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static void sum_of_the_example_of_rfc_1071(void)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03,
                                    0xf4, 0xf5, 0xf6, 0xf7};
    CHECK_EQUAL((uint16_t)~checksum_finish(checksum_add(0, bytes, 8)), 0xddf2);
}

static void an_odd_byte_counts_as_the_high_half(void)
{
    CHECK_EQUAL(checksum_finish(checksum_add(0, "\x12", 1)), 0xedff);
    CHECK_EQUAL(checksum_finish(checksum_add(0, "\x12\x34\x56", 3)),
                (uint16_t) ~(0x1234 + 0x5600));
}

static void nothing_sums_to_nothing(void)
{
    CHECK_EQUAL(checksum_add(0, "", 0), 0);
    CHECK_EQUAL(checksum_add(7, "", 0), 7);
    CHECK_EQUAL(checksum_finish(0), 0xffff);
}

static void every_length_and_alignment_agrees_with_the_reference(void)
{
    static uint8_t bytes[SIZE];
    fill(bytes, sizeof bytes, 1);
    for (size_t length = 0; length < 700; length++)
        for (size_t at = 0; at < 9; at++) {
            uint16_t expected = reference(0, bytes + at, length);
            CHECK_EQUAL(checksum_finish(checksum_add(0, bytes + at, length)),
                        expected);
            CHECK_EQUAL(
                checksum_finish(checksum_add_baseline(0, bytes + at, length)),
                expected);
        }
}

static void long_ranges_agree_with_the_baseline(void)
{
    static uint8_t bytes[70000];
    fill(bytes, sizeof bytes, 2);
    for (size_t length = 1000; length < sizeof bytes; length += 977) {
        CHECK_EQUAL(checksum_add(5, bytes, length),
                    checksum_add_baseline(5, bytes, length));
        CHECK_EQUAL(checksum_finish(checksum_add(5, bytes, length)),
                    reference(5, bytes, length));
    }
}

static void no_carry_is_lost_in_ranges_of_ones(void)
{
    static uint8_t bytes[65536];
    memset(bytes, 0xff, sizeof bytes);
    for (size_t length = 0; length <= sizeof bytes; length += 64) {
        uint32_t sum = checksum_add(UINT32_MAX, bytes, length);
        CHECK_EQUAL(checksum_finish(sum), 0);
    }
    bytes[65535] = 0xfe;
    CHECK_EQUAL(checksum_finish(checksum_add(0, bytes, sizeof bytes)), 1);
}

static void ranges_may_be_summed_apart_in_any_order(void)
{
    uint8_t bytes[600];
    fill(bytes, sizeof bytes, 3);
    uint16_t whole = checksum_finish(checksum_add(0, bytes, sizeof bytes));
    for (size_t cut = 0; cut <= sizeof bytes; cut += 2) {
        uint32_t sum = checksum_add(0, bytes + cut, sizeof bytes - cut);
        sum = checksum_add(sum, bytes, cut);
        CHECK_EQUAL(checksum_finish(sum), whole);
    }
}

static void copying_sums_and_copies_exactly_the_range(void)
{
    static uint8_t from[SIZE], to[SIZE + 2];
    fill(from, sizeof from, 4);
    for (size_t length = 0; length < 600; length++) {
        memset(to, 0xcc, sizeof to);
        uint32_t sum = checksum_copy(9, to + 1, from + 3, length);
        CHECK_EQUAL(sum, checksum_add(9, from + 3, length));
        CHECK(memcmp(to + 1, from + 3, length) == 0);
        CHECK_EQUAL(to[0], 0xcc);
        CHECK_EQUAL(to[length + 1], 0xcc);
    }
    CHECK_EQUAL(checksum_copy(0, to, from, SIZE), checksum_add(0, from, SIZE));
    CHECK(memcmp(to, from, SIZE) == 0);
}

static void a_range_with_its_checksum_sums_to_zero(void)
{
    // An IPv4 header as captured.
    static const uint8_t header[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40,
                                     0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8,
                                     0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
    CHECK_EQUAL(checksum_finish(checksum_add(0, header, sizeof header)), 0);
}

static void pseudo_header_of_both_families(void)
{
    struct ip_addr a = ip_addr_v4(192, 168, 0, 1), b = ip_addr_v4(10, 0, 0, 2);
    uint8_t v4[12] = {192, 168, 0, 1, 10, 0, 0, 2, 0, 6, 0x12, 0x34};
    CHECK_EQUAL(checksum_finish(checksum_pseudo(&a, &b, 6, 0x1234)),
                reference(0, v4, sizeof v4));

    uint8_t v6[40] = {0};
    fill(v6, 32, 5);
    a = ip_addr_from_bytes(IP_V6, v6);
    b = ip_addr_from_bytes(IP_V6, v6 + 16);
    put_be32(v6 + 32, 0x12345678); // RFC 8200 8.1: 32 bits of length
    v6[39] = 58;
    CHECK_EQUAL(checksum_finish(checksum_pseudo(&a, &b, 58, 0x12345678)),
                reference(0, v6, sizeof v6));
}

static void update_equals_a_new_sum(void)
{
    uint8_t bytes[40];
    for (uint32_t seed = 0; seed < 500; seed++) {
        fill(bytes, sizeof bytes, seed);
        uint16_t old = checksum_finish(checksum_add(0, bytes, sizeof bytes));
        uint16_t from = get_be16(bytes + 8), to = (uint16_t)(seed * 131);
        put_be16(bytes + 8, to);
        CHECK_EQUAL(checksum_update(old, from, to),
                    checksum_finish(checksum_add(0, bytes, sizeof bytes)));
    }
}

static void update_of_the_example_of_rfc_1624(void)
{
    // Section 4: 0xdd2f, 0x5555 becomes 0x3285; eqn. 2 gives 0xffff instead.
    CHECK_EQUAL(checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

const struct unit_test suite_checksum[] = {
    UNIT(sum_of_the_example_of_rfc_1071),
    UNIT(an_odd_byte_counts_as_the_high_half),
    UNIT(nothing_sums_to_nothing),
    UNIT(every_length_and_alignment_agrees_with_the_reference),
    UNIT(long_ranges_agree_with_the_baseline),
    UNIT(no_carry_is_lost_in_ranges_of_ones),
    UNIT(ranges_may_be_summed_apart_in_any_order),
    UNIT(copying_sums_and_copies_exactly_the_range),
    UNIT(a_range_with_its_checksum_sums_to_zero),
    UNIT(pseudo_header_of_both_families),
    UNIT(update_equals_a_new_sum),
    UNIT(update_of_the_example_of_rfc_1624),
    {0},
};
