// The common part of captures: buffering, amendments, writing, errors.
// SPDX-License-Identifier: MIT

#include "sim/capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sim/capture/internal.h"
#include "sim/link/link.h"
#include "sim/sim.h"

// Bytes that are written at a time. Hundreds of captures get along with less
// memory each; what is in the files does not depend on it.
enum {
    FLUSH_SIZE = 256 << 10,
    SMALL_FLUSH_SIZE = 32 << 10,
    MANY_CAPTURES = 64
};

// --- Life

static struct capture *capture_alloc(struct sim *sim, struct port *port,
                                     const struct capture_config *config)
{
    struct capture *capture = calloc(1, sizeof(*capture));

    if (capture == NULL)
        return NULL;
    capture->ops = config->format == CAPTURE_PCAP ? &pcap_ops : &pcapng_ops;
    capture->sim = sim;
    capture->port = port;
    capture->fd = -1;
    capture->snap_length =
        config->snap_length != 0 ? config->snap_length : UINT32_MAX;
    capture->first_time = capture->last_time = NS_NEVER;
    capture->first_record = capture->next_record = 1;
    capture->flush_size =
        sim->capture_count++ < MANY_CAPTURES ? FLUSH_SIZE : SMALL_FLUSH_SIZE;
    capture->flush_at = capture->flush_size;
    capture->path = strdup(config->path);
    capture->hash = XXH3_createState();
    if (capture->path == NULL || capture->hash == NULL ||
        (capture->ops->open != NULL && capture->ops->open(capture) < 0)) {
        capture_destroy(capture);
        return NULL;
    }
    XXH3_64bits_reset(capture->hash);
    return capture;
}

// A process may have few files open unless it asks for more.
static bool raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
        limit.rlim_cur == limit.rlim_max)
        return false;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static int open_file(const char *path)
{
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    int fd = open(path, flags, 0666);

    if (fd < 0 && errno == EMFILE && raise_file_limit())
        fd = open(path, flags, 0666);
    return fd < 0 ? -errno : fd;
}

int capture_create(struct sim *sim, struct port *port,
                   const struct capture_config *config)
{
    must(port->capture == NULL);
    struct capture *capture = capture_alloc(sim, port, config);

    if (capture == NULL)
        return -ENOMEM;
    int fd = open_file(config->path);
    if (fd < 0) {
        capture_destroy(capture);
        return fd;
    }
    capture->fd = fd;
    port->capture = capture;
    return 0;
}

void capture_destroy(struct capture *capture)
{
    if (capture == NULL)
        return;
    if (capture->fd >= 0)
        capture_finish(capture);
    if (capture->ops->destroy != NULL)
        capture->ops->destroy(capture);
    buffer_fini(&capture->head);
    buffer_fini(&capture->pending);
    buffer_fini(&capture->amendments);
    buffer_fini(&capture->texts);
    buffer_fini(&capture->staging);
    XXH3_freeState(capture->hash);
    free(capture->path);
    free(capture);
}

// --- Writing

// The capture ends here. What has been written of `bytes` is cut back to whole
// blocks; where the file cannot be cut (a device), it stays as it is.
static void give_up(struct capture *capture, int error, const uint8_t *bytes,
                    size_t written)
{
    size_t whole = 0;

    while (whole + 8 <= written) {
        size_t length = capture->ops->block_length(bytes + whole);

        if (whole + length > written)
            break;
        whole += length;
    }
    capture->error = error;
    capture->file_size += whole;
    if (ftruncate(capture->fd, (off_t)capture->file_size) < 0 &&
        capture->error == 0)
        capture->error = -errno;
    close(capture->fd);
    capture->fd = -1;
    capture->pending.length = 0;
    capture->amendments.length = 0;
    capture->texts.length = 0;
}

static void write_out(struct capture *capture, const uint8_t *bytes,
                      size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t n = write(capture->fd, bytes + done, length - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            give_up(capture, -errno, bytes, done);
            return;
        }
        done += (size_t)n;
    }
    XXH3_64bits_update(capture->hash, bytes, length);
    capture->file_size += length;
}

