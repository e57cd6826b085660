// The pcapng format.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/capture/internal.h"
#include "sim/link/link.h"
#include "sim/sim.h"
#include "sim/version.h"

// Theory of operation
//
// draft-ietf-opsawg-pcapng. A block is
//
//   OFFSET SIZE MEANING
//        0    4 type
//        4    4 total length L, a multiple of 4
//        8      body: fixed fields, then options
//      L-4    4 total length again
//
// and an option is a 16-bit code, a 16-bit length and the value padded to 4
// bytes; code 0 ends them. An enhanced packet block (type 6):
//
//        8    4 interface, always 0 here
//       12    8 time in nanoseconds, high word first
//       20    4 bytes captured
//       24    4 bytes on the wire
//       28      the frame, padded to 4 bytes; then options
//
// Its options are flags (direction), packet id and comments; amending a block
// puts one more comment in front of the end of the options.

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_NAMES = 4,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
};

enum {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    SECTION_APPLICATION = 4,
    INTERFACE_NAME = 2,
    INTERFACE_DESCRIPTION = 3,
    INTERFACE_MAC = 6,
    INTERFACE_SPEED = 8,
    INTERFACE_RESOLUTION = 9,
    PACKET_FLAGS = 2,
    PACKET_ID = 5,
    STATISTICS_START = 2,
    STATISTICS_END = 3,
    STATISTICS_RECEIVED = 4,
};

enum { NAME_END = 0, NAME_IPV4 = 1, NAME_IPV6 = 2 };
enum { LINKTYPE_ETHERNET = 1, LINKTYPE_RAW = 101 };
enum { FLAG_INBOUND = 1, FLAG_OUTBOUND = 2 };
enum { MAX_TEXT = 4096, NAME_LIMIT = 4096, MAX_SNAP = 262144 };

static size_t padded(size_t n) { return (n + 3) & ~(size_t)3; }

// --- Blocks and options

static size_t begin_block(struct buffer *out, uint32_t type)
{
    uint8_t *at = buffer_put(out, 8);

    if (at != NULL)
        put_le32(at, type);
    return out->length - (at != NULL ? 8 : 0);
}

static int end_block(struct buffer *out, size_t start)
{
    uint8_t *end = buffer_put(out, 4);

    if (end == NULL)
        return -ENOMEM;
    uint32_t length = (uint32_t)(out->length - start);
    put_le32(out->bytes + start + 4, length);
    put_le32(end, length);
    return 0;
}

static int put_option(struct buffer *out, uint16_t code, const void *value,
                      size_t length)
{
    uint8_t *at = buffer_put(out, 4 + padded(length));

    if (at == NULL)
        return -ENOMEM;
    put_le16(at, code);
    put_le16(at + 2, (uint16_t)length);
    if (length > 0)
        memcpy(at + 4, value, length);
    memset(at + 4 + length, 0, padded(length) - length);
    return 0;
}

static int put_text(struct buffer *out, uint16_t code, const char *text)
{
    return put_option(out, code, text, strnlen(text, MAX_TEXT));
}

static int put_number(struct buffer *out, uint16_t code, uint64_t number)
{
    uint8_t value[8];

    put_le64(value, number);
    return put_option(out, code, value, sizeof(value));
}

// Times of statistics are two words, the high one first.
static int put_time(struct buffer *out, uint16_t code, ns_t time)
{
    uint8_t value[8];

    put_le32(value, (uint32_t)((uint64_t)time >> 32));
    put_le32(value + 4, (uint32_t)time);
    return put_option(out, code, value, sizeof(value));
}

static int put_end(struct buffer *out)
{
    return put_option(out, OPTION_END, NULL, 0);
}

static int put_word(struct buffer *out, uint32_t word)
{
    uint8_t *at = buffer_put(out, 4);

    if (at == NULL)
        return -ENOMEM;
    put_le32(at, word);
    return 0;
}

