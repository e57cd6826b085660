// Bytes that grow at the end.
// SPDX-License-Identifier: MIT
#ifndef CAPTURE_BUFFER_H
#define CAPTURE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *bytes;
    size_t length, capacity;
};

// n more bytes, not initialised; NULL: out of memory.
uint8_t *buffer_put(struct buffer *buffer, size_t n);
int buffer_add(struct buffer *buffer, const void *bytes, size_t n); // -ENOMEM
void buffer_drop_front(struct buffer *buffer, size_t n);
void buffer_fini(struct buffer *buffer);

// Captures are little-endian on every machine.
static inline void put_le16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}
static inline void put_le32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}
static inline void put_le64(uint8_t *p, uint64_t v)
{
    put_le32(p, (uint32_t)v);
    put_le32(p + 4, (uint32_t)(v >> 32));
}
static inline uint32_t get_le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 |
           p[0];
}

#endif
