// Segmentation and checksum offload, undone on the way in, done on the way out.
// SPDX-License-Identifier: MIT
#ifndef TAP_OFFLOAD_H
#define TAP_OFFLOAD_H

// Theory of operation
//
// A kernel that talks to a device with offload hands over up to 64 KiB of one
// TCP stream as a single frame, with a struct virtio_net_hdr before it that
// says how to cut it and where the checksum belongs. One system call then
// carries forty frames, which is where the speed of a TAP comes from. The
// splitter cuts such a frame into those that a wire would carry.
//
// The joiner does the reverse: frames on their way to the device that continue
// one TCP stream with equal headers are kept until one does not fit, or until
// the simulation has nothing more to send now, and leave as one. The kernel
// takes the checksum of such a frame for granted; so only segments whose own
// checksum is right are joined, and what a link has corrupted arrives
// corrupted.

#include <linux/virtio_net.h>
#include <sys/uio.h>

#include "stack/packet.h"

// --- In

struct splitter {
    const uint8_t *bytes; // borrowed
    size_t length;
    size_t network, transport, payload; // offsets
    size_t segment_size;                // payload bytes of a frame
    size_t done;                        // payload bytes that were written
    size_t checksum_start, checksum_at; // checksum_at 0: is there already
    bool is_ipv6, is_tcp, is_whole;     // whole: not to be cut
    bool is_over;
    uint16_t index;
};
// -EINVAL: the header contradicts the frame.
int splitter_init(struct splitter *splitter,
                  const struct virtio_net_hdr *header, const uint8_t *bytes,
                  size_t length, bool is_ethernet);
// Length of the next frame; 0: no more.
size_t splitter_next(const struct splitter *splitter);
void splitter_write(struct splitter *splitter, uint8_t *out);

// --- Out

enum { JOINER_SEGMENTS = 48, JOINER_HEADERS = 160 };

struct joiner {
    bool is_ethernet;
    struct packet *segments[JOINER_SEGMENTS];
    uint32_t count;
    size_t network, transport, payload; // offsets, the same in each segment
    size_t segment_size;                // payload of the first
    size_t total;                       // payload of all
    uint32_t next_seq;
    bool is_ipv6, is_closed; // closed: nothing can follow
};
// True: the frame was taken (consumed). False: the caller writes what is there
// (joiner_take), offers the frame once more, and if it is refused again, writes
// it as it is.
bool joiner_offer(struct joiner *joiner, struct packet *frame);
// What is to be written: a virtio header, and parts from parts[1] on (parts[0]
// is left to the caller), of which headers holds the first. Returns the count
// of parts, parts[0] included; 0: nothing is there.
int joiner_take(const struct joiner *joiner, struct virtio_net_hdr *header,
                uint8_t headers[JOINER_HEADERS],
                struct iovec parts[JOINER_SEGMENTS + 2]);
void joiner_clear(struct joiner *joiner); // frees the segments

#endif
