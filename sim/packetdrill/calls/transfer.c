// Reading and writing of a script's sockets.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/calls/syscalls.h"
#include "sim/packetdrill/runner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DATA_SIZE = 65536 }; // of one piece

// --- Sending

static int message_flags(int64_t flags)
{
    int result = 0;

    result |= flags & MSG_PEEK ? MESSAGE_PEEK : 0;
    result |= flags & MSG_MORE ? MESSAGE_MORE : 0;
    result |= flags & MSG_OOB ? MESSAGE_URGENT : 0;
    result |= flags & MSG_EOR ? MESSAGE_END_OF_RECORD : 0;
    return result;
}

bool transfer_flags(struct runner *r, const struct script_event *event,
                    unsigned n, int64_t *flags)
{
    const int64_t known = MSG_PEEK | MSG_MORE | MSG_OOB | MSG_EOR |
                          MSG_DONTWAIT | MSG_NOSIGNAL | MSG_WAITALL |
                          MSG_FASTOPEN | MSG_ERRQUEUE | SCRIPT_MSG_ZEROCOPY;

    if (!call_integer(r, event, n, flags))
        return false;
    if ((*flags & ~known) == 0)
        return true;
    runner_unsupported(r, event->line, "the message flags 0x%llx",
                       (long long)(*flags & ~known));
    return false;
}

// Scripts write a number in the place of a buffer to name memory that is not
// there.
static bool is_bad_buffer(const struct script_event *event)
{
    const struct script_value *buffer = call_argument(event->call, 1);

    return buffer != NULL && buffer->kind == SCRIPT_VALUE_INTEGER;
}

// One system call's worth of zeros, in as many pieces as the stack takes.
enum call_progress transfer_send(struct runner *r, struct descriptor *d,
                                 int64_t length, int64_t flags, int64_t *result)
{
    static const uint8_t zeros[DATA_SIZE];
    bool may_block = !d->is_nonblocking && !(flags & MSG_DONTWAIT);
    int64_t *done = &r->pending.done;
    int64_t sent = 0;

    while (*done < length || (length == 0 && !r->pending.is_retry)) {
        int64_t piece = min_i64(length - *done, DATA_SIZE);
        // What follows in this same call keeps a small last piece back.
        int more = *done + piece < length ? MESSAGE_MORE : 0;

        sent = socket_send(d->socket, zeros, (size_t)piece,
                           message_flags(flags) | more |
                               (may_block ? MESSAGE_WAITS : 0));
        if (sent <= 0)
            break;
        *done += sent;
        d->written += sent;
    }
    if (*done < length && sent == -EAGAIN && may_block)
        return CALL_WAITS;
    *result = *done > 0 ? *done : sent;
    if ((flags & SCRIPT_MSG_ZEROCOPY) && *done > 0)
        errqueue_note_send(d);
    return CALL_DONE;
}

// A connection is being opened by this very call: as soon as it stands the rest
// follows.
static enum call_progress go_on_opening(struct runner *r, struct descriptor *d,
                                        int64_t length, int64_t *result)
{
    int error = call_connect_outcome(d);

    if (error == -EAGAIN)
        return CALL_WAITS;
    r->pending.is_opening = false;
    if (error == 0)
        return transfer_send(r, d, length, 0, result);
    *result = error;
    return CALL_DONE;
}

// sendto with MSG_FASTOPEN, or the first write behind a connect that waited for
// it.
static enum call_progress send_fast_open(struct runner *r,
                                         const struct script_event *event,
                                         struct descriptor *d, int64_t length,
                                         int64_t flags, int64_t *result)
{
    static const uint8_t zeros[DATA_SIZE];
    const struct script_value *to = call_argument(event->call, 4);
    struct endpoint remote = {.addr = r->remote, .port = SCRIPT_PORT};
    bool may_block = !d->is_nonblocking && !(flags & MSG_DONTWAIT);

    if (to != NULL && to->kind != SCRIPT_VALUE_ELLIPSIS)
        remote = (struct endpoint){0}; // AF_UNSPEC
    int64_t sent = socket_send_to(
        d->socket, zeros, (size_t)min_i64(length, DATA_SIZE),
        MESSAGE_FAST_OPEN | (may_block ? MESSAGE_WAITS : 0), &remote);
    d->waits_for_data = false;
    *result = sent;
    if (sent < 0 && sent != -EINPROGRESS)
        return CALL_DONE;
    call_follow(r, d);
    if (!may_block)
        return CALL_DONE;
    r->pending.done = max_i64(sent, 0);
    d->written += max_i64(sent, 0);
    r->pending.is_opening = true;
    return CALL_WAITS;
}

enum call_progress call_write(struct runner *r,
                              const struct script_event *event, int64_t *result)
{
    bool has_flags = strcmp(event->call->name, "write") != 0;
    struct descriptor *d;
    int64_t length, flags = 0;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    if (!call_integer(r, event, 2, &length) ||
        (has_flags && !transfer_flags(r, event, 3, &flags)))
        return CALL_STOPPED;
    if (is_bad_buffer(event)) {
        *result = -EFAULT;
        return CALL_DONE;
    }
    if (r->pending.is_opening)
        return go_on_opening(r, d, length, result);
    if (!r->pending.is_retry && ((flags & MSG_FASTOPEN) || d->waits_for_data))
        return send_fast_open(r, event, d, length, flags, result);
    return transfer_send(r, d, length, flags, result);
}

// --- Receiving

enum call_progress transfer_receive(struct runner *r, struct descriptor *d,
                                    int64_t length, int64_t flags,
                                    int64_t *result)
{
    size_t size = (size_t)min_i64(max_i64(length, 0), 64 << 20);
    int64_t done = r->pending.done;
    bool wants_all = (flags & MSG_WAITALL) && !(flags & MSG_PEEK);
    bool may_block = !d->is_nonblocking && !(flags & MSG_DONTWAIT);
    uint8_t *bytes = malloc(size + 1);
    int64_t got;

    must(bytes != NULL);
    do {
        got = socket_receive(d->socket, bytes, size - (size_t)done,
                             message_flags(flags));
        if (got > 0)
            done += got;
    } while (got > 0 && wants_all && done < (int64_t)size);
    free(bytes);
    r->pending.done = done;
    bool is_enough = wants_all ? done == (int64_t)size : done > 0;
    if (got == -EAGAIN && !is_enough && may_block)
        return CALL_WAITS;
    *result = done > 0 ? done : got;
    return CALL_DONE;
}

enum call_progress call_read(struct runner *r, const struct script_event *event,
                             int64_t *result)
{
    bool has_flags = strcmp(event->call->name, "read") != 0;
    struct descriptor *d;
    int64_t length, flags = 0;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    if (!call_integer(r, event, 2, &length) ||
        (has_flags && !transfer_flags(r, event, 3, &flags)))
        return CALL_STOPPED;
    if (is_bad_buffer(event)) {
        *result = -EFAULT;
        return CALL_DONE;
    }
    return transfer_receive(r, d, length, flags, result);
}
