// The Internet checksum over vectors of 64-bit lanes.
// SPDX-License-Identifier: MIT
#include "stack/wire/checksum.h"

#include "stack/wire/bytes.h"

// Theory of operation
//
// The sum is taken in the machine's own byte order, which RFC 1071 2(B) allows:
// swapping the bytes of the result is the same as swapping those of every
// summand. Each 64-bit lane adds up the two 32-bit halves of its words, so no
// carry is lost before 2^32 additions. The loop is written once with the
// compilers' portable vectors; it is compiled for the machine's baseline and,
// on x86-64, a second time for AVX2, which long ranges use where the processor
// has it. The results are the same.

typedef uint64_t lanes __attribute__((vector_size(32)));

// RFC 1071 2(A): carries out of the top go in at the bottom.
static inline uint64_t add_carry(uint64_t a, uint64_t b)
{
    uint64_t sum = a + b;
    return sum + (sum < a);
}

static inline __attribute__((always_inline)) void
copy_out(uint8_t *to, size_t at, const void *word, size_t size)
{
    if (to)
        memcpy(to + at, word, size);
}

// Sums the whole 32-byte vectors of a range; `to` is NULL, or gets a copy.
static inline __attribute__((always_inline)) uint64_t
sum_vectors(const uint8_t *from, uint8_t *to, size_t length)
{
    const lanes low = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    lanes a = {0}, b = {0}, c = {0}, d = {0};
    size_t i = 0;
    for (; i + 64 <= length; i += 64) {
        lanes v, w;
        memcpy(&v, from + i, sizeof v);
        memcpy(&w, from + i + 32, sizeof w);
        copy_out(to, i, &v, sizeof v);
        copy_out(to, i + 32, &w, sizeof w);
        a += v & low;
        b += v >> 32;
        c += w & low;
        d += w >> 32;
    }
    if (i + 32 <= length) {
        lanes v;
        memcpy(&v, from + i, sizeof v);
        copy_out(to, i, &v, sizeof v);
        a += v & low;
        b += v >> 32;
    }
    a += b + c + d;
    return add_carry(add_carry(a[0], a[1]), add_carry(a[2], a[3]));
}

// The same for what is shorter than a vector. An odd byte at the end counts as
// if a zero byte followed.
static inline __attribute__((always_inline)) uint64_t
sum_tail(uint64_t sum, const uint8_t *from, uint8_t *to, size_t length)
{
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, from + i, sizeof word);
        copy_out(to, i, &word, sizeof word);
        sum = add_carry(sum, word);
    }
    if (length & 4) {
        uint32_t word;
        memcpy(&word, from + i, sizeof word);
        copy_out(to, i, &word, sizeof word);
        sum = add_carry(sum, word);
        i += 4;
    }
    uint16_t last = 0;
    if (length & 2) {
        memcpy(&last, from + i, sizeof last);
        copy_out(to, i, &last, sizeof last);
        sum = add_carry(sum, last);
        i += 2;
    }
    if (length & 1) {
        last = 0;
        memcpy(&last, from + i, 1);
        copy_out(to, i, &last, 1);
        sum = add_carry(sum, last);
    }
    return sum;
}

static inline __attribute__((always_inline)) uint64_t
sum_range(const uint8_t *from, uint8_t *to, size_t length)
{
    if (length < 32)
        return sum_tail(0, from, to, length);
    size_t whole = length & ~(size_t)31;
    return sum_tail(sum_vectors(from, to, whole), from + whole,
                    to ? to + whole : NULL, length & 31);
}

// Adds a sum in machine order to a running one in network order.
static inline uint32_t accumulate(uint32_t sum, uint64_t native)
{
    native = (native >> 32) + (native & UINT32_MAX);
    native = (native >> 16) + (native & UINT16_MAX);
    native = (native >> 16) + (native & UINT16_MAX);
    native = (native >> 16) + (native & UINT16_MAX);
    uint16_t folded = (uint16_t)native;
    uint8_t bytes[2];
    memcpy(bytes, &folded, sizeof folded);
    uint32_t part = get_be16(bytes);
    sum += part;
    return sum + (sum < part);
}

#if defined(__x86_64__)
enum { WORTH_ASKING = 128 }; // bytes from which on the wider loop pays

static bool may_use_avx2(size_t length)
{
    return length >= WORTH_ASKING && __builtin_cpu_supports("avx2");
}

__attribute__((target("avx2"))) static uint64_t sum_avx2(const uint8_t *from,
                                                         size_t length)
{
    return sum_range(from, NULL, length);
}

__attribute__((target("avx2"))) static uint64_t
copy_avx2(const uint8_t *from, uint8_t *to, size_t length)
{
    return sum_range(from, to, length);
}
#else
static bool may_use_avx2(size_t length)
{
    (void)length;
    return false;
}

static uint64_t sum_avx2(const uint8_t *from, size_t length)
{
    return sum_range(from, NULL, length);
}

static uint64_t copy_avx2(const uint8_t *from, uint8_t *to, size_t length)
{
    return sum_range(from, to, length);
}
#endif

uint32_t checksum_add(uint32_t sum, const void *bytes, size_t length)
{
    if (may_use_avx2(length))
        return accumulate(sum, sum_avx2(bytes, length));
    return checksum_add_baseline(sum, bytes, length);
}

uint32_t checksum_add_baseline(uint32_t sum, const void *bytes, size_t length)
{
    return accumulate(sum, sum_range(bytes, NULL, length));
}

uint32_t checksum_copy(uint32_t sum, void *restrict to,
                       const void *restrict from, size_t length)
{
    if (length == 0)
        return sum;
    if (may_use_avx2(length))
        return accumulate(sum, copy_avx2(from, to, length));
    return accumulate(sum, sum_range(from, to, length));
}

uint16_t checksum_finish(uint32_t sum)
{
    sum = (sum >> 16) + (sum & UINT16_MAX);
    sum = (sum >> 16) + (sum & UINT16_MAX);
    return (uint16_t)~sum;
}

uint32_t checksum_pseudo(const struct ip_addr *source,
                         const struct ip_addr *destination, uint8_t protocol,
                         uint32_t length)
{
    uint32_t sum = 0;
    if (source->family == IP_V4) {
        sum = (uint32_t)get_be16(source->bytes) + get_be16(source->bytes + 2) +
              get_be16(destination->bytes) + get_be16(destination->bytes + 2);
    } else {
        sum = checksum_add_baseline(0, source->bytes, 16);
        sum = checksum_add_baseline(sum, destination->bytes, 16);
    }
    return sum + (length >> 16) + (length & UINT16_MAX) + protocol;
}

uint16_t checksum_update(uint16_t checksum, uint16_t from, uint16_t to)
{
    // HC' = ~(~HC + ~m + m')
    uint32_t sum = (uint16_t)~checksum + (uint32_t)(uint16_t)~from + to;
    return checksum_finish(sum);
}