static int compare_amendments(const void *a, const void *b)
{
    const struct amendment *x = a, *y = b;

    if (x->record != y->record)
        return (int32_t)(x->record - y->record) < 0 ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

// Copies the first `records` of pending to staging, each with its amendments,
// which are sorted. Returns how many amendments that took; -ENOMEM.
static int stage(struct capture *capture, uint32_t records)
{
    const struct amendment *amendments =
        (const void *)capture->amendments.bytes;
    size_t count = capture->amendments.length / sizeof(*amendments);
    const uint8_t *block = capture->pending.bytes;
    size_t used = 0;

    capture->staging.length = 0;
    for (uint32_t i = 0; i < records; i++) {
        size_t length = capture->ops->block_length(block);
        size_t start = capture->staging.length;

        if (buffer_add(&capture->staging, block, length) < 0)
            return -ENOMEM;
        for (; used < count &&
               amendments[used].record == capture->first_record + i;
             used++)
            if (capture->ops->amend(&capture->staging, start,
                                    (const char *)capture->texts.bytes +
                                        amendments[used].text) < 0)
                return -ENOMEM;
        block += length;
    }
    return (int)used;
}

// Amendments that were used go with their texts.
static int drop_amendments(struct capture *capture, size_t used)
{
    struct buffer old = capture->texts;
    int error = 0;

    buffer_drop_front(&capture->amendments, used * sizeof(struct amendment));
    struct amendment *left = (void *)capture->amendments.bytes;
    size_t count = capture->amendments.length / sizeof(*left);
    if (count == 0) {
        capture->texts.length = 0;
        return 0;
    }
    capture->texts = (struct buffer){0};
    for (size_t i = 0; i < count && error == 0; i++) {
        const char *text = (const char *)old.bytes + left[i].text;

        left[i].text = capture->texts.length;
        error = buffer_add(&capture->texts, text, strlen(text) + 1);
    }
    buffer_fini(&old);
    return error;
}

// How many of the pending records nothing can happen to any more, and their
// bytes.
static uint32_t settled_records(struct capture *capture, size_t *bytes)
{
    uint32_t pending = capture->next_record - capture->first_record;
    uint32_t settled =
        link_settled_records(capture->port->link, capture->port->end,
                             capture->first_record, pending);

    *bytes = capture->pending.length;
    if (settled >= pending || capture->pending.length > CAPTURE_HOLD_LIMIT)
        return pending;
    *bytes = 0;
    for (uint32_t i = 0; i < settled; i++)
        *bytes += capture->ops->block_length(capture->pending.bytes + *bytes);
    return settled;
}

static void write_records(struct capture *capture, uint32_t records,
                          size_t bytes)
{
    if (capture->amendments.length == 0) {
        write_out(capture, capture->pending.bytes, bytes);
    } else {
        qsort(capture->amendments.bytes,
              capture->amendments.length / sizeof(struct amendment),
              sizeof(struct amendment), compare_amendments);
        int used = stage(capture, records);

        if (used < 0) {
            give_up(capture, used, NULL, 0);
            return;
        }
        int error = drop_amendments(capture, (size_t)used);
        if (error < 0) {
            give_up(capture, error, NULL, 0);
            return;
        }
        write_out(capture, capture->staging.bytes, capture->staging.length);
    }
    if (capture->error == 0)
        buffer_drop_front(&capture->pending, bytes);
    capture->first_record += records;
}

// Writes what is settled; all: whatever can still happen to it.
static void flush(struct capture *capture, bool all)
{
    uint32_t records = capture->next_record - capture->first_record;
    size_t bytes = capture->pending.length;

    if (!capture->has_begun) {
        int error = capture->ops->begin(capture);

        if (error < 0) {
            give_up(capture, error, NULL, 0);
            return;
        }
        capture->has_begun = true;
        write_out(capture, capture->head.bytes, capture->head.length);
        buffer_fini(&capture->head);
        if (capture->error != 0)
            return;
    }
    if (!all)
        records = settled_records(capture, &bytes);
    if (records > 0)
        write_records(capture, records, bytes);
    // What stays is moved to the front: at most as much as has been written.
    size_t open = capture->pending.length;
    capture->flush_at =
        open + (open > capture->flush_size ? open : capture->flush_size);
}

// --- Frames

uint32_t capture_frame(struct capture *capture, const struct packet *frame,
                       bool is_outgoing, ns_t time, const char *comment)
{
    struct capture_record record = {time, is_outgoing, capture->snap_length};

    if (capture->fd >= 0 && capture->pending.length >= capture->flush_at)
        flush(capture, false);
    uint32_t number = capture->next_record++;
    if (capture->fd < 0)
        return number;
    size_t start = capture->pending.length;
    int error = capture->ops->frame(capture, frame, &record);
    if (error == 0 && comment != NULL && capture->ops->amend != NULL)
        error = capture->ops->amend(&capture->pending, start, comment);
    if (error < 0) {
        give_up(capture, error, NULL, 0);
        return number;
    }
    if (capture->frames++ == 0)
        capture->first_time = time;
    capture->last_time = time;
    return number;
}

void capture_amend(struct capture *capture, uint32_t record,
                   const char *comment)
{
    struct amendment amendment = {
        .record = record,
        .order = capture->amendment_count++,
        .text = capture->texts.length,
    };

    if (capture->fd < 0 || capture->ops->amend == NULL ||
        (int32_t)(record - capture->first_record) < 0)
        return;
    if (buffer_add(&capture->texts, comment, strlen(comment) + 1) < 0 ||
        buffer_add(&capture->amendments, &amendment, sizeof(amendment)) < 0)
        give_up(capture, -ENOMEM, NULL, 0);
}

int capture_finish(struct capture *capture)
{
    if (capture->fd < 0)
        return capture->error;
    flush(capture, true);
    if (capture->fd < 0)
        return capture->error;
    int error = capture->ops->end(capture);
    if (error < 0) {
        give_up(capture, error, NULL, 0);
        return error;
    }
    write_out(capture, capture->pending.bytes, capture->pending.length);
    capture->pending.length = 0;
    if (capture->fd >= 0) {
        if (close(capture->fd) < 0 && capture->error == 0)
            capture->error = -errno;
        capture->fd = -1;
    }
    return capture->error;
}

// --- Answers

int capture_error(const struct capture *capture) { return capture->error; }

const char *capture_path(const struct capture *capture)
{
    return capture->path;
}

uint64_t capture_frames(const struct capture *capture)
{
    return capture->frames;
}

uint64_t capture_hash(const struct capture *capture)
{
    return XXH3_64bits_digest(capture->hash);
}
