// Named random streams out of one seed.
// SPDX-License-Identifier: MIT
#ifndef ENGINE_RANDOM_H
#define ENGINE_RANDOM_H

// Each consumer has a stream of its own, named after what it decides ("link wan
// a>b loss"), so that adding a host or an impairment changes nothing elsewhere.
// A stream is xoshiro256** (Blackman and Vigna, 2018) seeded through SplitMix64
// from the run's seed and a hash of the name. Integers only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};
void random_init(struct random *random, uint64_t seed, const char *name);
uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random,
                      uint64_t bound); // 0..bound-1, unbiased; bound > 0
int64_t random_between(struct random *random, int64_t low,
                       int64_t high); // both included
void random_bytes(struct random *random, void *bytes, size_t length);

// A probability in units of 2^-32: CHANCE_ALWAYS is certain. Numbers of people
// are turned into it once, when they are read.
typedef uint64_t chance_t;
#define CHANCE_ALWAYS (UINT64_C(1) << 32)
bool random_chance(struct random *random, chance_t chance);

enum distribution {
    DISTRIBUTION_UNIFORM,
    DISTRIBUTION_NORMAL,
    DISTRIBUTION_PARETO,
    DISTRIBUTION_PARETO_NORMAL
};
const char *
distribution_name(enum distribution d); // netem's words: "uniform", "normal",
                                        // "pareto", "paretonormal"
// A deviation around 0 with the given scale (netem's jitter), from a fixed
// table.
int64_t random_deviation(struct random *random, enum distribution d,
                         int64_t scale);

#endif
