// The node behind which the world outside stands.
// SPDX-License-Identifier: MIT
#include "sim/tap/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"
#include "sim/tap/device.h"
#include "sim/tap/offload.h"

enum { BUFFER_SIZE = 65535 + 64, HEAD_ROOM = 32 };

struct tap {
    struct node node; // first
    struct tap_config config;
    char *device_name;
    struct device device;
    struct joiner joiner;
    struct tap_stats stats;
    uint64_t arrived; // at the port: invariant T1
    uint8_t buffer[BUFFER_SIZE];
};

const char *tap_kind_name(enum tap_kind kind)
{
    static const char *const names[TAP_KIND_COUNT] = {"tap", "tun", "packet"};

    must((size_t)kind < TAP_KIND_COUNT);
    return names[kind];
}

const char *tap_drop_name(enum tap_drop reason)
{
    static const char *const names[] = {
        [TAP_DROP_NO_DEVICE] = "no-device", [TAP_DROP_BUSY] = "busy",
        [TAP_DROP_REFUSED] = "refused",     [TAP_DROP_NO_BUFFER] = "no-buffer",
        [TAP_DROP_MALFORMED] = "malformed",
    };

    must((size_t)reason < ARRAY_LENGTH(names));
    return names[reason];
}

// --- To the outside

static enum tap_drop write_drop_reason(int error)
{
    return error == -EAGAIN || error == -ENOBUFS ? TAP_DROP_BUSY
                                                 : TAP_DROP_REFUSED;
}

static void account_written(struct tap *tap, int error, uint64_t frames,
                            uint64_t bytes)
{
    tap->stats.writes++;
    if (error < 0) {
        tap->stats.dropped[write_drop_reason(error)] += frames;
        return;
    }
    tap->stats.frames_written += frames;
    tap->stats.bytes_written += bytes;
}

void tap_flush(struct tap *tap)
{
    struct virtio_net_hdr header;
    uint8_t headers[JOINER_HEADERS];
    struct iovec parts[JOINER_SEGMENTS + 2];
    uint64_t bytes = 0;
    int count = joiner_take(&tap->joiner, &header, headers, parts);

    if (count == 0)
        return;
    for (uint32_t i = 0; i < tap->joiner.count; i++)
        bytes += tap->joiner.segments[i]->length;
    int error = device_write(&tap->device, &header, parts, count);
    account_written(tap, error, tap->joiner.count, bytes);
    joiner_clear(&tap->joiner);
}

static void write_single(struct tap *tap, struct packet *frame)
{
    static const struct virtio_net_hdr plain;
    struct iovec parts[2] = {{0}, {frame->data, frame->length}};
    int error = device_write(&tap->device, &plain, parts, 2);

    account_written(tap, error, 1, frame->length);
    packet_free(frame);
}

static void tap_input(struct port *port, struct packet *frame)
{
    struct tap *tap = node_as_tap(port->node);

    tap->arrived++;
    if (tap->device.fd < 0) {
        tap->stats.dropped[TAP_DROP_NO_DEVICE]++;
        packet_free(frame);
        return;
    }
    bool may_join = tap->device.has_header && !tap->config.no_offload;
    if (may_join && joiner_offer(&tap->joiner, frame))
        return;
    tap_flush(tap);
    if (!may_join || !joiner_offer(&tap->joiner, frame))
        write_single(tap, frame);
}

// --- From the outside

static struct port *port_of(const struct tap *tap) { return tap->node.ports; }

// False: no buffer.
static bool send_frame(struct tap *tap, struct splitter *splitter,
                       size_t length)
{
    struct packet *frame = packet_alloc(tap->node.sim->pool, HEAD_ROOM, length);

    if (frame == NULL)
        return false;
    splitter_write(splitter, packet_put(frame, length));
    tap->stats.frames_read++;
    tap->stats.bytes_read += length;
    port_send(port_of(tap), frame);
    return true;
}

static void take_frame(struct tap *tap, const struct virtio_net_hdr *header,
                       const uint8_t *bytes, size_t length)
{
    struct splitter splitter;
    bool is_ethernet = tap->config.kind != TAP_IP;

    if (port_of(tap) == NULL ||
        splitter_init(&splitter, header, bytes, length, is_ethernet) < 0) {
        tap->stats.dropped[TAP_DROP_MALFORMED]++;
        return;
    }
    size_t size;
    while ((size = splitter_next(&splitter)) > 0)
        if (!send_frame(tap, &splitter, size)) {
            tap->stats.dropped[TAP_DROP_NO_BUFFER]++;
            return;
        }
}

static bool is_gone(int64_t error)
{
    return error == -EBADFD || error == -ENODEV || error == -ENXIO ||
           error == -EIO;
}

