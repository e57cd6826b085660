// A network device of the machine, opened for reading and writing frames.
// SPDX-License-Identifier: MIT
#ifndef TAP_DEVICE_H
#define TAP_DEVICE_H

// Devices that this program makes are gone when it ends, however it ends: a TAP
// lives as long as its file descriptor unless its owner made it persistent, and
// a packet socket takes its promiscuous mode along. So there is nothing to
// clean up and nothing is left behind by a crash.

#include <linux/virtio_net.h>
#include <sys/uio.h>

#include "sim/tap/tap.h"

struct device {
    int fd;
    enum tap_kind kind;
    bool has_header;  // each frame is behind a struct virtio_net_hdr
    bool has_offload; // takes and gives segments larger than the wire's
    bool was_made;    // did not exist before
    uint32_t mtu;     // when it was opened
    char name[16];    // the kernel's
};

enum { DEVICE_WHY_SIZE = 512 };
// 0, or a negative errno with a sentence at `why`, which holds DEVICE_WHY_SIZE
// bytes.
int device_open(const char *name, enum tap_kind kind, bool wants_offload,
                struct device *out, char *why);
bool device_is_up(const struct device *device);
void device_close(struct device *device);
// One frame of at most `size` bytes. Its length; -EAGAIN: none now; another
// negative errno: the device is gone. *header is all zero where the device has
// none.
int64_t device_read(struct device *device, struct virtio_net_hdr *header,
                    uint8_t *bytes, size_t size);
// Writes the frame that lies in parts[1] to parts[count - 1]; parts[0] is for
// its own use. 0 or a negative errno.
int device_write(struct device *device, const struct virtio_net_hdr *header,
                 struct iovec *parts, int count);

// Why a device could not be opened, in a sentence (device_why.c).
void device_explain(const char *name, enum tap_kind kind, int error, char *why);

#endif
