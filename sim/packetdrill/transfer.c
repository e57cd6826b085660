// Reading and writing of a script's sockets.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/runner.h"
#include "sim/packetdrill/syscalls.h"

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

static bool are_flags_known(struct runner *r, int line, int64_t flags)
{
    const int64_t known = MSG_PEEK | MSG_MORE | MSG_OOB | MSG_EOR |
                          MSG_DONTWAIT | MSG_NOSIGNAL | MSG_WAITALL |
                          MSG_FASTOPEN;

    if ((flags & ~known) == 0)
        return true;
    runner_unsupported(r, line, "the message flags 0x%llx",
                       (long long)(flags & ~known));
    return false;
}

// One system call's worth of zeros, in as many pieces as the stack takes.
static enum call_progress send_bytes(struct runner *r, struct descriptor *d,
                                     int64_t length, int64_t flags,
                                     int64_t *result)
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
    }
    if (*done < length && sent == -EAGAIN && may_block)
        return CALL_WAITS;
    *result = *done > 0 ? *done : sent;
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
        return send_bytes(r, d, length, 0, result);
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
        (has_flags && !call_integer(r, event, 3, &flags)) ||
        !are_flags_known(r, event->line, flags))
        return CALL_STOPPED;
    if (r->pending.is_opening)
        return go_on_opening(r, d, length, result);
    if (!r->pending.is_retry && ((flags & MSG_FASTOPEN) || d->waits_for_data))
        return send_fast_open(r, event, d, length, flags, result);
    return send_bytes(r, d, length, flags, result);
}

// --- Receiving

static enum call_progress receive_bytes(struct runner *r, struct descriptor *d,
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
        (has_flags && !call_integer(r, event, 3, &flags)) ||
        !are_flags_known(r, event->line, flags))
        return CALL_STOPPED;
    return receive_bytes(r, d, length, flags, result);
}

// --- Messages of several pieces

static const struct script_value *field(const struct script_value *value,
                                        const char *name)
{
    if (value == NULL || value->kind != SCRIPT_VALUE_STRUCT)
        return NULL;
    for (const struct script_value *f = value->items; f != NULL; f = f->next)
        if (f->field != NULL && strcmp(f->field, name) == 0)
            return f;
    return NULL;
}

// The sum of the lengths in msg_iov, -1: something else than {..., N}.
static int64_t vector_length(const struct script_value *vector)
{
    int64_t sum = 0;

    if (vector == NULL || vector->kind != SCRIPT_VALUE_LIST)
        return -1;
    for (const struct script_value *v = vector->items; v; v = v->next) {
        const struct script_value *length =
            v->kind == SCRIPT_VALUE_STRUCT && v->items ? v->items->next : NULL;

        if (length == NULL || length->kind != SCRIPT_VALUE_INTEGER)
            return -1;
        sum += length->integer;
    }
    return sum;
}

enum call_progress call_message(struct runner *r,
                                const struct script_event *event,
                                int64_t *result)
{
    const struct script_value *message = call_argument(event->call, 1);
    bool is_send = strcmp(event->call->name, "sendmsg") == 0;
    int64_t length = vector_length(field(message, "msg_iov")), flags;
    struct descriptor *d;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    if (!call_integer(r, event, 2, &flags) ||
        !are_flags_known(r, event->line, flags))
        return CALL_STOPPED;
    if (length < 0 || field(message, "msg_control") != NULL) {
        runner_unsupported(r, event->line, "this form of %s",
                           event->call->name);
        return CALL_STOPPED;
    }
    return is_send ? send_bytes(r, d, length, flags, result)
                   : receive_bytes(r, d, length, flags, result);
}

enum call_progress
call_vector(struct runner *r, const struct script_event *event, int64_t *result)
{
    bool is_send = strcmp(event->call->name, "writev") == 0;
    int64_t length = vector_length(call_argument(event->call, 1));
    struct descriptor *d;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    if (length < 0) {
        runner_unsupported(r, event->line, "this form of %s",
                           event->call->name);
        return CALL_STOPPED;
    }
    return is_send ? send_bytes(r, d, length, 0, result)
                   : receive_bytes(r, d, length, 0, result);
}