// --- Before the first record

static int put_section(struct buffer *out, const struct capture *capture)
{
    char comment[400];
    size_t start = begin_block(out, BLOCK_SECTION);

    snprintf(comment, sizeof(comment), "scenario %s, seed %llu",
             capture->sim->name, (unsigned long long)capture->sim->seed);
    if (put_word(out, 0x1a2b3c4d) < 0 || // byte order
        put_word(out, 0x00000001) < 0 || // version 1.0
        put_word(out, UINT32_MAX) < 0 || // section length: not said
        put_word(out, UINT32_MAX) < 0 ||
        put_text(out, OPTION_COMMENT, comment) < 0 ||
        put_text(out, SECTION_APPLICATION, "Wirebed " WIREBED_VERSION) < 0 ||
        put_end(out) < 0)
        return -ENOMEM;
    return end_block(out, start);
}

static int put_interface_options(struct buffer *out,
                                 const struct capture *capture)
{
    const struct port *port = capture->port;
    const struct link *link = port->link;
    const struct port *peer = link->ends[1 - port->end];
    uint64_t rate = link_get(link, port->end)->rate_bps;
    uint8_t nanoseconds = 9;
    char text[600];

    snprintf(text, sizeof(text), "%s:%s", port->node->name, port->name);
    if (put_text(out, INTERFACE_NAME, text) < 0)
        return -ENOMEM;
    snprintf(text, sizeof(text), "link %s to %s:%s", link->name,
             peer->node->name, peer->name);
    if (put_text(out, INTERFACE_DESCRIPTION, text) < 0)
        return -ENOMEM;
    if (!link->is_point_to_point &&
        put_option(out, INTERFACE_MAC, port->mac.bytes, 6) < 0)
        return -ENOMEM;
    if (rate != 0 && put_number(out, INTERFACE_SPEED, rate) < 0)
        return -ENOMEM;
    if (put_option(out, INTERFACE_RESOLUTION, &nanoseconds, 1) < 0)
        return -ENOMEM;
    return put_end(out);
}

static int put_interface(struct buffer *out, const struct capture *capture)
{
    size_t start = begin_block(out, BLOCK_INTERFACE);

    if (put_word(out, capture->port->link->is_point_to_point
                          ? LINKTYPE_RAW
                          : LINKTYPE_ETHERNET) < 0 ||
        put_word(out, min_u32(capture->snap_length, MAX_SNAP)) < 0 ||
        put_interface_options(out, capture) < 0)
        return -ENOMEM;
    return end_block(out, start);
}

static int put_name(struct buffer *out, const struct ip_addr *address,
                    const char *name)
{
    unsigned size = ip_addr_length(address->family);
    size_t length = size + strlen(name) + 1;
    uint8_t *at = buffer_put(out, 4 + padded(length));

    if (at == NULL)
        return -ENOMEM;
    put_le16(at, address->family == IP_V4 ? NAME_IPV4 : NAME_IPV6);
    put_le16(at + 2, (uint16_t)length);
    memcpy(at + 4, address->bytes, size);
    memcpy(at + 4 + size, name, length - size);
    memset(at + 4 + length, 0, padded(length) - length);
    return 0;
}

// Names of the addresses of a host; out NULL: only counts them.
static int put_host_names(struct buffer *out, const struct node *node,
                          uint32_t *count)
{
    struct iface_address address;

    for (const struct port *port = node->ports; port != NULL; port = port->next)
        for (size_t n = 0;
             iface_get_address(port->iface, n, &address) && *count < NAME_LIMIT;
             n++) {
            ++*count;
            if (out != NULL &&
                put_name(out, &address.prefix.addr, node->name) < 0)
                return -ENOMEM;
        }
    return 0;
}

