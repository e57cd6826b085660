// Quantiles of the distributions that jitter may follow.
// SPDX-License-Identifier: MIT
#ifndef ENGINE_DISTRIBUTION_H
#define ENGINE_DISTRIBUTION_H

// Theory of operation
//
// A deviation is drawn by inverting the distribution function: a uniform number
// picks a place between two neighbouring quantiles of a fixed table. Integers
// only, so every machine draws the same. Each table has DISTRIBUTION_STEPS + 1
// values in units of 1/DISTRIBUTION_UNIT of the standard deviation, rising,
// with mean 0 and standard deviation 1 (as drawn by interpolation):
//
//   normal        cut at the 1/4096 quantiles on both sides
//   pareto        density 3 x^-4 for x >= 1, as netem's (shape 3): many small
//                 values, a long tail of large ones; cut likewise
//   paretonormal  a quarter of a normal and three quarters of a Pareto deviate
//                 added, as netem's

#include <stdint.h>

#include "sim/engine/random.h"

enum { DISTRIBUTION_STEPS = 1024, DISTRIBUTION_UNIT = 8192 };

const int32_t *distribution_quantiles(enum distribution d); // not for uniform

#endif
