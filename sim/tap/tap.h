// A node that is the world outside: a network device of the machine.
// SPDX-License-Identifier: MIT
#ifndef TAP_TAP_H
#define TAP_TAP_H

// Theory of operation
//
// Whatever stands outside (the kernel's own stack behind a TAP, machines behind
// a NIC) is one ordinary node with one port on one ordinary link. Frames that
// arrive at the port are written to the device; frames that the device has are
// sent from the port. So everything that a simulation can do to a frame, it can
// do to frames from outside, and the capture of the node's port shows what the
// device carried.
//
// The node itself knows no clock and no system call: a run without a device
// (wirebed check, a replay) drops what arrives, counted. Who runs the
// simulation in real time (sim/realtime) opens the device and calls tap_read
// when there is something to read and tap_flush when the simulation has caught
// up with the clock.
//
// Devices give and take frames larger than the wire carries and with checksums
// that are not there yet (segmentation and checksum offload, offload.h). They
// are undone on the way in and done on the way out at this very border: inside,
// a frame is always what a wire would carry.
//
// Invariant T1. frames_read = frames_sent + dropped while reading, and frames
// that arrived at the port = frames_written + dropped while writing + pending.

#include "sim/node/node.h"

enum tap_kind {
    TAP_ETHERNET, // a TAP: Ethernet frames, made or found by name
    TAP_IP,       // a TUN: bare IP packets, on a point-to-point link
    TAP_PACKET,   // an interface that exists (veth, NIC), by AF_PACKET
    TAP_KIND_COUNT
};
const char *tap_kind_name(enum tap_kind kind); // "tap", "tun", "packet"

enum tap_drop {
    TAP_DROP_NO_DEVICE, // to the outside, and there is none
    TAP_DROP_BUSY,      // the device's queue is full
    TAP_DROP_REFUSED,   // the device did not take it (down, too long, ...)
    TAP_DROP_NO_BUFFER, // packet pool exhausted
    TAP_DROP_MALFORMED, // from outside: an offload header that contradicts
                        // the frame
    TAP_DROP_COUNT
};
const char *tap_drop_name(enum tap_drop reason); // "no-device", ...

struct tap_stats {
    uint64_t frames_read, bytes_read;       // of the wire: after segmentation
    uint64_t frames_written, bytes_written; // before coalescing
    uint64_t reads, writes;                 // of the device
    uint64_t dropped[TAP_DROP_COUNT];       // frames
    uint64_t undersized;                    // reads without a whole header
};

struct tap_config {
    const char *name;   // of the node
    const char *device; // of the machine; NULL: the node's name
    enum tap_kind kind;
    bool no_offload; // one frame a read, one frame a write
};

struct device;
struct tap;
// -EEXIST (name), -ENOMEM.
int sim_add_tap(struct sim *sim, const struct tap_config *config,
                struct tap **out);
struct tap *node_as_tap(struct node *node); // NULL: not one
struct tap *sim_next_tap(struct sim *sim, struct tap *previous); // NULL starts
const struct node *tap_node(const struct tap *tap);
const char *tap_name(const struct tap *tap);
const char *tap_device_name(const struct tap *tap);
enum tap_kind tap_get_kind(const struct tap *tap);
struct tap_stats tap_get_stats(const struct tap *tap);
// Another device than the scenario says, before it is opened. -ENOMEM.
int tap_set_device_name(struct tap *tap, const char *name);

// Opens the device. 0, or a negative errno with a sentence in sim_error().
int tap_open(struct tap *tap);
void tap_close(struct tap *tap);       // what is pending is dropped
int tap_fd(const struct tap *tap);     // -1: not open
bool tap_is_up(const struct tap *tap); // open, and nobody has taken it down
// Sends up to `budget` frames from the device into the simulation, at its
// present time. How many there were; -ENODEV with a sentence in sim_error():
// the device is gone.
int tap_read(struct tap *tap, unsigned budget);
// Writes what is kept back for coalescing.
void tap_flush(struct tap *tap);
// A frame from outside without a device, for a replay. Borrows the bytes.
void tap_feed(struct tap *tap, const uint8_t *bytes, size_t length);

#endif