static int put_all_names(struct buffer *out, const struct capture *capture,
                         uint32_t *count)
{
    *count = 0;
    for (const struct node *node = capture->sim->nodes; node != NULL;
         node = node->next)
        if (node_is_host(node) && put_host_names(out, node, count) < 0)
            return -ENOMEM;
    return 0;
}

// At the start for what is known then, and once more at the end if there are
// more addresses by then.
static int put_names(struct buffer *out, struct capture *capture)
{
    uint32_t count;

    (void)put_all_names(NULL, capture, &count);
    if (count <= capture->names_written)
        return 0;
    size_t start = begin_block(out, BLOCK_NAMES);
    if (put_all_names(out, capture, &capture->names_written) < 0 ||
        put_word(out, NAME_END) < 0)
        return -ENOMEM;
    return end_block(out, start);
}

static int pcapng_begin(struct capture *capture)
{
    struct buffer *out = &capture->head;

    if (put_section(out, capture) < 0 || put_interface(out, capture) < 0)
        return -ENOMEM;
    return put_names(out, capture);
}

// --- Records

// All of a record in one piece: this is where the time of capturing goes.
static int pcapng_frame(struct capture *capture, const struct packet *frame,
                        const struct capture_record *record)
{
    uint32_t kept = min_u32(frame->length, record->snap_length);
    size_t body = padded(kept);
    bool has_id = frame->id != 0;
    size_t length = 28 + body + 8 + (has_id ? 12 : 0) + 4 + 4;
    uint8_t *at = buffer_put(&capture->pending, length);

    if (at == NULL)
        return -ENOMEM;
    put_le32(at, BLOCK_PACKET);
    put_le32(at + 4, (uint32_t)length);
    put_le32(at + 8, 0);
    put_le32(at + 12, (uint32_t)((uint64_t)record->time >> 32));
    put_le32(at + 16, (uint32_t)record->time);
    put_le32(at + 20, kept);
    put_le32(at + 24, frame->length);
    at += 28;
    if (kept > 0)
        memcpy(at, frame->data, kept);
    memset(at + kept, 0, body - kept);
    at += body;
    put_le16(at, PACKET_FLAGS);
    put_le16(at + 2, 4);
    put_le32(at + 4, record->is_outgoing ? FLAG_OUTBOUND : FLAG_INBOUND);
    at += 8;
    if (has_id) {
        put_le16(at, PACKET_ID);
        put_le16(at + 2, 8);
        put_le64(at + 4, frame->id);
        at += 12;
    }
    put_le32(at, OPTION_END);
    put_le32(at + 4, (uint32_t)length);
    return 0;
}

static size_t pcapng_block_length(const uint8_t *block)
{
    return get_le32(block + 4);
}

static int pcapng_amend(struct buffer *out, size_t start, const char *comment)
{
    out->length -= 8; // end of options, length
    if (put_text(out, OPTION_COMMENT, comment) < 0 || put_end(out) < 0)
        return -ENOMEM;
    return end_block(out, start);
}

// --- Behind the last record

static int pcapng_end(struct capture *capture)
{
    struct buffer *out = &capture->pending;
    ns_t now = sim_now(capture->sim);

    if (put_names(out, capture) < 0)
        return -ENOMEM;
    size_t start = begin_block(out, BLOCK_STATISTICS);
    if (put_word(out, 0) < 0 || // interface
        put_word(out, (uint32_t)((uint64_t)now >> 32)) < 0 ||
        put_word(out, (uint32_t)now) < 0 ||
        put_time(out, STATISTICS_START, 0) < 0 ||
        put_time(out, STATISTICS_END, now) < 0 ||
        put_number(out, STATISTICS_RECEIVED, capture->frames) < 0 ||
        put_end(out) < 0)
        return -ENOMEM;
    return end_block(out, start);
}

const struct capture_ops pcapng_ops = {
    .begin = pcapng_begin,
    .frame = pcapng_frame,
    .block_length = pcapng_block_length,
    .amend = pcapng_amend,
    .end = pcapng_end,
};
