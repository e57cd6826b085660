// SipHash-2-4, the keyed hash behind all that must not be guessed.
// SPDX-License-Identifier: MIT
#ifndef STACK_SIPHASH_H
#define STACK_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};
// Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
// Little-endian word order whatever the machine, so that results are the same
// everywhere.
uint64_t siphash(const struct siphash_key *key, const void *bytes,
                 size_t length);

#endif
