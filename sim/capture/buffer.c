// Growing buffers.
// SPDX-License-Identifier: MIT

#include "sim/capture/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint8_t *buffer_put(struct buffer *buffer, size_t n)
{
    if (buffer->capacity - buffer->length < n) {
        size_t capacity = buffer->capacity > 0 ? buffer->capacity : 1024;

        while (capacity - buffer->length < n)
            capacity *= 2;
        uint8_t *bytes = realloc(buffer->bytes, capacity);
        if (bytes == NULL)
            return NULL;
        buffer->bytes = bytes;
        buffer->capacity = capacity;
    }
    uint8_t *at = buffer->bytes + buffer->length;
    buffer->length += n;
    return at;
}

int buffer_add(struct buffer *buffer, const void *bytes, size_t n)
{
    uint8_t *at = buffer_put(buffer, n);

    if (at == NULL)
        return -ENOMEM;
    if (n > 0)
        memcpy(at, bytes, n);
    return 0;
}

void buffer_drop_front(struct buffer *buffer, size_t n)
{
    buffer->length -= n;
    if (buffer->length > 0)
        memmove(buffer->bytes, buffer->bytes + n, buffer->length);
}

void buffer_fini(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}
