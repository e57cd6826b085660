// What the capture's own files share: the capture and its formats.
// SPDX-License-Identifier: MIT
#ifndef CAPTURE_INTERNAL_H
#define CAPTURE_INTERNAL_H

#include <stdio.h>
#include <xxhash.h>

#include "sim/capture/buffer.h"
#include "sim/capture/capture.h"

// What is said of one frame besides its bytes.
struct capture_record {
    ns_t time;
    bool is_outgoing;
    uint32_t snap_length; // bytes of the frame that are kept, at most
};

struct amendment {
    uint32_t record;
    uint32_t order; // of arrival
    size_t text;    // offset in the capture's texts
};

struct capture_ops {
    // Makes capture->own; NULL: there is none. 0, -ENOMEM.
    int (*open)(struct capture *capture);
    // Puts what stands before the first record into capture->head. 0, -ENOMEM.
    int (*begin)(struct capture *capture);
    // Puts a record into capture->pending. 0, -ENOMEM.
    int (*frame)(struct capture *capture, const struct packet *frame,
                 const struct capture_record *record);
    // Length of the block or record at the front of these bytes.
    size_t (*block_length)(const uint8_t *block);
    // Adds a comment to the block at `start`, which is the last in `out`. NULL:
    // the format has no comments. 0, -ENOMEM.
    int (*amend)(struct buffer *out, size_t start, const char *comment);
    // Puts what stands behind the last record into capture->pending.
    int (*end)(struct capture *capture);
    void (*destroy)(struct capture *capture); // frees own; may be NULL
};
extern const struct capture_ops pcapng_ops, pcap_ops;

struct capture {
    const struct capture_ops *ops;
    struct sim *sim;
    struct port *port;
    char *path;
    int fd; // -1: closed
    int error;
    uint32_t snap_length; // UINT32_MAX: whole frames
    uint64_t frames;
    ns_t first_time, last_time; // of frames
    XXH3_state_t *hash;
    uint64_t file_size;

    struct buffer head;    // what goes before the first record
    struct buffer pending; // records not yet written
    uint32_t first_record; // number of the first of those
    uint32_t next_record;
    size_t flush_size;        // bytes that are written at a time, about
    size_t flush_at;          // bytes of pending that start a write
    struct buffer amendments; // struct amendment
    uint32_t amendment_count; // ever
    struct buffer texts;      // of amendments
    struct buffer staging;    // amended blocks on their way to the file
    bool has_begun;
    void *own;              // the format's
    uint32_t names_written; // addresses in name resolution blocks (pcapng)
};

#endif
