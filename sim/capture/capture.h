// Captures: one pcapng (or nanosecond pcap) file per link end.
// SPDX-License-Identifier: MIT
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

// Theory of operation
//
// A capture looks like tcpdump on that port: frames sent when they are handed
// to the device, frames received when they arrive. pcapng
// (draft-ietf-opsawg-pcapng): a section header that names Wirebed, its version,
// the scenario and the seed; a name resolution block with the hosts' addresses;
// one interface description (name "client:eth0", nanoseconds, MAC, speed); an
// enhanced packet block per frame with direction flags, packet id
// (epb_packetid) and a comment where the frame met a fate; an interface
// statistics block at the end.
//
// Records are encoded into a block of memory of the capture's own and written
// with write(2) when it is full. The fate of a frame is not known when its
// record is made, so what happens to it is told by amendments: texts kept aside
// that are put into their records' comments when the block is written. When the
// block is full, the link is asked for its oldest frame, and the records from
// that one on stay in memory, unless they are more than CAPTURE_HOLD_LIMIT.
//
// When the disk is full or the file cannot be written, the capture ends, the
// run goes on, and capture_error says why; what is in the file is whole blocks.

#include "sim/node/node.h"

enum { CAPTURE_HOLD_LIMIT = 16 << 20 }; // bytes

enum capture_format { CAPTURE_PCAPNG, CAPTURE_PCAP };

struct capture_config {
    const char *path;
    enum capture_format format;
    uint32_t snap_length; // 0: whole frames
};
// Opens the file. Negative errno of open(2) or -ENOMEM.
int capture_create(struct sim *sim, struct port *port,
                   const struct capture_config *config);
// A frame leaves or arrives. Borrows. comment may be NULL. Returns a record
// number, from 1 in steps of 1, that amendments refer to.
uint32_t capture_frame(struct capture *capture, const struct packet *frame,
                       bool is_outgoing, ns_t time, const char *comment);
// Adds a comment to a record; ignored when it has been written already.
void capture_amend(struct capture *capture, uint32_t record,
                   const char *comment);
// Writes the rest and the statistics, closes the file. What comes later is
// ignored. 0 or the capture's first error, a negative errno.
int capture_finish(struct capture *capture);
void capture_destroy(struct capture *capture); // finishes; NULL is fine
int capture_error(const struct capture *capture);
const char *capture_path(const struct capture *capture);
uint64_t capture_frames(const struct capture *capture);
uint64_t
capture_hash(const struct capture *capture); // XXH3 of everything written

#endif
