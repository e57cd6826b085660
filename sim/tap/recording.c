// Reads the captures of taps.
// SPDX-License-Identifier: MIT
#include "sim/tap/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// OFFSET SIZE MEANING of an enhanced packet block
//      0    4 block type, 6
//      4    4 length of the block
//      8    4 interface
//     12    8 time, the high word first
//     20    4 captured length     24    4 original length
//     28      bytes, padded to 4; options; the block's length again
enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_PACKET = 6,
    AT_TIME_HIGH = 12,
    AT_TIME_LOW = 16,
    AT_CAPTURED = 20,
    AT_ORIGINAL = 24,
    AT_BYTES = 28,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    OPTION_FLAGS = 2,
    DIRECTION_OUT = 2
};

struct recording {
    const uint8_t *bytes;
    size_t length, at;
};

static uint32_t word(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

static bool is_ours(const struct recording *r)
{
    return r->length >= 12 && word(r->bytes) == BLOCK_SECTION &&
           word(r->bytes + 8) == BYTE_ORDER_MAGIC;
}

int recording_open(const char *path, struct recording **out)
{
    struct stat status;
    struct recording *r = calloc(1, sizeof(*r));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = 0;

    if (r == NULL)
        error = -ENOMEM;
    else if (fd < 0 || fstat(fd, &status) < 0)
        error = -errno;
    else if (status.st_size == 0)
        error = -EINVAL;
    if (error == 0) {
        void *bytes =
            mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        r->bytes = bytes != MAP_FAILED ? bytes : NULL;
        r->length = r->bytes != NULL ? (size_t)status.st_size : 0;
        error = r->bytes == NULL ? -errno : is_ours(r) ? 0 : -EINVAL;
    }
    if (fd >= 0)
        close(fd);
    if (error < 0)
        recording_close(r);
    else
        *out = r;
    return error;
}

void recording_close(struct recording *recording)
{
    if (recording == NULL)
        return;
    if (recording->bytes != NULL)
        munmap((void *)recording->bytes, recording->length);
    free(recording);
}

// The flags of a packet block; 0: there are none.
static uint32_t find_flags(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 4) {
        uint16_t code, length;

        memcpy(&code, at, 2);
        memcpy(&length, at + 2, 2);
        size_t padded = ((size_t)length + 3) & ~(size_t)3;
        if (code == 0 || (size_t)(end - at) < 4 + padded)
            return 0;
        if (code == OPTION_FLAGS && length == 4)
            return word(at + 4);
        at += 4 + padded;
    }
    return 0;
}

static int read_packet(const uint8_t *block, uint32_t length,
                       struct recorded_frame *out)
{
    if (length < AT_BYTES + 4)
        return -EINVAL;
    uint32_t captured = word(block + AT_CAPTURED);
    // A frame that was cut cannot be fed back.
    if (captured > length - AT_BYTES - 4 ||
        captured != word(block + AT_ORIGINAL))
        return -EINVAL;
    size_t padded = ((size_t)captured + 3) & ~(size_t)3;
    *out = (struct recorded_frame){
        .time = (ns_t)((uint64_t)word(block + AT_TIME_HIGH) << 32 |
                       word(block + AT_TIME_LOW)),
        .bytes = block + AT_BYTES,
        .length = captured,
    };
    const uint8_t *options = block + AT_BYTES + padded;
    const uint8_t *end = block + length - 4;
    out->is_from_outside =
        options < end && (find_flags(options, end) & 3) == DIRECTION_OUT;
    return 1;
}

int recording_next(struct recording *recording, struct recorded_frame *out)
{
    while (recording->length - recording->at >= 12) {
        const uint8_t *block = recording->bytes + recording->at;
        uint32_t length = word(block + 4);

        if (length < 12 || length % 4 != 0 ||
            length > recording->length - recording->at)
            return -EINVAL;
        recording->at += length;
        if (word(block) == BLOCK_PACKET)
            return read_packet(block, length, out);
    }
    return 0;
}

// The next frame that went outside; as recording_next.
static int next_out(struct recording *recording, struct recorded_frame *out)
{
    int there;

    do
        there = recording_next(recording, out);
    while (there == 1 && out->is_from_outside);
    return there;
}

static bool is_same(const struct recorded_frame *a,
                    const struct recorded_frame *b)
{
    return a->time == b->time && a->length == b->length &&
           memcmp(a->bytes, b->bytes, a->length) == 0;
}

static int compare(struct recording *a, struct recording *b, uint64_t *number)
{
    struct recorded_frame frame_a, frame_b;

    for (uint64_t n = 1;; n++) {
        int there_a = next_out(a, &frame_a), there_b = next_out(b, &frame_b);

        if (there_a < 0 || there_b < 0)
            return -EINVAL;
        if (there_a == 0 && there_b == 0)
            return 0;
        *number = n;
        if (there_a != there_b || !is_same(&frame_a, &frame_b))
            return 1;
    }
}

int recording_compare(const char *a, const char *b, uint64_t *number)
{
    struct recording *one = NULL, *other = NULL;
    int result = recording_open(a, &one);

    if (result == 0)
        result = recording_open(b, &other);
    if (result == 0)
        result = compare(one, other, number);
    recording_close(one);
    recording_close(other);
    return result;
}
