// Named random streams: xoshiro256** seeded through SplitMix64.
// SPDX-License-Identifier: MIT

#include "sim/engine/random.h"

#include <string.h>

#include "sim/engine/distribution.h"
#include "stack/base.h"

// FNV-1a; only the seeding below has to spread its bits.
static uint64_t name_hash(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t splitmix_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void random_init(struct random *random, uint64_t seed, const char *name)
{
    uint64_t state = seed;

    // The seed is mixed before the name comes in: seeds 1 and 2 must not give
    // streams of each other's under another name.
    state = splitmix_next(&state) ^ name_hash(name);
    for (size_t i = 0; i < ARRAY_LENGTH(random->state); i++)
        random->state[i] = splitmix_next(&state);
}

static inline uint64_t rotate_left(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

uint64_t random_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

// Lemire, "Fast random integer generation in an interval", 2019.
uint64_t random_below(struct random *random, uint64_t bound)
{
    must(bound > 0);
    unsigned __int128 product = (unsigned __int128)random_next(random) * bound;

    if ((uint64_t)product < bound) {
        uint64_t threshold = -bound % bound;

        while ((uint64_t)product < threshold)
            product = (unsigned __int128)random_next(random) * bound;
    }
    return (uint64_t)(product >> 64);
}

int64_t random_between(struct random *random, int64_t low, int64_t high)
{
    must(low <= high);
    uint64_t span = (uint64_t)high - (uint64_t)low;

    if (span == UINT64_MAX)
        return (int64_t)random_next(random);
    return (int64_t)((uint64_t)low + random_below(random, span + 1));
}

void random_bytes(struct random *random, void *bytes, size_t length)
{
    uint8_t *to = bytes;

    while (length > 0) {
        uint64_t word = random_next(random);
        size_t n = length < 8 ? length : 8;

        // Byte by byte: the same bytes on machines of either endianness.
        for (size_t i = 0; i < n; i++)
            to[i] = (uint8_t)(word >> 8 * i);
        to += n;
        length -= n;
    }
}

bool random_chance(struct random *random, chance_t chance)
{
    if (chance >= CHANCE_ALWAYS)
        return true;
    return chance > 0 && random_next(random) >> 32 < chance;
}

const char *distribution_name(enum distribution d)
{
    static const char *const names[] = {
        [DISTRIBUTION_UNIFORM] = "uniform",
        [DISTRIBUTION_NORMAL] = "normal",
        [DISTRIBUTION_PARETO] = "pareto",
        [DISTRIBUTION_PARETO_NORMAL] = "paretonormal",
    };

    must((size_t)d < ARRAY_LENGTH(names));
    return names[d];
}

// Between the two quantiles that a random number falls between.
static int64_t quantile(const int32_t *table, uint64_t number)
{
    uint64_t i = number >> 32 & (DISTRIBUTION_STEPS - 1);
    int64_t fraction = (int64_t)(number & UINT32_MAX);
    int64_t low = table[i], high = table[i + 1];

    return low * (INT64_C(1) << 10) + ((high - low) * fraction >> 22);
}

int64_t random_deviation(struct random *random, enum distribution d,
                         int64_t scale)
{
    must(scale >= 0);
    if (scale == 0)
        return 0;
    if (d == DISTRIBUTION_UNIFORM)
        return random_between(random, -scale, scale);

    int64_t q = quantile(distribution_quantiles(d), random_next(random));
    return (int64_t)((__int128)q * scale / (DISTRIBUTION_UNIT * 1024));
}
