// Fuzzes decoding, describing and filling of frames.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "sim/frame/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_fields(const struct frame_fields *f, size_t length)
{
    must(f->network_offset <= length && f->transport_offset <= length);
    must(f->payload_offset + f->payload_length <= length);
    must(f->ip_end <= length);
    must(!f->has_tcp || f->has_ipv4 || f->has_ipv6);
}

// What is filled in once stays when it is filled in again.
static void check_filling(uint8_t *copy, size_t length, bool is_ip)
{
    uint8_t *again = malloc(length + 1);
    must(again);
    frame_fill(copy, length, is_ip, FRAME_FILL_ALL);
    memcpy(again, copy, length);
    frame_fill(again, length, is_ip, FRAME_FILL_ALL);
    must(memcmp(again, copy, length) == 0);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct frame_fields f;
    char text[300], cut[20];
    if (length == 0)
        return 0;
    bool is_ip = bytes[0] & 1;
    uint8_t *copy = malloc(length);
    must(copy);
    memcpy(copy, bytes + 1, --length);
    frame_decode(copy, length, is_ip, &f);
    check_fields(&f, length);
    frame_describe(copy, length, is_ip, text, sizeof text);
    must(strlen(text) > 0);
    frame_describe(copy, length, is_ip, cut, sizeof cut);
    must(strlen(cut) < sizeof cut);
    check_filling(copy, length, is_ip);
    free(copy);
    return 0;
}
