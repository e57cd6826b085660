// Messages with several pieces and with control data.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/calls/syscalls.h"
#include "sim/packetdrill/runner.h"

#include "sim/packetdrill/language/symbols.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

const struct script_value *value_field(const struct script_value *value,
                                       const char *name)
{
    if (value == NULL || value->kind != SCRIPT_VALUE_STRUCT)
        return NULL;
    for (const struct script_value *f = value->items; f != NULL; f = f->next)
        if (f->field != NULL && strcmp(f->field, name) == 0)
            return f;
    return NULL;
}

// The sum of the lengths of {..., N}; -EFAULT for a piece that is not there;
// -1: something else.
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
        if (v->items->kind == SCRIPT_VALUE_INTEGER && length->integer > 0)
            return -EFAULT;
        sum += length->integer;
    }
    return sum;
}

static bool is_word(const struct script_value *value, const char *name)
{
    int64_t number;

    return value != NULL && value->kind == SCRIPT_VALUE_INTEGER &&
           symbol_find(name, strlen(name), &number) && value->integer == number;
}

static enum call_progress unsupported(struct runner *r,
                                      const struct script_event *event)
{
    runner_unsupported(r, event->line, "this form of %s", event->call->name);
    return CALL_STOPPED;
}

// TCP_INQ: what is left to read, one more for the end of the stream.
static void check_inq(struct runner *r, const struct script_event *event,
                      const struct descriptor *d,
                      const struct script_value *data)
{
    int64_t left = 0;

    socket_get_option(d->socket, OPTION_UNREAD, &left);
    if (left == 0 && (socket_events(d->socket) & EVENT_PEER_CLOSED))
        left = 1;
    if (left != data->integer)
        runner_fail(r, event->line, "TCP_CM_INQ is %lld, expected %lld",
                    (long long)left, (long long)data->integer);
}

static enum call_progress check_control(struct runner *r,
                                        const struct script_event *event,
                                        const struct descriptor *d,
                                        const struct script_value *control)
{
    for (const struct script_value *c = control->items; c; c = c->next) {
        const struct script_value *data = value_field(c, "cmsg_data");

        if (!is_word(value_field(c, "cmsg_level"), "SOL_TCP") ||
            !is_word(value_field(c, "cmsg_type"), "TCP_CM_INQ") ||
            data == NULL || data->kind != SCRIPT_VALUE_INTEGER)
            return unsupported(r, event);
        check_inq(r, event, d, data);
    }
    return call_done_or_stopped(r);
}

static enum call_progress receive_message(struct runner *r,
                                          const struct script_event *event,
                                          struct descriptor *d, int64_t length,
                                          int64_t flags, int64_t *result)
{
    const struct script_value *control =
        value_field(call_argument(event->call, 1), "msg_control");

    if (flags & MSG_ERRQUEUE)
        return errqueue_receive(r, event, d, control, result);
    enum call_progress progress = transfer_receive(r, d, length, flags, result);
    if (progress != CALL_DONE || control == NULL || *result < 0)
        return progress;
    return check_control(r, event, d, control);
}

enum call_progress call_message(struct runner *r,
                                const struct script_event *event,
                                int64_t *result)
{
    const struct script_value *message = call_argument(event->call, 1);
    bool is_send = strcmp(event->call->name, "sendmsg") == 0;
    int64_t length = vector_length(value_field(message, "msg_iov")), flags;
    struct descriptor *d;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    if (!transfer_flags(r, event, 2, &flags))
        return CALL_STOPPED;
    if (length == -EFAULT) {
        *result = length;
        return CALL_DONE;
    }
    if (length < 0 || (is_send && value_field(message, "msg_control") != NULL))
        return unsupported(r, event);
    return is_send ? transfer_send(r, d, length, flags, result)
                   : receive_message(r, event, d, length, flags, result);
}

enum call_progress
call_vector(struct runner *r, const struct script_event *event, int64_t *result)
{
    bool is_send = strcmp(event->call->name, "writev") == 0;
    int64_t length = vector_length(call_argument(event->call, 1));
    struct descriptor *d;

    if (!call_descriptor(r, event, &d, result))
        return call_done_or_stopped(r);
    if (length == -EFAULT) {
        *result = length;
        return CALL_DONE;
    }
    if (length < 0)
        return unsupported(r, event);
    return is_send ? transfer_send(r, d, length, 0, result)
                   : transfer_receive(r, d, length, 0, result);
}