int tap_read(struct tap *tap, unsigned budget)
{
    struct virtio_net_hdr header;
    int count = 0;

    while (budget-- > 0) {
        int64_t length =
            device_read(&tap->device, &header, tap->buffer, BUFFER_SIZE);
        if (length == -EAGAIN)
            break;
        if (is_gone(length)) {
            sim_set_error(tap->node.sim, "the device '%s' is gone",
                          tap->device.name);
            return -ENODEV;
        }
        tap->stats.reads++;
        if (length <= 0) {
            tap->stats.undersized++;
            continue;
        }
        count++;
        take_frame(tap, &header, tap->buffer, (size_t)length);
    }
    return count;
}

void tap_feed(struct tap *tap, const uint8_t *bytes, size_t length)
{
    static const struct virtio_net_hdr plain;

    take_frame(tap, &plain, bytes, length);
}

// --- Life

int tap_open(struct tap *tap)
{
    char why[DEVICE_WHY_SIZE];
    int error = device_open(tap->device_name, tap->config.kind,
                            !tap->config.no_offload, &tap->device, why);

    if (error < 0) {
        tap->device.fd = -1;
        sim_set_error(tap->node.sim, "%s", why);
    }
    return error;
}

void tap_close(struct tap *tap)
{
    tap->stats.dropped[TAP_DROP_NO_DEVICE] += tap->joiner.count;
    joiner_clear(&tap->joiner);
    device_close(&tap->device);
}

int tap_fd(const struct tap *tap) { return tap->device.fd; }

bool tap_is_up(const struct tap *tap)
{
    return tap->device.fd >= 0 && device_is_up(&tap->device);
}

static int tap_attach(struct port *port, const struct port_config *config)
{
    struct tap *tap = node_as_tap(port->node);
    bool wants_ip = tap->config.kind == TAP_IP;

    if (port->node->ports != port) {
        sim_set_error(port->node->sim, "'%s' can be at one link only",
                      port->node->name);
        return -EINVAL;
    }
    if (wants_ip != config->is_point_to_point) {
        sim_set_error(port->node->sim,
                      wants_ip ? "'%s' is a TUN, which carries bare IP: its "
                                 "link must be point-to-point"
                               : "'%s' carries Ethernet: its link must not be "
                                 "point-to-point (a TUN can be there)",
                      port->node->name);
        return -EINVAL;
    }
    return 0;
}

static void tap_check(const struct node *node)
{
    const struct tap *tap = (const struct tap *)(const void *)node;
    const uint64_t *dropped = tap->stats.dropped;

    must(tap->arrived == tap->stats.frames_written +
                             dropped[TAP_DROP_NO_DEVICE] +
                             dropped[TAP_DROP_BUSY] +
                             dropped[TAP_DROP_REFUSED] + tap->joiner.count);
}

static void tap_destroy(struct node *node)
{
    struct tap *tap = node_as_tap(node);

    tap_close(tap);
    free(tap->device_name);
    free(tap);
}

static const struct node_ops tap_ops = {
    .attach = tap_attach,
    .input = tap_input,
    .check = tap_check,
    .destroy = tap_destroy,
};

int sim_add_tap(struct sim *sim, const struct tap_config *config,
                struct tap **out)
{
    struct tap *tap = calloc(1, sizeof(*tap));

    if (tap == NULL)
        return -ENOMEM;
    tap->config = *config;
    tap->device.fd = -1;
    tap->joiner.is_ethernet = config->kind != TAP_IP;
    tap->device_name =
        strdup(config->device != NULL ? config->device : config->name);
    if (tap->device_name == NULL) {
        free(tap);
        return -ENOMEM;
    }
    int error = node_init(&tap->node, sim, &tap_ops, NODE_TAP, config->name);
    if (error < 0) {
        free(tap->device_name);
        free(tap);
        return error;
    }
    *out = tap;
    return 0;
}

int tap_set_device_name(struct tap *tap, const char *name)
{
    char *copy = strdup(name);

    if (copy == NULL)
        return -ENOMEM;
    free(tap->device_name);
    tap->device_name = copy;
    return 0;
}

// --- Answers

struct tap *node_as_tap(struct node *node)
{
    return node != NULL && node->kind == NODE_TAP
               ? CONTAINER_OF(node, struct tap, node)
               : NULL;
}

struct tap *sim_next_tap(struct sim *sim, struct tap *previous)
{
    struct node *node = previous != NULL ? previous->node.next : sim->nodes;

    while (node != NULL && node->kind != NODE_TAP)
        node = node->next;
    return node_as_tap(node);
}

const struct node *tap_node(const struct tap *tap) { return &tap->node; }
const char *tap_name(const struct tap *tap) { return tap->node.name; }
const char *tap_device_name(const struct tap *tap) { return tap->device_name; }
enum tap_kind tap_get_kind(const struct tap *tap) { return tap->config.kind; }
struct tap_stats tap_get_stats(const struct tap *tap) { return tap->stats; }
