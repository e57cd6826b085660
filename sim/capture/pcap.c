// Classic nanosecond captures, written by libpcap.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/capture/internal.h"
#include "sim/link/link.h"

// Theory of operation
//
// libpcap writes to a stdio stream. Ours puts what it is given behind
// capture->pending, without a buffer of its own, so that classic captures share
// the writing, the hash and the errors of the others. libpcap writes in the
// machine's byte order, and readers take both.
//
//   OFFSET SIZE MEANING (of a record)
//        0    4 seconds
//        4    4 nanoseconds
//        8    4 bytes captured
//       12    4 bytes on the wire
//       16      the frame

enum { RECORD_HEADER = 16, MAX_SNAP = 262144 };

struct classic {
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    struct buffer *target;
};

static ssize_t write_to_target(void *cookie, const char *bytes, size_t length)
{
    struct classic *classic = cookie;

    // Of a cookie stream's write, 0 is the failure (fopencookie(3)).
    return buffer_add(classic->target, bytes, length) < 0 ? 0 : (ssize_t)length;
}

static int open_dumper(struct classic *classic, const struct capture *capture)
{
    FILE *stream = fopencookie(
        classic, "w", (cookie_io_functions_t){.write = write_to_target});

    if (stream == NULL)
        return -ENOMEM;
    setvbuf(stream, NULL, _IONBF, 0);
    classic->pcap = pcap_open_dead_with_tstamp_precision(
        capture->port->link->is_point_to_point ? DLT_RAW : DLT_EN10MB,
        (int)min_u32(capture->snap_length, MAX_SNAP),
        PCAP_TSTAMP_PRECISION_NANO);
    if (classic->pcap != NULL)
        classic->dumper = pcap_dump_fopen(classic->pcap, stream);
    if (classic->dumper == NULL)
        fclose(stream);
    return classic->dumper != NULL ? 0 : -ENOMEM;
}

static int classic_open(struct capture *capture)
{
    struct classic *classic = calloc(1, sizeof(*classic));

    if (classic == NULL)
        return -ENOMEM;
    capture->own = classic;
    classic->target = &capture->head; // libpcap writes the file header now
    int error = open_dumper(classic, capture);
    classic->target = &capture->pending;
    return error;
}

static int classic_frame(struct capture *capture, const struct packet *frame,
                         const struct capture_record *record)
{
    struct classic *classic = capture->own;
    struct pcap_pkthdr header = {
        .ts = {.tv_sec = record->time / NS_PER_S,
               .tv_usec = record->time % NS_PER_S}, // nanoseconds here
        .caplen = min_u32(frame->length, record->snap_length),
        .len = frame->length,
    };
    size_t end = capture->pending.length + RECORD_HEADER + header.caplen;

    pcap_dump((u_char *)classic->dumper, &header, frame->data);
    return capture->pending.length == end ? 0 : -ENOMEM;
}

static size_t classic_block_length(const uint8_t *record)
{
    uint32_t captured;

    memcpy(&captured, record + 8, sizeof(captured));
    return RECORD_HEADER + captured;
}

static int classic_nothing(struct capture *capture)
{
    (void)capture;
    return 0;
}

static void classic_destroy(struct capture *capture)
{
    struct classic *classic = capture->own;

    if (classic == NULL)
        return;
    if (classic->dumper != NULL)
        pcap_dump_close(classic->dumper);
    if (classic->pcap != NULL)
        pcap_close(classic->pcap);
    free(classic);
}

const struct capture_ops pcap_ops = {
    .open = classic_open,
    .begin = classic_nothing,
    .frame = classic_frame,
    .block_length = classic_block_length,
    .end = classic_nothing,
    .destroy = classic_destroy,
};
