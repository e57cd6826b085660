// Tests of SipHash with the vectors its authors published.
// SPDX-License-Identifier: MIT
#include "stack/siphash.h"

#include "tests/unit/unit.h"

static const struct siphash_key key = {UINT64_C(0x0706050403020100),
                                       UINT64_C(0x0f0e0d0c0b0a0908)};

static void hash_of_the_fifteen_bytes_of_the_papers_appendix(void)
{
    uint8_t message[15];
    for (uint8_t i = 0; i < sizeof message; i++)
        message[i] = i;
    CHECK_EQUAL(siphash(&key, message, sizeof message),
                UINT64_C(0xa129ca6149be45e5));
}

static void hashes_of_lengths_around_a_word(void)
{
    // vectors_sip64 of the reference implementation, as numbers.
    static const uint64_t expected[] = {
        UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd),
        UINT64_C(0x0d6c8009d9a94f5a), UINT64_C(0x85676696d7fb7e2d),
        UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
        UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137),
        UINT64_C(0x93f5f5799a932462),
    };
    uint8_t message[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    for (size_t length = 0; length < ARRAY_LENGTH(expected); length++)
        CHECK_EQUAL(siphash(&key, message, length), expected[length]);
}

static void any_bit_of_the_key_matters(void)
{
    uint64_t base = siphash(&key, "frame", 5);
    for (unsigned bit = 0; bit < 64; bit++) {
        struct siphash_key other = key;
        other.k0 ^= UINT64_C(1) << bit;
        CHECK(siphash(&other, "frame", 5) != base);
        other = key;
        other.k1 ^= UINT64_C(1) << bit;
        CHECK(siphash(&other, "frame", 5) != base);
    }
}

static void length_is_part_of_the_message(void)
{
    static const uint8_t zeros[16];
    for (size_t a = 0; a < sizeof zeros; a++)
        CHECK(siphash(&key, zeros, a) != siphash(&key, zeros, a + 1));
}

const struct unit_test suite_siphash[] = {
    UNIT(hash_of_the_fifteen_bytes_of_the_papers_appendix),
    UNIT(hashes_of_lengths_around_a_word),
    UNIT(any_bit_of_the_key_matters),
    UNIT(length_is_part_of_the_message),
    {0},
};
